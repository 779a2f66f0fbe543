import { Client, type PoolClient } from 'pg'
import { describe } from 'vitest'
import { driverFor } from '../../src/drivers/recognise.ts'
import { addPartition, dropExpiredPartitions } from '../../src/store/history.ts'
import { Store } from '../../src/store/store.ts'
import { expect, test, until, type ServerFixtures } from '../support/fixtures.ts'

const DAY_MS = 24 * 3_600_000
const LONG_AGO = '2020-01-01'
/** Farther ahead than maintenance looks. */
const FAR_AHEAD_DAYS = 100

const PARTITIONS = `
  select relname from pg_inherits join pg_class on pg_class.oid = inhrelid
  where inhparent = '{schema}.history'::regclass order by relname`

describe.each([
  ['read committed', 'begin'],
  ['repeatable read', 'begin isolation level repeatable read'],
])('a reader of history with an open transaction (%s)', (_, begin) => {
  test('stops no settle, while days are added and an expired one waits to be dropped', async ({
    db,
    schema,
    databaseUrl,
    openQueue,
    receive,
    seen,
    rows,
  }) => {
    const store = new Store(driverFor(db), schema)
    await rows('select {schema}.add_history_partition($1)', [LONG_AGO])
    const queue = openQueue(() => undefined)
    receive(queue)
    await seen('job.finished', (await queue.enqueue({ before: true })).id)
    const reader = await readHistory(databaseUrl, schema, begin)

    // Dropping waits for the reader, settles wait behind it: no longer than its lock_timeout, and again and again.
    const stop = new AbortController()
    const dropping = dropAgainAndAgain(store, stop.signal)
    for (let day = 0; day < 20; day++) {
      expect(await addPartition(store, (FAR_AHEAD_DAYS + day) * DAY_MS)).toBe(true)
      const job = await queue.enqueue({ day })
      await seen('job.finished', job.id, { withinMs: 5_000 })
    }
    stop.abort()
    const { dropped, longestMs } = await dropping
    expect(dropped).toEqual([])
    expect(longestMs).toBeLessThan(2_000)
    expect(await rows(PARTITIONS)).toContainEqual({ relname: 'history_20200101' })

    // The reader was there all the time.
    expect((await reader.query('select from pg_class limit 1')).rowCount).toBe(1)
    await reader.query('commit')
    await reader.end()
    expect(await dropExpiredPartitions(store)).toEqual([LONG_AGO])
    expect(await rows(PARTITIONS)).not.toContainEqual({ relname: 'history_20200101' })
  })
})

describe('a settle that finds no day of history', () => {
  test('makes it and goes on: finish, finish after errors, fail, bury, complete', async ({
    openQueue,
    receive,
    rows,
    db,
    seen,
    log,
  }) => {
    const done = openQueue<{ failures?: number; completes?: boolean }, string>(
      async (job, context) => {
        if (job.attempt <= (job.args.failures ?? 0)) throw new Error('on purpose')
        if (job.args.completes) await inTransaction(db, (tx) => context.complete(tx, 'by itself'))
        return 'by return'
      },
      { queueName: 'done', baseRetryDelay: '1ms' },
    )
    const failing = openQueue(fails, { queueName: 'failing', keepFailed: '40d' })
    const burying = openQueue(fails, { queueName: 'burying', keepFailed: '50d', dlq: 'dead' })
    for (const queue of [done, failing, burying]) await queue.enqueue({}, { delay: '1h' }) // it is known from now on
    for (const queue of [done, failing, burying]) receive(queue)
    await untilAllDaysAreMade(rows)

    const jobs = [
      { queue: done, args: {}, event: 'job.finished', outcome: 'finished' },
      { queue: done, args: { failures: 1 }, event: 'job.finished', outcome: 'finished' },
      { queue: done, args: { completes: true }, event: 'job.finished', outcome: 'finished' },
      { queue: failing, args: {}, event: 'job.failed', outcome: 'failed' },
      { queue: burying, args: {}, event: 'job.dead_lettered', outcome: 'moved' },
    ] as const
    for (const { queue, args, event, outcome } of jobs) {
      await dropAllDays(rows)
      const job = await queue.enqueue(args, { maxRetries: queue === done ? 1 : 0 })
      await seen(event, job.id)
      expect(await rows('select outcome, id::text from {schema}.history')).toEqual([
        { outcome, id: job.id },
      ])
      expect(await rows(PARTITIONS)).toHaveLength(1)
    }
    // It belongs to a settle, and is nothing to be warned of.
    const events = log.map(({ fields }) => String(fields?.['event']))
    expect(events.filter((event) => /^(settle|maintenance)\.failed$/.test(event))).toEqual([])
  })

  test('makes it and goes on: cancel, also in a transaction of the caller', async ({
    queue,
    rows,
    db,
  }) => {
    const { Querier } = await import('../../src/querier.ts')
    const [first, second] = await queue.enqueueMany([{ args: 1 }, { args: 2 }])
    await dropAllDays(rows)
    expect(await queue.cancel(first?.id ?? '')).toBe(true)
    await dropAllDays(rows)
    const [{ schema } = {}] = await rows(`select '{schema}' as schema`)
    const querier = new Querier(db, { schema: String(schema).slice(1, -1) })
    await inTransaction(db, async (tx) => {
      expect(await querier.withTx(tx).cancel('default', second?.id ?? '')).toBe(true)
    })
    expect(await rows('select outcome, id::text from {schema}.history')).toEqual([
      { outcome: 'cancelled', id: second?.id },
    ])
  })
})

const fails = (): never => {
  throw new Error('on purpose')
}

/** An analyst who has read history and does not end. */
async function readHistory(databaseUrl: string, schema: string, begin: string): Promise<Client> {
  const reader = new Client({ connectionString: databaseUrl })
  await reader.connect()
  await reader.query(begin)
  await reader.query(`select count(*) from "${schema}".history`)
  return reader
}

async function dropAgainAndAgain(
  store: Store,
  signal: AbortSignal,
): Promise<{ dropped: string[]; longestMs: number }> {
  const dropped: string[] = []
  let longestMs = 0
  while (!signal.aborted) {
    const began = performance.now()
    dropped.push(...(await dropExpiredPartitions(store)))
    longestMs = Math.max(longestMs, performance.now() - began)
  }
  return { dropped, longestMs }
}

/** Maintenance makes days when a receiver starts; a test that drops them waits for that. */
async function untilAllDaysAreMade(rows: ServerFixtures['rows']): Promise<void> {
  // Fifteen days for each time that the queues keep jobs: 1, 30, 40 and 50 days, some of them the same.
  await until(async () => (await rows(PARTITIONS)).length >= 50)
}

async function dropAllDays(rows: ServerFixtures['rows']): Promise<void> {
  for (const { relname } of await rows(PARTITIONS)) {
    await rows(`drop table {schema}.${String(relname)}`)
  }
}

async function inTransaction(
  db: ServerFixtures['db'],
  work: (tx: PoolClient) => Promise<void>,
): Promise<void> {
  const tx = await db.connect()
  try {
    await tx.query('begin')
    await work(tx)
    await tx.query('commit')
  } finally {
    tx.release()
  }
}
