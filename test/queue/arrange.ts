import { Pool, type PoolClient } from 'pg'
import type { Sql, TransactionSql } from 'postgres'
import { MillraceError } from '../../src/core/errors.ts'
import type { DBTX } from '../../src/drivers/driver.ts'
import { Querier } from '../../src/querier.ts'
import type { Fixtures, TestDatabase } from '../support/fixtures.ts'

/** Runs `work` in a transaction of the test's own, on whatever the database calls one. */
export async function inTransaction<T>(
  db: TestDatabase,
  work: (tx: DBTX) => Promise<T>,
): Promise<T> {
  return db instanceof Pool ? inPool(db, work) : db.transaction(work)
}

/** Runs `work` in a transaction on a client of the pool. */
export async function inPool<T>(pool: Pool, work: (tx: PoolClient) => Promise<T>): Promise<T> {
  const client = await pool.connect()
  try {
    await client.query('begin')
    const result = await work(client)
    await client.query('commit')
    return result
  } catch (error) {
    await client.query('rollback')
    throw error
  } finally {
    client.release()
  }
}

/** Runs `work` in a transaction of postgres.js. */
export async function inPostgresJs<T>(
  sql: Sql,
  work: (tx: TransactionSql) => Promise<T>,
): Promise<T> {
  return (await sql.begin(work)) as T
}

/** Thrown by tests to roll their transaction back. */
export class RollBack extends Error {
  override readonly name = 'RollBack'
}

/** Runs `work` in a transaction that is rolled back, and answers what `work` did. */
export async function rolledBack<T>(db: TestDatabase, work: (tx: DBTX) => Promise<T>): Promise<T> {
  let result: { value: T } | undefined
  try {
    await inTransaction(db, async (tx) => {
      result = { value: await work(tx) }
      throw new RollBack()
    })
  } catch (error) {
    if (!(error instanceof RollBack)) throw error
  }
  if (result === undefined) throw new Error('The work of the transaction did not end.')
  return result.value
}

/** A transaction on a client of its own, with a `Querier` in it, which ends when it is told to. */
export async function openTransaction({
  db,
  schema,
}: {
  readonly db: Pool
  readonly schema: string
}): Promise<{
  client: PoolClient
  querier: Querier
  end: (how: 'commit' | 'rollback') => Promise<void>
}> {
  const client = await db.connect()
  await client.query('begin')
  const end = async (how: 'commit' | 'rollback'): Promise<void> => {
    await client.query(how)
    client.release()
  }
  return { client, querier: new Querier(db, { schema }).withTx(client), end }
}

/** Answers a row when a statement with these two words in it waits for somebody's lock. */
export const SOMEBODY_WAITS = `
  select pid
  from pg_stat_activity
  where wait_event_type = 'Lock' and strpos(query, $1::text) > 0 and strpos(query, $2::text) > 0`

/** How many rows stand in the tables that a refused call must leave alone. */
export async function countRows(rows: Fixtures['rows']): Promise<Record<string, unknown>> {
  const [counted = {}] = await rows(`
    select
      (select count(*)::int4 from {schema}.queues) as queues,
      (select count(*)::int4 from {schema}.jobs) as jobs,
      (select count(*)::int4 from {schema}.history) as history,
      (select count(*)::int4 from {schema}.workers) as workers`)
  return counted
}

/** What `work` rejects with. */
export async function errorOf(work: Promise<unknown>): Promise<unknown> {
  try {
    await work
  } catch (error) {
    return error
  }
  throw new Error('It did not reject.')
}

/** The `MillraceError` that `work` rejects with. */
export async function refusal(work: Promise<unknown>): Promise<MillraceError> {
  const error = await errorOf(work)
  if (error instanceof MillraceError) return error
  throw new Error('It did not reject with a MillraceError.', { cause: error })
}

/** Something that happens once, and can be waited for. */
export interface Gate {
  readonly opened: Promise<void>
  open(): void
}

export function gate(): Gate {
  let open = (): void => {}
  const opened = new Promise<void>((resolve) => {
    open = resolve
  })
  return { opened, open: () => open() }
}

/** Resolves when the signal aborts, with its reason. */
export function aborted(signal: AbortSignal): Promise<unknown> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve(signal.reason)
    signal.addEventListener('abort', () => resolve(signal.reason), { once: true })
  })
}
