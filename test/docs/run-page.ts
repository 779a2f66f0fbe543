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
import { Client } from 'pg'
import { isAsShown } from './expected.ts'
import { stepsOf, type Step } from './kinds.ts'
import { blocksOf, root, type Block } from './markdown.ts'
import { programOf } from './programs.ts'

const CLI = path.join(root, 'dist/cli/main.js')
const PATIENCE_MS = 30_000

/** Where a page runs. */
export interface Place {
  /** Its programs, compiled; also where its commands run. */
  readonly folder: string
  /** An empty database of its own. */
  readonly databaseUrl: string
  /** Kinds of steps that a test of their own runs, as they need something beside them. */
  readonly elsewhere: readonly Step['kind'][]
}

/** Runs the blocks of a page one after the other. Throws at the first that does not do what the page says. */
export async function runPage(page: string, place: Place): Promise<void> {
  for (const step of stepsOf(blocksOf(page))) {
    if (place.elsewhere.includes(step.kind)) continue
    if (step.kind === 'program') {
      const file = path.join(place.folder, programOf(step.block))
      compare(step, await run(process.execPath, [file], place, step.block))
    } else if (step.kind === 'shell') await runShell(step, place)
    else if (step.kind === 'sql') compare(step, await runSql(step.block, place))
  }
}

/** Commands that a page shows and this test runs: the rest of a shell block is for the reader. */
const RUN = /^(.*\| )?(npx )?millrace |^node [\w-]+\.m?js\b/

async function runShell(step: Extract<Step, { kind: 'shell' }>, place: Place): Promise<void> {
  const { code } = step.block
  const commands = code
    .replaceAll(/\\\n\s*/g, '')
    .split('\n')
    .filter((line) => RUN.test(line))
  if (commands.length === 0) return
  if (!existsSync(CLI) && commands.some((line) => line.includes('millrace '))) {
    console.warn(`${where(step.block)}: not runnable yet, there is no dist/cli.`)
    return
  }
  let output = ''
  for (const command of commands) {
    const status = Number(/ # exits with (\d+)$/.exec(command)?.[1] ?? 0)
    output += await run('/bin/sh', ['-c', command], place, step.block, status)
  }
  compare(step, output)
}

/** Runs a command to its end and answers what it printed, on both streams as they came. */
async function run(
  file: string,
  args: string[],
  { folder, databaseUrl }: Place,
  block: Block,
  expected = 0,
): Promise<string> {
  const printed = path.join(folder, 'printed.txt')
  const sink = openSync(printed, 'w')
  const env = {
    PATH: `${shims(folder)}${path.delimiter}${process.env['PATH'] ?? ''}`,
    HOME: folder,
    NO_COLOR: '1',
    DATABASE_URL: databaseUrl,
  }
  const child = spawn(file, args, { cwd: folder, env, stdio: ['ignore', sink, sink] })
  const timer = setTimeout(() => child.kill('SIGKILL'), PATIENCE_MS)
  const code = await new Promise<number | null>((resolve, reject) => {
    child.on('error', reject)
    child.on('exit', resolve)
  })
  clearTimeout(timer)
  closeSync(sink)
  const output = readFileSync(printed, 'utf8')
  if (code === expected) return output
  const end = code === null ? 'did not end by itself' : `ended with ${code}`
  throw new Error(`${where(block)}: ${[path.basename(file), ...args].join(' ')} ${end}:\n${output}`)
}

/** A folder with `millrace` and `npx`, which runs it without asking a registry. */
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

/** Runs statements, and answers the rows of the last as psql shows them. */
async function runSql(block: Block, { databaseUrl }: Place): Promise<string> {
  const client = new Client({ connectionString: databaseUrl, options: '-c TimeZone=UTC' })
  await client.connect()
  try {
    const answer: unknown = await client.query({ text: block.code, rowMode: 'array' })
    const last = [answer].flat().at(-1) as Answer
    return table(
      last.fields.map(({ name }) => name),
      last.rows,
    )
  } catch (cause) {
    throw new Error(`${where(block)}: ${String(cause)}`, { cause })
  } finally {
    await client.end()
  }
}

interface Answer {
  readonly fields: readonly { readonly name: string }[]
  readonly rows: readonly (readonly unknown[])[]
}

function table(names: readonly string[], rows: Answer['rows']): string {
  const cells = [names, ...rows].map((row) => row.map(toCell))
  const widths = names.map((_, column) => Math.max(...cells.map((row) => row[column]?.length ?? 0)))
  const lines = cells.map(
    (row) => ` ${row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(' | ')}`,
  )
  lines.splice(1, 0, widths.map((width) => '-'.repeat(width + 2)).join('+'))
  return `${lines.join('\n')}\n`
}

function toCell(value: unknown): string {
  if (value === null) return ''
  if (value instanceof Date) return value.toISOString()
  return typeof value === 'string' ? value : JSON.stringify(value)
}

function compare(
  { block, output: shown }: Extract<Step, { output: unknown }>,
  output: string,
): void {
  if (shown === undefined || isAsShown(output, shown.code)) return
  throw new Error(
    `${where(block)} does not print what ${where(shown)} shows. It prints:\n${output}\nand not:\n${shown.code}`,
  )
}

function where({ page, line }: Block): string {
  return `${page}:${line}`
}
