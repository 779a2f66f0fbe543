import type { Command } from 'commander'
import { resolveSchema } from '../../core/identifiers.ts'
import type { Cli } from '../cli.ts'
import { explain } from '../explain.ts'
import { Failure, usageFailure } from '../failure.ts'
import { findPlace, type GlobalOptions } from '../place.ts'
import { printable } from '../terminal/printable.ts'
import { openDatabase, type Where } from './database.ts'
import { indexFolder } from './index-folder.ts'
import { readRequest } from './request.ts'
import { makeTables } from './tables.ts'

interface DemoFlags extends GlobalOptions {
  readonly sql?: string
}

/** `millrace demo [folder]` */
export function addDemo(program: Command, cli: Cli): void {
  program
    .command('demo')
    .description('see a queue at work: index the files of a folder, one job for each')
    .argument('[folder]', "the folder (default: the project's node_modules, else where you are)")
    .option(
      '--sql <statement>',
      "ask the demo's database instead; its table is millrace_demo.files",
    )
    .addHelpText('after', AFTER_HELP)
    .action(async (folder: string | undefined, _own: unknown, command: Command) => {
      await demo(folder, command.optsWithGlobals<DemoFlags>(), cli)
    })
}

const AFTER_HELP = `
An interrupted run goes on where it stopped. Without a server it works on an embedded PostgreSQL in .millrace/.

Examples:
  $ millrace demo ../your-project
  $ millrace demo --sql "select path, lines from millrace_demo.files limit 9"
`

async function demo(folder: string | undefined, flags: DemoFlags, cli: Cli): Promise<void> {
  const { sql } = flags
  if (folder === '' || sql === '') throw usageFailure('An argument is empty. Try --help.')
  if (cli.isJson && sql === undefined) {
    throw usageFailure('The demo is for people: --json goes with --sql only.')
  }
  const schema = resolveSchema(flags.schema || cli.env['MILLRACE_SCHEMA'] || undefined)
  const where: Where = { place: findPlace(flags, cli), schema }
  try {
    if (sql === undefined) await indexFolder(readRequest(folder, cli), where, cli)
    else await ask(sql, where, cli)
  } catch (error) {
    throw explain(error, where.place, schema) ?? error
  }
}

/** Shows what the database answers. */
async function ask(sql: string, where: Where, cli: Cli): Promise<void> {
  const db = await openDatabase(where)
  try {
    await makeTables(db)
    const { rows } = await db.query(sql).catch((error: unknown) => {
      const message = error instanceof Error ? error.message : String(error)
      throw new Failure(`The database says: ${printable(message)}.`, { cause: error })
    })
    if (cli.isJson) cli.json(rows)
    else showRows(rows, cli)
  } finally {
    await db.close()
  }
}

function showRows(rows: readonly Record<string, unknown>[], cli: Cli): void {
  const names = Object.keys(rows[0] ?? {})
  const columns = names.map((title) => ({
    title,
    text: (row: Record<string, unknown>) => textOf(row[title]),
    align: typeof rows[0]?.[title] === 'number' ? ('right' as const) : ('left' as const),
    isElastic: true,
  }))
  cli.table(columns, rows)
}

function textOf(value: unknown): string {
  if (typeof value === 'string') return value
  if (value instanceof Date) return value.toISOString()
  return value === null || value === undefined ? '' : JSON.stringify(value)
}
