import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync } from 'node:fs'
import path from 'node:path'
import { npm } from '../support/npm.ts'

/** The folder of the package. */
export const root = path.resolve(import.meta.dirname, '../..')

/** What would be published, packed and unpacked. */
export interface Tarball {
  readonly file: string
  /** Where it is unpacked. */
  readonly folder: string
  /** Its files, by their path in the package. */
  readonly files: readonly string[]
  readonly bytes: number
  readonly unpackedBytes: number
}

interface Packed {
  filename: string
  size: number
  unpackedSize: number
  files: { path: string }[]
}

/** Packs what was built, as `npm publish` would, into a folder. */
export function packInto(folder: string): Tarball {
  if (!existsSync(path.join(root, 'dist/index.js'))) throw new Error('Run `npm run build` first.')
  mkdirSync(folder, { recursive: true })
  const output = npm(['pack', '--json', '--silent', '--pack-destination', folder], root)
  const [packed] = JSON.parse(output) as [Packed]
  const file = path.join(folder, packed.filename)
  execFileSync('tar', ['-xzf', packed.filename], { cwd: folder })
  return {
    file,
    folder: path.join(folder, 'package'),
    files: packed.files.map((entry) => entry.path),
    bytes: packed.size,
    unpackedBytes: packed.unpackedSize,
  }
}
