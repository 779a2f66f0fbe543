import { spawn } from 'node:child_process'
import {
  chmodSync,
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readFileSync,
  writeFileSync,
} from 'node:fs'
import path from 'node:path'
import { until } from '../support/until.ts'
import { isAsShown } from './expected.ts'
import { root } from './markdown.ts'

/** The command line as it was built. */
const CLI = path.join(root, 'dist/cli/main.js')
const PATIENCE_MS = 60_000

/** Commands that a page shows and its test runs: the rest of a shell block is for the reader. */
const RUN = /^(.*\| )?(\w+=\S+ )*((npx )?millrace |node [\w-]+\.[mc]?js\b)/

/** Where commands run. */
export interface CommandPlace {
  readonly folder: string
  readonly databaseUrl: string
}

/** The lines of a shell block that are run, as whole commands. */
export function commandsOf(code: string): string[] {
  const lines = code.replaceAll(/\\\n\s*/g, '').split('\n')
  return lines.filter((line) => RUN.test(line))
}

/** Whether everything is built that these commands need. */
export function areRunnable(commands: readonly string[]): boolean {
  return existsSync(CLI) || !commands.some((command) => /(^| )millrace /.test(command))
}

/**
 * Runs a line of a shell block and answers what it printed. Its comment may say how it ends: ` # exits
 * with 1`, or ` # then Ctrl-C`, which is pressed as soon as it has printed what is `shown`.
 */
export async function runCommand(
  command: string,
  place: CommandPlace,
  shown = '',
): Promise<string> {
  const status = Number(/ # .*exits with (\d+)$/.exec(command)?.[1] ?? 0)
  const printed = path.join(place.folder, 'printed.txt')
  const sink = openSync(printed, 'w') // one for both streams, so that lines come in their order
  // Without a shell around it, so that Ctrl-C reaches the command itself; a pipe needs one.
  const line = command.includes('| ') ? command : `exec env ${command}`
  const child = spawn('/bin/sh', ['-c', line], {
    cwd: place.folder,
    env: environment(place),
    stdio: ['ignore', sink, sink],
  })
  const exit = new Promise<number | NodeJS.Signals | null>((resolve, reject) => {
    child.on('error', reject)
    child.on('exit', (code, signal) => resolve(code ?? signal))
  })
  const timer = setTimeout(() => child.kill('SIGKILL'), PATIENCE_MS)
  if (command.includes(' # then Ctrl-C')) {
    const hasEnded = (): boolean => child.exitCode !== null || child.signalCode !== null
    const isShown = (): boolean => isAsShown(readFileSync(printed, 'utf8'), shown)
    await until(() => hasEnded() || isShown(), { what: 'the output', withinMs: 2 * PATIENCE_MS })
    child.kill('SIGINT')
  }
  const end = await exit
  clearTimeout(timer)
  closeSync(sink)
  const output = readFileSync(printed, 'utf8')
  if (end === status) return output
  throw new Error(`\`${command}\` ended with ${end}:\n${output}`)
}

function environment({ folder, databaseUrl }: CommandPlace): NodeJS.ProcessEnv {
  return {
    PATH: `${shims(folder)}${path.delimiter}${process.env['PATH'] ?? ''}`,
    HOME: folder,
    NO_COLOR: '1',
    DATABASE_URL: databaseUrl,
  }
}

/** A folder with `millrace`, `npx`, which runs it without asking a registry, and the `node` of the tests. */
function shims(folder: string): string {
  const bin = path.join(folder, '.bin')
  if (existsSync(bin)) return bin
  mkdirSync(bin)
  const scripts = {
    millrace: `exec '${process.execPath}' '${CLI}' "$@"`,
    npx: 'exec "$@"',
    node: `exec '${process.execPath}' "$@"`,
  }
  for (const [name, script] of Object.entries(scripts)) {
    writeFileSync(path.join(bin, name), `#!/bin/sh\n${script}\n`)
    chmodSync(path.join(bin, name), 0o755)
  }
  return bin
}
