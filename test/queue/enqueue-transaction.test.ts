import { Client } from 'pg'
import { quoteIdentifier } from '../../src/core/identifiers.ts'
import { JobQueue } from '../../src/index.ts'
import type { DB, DBTX } from '../../src/index.ts'
import { describeEachDatabase, expect, test } from '../support/fixtures.ts'
import { countRows, inTransaction, refusal, rolledBack } from './arrange.ts'

describeEachDatabase('enqueue with a tx', (test) => {
  test('stores the job if the transaction commits', async ({ db, queue, rows }) => {
    const job = await inTransaction(db, async (tx) => {
      const inside = await queue.enqueue({ n: 1 }, { tx, metadata: { by: 'tx' } })
      expect(inside).toMatchObject({ args: { n: 1 }, metadata: { by: 'tx' }, attempt: 0 })
      return inside
    })
    expect(await queue.get(job.id)).toMatchObject({ args: { n: 1 }, status: 'available' })
    expect(await countRows(rows)).toMatchObject({ jobs: 1 })
  })

  test('stores nothing if the transaction rolls back, and such a job never runs', async ({
    db,
    openQueue,
    rows,
  }) => {
    const ran: unknown[] = []
    const queue = openQueue((job) => void ran.push(job.args))
    await queue.enqueue('kept')
    const lost = await rolledBack(db, (tx) => queue.enqueue('lost', { tx }))
    await rolledBack(db, (tx) => queue.enqueueMany([{ args: 'lost too' }], { tx }))
    expect(await queue.get(lost.id)).toBeUndefined()
    expect(await queue.drain()).toEqual({ finished: 1, failed: 0, retried: 0 })
    expect(ran).toEqual(['kept'])
    expect(await countRows(rows)).toMatchObject({ jobs: 0, history: 1 })
  })

  test('does not remember a queue that was made in a transaction that rolled back', async ({
    db,
    openQueue,
    rows,
  }) => {
    const queue = openQueue({ queueName: 'made twice', dlq: 'dead' })
    await rolledBack(db, (tx) => queue.enqueue(1, { tx }))
    expect(await countRows(rows)).toMatchObject({ queues: 0, jobs: 0 })
    await queue.enqueue(2)
    expect(await rows('select name from {schema}.queues order by name')).toEqual([
      { name: 'dead' },
      { name: 'made twice' },
    ])
    expect(await queue.counts()).toMatchObject({ available: 1 })
  })

  test('works again in the next transaction after one that rolled back', async ({ db, queue }) => {
    await rolledBack(db, (tx) => queue.enqueue(1, { tx }))
    const job = await inTransaction(db, (tx) => queue.enqueue(2, { tx }))
    expect(await queue.get(job.id)).toMatchObject({ args: 2 })
  })

  test('looks for the queue once, in a process that enqueues in nothing but transactions', async ({
    db,
    schema,
    queue,
  }) => {
    await queue.enqueue('by another process: the queue is there')
    const enqueuing = new JobQueue(db, { schema })
    const sent = async (): Promise<number> => {
      let count = 0
      await inTransaction(db, async (tx) => {
        const counted: DBTX = {
          query: (text, values) => ((count += 1), tx.query(text, values)),
        }
        await enqueuing.enqueue(1, { tx: counted })
      })
      return count
    }
    expect(await sent()).toBeGreaterThan(1)
    expect(await sent()).toBe(1)
    expect(await queue.counts()).toMatchObject({ available: 3 })
  })

  test('looks for a queue again that its own transaction made', async ({ db, openQueue }) => {
    const queue = openQueue({ queueName: 'new' })
    await rolledBack(db, async (tx) => {
      await queue.enqueue(1, { tx })
      return queue.enqueue(2, { tx })
    })
    await inTransaction(db, (tx) => queue.enqueue(3, { tx }))
    expect(await queue.counts()).toMatchObject({ available: 1 })
  })

  test('writes the jobs of enqueueMany together with what else the transaction wrote', async ({
    db,
    schema,
    queue,
    rows,
  }) => {
    await rows('create table {schema}.orders (job_id bigint)')
    await inTransaction(db, async (tx) => {
      const jobs = await queue.enqueueMany([{ args: 'a' }, { args: 'b' }], { tx })
      expect(jobs.map((job) => job.args)).toEqual(['a', 'b'])
      const orders = `${quoteIdentifier(schema)}.orders`
      await tx.query(`insert into ${orders} values ($1::text::bigint)`, [jobs[0]?.id])
    })
    const ordered =
      'select args from {schema}.jobs where id in (select job_id from {schema}.orders)'
    expect(await rows(ordered)).toEqual([{ args: 'a' }])
    expect(await queue.counts()).toMatchObject({ available: 2 })
  })

  test('wakes a sleeping receiver at the commit', async ({ db, openQueue, receive, seen }) => {
    const queue = openQueue(() => 'done', { pollInterval: '1h' })
    receive(queue)
    const first = await queue.enqueue('is it awake?')
    await seen('job.finished', first.id)
    const job = await inTransaction(db, (tx) => queue.enqueue('inside', { tx }))
    await seen('job.finished', job.id)
  })

  test('refuses what is no transaction', async ({ db, queue, rows }) => {
    for (const tx of [db, {}, { query: 'no' }, () => undefined]) {
      const error = await refusal(queue.enqueue(1, { tx: tx as never }))
      expect(error).toMatchObject({ code: 'INVALID_DATABASE', details: { option: 'tx' } })
    }
    expect(await countRows(rows)).toMatchObject({ queues: 0, jobs: 0 })
  })
})

test('an enqueue with a tx uses nothing but that tx, also while the queue is being opened', async ({
  db,
  schema,
}) => {
  const statements: string[] = []
  const stuck = new Promise<never>(() => {})
  // A database that never answers: whoever asks it waits for ever.
  const dead: DB = {
    query: (text) => (statements.push(text), stuck),
    transaction: () => stuck,
  }
  const queue = new JobQueue<string>(dead, { schema })
  void queue.enqueue('waits for ever')
  const job = await inTransaction(db, (tx) => queue.enqueue('goes through', { tx }))
  expect(job.args).toBe('goes through')
  expect(statements).toHaveLength(1)
})

test('any object with query() serves as a tx', async ({ db, queue }) => {
  const client = await db.connect()
  try {
    const tx: DBTX = { query: (text, values) => client.query(text, values) }
    await tx.query('begin')
    const job = await queue.enqueue('by DBTX', { tx })
    await tx.query('commit')
    expect(await queue.get(job.id)).toMatchObject({ args: 'by DBTX' })
  } finally {
    client.release()
  }
})

test('a pg.Client enqueues, with and without a transaction of its own', async ({
  databaseUrl,
  schema,
}) => {
  const client = new Client({ connectionString: databaseUrl })
  await client.connect()
  try {
    const queue = new JobQueue<string>(client, { schema })
    await queue.enqueue('alone')
    await client.query('begin')
    await queue.enqueue('inside', { tx: client })
    await client.query('rollback')
    await client.query('begin')
    const error = await refusal(queue.enqueue('by mistake'))
    expect(error).toMatchObject({ code: 'INVALID_OPTION', details: { option: 'tx' } })
    expect(error.message).toContain('{ tx: client }')
    await client.query('rollback')
    expect(await queue.counts()).toMatchObject({ available: 1 })
  } finally {
    await client.end()
  }
})
