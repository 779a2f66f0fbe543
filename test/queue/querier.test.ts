import { Discard, Querier, type JobQueue } from '../../src/index.ts'
import { describeEachDatabase, expect, type Fixtures } from '../support/fixtures.ts'
import { countRows, inTransaction, refusal, rolledBack } from './arrange.ts'

const NOTHING = { available: 0, running: 0, finished: 0, failed: 0, cancelled: 0 }

/** A queue with a finished, a failed, a cancelled and a waiting job, in this order. */
async function stocked(
  openQueue: Fixtures['openQueue'],
): Promise<{ queue: JobQueue; ids: [string, string, string, string] }> {
  const queue: JobQueue = openQueue<unknown, unknown>((job) => {
    if (job.args === 'failed') throw new Discard('no')
    return job.args
  })
  const finished = await queue.enqueue('finished')
  const failed = await queue.enqueue('failed')
  const cancelled = await queue.enqueue('cancelled')
  await queue.cancel(cancelled.id)
  await queue.drain()
  const available = await queue.enqueue('available')
  return { queue, ids: [finished.id, failed.id, cancelled.id, available.id] }
}

describeEachDatabase('a Querier', (test) => {
  test('inserts jobs into a queue by its name, in order, all or none', async ({
    openQueue,
    db,
    schema,
  }) => {
    const queue = openQueue({ queueName: 'emails' })
    await queue.enqueue('opens the queue')
    const querier = new Querier(db, { schema })
    const jobs = await querier.insert('emails', [
      { args: { n: 1 }, maxRetries: 7, metadata: { tenant: 7 } },
      { args: null, delay: '1h' },
    ])
    expect(jobs).toMatchObject([
      { queueName: 'emails', args: { n: 1 }, maxRetries: 7, metadata: { tenant: 7 }, attempt: 0 },
      { queueName: 'emails', args: null, maxRetries: 3, metadata: {} },
    ])
    for (const job of jobs) expect(await queue.get(job.id)).toMatchObject(job)
    const refused = querier.insert('emails', [{ args: [1] }, { args: [Number.NaN] }])
    expect(await refusal(refused)).toMatchObject({ details: { path: 'jobs[1].args[0]' } })
    expect(await querier.insert('emails', [])).toEqual([])
    expect(await queue.counts()).toMatchObject({ available: 3 })
  })

  test('never makes a queue, and finds nothing in one that is not stored', async ({
    db,
    schema,
    rows,
  }) => {
    const querier = new Querier(db, { schema })
    const error = await refusal(querier.insert('unknown', [{ args: 1 }]))
    expect(error).toMatchObject({ code: 'INVALID_OPTION', details: { value: 'unknown' } })
    expect(await querier.get('unknown', '1')).toBeUndefined()
    expect(await querier.list('unknown')).toEqual([])
    expect(await querier.counts('unknown')).toEqual(NOTHING)
    for (const act of ['cancel', 'retry', 'delete'] as const) {
      expect(await querier[act]('unknown', '1')).toBe(false)
    }
    expect(await querier.queues()).toEqual([])
    expect(await countRows(rows)).toMatchObject({ queues: 0, jobs: 0 })
  })

  test('gets, counts and lists what a queue has', async ({ openQueue, db, schema }) => {
    const { queue, ids } = await stocked(openQueue)
    await openQueue({ queueName: 'other' }).enqueue('other')
    const querier = new Querier(db, { schema })
    const records = await Promise.all(ids.map((id) => queue.get(id)))
    expect(await Promise.all(ids.map((id) => querier.get('default', id)))).toEqual(records)
    expect(await querier.counts('default')).toEqual({
      ...{ available: 1, running: 0, finished: 1, failed: 1, cancelled: 1 },
    })
    expect(await querier.list('default')).toEqual(records)
    for (const [index, status] of ['finished', 'failed', 'cancelled', 'available'].entries()) {
      const listed = await querier.list('default', { status: status as 'finished' })
      expect(listed, status).toEqual([records[index]])
    }
    expect(await querier.list('default', { status: 'running' })).toEqual([])
    expect(await querier.get('other', ids[0])).toBeUndefined()
  })

  test('lists a page at a time, each from where the last one ended', async ({
    openQueue,
    db,
    schema,
  }) => {
    const { queue } = await stocked(openQueue)
    await queue.enqueueMany(Array.from({ length: 150 }, (_, args) => ({ args })))
    const querier = new Querier(db, { schema })
    expect(await querier.list('default')).toHaveLength(100)
    const pages: string[][] = []
    for (let after: string | undefined; pages.length < 9; after = pages.at(-1)?.at(-1)) {
      const page = await querier.list('default', { after, limit: 20 })
      if (page.length === 0) break
      pages.push(page.map((job) => job.id))
    }
    expect(pages.map((page) => page.length)).toEqual([20, 20, 20, 20, 20, 20, 20, 14])
    const ids = pages.flat().map(BigInt)
    expect(ids.every((id, n) => n === 0 || id > (ids[n - 1] ?? 0n))).toBe(true)
  })

  test('cancels, retries and deletes, and answers whether it did', async ({
    openQueue,
    db,
    schema,
  }) => {
    const { queue, ids } = await stocked(openQueue)
    const [finished, failed, cancelled, available] = ids
    const querier = new Querier(db, { schema })
    expect(await querier.cancel('default', finished)).toBe(false)
    expect(await querier.cancel('default', available)).toBe(true)
    expect(await querier.retry('default', finished)).toBe(false)
    expect(await querier.retry('default', failed)).toBe(true)
    expect(await querier.delete('default', cancelled)).toBe(true)
    expect(await querier.delete('default', cancelled)).toBe(false)
    expect(await queue.counts()).toEqual({ ...NOTHING, available: 1, finished: 1, cancelled: 1 })
    expect(await queue.get(failed)).toMatchObject({ status: 'available', attempt: 0 })
  })

  test('wakes the receivers of the queue', async ({ openQueue, receive, seen, db, schema }) => {
    receive(openQueue(() => undefined, { pollInterval: '1h' }))
    await seen('claim.made')
    const querier = new Querier(db, { schema })
    const [job] = await querier.insert('default', [{ args: 1 }])
    await seen('job.finished', job?.id)
  })

  test('tells of all queues, in the order of their names', async ({ openQueue, db, schema }) => {
    await openQueue({ queueName: 'b', fifo: true, keepFinished: false }).enqueue(1)
    await openQueue({ queueName: 'a', dlq: 'c', keepFailed: '1d', keepFinished: '1h' }).enqueue(1)
    expect(await new Querier(db, { schema }).queues()).toEqual(
      [
        { name: 'a', fifo: false, dlq: 'c', keepFinishedMs: 3_600_000, keepFailedMs: 86_400_000 },
        { name: 'b', fifo: true, dlq: null, keepFinishedMs: null, keepFailedMs: 2_592_000_000 },
        {
          name: 'c',
          fifo: null,
          dlq: null,
          keepFinishedMs: 86_400_000,
          keepFailedMs: 2_592_000_000,
        },
      ].map((info) => ({ ...info, paused: null })),
    )
  })
})

