import { readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'

/** The folder of the package. */
export const root = path.resolve(import.meta.dirname, '../..')

/** A file of `src/`, by its path below it, with forward slashes. */
export interface Source {
  readonly file: string
  readonly text: string
}

/** Every file of `src/`. */
export function readSources(): Source[] {
  const folder = path.join(root, 'src')
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => /\.tsx?$/.test(name))
    .map((name) => name.split(path.sep).join('/'))
    .toSorted()
    .map((file) => ({ file, text: readFileSync(path.join(folder, file), 'utf8') }))
}

const IMPORTS =
  /^(?:import|export)\b[^'"`;]*?\bfrom '([^']+)'|^import '([^']+)'|\bimport\('([^']+)'\)/gm

/** What a file imports or passes on, statically or when it runs: paths below `src/`, and names of packages. */
export function importsOf({ file, text }: Source): string[] {
  return [...text.matchAll(IMPORTS)].map(([, from, bare, dynamic]) => {
    const specifier = from ?? bare ?? dynamic ?? ''
    const isPath = specifier.startsWith('.')
    return isPath ? path.posix.join(path.posix.dirname(file), specifier) : specifier
  })
}

const TOKENS =
  /\/\*[\s\S]*?\*\/|\/\/[^\n]*|'(?:\\.|[^'\\\n])*'|"(?:\\.|[^"\\\n])*"|`(?:\\.|[^`\\])*`/g

/** The strings and templates of a file, without their quotes; comments are passed over. */
export function stringsOf({ text }: Source): string[] {
  return (text.match(TOKENS) ?? [])
    .filter((token) => !token.startsWith('/'))
    .map((token) => token.slice(1, -1))
}
