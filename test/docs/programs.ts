import { execFile } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { promisify } from 'node:util'
import { stepsOf } from './kinds.ts'
import { blocksOf, root, type Block } from './markdown.ts'

/** The programs of some pages, compiled. */
export interface Programs {
  /** Where a page's files are, in a folder of their own. */
  folderOf(page: string): string
  /** What the compiler says of a page, in its own lines; empty when it is content. */
  complaintsOf(page: string): readonly string[]
  remove(): void
}

interface Source {
  readonly block: Block
  /** Its path below the folder of all programs. */
  readonly file: string
}

/**
 * Compiles the programs of pages by the project's own strict settings against the built package,
 * through its exports, by one call of the compiler. It does so in a folder of the package, where
 * `millrace` is the package itself, and which neither lint nor the type check of the sources looks into.
 */
export async function compilePages(pages: readonly string[]): Promise<Programs> {
  if (!existsSync(path.join(root, 'dist/index.js'))) throw new Error('Run `npm run build` first.')
  mkdirSync(path.join(root, 'build'), { recursive: true })
  const made = mkdtempSync(path.join(root, 'build/docs-'))
  const sources = pages.flatMap(sourcesOf)
  for (const page of pages) mkdirSync(path.join(made, 'out', slugOf(page)), { recursive: true })
  for (const { file, block } of sources) {
    const place = path.join(made, block.language === 'ts' ? 'src' : 'out', file)
    mkdirSync(path.dirname(place), { recursive: true })
    writeFileSync(place, block.code)
  }
  const output = await compile(made)
  return {
    folderOf: (page) => path.join(made, 'out', slugOf(page)),
    complaintsOf: (page) => toComplaints(output, sources).filter((text) => text.startsWith(page)),
    remove: () => rmSync(made, { recursive: true, force: true }),
  }
}

/** The file that a block becomes, below its page's folder: of the first block, `block-1.js`. */
export function programOf(block: Block): string {
  const named = block.words.find((word) => word.includes('.'))
  const name = named ?? `block-${numberOf(block)}.${block.language}`
  return name.replace(/\.ts$/, '.js')
}

function numberOf(block: Block): number {
  return blocksOf(block.page).findIndex(({ line }) => line === block.line) + 1
}

function sourcesOf(page: string): Source[] {
  return stepsOf(blocksOf(page))
    .filter(({ kind }) => ['program', 'compiled', 'file'].includes(kind))
    .map(({ block }) => {
      const program = programOf(block)
      const isTyped = block.language === 'ts'
      return {
        block,
        file: path.join(slugOf(page), isTyped ? program.replace(/\.js$/, '.ts') : program),
      }
    })
}

function slugOf(page: string): string {
  return page.replaceAll(/[^\w-]+/g, '-')
}

/** Runs the compiler, and answers what it says. */
async function compile(folder: string): Promise<string> {
  // Without the paths of the checkout: a user finds millrace through its package exports.
  const compilerOptions = { noEmit: false, rootDir: 'src', outDir: 'out', paths: {} }
  const config = { extends: '../../tsconfig.json', compilerOptions, include: ['src'] }
  writeFileSync(path.join(folder, 'tsconfig.json'), JSON.stringify(config))
  mkdirSync(path.join(folder, 'src'), { recursive: true })
  writeFileSync(path.join(folder, 'src/none.ts'), 'export {}\n') // pages may have no programs
  const compiler = path.join(root, 'node_modules/typescript/bin/tsc')
  try {
    await promisify(execFile)(process.execPath, [compiler, '-p', folder, '--pretty', 'false'])
    return ''
  } catch (error) {
    const { stdout } = error as { stdout?: string }
    if (stdout === undefined || stdout === '') throw error
    return stdout
  }
}

/** The compiler's lines, with the page and its line instead of the file's. */
function toComplaints(output: string, sources: readonly Source[]): string[] {
  const bySource = new Map(sources.map(({ file, block }) => [file, block]))
  return output.split('\n').flatMap((text) => {
    const [, file = '', line, rest] = /src\/(\S+\.ts)\((\d+),\d+\): (.*)$/.exec(text) ?? []
    const block = bySource.get(file)
    return block === undefined ? [] : [`${block.page}:${block.line + Number(line) - 1}: ${rest}`]
  })
}
