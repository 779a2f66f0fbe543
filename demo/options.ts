import path from 'node:path'
import { parseArgs } from 'node:util'
import { Problem } from './problem.ts'

/** Built into `build/demo/`, so this is two folders up. */
const PROJECT = path.join(import.meta.dirname, '..', '..')

/** What is indexed when nobody names a folder: everybody who runs this has it. */
export const DEFAULT_FOLDER = path.join(PROJECT, 'node_modules')

export const USAGE = `Usage: npm run demo -- [folder] [--sql "select …"]

Indexes the files of a folder (by default the project's own node_modules): one job for each file.
An interrupted run goes on where it stopped.

  --sql "select …"   asks the demo's database instead; its table is millrace_demo.files
  --help             this

Environment:
  DATABASE_URL              a PostgreSQL server to work on, such as postgres://user@host:5432/name
  MILLRACE_DEMO_DIRECTORY   without a server: where the embedded database lies (default: .millrace)
  NO_COLOR                  no colours
`

/** Where the demo's data is. */
export type Place =
  | { readonly kind: 'server'; readonly url: URL }
  | { readonly kind: 'embedded'; readonly folder: string }

/** What the demo was asked to do. */
export interface Options {
  readonly task: 'index' | 'sql' | 'help'
  readonly place: Place
  /** The folder that was named; undefined: go on with the last run, or index the default. */
  readonly folder: string | undefined
  readonly sql: string
}

/** Reads the command line and the environment. Throws a `Problem` with what is wrong about them. */
export function readOptions(args: string[], env: NodeJS.ProcessEnv): Options {
  const { values, positionals } = parse(args)
  const [folder, ...others] = positionals
  if (others.length > 0) {
    throw new Problem(`One folder at a time, please: ${positionals.join(', ')} are too many.`)
  }
  if (folder === '' || values.sql === '') throw new Problem('An argument is empty. Try --help.')
  return {
    task: values.help === true ? 'help' : values.sql === undefined ? 'index' : 'sql',
    place: placeIn(env),
    folder: folder === undefined ? undefined : path.resolve(startedIn(env), folder),
    sql: values.sql ?? '',
  }
}

function parse(args: string[]) {
  try {
    const options = { help: { type: 'boolean', short: 'h' }, sql: { type: 'string' } } as const
    return parseArgs({ args, options, allowPositionals: true })
  } catch (error) {
    // "Unknown option '--x'. To specify a positional argument …": the first sentence says it.
    const [sentence] = String(error instanceof Error ? error.message : error).split(/\.\s|\n/)
    throw new Problem(`${sentence}. Try --help.`, { cause: error })
  }
}

function placeIn(env: NodeJS.ProcessEnv): Place {
  const text = env['DATABASE_URL']?.trim()
  if (text !== undefined && text !== '') return { kind: 'server', url: parseUrl(text) }
  const folder = env['MILLRACE_DEMO_DIRECTORY']?.trim()
  return { kind: 'embedded', folder: path.resolve(folder || path.join(PROJECT, '.millrace')) }
}

/** What is wrong is not quoted: there may be a password in it. */
function parseUrl(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined
  const isPostgres = url?.protocol === 'postgres:' || url?.protocol === 'postgresql:'
  if (url !== undefined && isPostgres && isDecodable(url)) return url
  throw new Problem(
    'DATABASE_URL is not the URL of a PostgreSQL database, such as postgres://user@host:5432/name.',
  )
}

/** A `%` in a password must be written as `%25`. */
function isDecodable(url: URL): boolean {
  try {
    return decodeURIComponent(url.username + url.password + url.pathname) !== ''
  } catch {
    return false
  }
}

/** npm runs scripts in the project's folder, and says where it was called: that is where `../mine` starts. */
function startedIn(env: NodeJS.ProcessEnv): string {
  const isOurScript = env['npm_lifecycle_event'] === 'demo'
  return (isOurScript ? env['INIT_CWD'] : undefined) ?? process.cwd()
}
