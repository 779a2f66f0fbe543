import { readFileSync } from 'node:fs'

/** The version of a library as it is installed here, which is what is measured, whatever package.json asks for. */
export function installedVersion(library: string): string {
  const file = new URL(`../node_modules/${library}/package.json`, import.meta.url)
  const manifest: unknown = JSON.parse(readFileSync(file, 'utf8'))
  if (typeof manifest === 'object' && manifest !== null && 'version' in manifest) {
    return String(manifest.version)
  }
  throw new Error(`${file.pathname} has no version.`)
}
