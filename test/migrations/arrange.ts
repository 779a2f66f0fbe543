import { randomBytes } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { Client, Pool, type ClientConfig, type PoolConfig } from 'pg'
import { inject, onTestFinished } from 'vitest'
import { quoteIdentifier } from '../../src/core/identifiers.ts'
import { migrations } from '../../src/migrations/all.ts'

/** All steps, as `migrateUp` answers them. */
export const STEPS = migrations.map(({ version, name }) => ({ version, name }))

/** A database of its own on the server of the tests: these tests are about whole databases. */
export interface TestDatabase {
  readonly url: string
  /** A pool for the test that runs; it is ended with the test. */
  pool(options?: PoolConfig): Pool
  /** A connection for the test that runs; it is ended with the test. */
  connect(options?: ClientConfig): Promise<Client>
  drop(): Promise<void>
}

/** Makes an empty database. */
export async function createDatabase(): Promise<TestDatabase> {
  const name = uniqueName('migrations')
  await asAdmin(`create database ${name}`)
  const url = new URL(inject('databaseUrl'))
  url.pathname = `/${name}`
  return {
    url: url.href,
    pool(options) {
      const pool = new Pool({ connectionString: url.href, max: 4, ...options })
      onTestFinished(() => pool.end())
      return pool
    },
    async connect(options) {
      const client = new Client({ connectionString: url.href, ...options })
      await client.connect()
      onTestFinished(() => client.end())
      return client
    },
    drop: () => asAdmin(`drop database ${name} with (force)`),
  }
}

/** A name that no other run uses, in lower case. */
export function uniqueName(purpose: string): string {
  return `millrace_${purpose}_${randomBytes(6).toString('hex')}`
}

/** Runs one statement on the database that the server was given with. */
export async function asAdmin(sql: string): Promise<void> {
  await withClient(inject('databaseUrl'), (client) => client.query(sql))
}

/** Lends a connection to `work`, for what happens before and after tests. */
export async function withClient(
  url: string,
  work: (client: Client) => Promise<unknown>,
): Promise<void> {
  const client = new Client({ connectionString: url })
  await client.connect()
  try {
    await work(client)
  } finally {
    await client.end()
  }
}

/** What runs statements in these tests: a pool, a client or PGlite. */
export interface Queryable {
  query(text: string, values?: unknown[]): Promise<{ rows: unknown[] }>
}

/** The rows of a statement. */
export async function rowsOf(
  db: Queryable,
  text: string,
  values: unknown[] = [],
): Promise<Record<string, unknown>[]> {
  const { rows } = await db.query(text, values)
  return rows as Record<string, unknown>[]
}

/** The only value of a statement's only row. */
export async function valueOf(db: Queryable, text: string, values: unknown[] = []) {
  const [row] = await rowsOf(db, text, values)
  return Object.values(row ?? {})[0]
}

/** Resolves with what the client's session waits for, when it does: a race is staged, not hoped for. */
export async function untilItWaits(client: Client) {
  const pid = (client as unknown as { processID: number }).processID
  const watcher = new Client({ connectionString: inject('databaseUrl') })
  await watcher.connect()
  onTestFinished(() => watcher.end())
  const waits = `select wait_event from pg_stat_activity where pid = $1 and wait_event_type = 'Lock'`
  for (;;) {
    const event = await valueOf(watcher, waits, [pid])
    if (event !== undefined) return event
    await sleep(5)
  }
}

/** Inserts a queue and a job, and answers the job's id. */
export async function insertJob(db: Queryable, schema: string) {
  const at = quoteIdentifier(schema)
  const queueId = await valueOf(
    db,
    `insert into ${at}.queues (name, is_fifo, base_retry_delay_ms, max_retry_delay_ms, retry_jitter)
     values ($1, false, 2000, 3600000, 0)
     returning id::text`,
    [uniqueName('queue')],
  )
  return valueOf(
    db,
    `insert into ${at}.jobs
       (run_at, created_at, queue_id, priority, max_retries, retry_policy, args, metadata)
     values (now(), now(), $1::int, 5, 3, 'exponential', '{}', '{}')
     returning id::text`,
    [queueId],
  )
}

/** Inserts a row of history that expires at `expiresAt`. */
export async function insertHistory(db: Queryable, schema: string, expiresAt: string) {
  await db.query(
    `insert into ${quoteIdentifier(schema)}.history
       (id, expires_at, finished_at, run_at, created_at, queue_id, priority, max_retries,
        retry_policy, outcome, attempt, error_count, args, metadata)
     values
       (1, $1::timestamptz, now(), now(), now(), 1, 5, 3, 'exponential', 'finished', 1, 0, '{}', '{}')`,
    [expiresAt],
  )
}

/** The error that `work` rejects with. */
export async function errorOf(work: Promise<unknown>): Promise<Error & { code?: unknown }> {
  try {
    await work
  } catch (error) {
    if (error instanceof Error) return error
    throw error
  }
  throw new Error('it should have been refused')
}
