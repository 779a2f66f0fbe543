import { existsSync, statSync } from 'node:fs'
import { createRequire } from 'node:module'
import path from 'node:path'
import { pathToFileURL } from 'node:url'
import type { Cli } from '../cli.ts'
import { codeOf, EXIT, Failure } from '../failure.ts'
import { printable, printableLines } from '../terminal/printable.ts'

/** What people leave away. */
const EXTENSIONS = ['.js', '.mjs', '.cjs', '.ts', '.mts', '.cts']
const OF_TYPESCRIPT = /\.[mc]?tsx?$/

/** A module's exports by name. */
export type Exports = Readonly<Record<string, unknown>>

/** Loads a module of the user's, by its path or by the name of a package. Throws a `Failure` that says what is wrong. */
export async function loadModule(specifier: string, cli: Cli): Promise<Exports> {
  const file = findModule(specifier, cli)
  const forget = sayWhenStuck(specifier, cli)
  try {
    return (await import(pathToFileURL(file).href)) as Exports
  } catch (error) {
    throw explainLoading(error, specifier, file)
  } finally {
    forget()
  }
}

/** A file from the working directory on, with `./` or without, or else a package of the project. */
function findModule(specifier: string, { cwd }: Cli): string {
  const shown = printable(specifier)
  const file = path.resolve(cwd, specifier)
  if (existsSync(file)) {
    if (!statSync(file).isDirectory()) return file
    if (isPath(specifier)) throw new Failure(`${shown} is a folder: name the module in it.`)
  }
  if (!isPath(specifier)) return findPackage(specifier, cwd)
  const meant = EXTENSIONS.map((extension) => specifier + extension).find((candidate) =>
    existsSync(path.resolve(cwd, candidate)),
  )
  const hint = meant === undefined ? '' : `; did you mean ${printable(meant)}?`
  throw new Failure(`There is no module ${shown} here${hint || '.'}`)
}

function isPath(specifier: string): boolean {
  return (
    /^\.{0,2}[/\\]|^\.{1,2}$/.test(specifier) ||
    path.isAbsolute(specifier) ||
    EXTENSIONS.includes(path.extname(specifier))
  )
}

function findPackage(name: string, cwd: string): string {
  try {
    return createRequire(path.join(cwd, 'from-here.js')).resolve(name)
  } catch (error) {
    const hint =
      codeOf(error) === 'MODULE_NOT_FOUND'
        ? `There is no file and no package ${printable(name)} here.`
        : `The package ${printable(name)} does not open that door (${codeOf(error) ?? 'unknown'}): name the file in it.`
    throw new Failure(hint, { cause: error })
  }
}

/**
 * A module that awaits something that never comes ends the process without a word, as nothing keeps it
 * alive: said at its end. Answers how to take that back.
 */
function sayWhenStuck(specifier: string, cli: Cli): () => void {
  const say = (): void => {
    cli.err.print(
      `${printable(specifier)} was not loaded: it awaits something at its top that never comes.`,
    )
    process.exitCode = EXIT.failed
  }
  process.once('exit', say)
  return () => process.off('exit', say)
}

function explainLoading(error: unknown, specifier: string, file: string): Failure {
  const code = codeOf(error)
  const shown = printable(specifier)
  if (code === 'ERR_UNKNOWN_FILE_EXTENSION' && /\.[mc]?tsx?["' ]/.test(messageOf(error))) {
    return new Failure(`${shown} ${adviceForTypeScript(specifier)}`, { cause: error })
  }
  if (code === 'ERR_UNSUPPORTED_TYPESCRIPT_SYNTAX') {
    return new Failure(
      `${shown} uses TypeScript that Node.js cannot run by leaving the types away (${firstLine(messageOf(error))}): ` +
        `build it first and name the .js file, or run: ${withTsx(specifier)}`,
      { cause: error },
    )
  }
  if (code === 'ERR_MODULE_NOT_FOUND' || code === 'MODULE_NOT_FOUND') {
    const what = firstLine(messageOf(error)).replace(/^Error: /, '')
    return new Failure(`${shown} cannot be loaded: ${printable(what)}.`, { cause: error })
  }
  if (error instanceof SyntaxError) {
    const hint = `to see where: node --check ${printable(path.relative(process.cwd(), file))}`
    return new Failure(`${shown} is not valid JavaScript (${firstLine(error.message)}); ${hint}`, {
      cause: error,
    })
  }
  // The module's own stack is for whoever wrote it; ours would not help them.
  return new Failure(`${shown} failed while it was loaded:\n${ownStack(error)}`, { cause: error })
}

function adviceForTypeScript(specifier: string): string {
  const what = OF_TYPESCRIPT.test(specifier) ? 'is TypeScript' : 'imports TypeScript'
  return (
    `${what}, which this Node.js (${process.version}) cannot run: use Node.js 22.18 or newer, ` +
    `build it first and name the .js file, or run: ${withTsx(specifier)}`
  )
}

function withTsx(specifier: string): string {
  return `node --import tsx node_modules/millrace/dist/cli/main.js work ${printable(specifier)}`
}

function ownStack(error: unknown): string {
  if (!(error instanceof Error)) return printable(`it threw ${String(error)}, which is no Error`)
  const lines = (error.stack ?? error.message).split('\n')
  const ours = pathToFileURL(path.join(import.meta.dirname, '..')).href
  const isOurs = (line: string): boolean =>
    line.includes(ours) || / \(?node:internal\/|[/\\]commander[/\\]lib[/\\]/.test(line)
  const kept = lines.filter((line) => !isOurs(line))
  return printableLines(kept.join('\n'))
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}

function firstLine(text: string): string {
  return printable(text.split('\n')[0] ?? '').replace(/\.$/, '')
}
