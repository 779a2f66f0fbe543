import { lookup } from 'node:dns/promises'
import { readFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import { isIPv6, type AddressInfo } from 'node:net'
import { Option, type Command } from 'commander'
import { MillraceError } from '../core/errors.ts'
import { basicAuth, createDashboard, toNodeListener, type Auth } from '../dashboard/index.ts'
import { Querier } from '../querier.ts'
import type { Cli } from './cli.ts'
import { readInteger } from './command-parts.ts'
import { codeOf, describeFileError, Failure, usageFailure } from './failure.ts'
import type { GlobalOptions } from './place.ts'
import { withTarget } from './target.ts'
import { printable } from './terminal/printable.ts'

interface DashboardFlags extends GlobalOptions {
  readonly port: number
  readonly host: string
  readonly users?: string
}

/** What is under way when it is told to stop is waited for so long. */
const LAST_ANSWERS_MS = 5_000

/** `millrace dashboard` */
export function addDashboard(program: Command, cli: Cli): void {
  program
    .command('dashboard')
    .summary('serve the JSON API over HTTP')
    .description('serve the JSON API, and /metrics, over HTTP until it is told to stop')
    .addOption(
      new Option('-p, --port <port>', 'where it listens; 0: any free port')
        .argParser(readInteger(0, 65_535))
        .default(4_000),
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
    const handler = createDashboard(db, {
      schema,
      ...(auth === undefined ? openTo(flags.host) : { auth }),
    })
    const server = createServer(toNodeListener(handler))
    const port = await listen(server, flags.port, address)
    const url = `http://${isIPv6(address) ? `[${address}]` : address}:${port}`
    if (cli.isJson) cli.json({ url })
    else cli.print(`The JSON API is at ${url}/api, described at ${url}/openapi.json`)
    cli.note(`Serving ${description}. Ctrl-C ends it.`)
    await untilStopped(server, cli.stop)
  })
}

/** Everybody on this machine, but no web page that had its own name point here. */
function openTo(host: string): { auth: Auth; hosts: string[] } {
  const name = isIPv6(host) ? `[${host}]` : host
  return {
    auth: () => ({ role: 'admin', name: 'local' }),
    hosts: ['localhost', '127.0.0.1', '[::1]', name],
  }
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

async function listen(server: Server, port: number, address: string): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', (error) => {
      const reason = { EADDRINUSE: 'is in use', EACCES: 'may not be used' }[codeOf(error) ?? '']
      const sentence = `Port ${port} of ${address} ${reason ?? 'cannot be used'}. Pass another --port.`
      reject(new Failure(sentence, { cause: error }))
    })
    server.listen(port, address, () => resolve((server.address() as AddressInfo).port))
  })
}

/** Ends when the signal aborts and what was under way has been answered. */
async function untilStopped(server: Server, stop: AbortSignal): Promise<void> {
  await new Promise<void>((resolve) => {
    const end = (): void => {
      server.close(() => resolve())
      server.closeIdleConnections()
      setTimeout(() => server.closeAllConnections(), LAST_ANSWERS_MS).unref()
    }
    if (stop.aborted) end()
    else stop.addEventListener('abort', end, { once: true })
  })
}
