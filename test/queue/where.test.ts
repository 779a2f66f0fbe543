import { Querier, type JobQueue, type JobSelection, type WhereBatch } from '../../src/index.ts'
import { describeEachDatabase, expect, type Fixtures } from '../support/fixtures.ts'
import { errorOf, gate, inTransaction, rolledBack } from './arrange.ts'

const NOTHING = { available: 0, running: 0, finished: 0, failed: 0, cancelled: 0 }
const QUIET = `'; drop table jobs; -- {schema} $1 %_\\ "`

/**
 * A queue with two jobs in each status that can be steered: one of the tenant 7, two hours old, one of the tenant 8.
 * What failed says why: the first one hostile to SQL.
 */
async function stocked({ openQueue, rows }: Pick<Fixtures, 'openQueue' | 'rows'>) {
  const queue: JobQueue = openQueue<unknown, unknown>((job) => {
    if (job.args === 'failed') throw new TypeError(job.metadata['tenant'] === 7 ? QUIET : 'no wind')
  })
  const ids: string[] = []
  for (const args of ['finished', 'failed', 'cancelled', 'available']) {
    for (const tenant of [7, 8]) {
      const metadata = { tenant, tags: ['a', args], deep: { quote: QUIET, n: tenant } }
      const delay = args === 'cancelled' || args === 'available' ? '1h' : 0
      const job = await queue.enqueue(args, { metadata, delay, maxRetries: 0 })
      if (args === 'cancelled') await queue.cancel(job.id)
      if (tenant === 7) ids.push(job.id)
    }
  }
  await queue.drain()
  for (const table of ['jobs', 'history']) {
    await rows(
      `update {schema}.${table} set created_at = created_at - interval '2 hours' where metadata @> '{"tenant":7}'`,
    )
  }
  return queue
}

const EACH = { ...NOTHING, available: 2, finished: 2, failed: 2, cancelled: 2 }

