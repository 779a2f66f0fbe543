import { existsSync } from 'node:fs'
import type { Database, DB, DBTX } from '../../index.ts'
import { openEmbedded } from '../../embedded/index.ts'
import { Pool } from 'pg'
import type { Place } from '../place.ts'
import { printable } from '../terminal/printable.ts'
import { nearest } from '../terminal/words.ts'

/** Millrace needs 2 connections; the others are for the handlers, which hold one for each transaction. */
const POOL_SIZE = 12
const CONNECT_WITHIN_MS = 10_000

/** Where the demo works. */
export interface Where {
  readonly place: Place
  /** The schema with Millrace's tables. */
  readonly schema: string
}

/** The database of the demo: a `DB` for its own tables, and what `JobQueue` takes. */
export interface DemoDatabase extends DB {
  /** To be given to Millrace, which knows how to make the most of each kind. */
  readonly connection: Database
  /** The schema with Millrace's tables. */
  readonly schema: string
  close(): Promise<void>
}

/** What and where the database is, for people. */
export function describeWhere({ place }: Where): string {
  if (place.kind === 'server') {
    return printable(`on the server ${place.server}, database ${place.database}`)
  }
  const { folder } = place
  const where = `inside this process, its data in ${nearest(folder)}`
  return existsSync(folder) ? where : `${where} (new: a few seconds)`
}

/** Opens the server that was named, or else the embedded database, which needs nothing installed. */
export async function openDatabase({ place, schema }: Where): Promise<DemoDatabase> {
  const opened =
    place.kind === 'server' ? await openServer(place.url) : await openInFolder(place.folder)
  return { ...opened, schema }
}

type Opened = Omit<DemoDatabase, 'schema'>

async function openInFolder(folder: string): Promise<Opened> {
  const db = await openEmbedded(folder)
  return {
    connection: db,
    query: (text, values) => db.query(text, values),
    transaction: (work) => db.transaction(work),
    close: () => db.close(),
  }
}

async function openServer(url: string | undefined): Promise<Opened> {
  const pool = new Pool({
    ...(url === undefined ? {} : { connectionString: url }), // otherwise the PG* variables
    max: POOL_SIZE,
    connectionTimeoutMillis: CONNECT_WITHIN_MS,
  })
  // A lost connection fails the statement under way; its event, unheard, would end the process besides.
  pool.on('error', () => {})
  pool.on('connect', (client) => client.on('error', () => {}))
  try {
    await pool.query('select 1') // so that what is wrong with the URL is said here and now
  } catch (error) {
    await pool.end()
    throw error
  }
  return {
    connection: pool,
    query: (text, values) => pool.query(text, values),
    transaction: (work) => inTransaction(pool, work),
    close: () => pool.end(),
  }
}

async function inTransaction<T>(pool: Pool, work: (tx: DBTX) => Promise<T>): Promise<T> {
  const client = await pool.connect()
  try {
    await client.query('begin')
    const result = await work(client)
    await client.query('commit')
    client.release()
    return result
  } catch (error) {
    // A connection that cannot even roll back must not go back to the pool.
    await client.query('rollback').then(
      () => client.release(),
      () => client.release(true),
    )
    throw error
  }
}