describeEachDatabase('a Querier in a transaction', (test) => {
  test('sees what it does, and nothing of it is left when that is rolled back', async ({
    openQueue,
    db,
    schema,
    rows,
  }) => {
    const { queue, ids } = await stocked(openQueue)
    const [finished, failed, cancelled, available] = ids
    const querier = new Querier(db, { schema })
    const before = { rows: await countRows(rows), jobs: await querier.list('default') }
    await rolledBack(db, async (tx) => {
      const inside = querier.withTx(tx)
      const [job] = await inside.insert('default', [{ args: 'new' }])
      expect(await inside.get('default', job?.id ?? '')).toMatchObject({ args: 'new' })
      expect(await inside.cancel('default', available)).toBe(true)
      expect(await inside.retry('default', failed)).toBe(true)
      expect(await inside.delete('default', cancelled)).toBe(true)
      expect(await inside.delete('default', finished)).toBe(true)
      expect(await inside.counts('default')).toEqual({ ...NOTHING, available: 2, cancelled: 1 })
      const statuses = (await inside.list('default')).map((record) => record.status)
      expect(statuses).toEqual(['available', 'cancelled', 'available'])
      expect(await inside.queues()).toMatchObject([{ name: 'default' }])
    })
    expect({ rows: await countRows(rows), jobs: await querier.list('default') }).toEqual(before)
    expect(await queue.get(available)).toMatchObject({ status: 'available' })
  })

  test('does what it did when that commits, and receivers hear of it then', async ({
    openQueue,
    receive,
    seen,
    db,
    schema,
  }) => {
    const { queue, ids } = await stocked(openQueue)
    const [, failed, cancelled, available] = ids
    const inserted = await inTransaction(db, async (tx) => {
      const inside = new Querier(db, { schema }).withTx(tx)
      expect(await inside.cancel('default', available)).toBe(true)
      expect(await inside.retry('default', cancelled)).toBe(true)
      expect(await inside.delete('default', failed)).toBe(true)
      return inside.insert('default', [{ args: 'new' }])
    })
    expect(await queue.get(available)).toMatchObject({ status: 'cancelled' })
    expect(await queue.get(failed)).toBeUndefined()
    receive(queue)
    await seen('job.finished', inserted[0]?.id)
    await seen('job.finished', cancelled)
  })

  test('refuses bad input without spoiling it', async ({ queue, db, schema }) => {
    await queue.enqueue('opens the queue')
    await inTransaction(db, async (tx) => {
      const inside = new Querier(db, { schema }).withTx(tx)
      const refused = [
        () => inside.insert('unknown', [{ args: 1 }]),
        () => inside.insert('default', [{ args: 1n }]),
        () => inside.get('default', 'x'),
        () => inside.list('default', { limit: 0 }),
      ]
      for (const refuse of refused) await refusal(refuse())
      await inside.insert('default', [{ args: 'good' }])
    })
    expect(await queue.counts()).toMatchObject({ available: 2 })
  })

  test('is another one: the first goes on outside', async ({ queue, db, schema }) => {
    await queue.enqueue('opens the queue')
    const querier = new Querier(db, { schema })
    let inside: Querier | undefined
    await rolledBack(db, async (tx) => {
      inside = querier.withTx(tx)
      await inside.insert('default', [{ args: 'gone' }])
    })
    await querier.insert('default', [{ args: 'stays' }])
    expect(inside).not.toBe(querier)
    expect((await querier.list('default')).map((job) => job.args)).toEqual([
      ...['opens the queue', 'stays'],
    ])
  })
})
