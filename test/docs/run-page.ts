import { writeFileSync } from 'node:fs'
import path from 'node:path'
import { Client } from 'pg'
import { areRunnable, commandsOf, runCommand, type CommandPlace } from './commands.ts'
import { isAsShown } from './expected.ts'
import { stepsOf, type Step } from './kinds.ts'
import { blocksOf, type Block } from './markdown.ts'
import { programOf } from './programs.ts'

/** Where a page runs: a folder with its programs, compiled, and an empty database of its own. */
export interface Place extends CommandPlace {
  /** Kinds of steps that a test of their own runs, as they need something beside them. */
  readonly elsewhere: readonly Step['kind'][]
}

/** Runs the blocks of a page one after the other. Throws at the first that does not do what the page says. */
export async function runPage(page: string, place: Place): Promise<void> {
  for (const step of stepsOf(blocksOf(page))) {
    if (place.elsewhere.includes(step.kind)) continue
    if (step.kind === 'shell' && !areRunnable(commandsOf(step.block.code))) {
      console.warn(`${where(step.block)}: run up to here, as there is no dist/cli.`)
      return
    }
    try {
      await runStep(step, place)
    } catch (cause) {
      throw new Error(`${where(step.block)}: ${(cause as Error).message}`, { cause })
    }
  }
}

async function runStep(step: Step, place: Place): Promise<void> {
  const { block } = step
  if (step.kind === 'program') {
    compare(step, await runCommand(`node ${programOf(block)}`, place))
  } else if (step.kind === 'shell') {
    await runShell(step, place)
  } else if (step.kind === 'sql') {
    compare(step, await runSql(block, place))
  } else if (block.language === 'js' && step.kind !== 'shown') {
    // Only now: a page may show a file, and further down what becomes of it.
    writeFileSync(path.join(place.folder, programOf(block)), block.code)
    if (step.kind === 'compiled') await runCommand(`node --check ${programOf(block)}`, place)
  }
}

async function runShell(step: Extract<Step, { kind: 'shell' }>, place: Place): Promise<void> {
  const commands = commandsOf(step.block.code)
  let output = ''
  for (const command of commands) output += await runCommand(command, place, step.output?.code)
  if (commands.length > 0) compare(step, output)
}

/** Runs statements, and answers the rows of the last as psql shows them. */
async function runSql({ code }: Block, { databaseUrl }: Place): Promise<string> {
  const client = new Client({ connectionString: databaseUrl, options: '-c TimeZone=UTC' })
  await client.connect()
  try {
    const answer: unknown = await client.query({ text: code, rowMode: 'array' })
    return toTable([answer].flat().at(-1) as Answer)
  } finally {
    await client.end()
  }
}

interface Answer {
  readonly fields: readonly { readonly name: string; readonly dataTypeID: number }[]
  readonly rows: readonly (readonly unknown[])[]
}

/** int8, int2, int4, float4, float8, numeric: psql puts them to the right. */
const NUMBERS = new Set([20, 21, 23, 700, 701, 1700])

/** Rows as psql shows them. */
function toTable({ fields, rows }: Answer): string {
  const cells = rows.map((row) => row.map(toCell))
  const widths = fields.map(({ name }, column) =>
    Math.max(name.length, ...cells.map((row) => row[column]?.length ?? 0)),
  )
  const line = (texts: readonly string[]): string => ` ${texts.join(' | ')} `
  const lines = cells.map((row) =>
    line(
      row.map((cell, column) => {
        const width = widths[column] ?? 0
        const isNumber = NUMBERS.has(fields[column]?.dataTypeID ?? 0)
        return isNumber ? cell.padStart(width) : cell.padEnd(width)
      }),
    ),
  )
  const heads = fields.map(({ name }, column) => centre(name, widths[column] ?? 0))
  const rule = widths.map((width) => '-'.repeat(width + 2)).join('+')
  const count = `(${rows.length} row${rows.length === 1 ? '' : 's'})`
  return `${[line(heads), rule, ...lines, count].join('\n')}\n`
}

function centre(text: string, width: number): string {
  return text.padStart(text.length + Math.floor((width - text.length) / 2)).padEnd(width)
}

function toCell(value: unknown): string {
  if (value === null) return ''
  if (typeof value === 'boolean') return value ? 't' : 'f'
  if (value instanceof Date) return value.toISOString()
  return typeof value === 'string' ? value : JSON.stringify(value)
}

function compare({ output: shown }: Extract<Step, { output: unknown }>, output: string): void {
  if (shown === undefined || isAsShown(output, shown.code)) return
  throw new Error(
    `it does not print what ${where(shown)} shows. It prints:\n${output}\nand not:\n${shown.code}`,
  )
}

function where({ page, line }: Block): string {
  return `${page}:${line}`
}