describeEachDatabase('jobs that a filter chooses', (test) => {
  test('are cancelled, retried and deleted, each from the statuses it is for', async ({
    openQueue,
    rows,
  }) => {
    const queue = await stocked({ openQueue, rows })
    expect(await queue.counts()).toEqual(EACH)
    expect(await queue.cancelWhere({ all: true })).toEqual({ changed: 2, refused: 0 })
    expect(await queue.counts()).toEqual({ ...EACH, available: 0, cancelled: 4 })
    expect(await queue.retryWhere({ all: true })).toEqual({ changed: 2, refused: 0 })
    expect(await queue.counts()).toEqual({ ...EACH, failed: 0, cancelled: 4 })
    expect(await queue.retryWhere({ status: 'cancelled' })).toEqual({ changed: 4, refused: 0 })
    expect(await queue.counts()).toEqual({ ...NOTHING, available: 6, finished: 2 })
    expect(await queue.deleteWhere({ all: true })).toEqual({ changed: 8, refused: 0 })
    for (const table of ['jobs', 'history', 'job_errors', 'suspects']) {
      expect(await rows(`select * from {schema}.${table}`), table).toEqual([])
    }
  })

  const choices: [JobSelection, number][] = [
    [{ status: 'failed' }, 2],
    [{ olderThan: '1h' }, 4],
    [{ newerThan: '1h' }, 4],
    [{ olderThan: '3h' }, 0],
    [{ errorText: 'NO WIND' }, 1],
    [{ errorText: `TypeError: ${QUIET}` }, 1],
    [{ errorText: '%' }, 1],
    [{ errorText: '_wind' }, 0],
    [{ metadata: { tenant: 7 } }, 4],
    [{ metadata: { tenant: '7' } }, 0],
    [{ metadata: { tags: ['a'] } }, 8],
    [{ metadata: { tags: ['failed', 'a'] } }, 2],
    [{ metadata: { deep: { quote: QUIET } } }, 8],
    [{ metadata: { deep: { quote: QUIET, n: 8 }, tenant: 8 } }, 4],
    [{ metadata: { [QUIET]: QUIET } }, 0],
    [{ metadata: { tenant: 7 }, status: 'failed', olderThan: '1h', errorText: 'drop table' }, 1],
    [{ metadata: { tenant: 8 }, olderThan: '1h' }, 0],
  ]

  test('are those that meet all of its parts, also in a list', async ({
    openQueue,
    rows,
    db,
    schema,
  }) => {
    const queue = await stocked({ openQueue, rows })
    const querier = new Querier(db, { schema })
    for (const [filter, count] of choices) {
      const preview = await queue.deleteWhere(filter, { dryRun: true })
      const found = preview.sample.map(({ id }) => id)
      const name = JSON.stringify(filter)
      expect.soft({ count: preview.count, isExact: preview.isExact }, name).toEqual({ count, isExact: true })
      expect.soft((await querier.listIds('default', filter)).sort(), name).toEqual(found.sort())
      const listed = await querier.list('default', { ...filter, order: 'newest' })
      expect.soft(listed.map(({ id }) => id).sort(), name).toEqual(found)
    }
    expect(await queue.counts()).toEqual(EACH)
    const [filter] = choices.at(-2) ?? [{}]
    expect(await queue.deleteWhere(filter)).toEqual({ changed: 1, refused: 0 })
    expect(await queue.counts()).toEqual({ ...EACH, failed: 1 })
  }) // prettier-ignore

  test('are only counted and shown by a dry run', async ({ queue }) => {
    const jobs = await queue.enqueueMany(Array.from({ length: 30 }, (_, args) => ({ args })))
    const preview = await queue.cancelWhere({ all: true }, { dryRun: true })
    expect(preview).toMatchObject({ count: 30, isExact: true })
    const first = jobs.slice(0, 10).map(({ id }) => id)
    expect(preview.sample.map(({ id }) => id)).toEqual(first)
    expect(preview.sample[0]).toEqual(await queue.get(first[0] ?? ''))
    for (const [limit, count] of [[3, 3], [12, 12], [99, 30]] as const) {
      const limited = await queue.cancelWhere({ all: true }, { dryRun: true, limit })
      expect(limited).toMatchObject({ count, isExact: true })
      expect(limited.sample).toHaveLength(Math.min(10, count))
    }
    expect(await queue.counts()).toEqual({ ...NOTHING, available: 30 })
    // What it said is what is done.
    expect(await queue.cancelWhere({ all: true }, { dryRun: false, limit: 12 })).toEqual({
      ...{ changed: 12, refused: 0 },
    })
    const left = await queue.cancelWhere({ all: true }, { dryRun: true })
    expect(left.sample[0]?.id).toBe(jobs[12]?.id)
  }) // prettier-ignore

  test('leave what runs alone', async ({ openQueue, receive }) => {
    const [running, end] = [gate(), gate()]
    const queue = openQueue(async () => {
      running.open()
      await end.opened
    })
    await queue.enqueue(1)
    receive(queue, { concurrency: 1 })
    await running.opened
    expect(await queue.cancelWhere({ all: true })).toEqual({ changed: 0, refused: 0 })
    expect(await queue.deleteWhere({ all: true })).toEqual({ changed: 0, refused: 0 })
    expect(await queue.counts()).toEqual({ ...NOTHING, running: 1 })
    end.open()
  })

  test('that are available again wake who sleeps', async ({ openQueue, receive, seen }) => {
    let isBroken = true
    const queue = openQueue(
      () => {
        if (isBroken) throw new Error('broken')
      },
      { pollInterval: '1h' },
    )
    const { id } = await queue.enqueue(1, { maxRetries: 0 })
    receive(queue)
    await seen('job.failed', id)
    isBroken = false
    expect(await queue.retryWhere({ errorText: 'broken' })).toMatchObject({ changed: 1 })
    await seen('job.finished', id)
  })

  test('are told of batch by batch, between which a signal stops', async ({ queue }) => {
    await queue.enqueueMany(Array.from({ length: 1_200 }, (_, args) => ({ args })))
    const stop = new AbortController()
    const batches: WhereBatch[] = []
    const onBatch = (batch: WhereBatch): void => {
      batches.push(batch)
      if (batches.length === 2) stop.abort()
    }
    const { signal } = stop
    const stopped = await queue.cancelWhere({ all: true }, { signal, onBatch })
    expect(stopped).toEqual({ changed: 1_000, refused: 0 })
    expect(batches.map(({ queueName, changed, refused }) => [queueName, changed.length, refused])).toEqual([
      ['default', 500, []],
      ['default', 500, []],
    ])
    expect(await queue.counts()).toEqual({ ...NOTHING, available: 200, cancelled: 1_000 })
    expect(await queue.cancelWhere({ all: true }, { signal })).toEqual({ changed: 0, refused: 0 })
    expect(await queue.cancelWhere({ all: true }, { signal, dryRun: true })).toEqual({
      ...{ count: 0, isExact: false, sample: [] },
    })
    const failure = new Error('mine')
    const failing = queue.deleteWhere({ status: 'cancelled' }, { onBatch: () => { throw failure } })
    expect(await errorOf(failing)).toBe(failure)
    expect(await queue.counts()).toMatchObject({ cancelled: 500 })
  }) // prettier-ignore

  test('are those of one queue or of all, for a Querier', async ({ openQueue, db, schema }) => {
    const querier = new Querier(db, { schema })
    for (const queueName of ['a', 'b', 'c']) {
      const items = Array.from({ length: 3 }, (_, n) => ({ args: n, metadata: { n } }))
      await openQueue({ queueName }).enqueueMany(items)
    }
    const all = await querier.cancelWhere({ metadata: { n: 1 } }, { dryRun: true })
    expect(all.sample.map(({ queueName }) => queueName)).toEqual(['a', 'b', 'c'])
    expect(await querier.cancelWhere({ queueName: 'b', all: true })).toMatchObject({ changed: 3 })
    expect(await querier.cancelWhere({ queueName: 'unknown', all: true })).toMatchObject({ changed: 0 })
    expect(await querier.cancelWhere({ metadata: { n: 1 } }, { limit: 1 })).toMatchObject({ changed: 1 })
    const queues = await Promise.all(['a', 'b', 'c'].map((name) => querier.counts(name)))
    expect(queues.map(({ available }) => available)).toEqual([2, 0, 3])
    expect(await querier.deleteWhere({ all: true })).toEqual({ changed: 9, refused: 0 })
  }) // prettier-ignore

  test('in a transaction are changed when it commits', async ({ queue, db, schema }) => {
    await queue.enqueueMany(Array.from({ length: 700 }, (_, args) => ({ args })))
    const querier = new Querier(db, { schema })
    await rolledBack(db, async (tx) => {
      const inside = querier.withTx(tx)
      expect(await inside.cancelWhere({ all: true })).toEqual({ changed: 700, refused: 0 })
      expect(await inside.counts('default')).toMatchObject({ cancelled: 700 })
    })
    expect(await queue.counts()).toEqual({ ...NOTHING, available: 700 })
    await inTransaction(db, (tx) => querier.withTx(tx).deleteWhere({ all: true }, { limit: 600 }))
    expect(await queue.counts()).toEqual({ ...NOTHING, available: 100 })
  })

  test('in a queue that is not stored are none', async ({ openQueue }) => {
    const queue = openQueue({ queueName: 'unknown' })
    expect(await queue.cancelWhere({ all: true })).toEqual({ changed: 0, refused: 0 })
    expect(await queue.redriveWhere({ all: true }, { dryRun: true })).toEqual({
      ...{ count: 0, isExact: true, sample: [] },
    })
  })

  test('may be 20,000 in one queue', async ({ queue, rows }) => {
    await queue.enqueue('opens the queue')
    await rows(
      `insert into {schema}.jobs (run_at, created_at, queue_id, priority, max_retries, retry_policy, args, metadata)
       select now(), now(), queue_id, 5, 3, 'constant', to_jsonb(n), jsonb_build_object('tenant', n % 4)
       from {schema}.jobs, generate_series(1, 20000) as n`,
    )
    const tenant = { metadata: { tenant: 1 } }
    const preview = await queue.cancelWhere(tenant, { dryRun: true })
    expect(preview).toMatchObject({ count: 5_000, isExact: true })
    expect(preview.sample.map(({ args }) => args)).toEqual([1, 5, 9, 13, 17, 21, 25, 29, 33, 37])
    expect(await queue.cancelWhere(tenant)).toEqual({ changed: 5_000, refused: 0 })
    expect(await queue.counts()).toMatchObject({ available: 15_001, cancelled: 5_000 })
    expect(await queue.retryWhere({ status: 'cancelled', ...tenant })).toMatchObject({ changed: 5_000 })
    expect(await queue.deleteWhere({ metadata: { tenant: 2 } })).toMatchObject({ changed: 5_000 })
    expect(await queue.cancelWhere({ all: true }, { limit: 12_345 })).toMatchObject({ changed: 12_345 })
    expect(await queue.counts()).toEqual({ ...NOTHING, available: 2_656, cancelled: 12_345 })
  }) // prettier-ignore
})
