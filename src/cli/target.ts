import { existsSync } from 'node:fs'
import { Socket } from 'node:net'
import { Pool } from 'pg'
import { MillraceError } from '../core/errors.ts'
import type { Database } from '../drivers/database.ts'
import { driverFor } from '../drivers/recognise.ts'
import { openEmbedded } from '../embedded/index.ts'
import { engineFor } from '../engine.ts'
import type { Cli } from './cli.ts'
import { explain } from './explain.ts'
import { Failure } from './failure.ts'
import {
  describePlace,
  EMBEDDED_FOLDER,
  findPlace,
  schemaOf,
  type GlobalOptions,
  type Place,
} from './place.ts'
import { showCommand } from './show-command.ts'
import { printable } from './terminal/printable.ts'

const CONNECT_WITHIN_MS = 10_000
/** Enough for what looks and steers; who runs handlers says how many it needs. */
const CONNECTIONS = 4

/** The database that a command works on. */
export interface Target {
  /** To be given to `JobQueue`, `Querier`, `migrateUp`. */
  readonly db: Database
  readonly schema: string
  readonly place: Place
  /** What and where it is, for people: `the database app on localhost:5432`. */
  readonly description: string
  readonly isEmbedded: boolean
  close(): Promise<void>
}

/** How a command wants its database. */
export interface TargetOptions {
  /** Make the embedded database when there is none yet; otherwise that is a `Failure`. @default false */
  readonly create?: boolean
  /** How many connections to a server. @default 4 */
  readonly connections?: number
}

/**
 * Opens the database that the options and the environment name. What is wrong with it is said here and
 * now, as a `Failure`. That the embedded one is used is said on standard error.
 */
export async function openTarget(
  options: GlobalOptions,
  cli: Cli,
  { create = false, connections = CONNECTIONS }: TargetOptions = {},
): Promise<Target> {
  const schema = schemaOf(options, cli)
  const place = findPlace(options, cli)
  try {
    const opened =
      place.kind === 'server'
        ? await openServer(place.url, connections)
        : await openInFolder(place.folder, create, cli)
    const isEmbedded = place.kind === 'embedded'
    return { ...opened, schema, place, description: describePlace(place), isEmbedded }
  } catch (error) {
    throw explain(error, place, schema) ?? unexplained(error, place)
  }
}

/** What comes from the driver is a sentence, if not one for everybody. */
function unexplained(error: unknown, place: Place): Failure {
  const message = error instanceof Error ? error.message : String(error)
  const sentence = `Cannot connect to ${describePlace(place)}: ${message.replace(/\.$/, '')}.`
  return new Failure(printable(sentence), { cause: error })
}

/** Opens the database, works with it, closes it in any case; what goes wrong with it is explained. */
export async function withTarget<T>(
  options: GlobalOptions,
  cli: Cli,
  targetOptions: TargetOptions,
  work: (target: Target) => Promise<T>,
): Promise<T> {
  const target = await openTarget(options, cli, targetOptions)
  try {
    return await work(target)
  } catch (error) {
    throw explain(error, target.place, target.schema) ?? error
  } finally {
    // What a command enqueued or cancelled counts, though its process ends at once.
    await engineFor(driverFor(target.db), target.schema).writeStatistics()
    await target.close()
  }
}

async function openServer(
  url: string | undefined,
  connections: number,
): Promise<Pick<Target, 'db' | 'close'>> {
  const sockets = new Set<Socket>()
  const pool = new Pool({
    stream: () => openSocket(sockets),
    ...(url === undefined ? {} : { connectionString: url }),
    max: connections,
    connectionTimeoutMillis: CONNECT_WITHIN_MS,
    fallback_application_name: 'millrace', // PGAPPNAME comes first
  })
  // A lost connection fails the statement under way; its event, unheard, would end the process besides.
  pool.on('error', () => {})
  pool.on('connect', (client) => client.on('error', () => {}))
  try {
    const client = await pool.connect()
    client.release()
  } catch (error) {
    await pool.end()
    // Of a connection that failed within the handshake pg keeps the socket open, and that the process alive.
    for (const socket of sockets) socket.destroy()
    throw error
  }
  return { db: pool, close: () => pool.end() }
}

function openSocket(open: Set<Socket>): Socket {
  const socket = new Socket()
  open.add(socket)
  socket.once('close', () => open.delete(socket))
  return socket
}

async function openInFolder(
  folder: string,
  create: boolean,
  cli: Cli,
): Promise<Pick<Target, 'db' | 'close'>> {
  const nameServer = 'To use a server, pass --database-url or set DATABASE_URL'
  if (!create && !existsSync(folder)) {
    throw new Failure(
      `No database is named, and there is no embedded one in ${EMBEDDED_FOLDER}/ here. ${nameServer}; ` +
        `to make the embedded one, run: ${showCommand('migrate up')}`,
    )
  }
  const db = await openEmbedded(folder).catch((error: unknown) => {
    if (!(error instanceof MillraceError) || error.code !== 'EMBEDDED_MISSING') throw error
    throw new Failure(
      `No database is named, and the embedded one needs a package. ${nameServer}; ` +
        'to use the embedded one, run: npm install @electric-sql/pglite',
      { cause: error },
    )
  })
  cli.note(
    cli.err.paint('quiet', `On the embedded database in ${EMBEDDED_FOLDER}/ (no server is named).`),
  )
  return { db, close: () => db.close() }
}
