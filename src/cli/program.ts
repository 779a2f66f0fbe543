import { Command, CommanderError, Option } from 'commander'
import { version } from '../version.ts'
import type { Cli } from './cli.ts'
import { addCompletion } from './completion/command.ts'
import { addDashboard } from './dashboard.ts'
import { addDemo } from './demo/command.ts'
import { addDoctor } from './doctor.ts'
import { addEnqueue } from './enqueue/command.ts'
import { explain } from './explain.ts'
import { EXIT, Failure } from './failure.ts'
import { addJobs } from './jobs/command.ts'
import { addMigrate } from './migrate.ts'
import type { GlobalOptions } from './place.ts'
import { addQueues } from './queues.ts'
import { addRedrive } from './redrive.ts'
import { addStats } from './stats.ts'
import { printable } from './terminal/printable.ts'
import { addDrain } from './work/drain.ts'
import { addWork } from './work/work.ts'

/** Carries out a command line. Sets `cli.exitCode`; never rejects. */
export async function run(args: readonly string[], cli: Cli): Promise<void> {
  cli.isJson = args.includes('--json')
  try {
    await createProgram(cli).parseAsync([...args], { from: 'user' })
  } catch (error) {
    if (error instanceof CommanderError) cli.exitCode = exitCodeOf(error)
    else sayFailure(error, cli)
  }
}

/** The whole command line: each command is in a file of its own and is added here. */
export function createProgram(cli: Cli): Command {
  const program = createFrame(cli)

  addMigrate(program, cli)
  addEnqueue(program, cli)
  addWork(program, cli)
  addDrain(program, cli)
  addQueues(program, cli)
  addStats(program, cli)
  addJobs(program, cli)
  addRedrive(program, cli)
  addDoctor(program, cli)
  addDashboard(program, cli)
  addDemo(program, cli)
  addCompletion(program, cli)

  return program
}

/** What holds for every command. */
function createFrame(cli: Cli): Command {
  return new Command('millrace')
    .description('The job queue in your PostgreSQL.')
    .usage('<command> [options]')
    .version(version, '-V, --version', 'print the version')
    .helpOption('-h, --help', 'explain a command')
    .helpCommand('help [command]', 'explain a command')
    .addOption(
      new Option('--database-url <url>', 'the database, as postgres://user@host:5432/name'),
    )
    .addOption(
      new Option('--schema <name>', "the schema with Millrace's tables (default: millrace)"),
    )
    .addOption(new Option('--json', 'answer in JSON, for machines'))
    .addHelpText('after', HELP_AFTER)
    .exitOverride()
    .showSuggestionAfterError(true)
    .configureHelp({
      showGlobalOptions: true,
      sortSubcommands: false,
      subcommandTerm: (command) =>
        `${command.name()} ${command.usage().replace(/^\[options\] ?|\[command\]$/g, '')}`,
    })
    .configureOutput({
      writeOut: (text) => cli.out.write(text),
      writeErr: (text) => cli.err.write(text),
      outputError: (text) => sayUsageError(text, cli),
      getOutHasColors: () => false,
      getErrHasColors: () => false,
    })
    .hook('preAction', (_program, command) => {
      cli.isJson = command.optsWithGlobals<GlobalOptions>().json === true
    })
}

const HELP_AFTER = `
Where the database is, the first of these that there is:
  --database-url, as postgres://user@host:5432/name
  DATABASE_URL
  PGHOST, PGPORT, PGUSER, PGPASSWORD, PGDATABASE, PGSSLMODE
  the embedded database in .millrace/ (npm install @electric-sql/pglite)

SSL: sslmode=verify-full, no-verify or disable in the URL, or PGSSLMODE;
  sslrootcert=<file> in the URL names who is trusted. prefer, require and
  verify-ca are taken for verify-full, as node-postgres 8 does.

MILLRACE_SCHEMA names the schema where --schema does not. NO_COLOR: no colours.

Exit codes:
  0  done              3  partly done, some were refused
  1  failed            4  migrations are pending (migrate status)
  2  wrong usage       130, 143  interrupted by SIGINT, SIGTERM

Examples:
  $ millrace migrate up
  $ millrace enqueue emails '{"to":"ada@example.org"}'
  $ millrace work ./queues.js
  $ millrace queues
  $ millrace stats
  $ millrace jobs list --status failed --newest
  $ millrace jobs show 42
  $ millrace redrive emails-dead
  $ millrace doctor
  $ millrace dashboard

Every command explains itself: millrace jobs list --help
`

/** Commander throws its own errors, after it has said them, and also where help or the version was asked for. */
function exitCodeOf({ code, exitCode }: CommanderError): Cli['exitCode'] {
  if (code === 'commander.help') return EXIT.usage // a command without its subcommand
  return exitCode === 0 ? EXIT.done : EXIT.usage
}

/** "error: unknown option '--limt'\n(Did you mean --limit?)" → a sentence. */
function sayUsageError(text: string, cli: Cli): void {
  const [first = '', ...others] = text
    .replace(/^error: /, '')
    .trim()
    .split('\n')
  const sentence = `${first.charAt(0).toUpperCase()}${first.slice(1).replace(/\.*$/, '')}.`
  say(printable([sentence, ...others, 'Try --help.'].join(' ')), 'USAGE', cli)
}

/** Says what went wrong: in one sentence where we know one, else with everything that a programmer needs. */
function sayFailure(error: unknown, cli: Cli): void {
  if (cli.stoppedWith !== undefined && error instanceof Error && error.name === 'AbortError') {
    cli.exitCode = cli.stoppedWith
    return say('Stopped before it was done.', 'STOPPED', cli)
  }
  const failure = explain(error)
  cli.exitCode = failure?.exitCode ?? EXIT.failed
  if (failure !== undefined) return say(failure.message, codeFor(failure), cli)
  const code = codeFor(error)
  const isOfDatabase = /^[0-9A-Z]{5}$/.test(code)
  const message = error instanceof Error ? error.message : String(error)
  if (isOfDatabase) return say(`The database says: ${message} (${code}).`, code, cli)
  say(error instanceof Error ? (error.stack ?? message) : message, code, cli)
}

function say(text: string, code: string, cli: Cli): void {
  const shown = cli.withoutSecrets(text)
  if (cli.isJson) cli.err.print(JSON.stringify({ error: { code, message: shown } }))
  else cli.err.print(shown)
}

/** The code of the error at the bottom of it. */
function codeFor(error: unknown): string {
  for (let at = error; at instanceof Error; at = at.cause) {
    if ('code' in at && typeof at.code === 'string') return at.code
  }
  return error instanceof Failure && error.exitCode === EXIT.usage ? 'USAGE' : 'FAILED'
}
