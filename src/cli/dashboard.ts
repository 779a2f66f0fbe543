import { lookup } from 'node:dns/promises'
import { readFileSync } from 'node:fs'
import { Option, type Command } from 'commander'
import { MillraceError } from '../core/errors.ts'
import { basicAuth, createDashboard, type Auth } from '../dashboard/index.ts'
import { Querier } from '../querier.ts'
import type { Cli } from './cli.ts'
import { readInteger } from './command-parts.ts'
import { describeFileError, usageFailure } from './failure.ts'
import type { GlobalOptions } from './place.ts'
import { aborted, openTo, serve, USUAL_PORT } from './serve.ts'
import { withTarget } from './target.ts'
import { printable } from './terminal/printable.ts'

interface DashboardFlags extends GlobalOptions {
  readonly port: number
  readonly host: string
  readonly users?: string
  readonly basePath: string
}

/** `millrace dashboard` */
export function addDashboard(program: Command, cli: Cli): void {
  program
    .command('dashboard')
    .summary('serve the dashboard over HTTP')
    .description(
      'serve the dashboard, the JSON API and /metrics over HTTP until it is told to stop',
    )
    .addOption(
      new Option('-p, --port <port>', 'where it listens; 0: any free port')
        .argParser(readInteger(0, 65_535))
        .default(USUAL_PORT),
    )
    .addOption(
      new Option('--host <host>', 'the address or name on which it listens').default('127.0.0.1'),
    )
    .addOption(
      new Option(
        '--users <file>',
        'who may come in: a JSON file {"ada":{"password":"…","role":"admin"}}',
      ),
    )
    .addOption(
      new Option(
        '--base-path <path>',
        'the path under which a proxy passes it on, such as /admin/jobs',
      ).default('', 'none'),
    )
    .addHelpText('after', HELP_AFTER)
    .action(async (_options: unknown, command: Command) => {
      await dashboard(command.optsWithGlobals<DashboardFlags>(), cli)
    })
}

const HELP_AFTER = `
Without users everybody on this machine may do everything, and it listens on a
loopback address only. MILLRACE_DASHBOARD_USERS holds the same JSON as the file.
Roles: viewer reads (so may Prometheus, at /metrics), operator steers, pauses and
enqueues, admin deletes and changes queues.

Examples:
  $ millrace dashboard
  $ millrace dashboard --host 0.0.0.0 --users users.json    (behind TLS)
  $ curl http://127.0.0.1:4000/api/queues
`

async function dashboard(flags: DashboardFlags, cli: Cli): Promise<void> {
  const auth = readAuth(flags, cli)
  const address = await resolveHost(flags.host)
  if (auth === undefined && !isLoopback(address)) {
    throw usageFailure(
      printable(
        `On ${flags.host} others can reach it, and nobody has to authenticate. Pass --users, or leave --host out.`,
      ),
    )
  }
  await withTarget(flags, cli, {}, async ({ db, schema, description }) => {
    await new Querier(db, { schema }).queues() // what is wrong with the schema is said now
    const dashboard = createDashboard(db, {
      schema,
      basePath: flags.basePath,
      ...(auth === undefined ? openTo(flags.host) : { auth }),
    })
    const serving = await serve(dashboard, flags.port, address)
    const url = serving.url + flags.basePath.replace(/\/$/, '')
    if (cli.isJson) cli.json({ url })
    else
      cli.print(
        `The dashboard is at ${url}/\nThe JSON API is at ${url}/api, described at ${url}/openapi.json`,
      )
    cli.note(`Serving ${description}. Ctrl-C ends it.`)
    await aborted(cli.stop)
    await serving.end()
  })
}

function readAuth({ users: file }: DashboardFlags, cli: Cli): Auth | undefined {
  const fromEnv = cli.env['MILLRACE_DASHBOARD_USERS']
  const text = file === undefined ? fromEnv : readUsersFile(file)
  if (text === undefined || text === '') return undefined
  const source = file === undefined ? 'MILLRACE_DASHBOARD_USERS' : `--users ${file}`
  try {
    return basicAuth(JSON.parse(text) as Parameters<typeof basicAuth>[0])
  } catch (error) {
    // What is no JSON is not quoted: there are passwords in it.
    const reason = error instanceof MillraceError ? error.message : 'It is no JSON.'
    throw usageFailure(printable(`${source} names nobody who may come in. ${reason}`))
  }
}

function readUsersFile(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    throw usageFailure(printable(`The file ${file} ${describeFileError(error)}.`), error)
  }
}

async function resolveHost(host: string): Promise<string> {
  try {
    return (await lookup(host)).address
  } catch (error) {
    throw usageFailure(printable(`The host ${host} is not known here.`), error)
  }
}

function isLoopback(address: string): boolean {
  return address.startsWith('127.') || address === '::1'
}
