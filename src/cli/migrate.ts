import { Option, type Command } from 'commander'
import { LATEST_VERSION } from '../migrations/all.ts'
import {
  migrateDown,
  migrateUp,
  type MigrationName,
  type MigrationResult,
} from '../migrations/migrate.ts'
import { migrationSql } from '../migrations/print.ts'
import { migrationStatus } from '../migrations/status.ts'
import type { Cli } from './cli.ts'
import { readInteger } from './command-parts.ts'
import { EXIT } from './failure.ts'
import { schemaOf, type GlobalOptions } from './place.ts'
import { withTarget, type Target } from './target.ts'
import { printable } from './terminal/printable.ts'
import { showCount } from './terminal/words.ts'

interface UpOptions extends GlobalOptions {
  readonly print?: boolean
  readonly from?: number
  readonly to?: number
}

interface DownOptions extends GlobalOptions {
  readonly print?: boolean
  readonly from?: number
  readonly to: number
  readonly yes?: boolean
}

/** `millrace migrate up|down|status` */
export function addMigrate(program: Command, cli: Cli): void {
  const migrate = program
    .command('migrate')
    .description("make Millrace's tables, bring them up to date, or take them away")
  addUp(migrate, cli)
  addDown(migrate, cli)
  migrate
    .command('status')
    .description('say how far the schema is migrated; exits with 4 when something is to be applied')
    .addHelpText('after', STATUS_EXAMPLES)
    .action(async (_options: unknown, command: Command) => {
      await status(command.optsWithGlobals<GlobalOptions>(), cli)
    })
}

const STATUS_EXAMPLES = `
Examples:
  $ millrace migrate status
  $ millrace migrate status --json | jq .pending
`

function addUp(migrate: Command, cli: Cli): void {
  migrate
    .command('up')
    .description(
      'apply what is missing; makes the schema, and the embedded database, where there is none',
    )
    .addOption(new Option('--print', 'print the SQL instead, for a DBA; connects to nothing'))
    .addOption(version('--from', 'with --print: the version that the schema has (default: 0)'))
    .addOption(version('--to', 'with --print: the version that it is to get (default: the latest)'))
    .addHelpText('after', UP_EXAMPLES)
    .action(async (_options: unknown, command: Command) => {
      const options = command.optsWithGlobals<UpOptions>()
      if (options.print === true) return print(options, options.from ?? 0, cli)
      if (options.to !== undefined || options.from !== undefined) {
        command.error(
          'error: --from and --to go with --print; without it the schema knows its version',
        )
      }
      await up(options, cli)
    })
}

const UP_EXAMPLES = `
Examples:
  $ millrace migrate up
  $ millrace migrate up --print > millrace.sql
  $ millrace migrate up --schema jobs --database-url postgres://admin@db.example.org/app
`

function addDown(migrate: Command, cli: Cli): void {
  migrate
    .command('down')
    .description('go back to an earlier version; the data of the steps that are taken back is lost')
    .addOption(
      version('--to', 'the version to go back to; 0 removes everything').makeOptionMandatory(),
    )
    .addOption(new Option('-y, --yes', 'do not ask'))
    .addOption(new Option('--print', 'print the SQL instead, for a DBA; connects to nothing'))
    .addOption(
      version('--from', 'with --print: the version that the schema has (default: the latest)'),
    )
    .addHelpText('after', DOWN_EXAMPLES)
    .action(async (_options: unknown, command: Command) => {
      const options = command.optsWithGlobals<DownOptions>()
      if (options.print === true) return print(options, options.from ?? LATEST_VERSION, cli)
      if (options.from !== undefined) {
        command.error('error: --from goes with --print; without it the schema knows its version')
      }
      await down(options, cli)
    })
}

const DOWN_EXAMPLES = `
Examples:
  $ millrace migrate down --to 0 --yes
  $ millrace migrate down --to 0 --print
`

function version(flag: string, meaning: string): Option {
  return new Option(`${flag} <version>`, meaning).argParser(readInteger(0, 1_000_000))
}

async function up(options: GlobalOptions, cli: Cli): Promise<void> {
  await withTarget(options, cli, { create: true }, async (target) => {
    const result = await migrateUp(target.db, { schema: target.schema, signal: cli.stop })
    report(result, target, 'up to date', cli)
  })
}

async function down(options: DownOptions, cli: Cli): Promise<void> {
  await withTarget(options, cli, {}, async (target) => {
    const { db, schema, description } = target
    const { to } = options
    const loss = to === 0 ? 'all its queues and jobs are lost' : 'what later versions store is lost'
    const question = `Take schema ${printable(schema)} in ${description} back to version ${to}? Then ${loss}.`
    if (options.yes !== true && !(await cli.confirm(question))) {
      cli.exitCode = EXIT.failed
      return cli.note('Nothing was changed.')
    }
    const result = await migrateDown(db, { schema, to, signal: cli.stop })
    report(result, target, `at version ${to} or before`, cli)
  })
}

function report(
  { steps }: MigrationResult,
  { schema, description }: Target,
  goal: string,
  cli: Cli,
): void {
  if (cli.isJson) return cli.json({ schema, steps })
  const place = `Schema ${printable(schema)} in ${description}`
  if (steps.length === 0) return cli.print(`${place} was ${goal} already.`)
  cli.print(`${place} took ${showCount(steps.length, 'step')}: ${names(steps)}.`)
}

async function status(options: GlobalOptions, cli: Cli): Promise<void> {
  await withTarget(options, cli, {}, async ({ db, schema, description }) => {
    const { current, latest, pending } = await migrationStatus(db, { schema })
    if (pending.length > 0) cli.exitCode = EXIT.pending
    if (cli.isJson) return cli.json({ schema, current, latest, pending })
    const place = `Schema ${printable(schema)} in ${description}`
    if (pending.length === 0) {
      const isNewer = current > latest ? `, which is newer than this release (${latest})` : ''
      return cli.print(`${place} is up to date: version ${current}${isNewer}.`)
    }
    const where = current === 0 ? 'is not there' : `is at version ${current} of ${latest}`
    cli.print(`${place} ${where}; to be applied: ${names(pending)}.`)
  })
}

function names(steps: readonly MigrationName[]): string {
  return steps.map((step) => `${step.version} ${step.name}`).join(', ')
}

/** The SQL, for `psql -f`; as JSON, the same text in a document. */
function print(options: UpOptions, from: number, cli: Cli): void {
  const schema = schemaOf(options, cli)
  const sql = migrationSql({ schema, from, to: options.to })
  if (cli.isJson) cli.json({ schema, sql })
  else cli.out.write(sql)
}
