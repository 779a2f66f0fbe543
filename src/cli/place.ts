import path from 'node:path'
import { resolveSchema } from '../core/identifiers.ts'
import type { Cli } from './cli.ts'
import { usageFailure } from './failure.ts'
import { printable } from './terminal/printable.ts'

/** The folder of the embedded database, in the working directory. */
export const EMBEDDED_FOLDER = '.millrace'

/** The options that every command takes. */
export interface GlobalOptions {
  readonly databaseUrl?: string
  readonly schema?: string
  readonly json?: boolean
}

/** Where the database is. */
export type Place =
  | {
      readonly kind: 'server'
      /** What named it, for messages: `--database-url`, `DATABASE_URL`, or `the PG* variables`. */
      readonly source: string
      /** Undefined: node-postgres reads the PG* variables itself. */
      readonly url: string | undefined
      readonly user: string
      /** `host:port`, or the folder of a socket. */
      readonly server: string
      readonly database: string
    }
  | { readonly kind: 'embedded'; readonly folder: string }

/** One of these says that a server is meant. The password and the like alone do not. */
const SERVER_VARIABLES = ['PGHOST', 'PGPORT', 'PGDATABASE', 'PGUSER']

/** Which database the options and the environment name. Throws a `Failure` with what is wrong about them. */
export function findPlace(options: GlobalOptions, cli: Cli): Place {
  keepSecret(cli, cli.env['PGPASSWORD'])
  const { databaseUrl } = options
  if (databaseUrl !== undefined) return placeOf(databaseUrl, '--database-url', cli)
  const fromEnv = cli.env['DATABASE_URL']?.trim()
  if (fromEnv !== undefined && fromEnv !== '') return placeOf(fromEnv, 'DATABASE_URL', cli)
  if (SERVER_VARIABLES.some((name) => isSet(cli.env[name]))) {
    return serverAt({ url: undefined, source: 'the PG* variables' }, new URLSearchParams(), cli)
  }
  if (isSet(cli.env['PGSERVICE'])) {
    throw usageFailure(
      'PGSERVICE is not read by node-postgres: pass --database-url, or set DATABASE_URL or PGHOST and its kin.',
    )
  }
  return { kind: 'embedded', folder: path.join(cli.cwd, EMBEDDED_FOLDER) }
}

/** The schema that the options or the environment name. */
export function schemaOf(options: GlobalOptions, cli: Cli): string {
  return resolveSchema(options.schema ?? (cli.env['MILLRACE_SCHEMA'] || undefined))
}

/** What and where the database is, for people; never with a password. */
export function describePlace(place: Place): string {
  if (place.kind === 'embedded') return `the embedded database in ${EMBEDDED_FOLDER}/`
  return printable(`the database ${place.database} on ${place.server}`)
}

/** What is wrong is not quoted: there may be a password in it. */
function placeOf(text: string, source: string, cli: Cli): Place {
  // A server behind a socket has no host: `postgres://user@/name?host=/run/postgresql`.
  const standIn = text.replace(/@\//, '@localhost/').replace(/^(\w+:\/\/)\//, '$1localhost/')
  const url = URL.canParse(standIn) ? new URL(standIn) : undefined
  const isPostgres = url?.protocol === 'postgres:' || url?.protocol === 'postgresql:'
  if (url === undefined || !isPostgres || !isDecodable(url)) {
    throw usageFailure(
      `${source} is not the URL of a PostgreSQL database, such as postgres://user@host:5432/name.`,
    )
  }
  keepSecret(cli, url.password)
  keepSecret(cli, url.searchParams.get('password') ?? undefined)
  const params = url.searchParams
  if (url.username !== '' && !params.has('user'))
    params.set('user', decodeURIComponent(url.username))
  if (!params.has('host') && standIn === text) params.set('host', decodeURIComponent(url.hostname))
  if (url.port !== '' && !params.has('port')) params.set('port', url.port)
  const name = decodeURIComponent(url.pathname.slice(1))
  if (name !== '') params.set('database', name)
  return serverAt({ url: withSslMode(text), source }, params, cli)
}

/** What the URL leaves open comes from the PG* variables, and else from PostgreSQL's defaults. */
function serverAt(
  named: { readonly url: string | undefined; readonly source: string },
  params: URLSearchParams,
  { env, secrets }: Cli,
): Place {
  const first = (...values: (string | null | undefined)[]): string =>
    values.find((value) => value !== undefined && value !== null && value !== '') ?? ''
  const user = first(params.get('user'), env['PGUSER'], env['USER'], env['USERNAME'])
  const host = first(params.get('host'), env['PGHOST'], 'localhost')
  const port = first(params.get('port'), env['PGPORT'], '5432')
  const database = first(params.get('database'), env['PGDATABASE'], user)
  // A password that is the user's name too cannot be told from it, and hiding both would hide who it is.
  for (const shown of [user, database, host]) secrets.delete(shown)
  const server = host.startsWith('/') ? `the socket in ${host}` : `${host}:${port}`
  return { kind: 'server', ...named, user, server, database }
}

/**
 * node-postgres takes `prefer`, `require` and `verify-ca` for `verify-full`, and warns on standard error that
 * its next release will not. Said like this it means the same in both, without the warning.
 */
function withSslMode(url: string): string {
  if (/[?&]uselibpqcompat=true(&|$)/.test(url)) return url
  return url.replace(/([?&]sslmode=)(prefer|require|verify-ca)(?=&|$)/, '$1verify-full')
}

/** A `%` in a password must be written as `%25`. */
function isDecodable(url: URL): boolean {
  try {
    return decodeURIComponent(url.username + url.password + url.pathname) !== ''
  } catch {
    return false
  }
}

function keepSecret(cli: Cli, secret: string | undefined): void {
  if (secret === undefined || secret === '') return
  cli.secrets.add(secret)
  try {
    cli.secrets.add(decodeURIComponent(secret))
  } catch {
    // It is as it stands.
  }
}

function isSet(value: string | undefined): boolean {
  return value !== undefined && value !== ''
}
