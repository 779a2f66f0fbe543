import { Querier, type DBTX, type JobChanges, type JobQueue } from '../../src/index.ts'
import { describeEachDatabase, expect } from '../support/fixtures.ts'
import { errorOf, inTransaction, RollBack } from './arrange.ts'

const LARGEST_ID = '9223372036854775807'

const STORED = `
  select
    priority::int4, max_retries::int4 as retries, retry_policy::text as policy, timeout_ms::int4 as timeout,
    (round(extract(epoch from run_at - created_at) * 100) * 10)::float8 as delay, args, metadata
  from {schema}.jobs where id = $1::int8`

/** Fails every run. */
const failing = (): never => {
  throw new Error('on purpose')
}

describeEachDatabase('edit', (test) => {
  test('changes what is given, leaves the rest, and answers the job as it is then', async ({
    queue,
    rows,
  }) => {
    const options = { priority: 7, delay: '1h', timeout: '9s', metadata: { tenant: 7 } } as const
    const job = await queue.enqueue({ to: 'ada' }, { ...options, maxRetries: 1 })
    const before = { priority: 7, retries: 1, policy: 'exponential', timeout: 9_000 }
    const whole = { ...before, delay: 3_600_000, args: { to: 'ada' }, metadata: { tenant: 7 } }
    const steps: [JobChanges, object][] = [
      [{ args: { to: 'eve' } }, { args: { to: 'eve' } }],
      [{ args: null }, { args: null }],
      [{ metadata: { trace: 'x' } }, { metadata: { trace: 'x' } }],
      [{ metadata: {} }, { metadata: {} }],
      [{ priority: 0 }, { priority: 0 }],
      [
        { maxRetries: 9, retryPolicy: 'linear' },
        { retries: 9, policy: 'linear' },
      ],
      [{ timeout: 250 }, { timeout: 250 }],
      [{ timeout: null }, { timeout: null }],
      [{ runAt: new Date(job.createdAt.getTime() + 90_000) }, { delay: 90_000 }],
    ]
    let expected: object = whole
    for (const [changes, changed] of steps) {
      expected = { ...expected, ...changed }
      const record = await queue.edit(job.id, changes)
      expect(await rows(STORED, [job.id])).toEqual([expected])
      expect(record).toEqual(await queue.get(job.id))
      expect(record).toMatchObject({ id: job.id, createdAt: job.createdAt, status: 'available' })
    }
  })

  test('does not touch a time that it does not name, to the microsecond', async ({
    queue,
    rows,
  }) => {
    const { id } = await queue.enqueue(1)
    const time = 'select run_at::text from {schema}.jobs'
    const [before] = await rows(time)
    await queue.edit(id, { args: 2, priority: 9 })
    expect(await rows(time)).toEqual([before])
  })

  test('counts a delay from now, by the clock of the database, and takes the past for now', async ({
    queue,
    rows,
  }) => {
    const { id } = await queue.enqueue(1, { delay: '1d' })
    const waits = `select extract(epoch from run_at - clock_timestamp())::float8 as waits from {schema}.jobs`
    await queue.edit(id, { delay: '10m' })
    const [{ waits: later } = {}] = await rows(waits)
    expect(Math.abs(Number(later) - 600)).toBeLessThan(10)
    for (const changes of [{ delay: 0 }, { runAt: new Date(0) }, { runAt: new Date(-8.64e15) }]) {
      await queue.edit(id, { delay: '1d' })
      await queue.edit(id, changes)
      const [{ waits: now } = {}] = await rows(waits)
      expect(Number(now)).toBeLessThanOrEqual(0)
      expect(Number(now)).toBeGreaterThan(-10)
    }
  })

  test('stores hostile values as enqueue does', async ({ queue }) => {
    const { id } = await queue.enqueue(1)
    for (const args of [
      `'; drop table jobs; --`,
      '{schema} $1 $13 \\ \u2028 \ud83d\ude00',
      JSON.parse('{"__proto__":{"a":1},"constructor":2,"":3}') as unknown,
      [[[[1e308, 5e-324]]], { deep: [{ n: null }] }],
      'x'.repeat(300_000),
    ]) {
      expect((await queue.edit(id, { args, metadata: { args } }))?.args).toEqual(args)
      expect((await queue.get(id))?.metadata).toEqual({ args })
    }
  })

  test('does nothing and answers undefined where no job waits', async ({
    openQueue,
    receive,
    seen,
  }) => {
    const queue: JobQueue = openQueue<unknown, unknown>(async (job) => {
      if (job.args === 'failed') failing()
      if (job.args === 'running') expect(await queue.edit(job.id, { args: 2 })).toBeUndefined()
    })
    const ids: string[] = []
    for (const args of ['finished', 'failed', 'running']) {
      ids.push((await queue.enqueue(args, { maxRetries: 0 })).id)
    }
    const cancelled = await queue.enqueue('cancelled', { delay: '1h' })
    await queue.cancel(cancelled.id)
    const elsewhere = await openQueue({ queueName: 'other' }).enqueue('other')
    receive(queue)
    await seen('job.finished', ids[2])
    await seen('job.failed', ids[1])
    for (const id of [...ids, cancelled.id, elsewhere.id, '0', LARGEST_ID]) {
      const before = await queue.get(id)
      expect(await queue.edit(id, { args: 'edited', priority: 0 })).toBeUndefined()
      expect(await queue.get(id)).toEqual(before)
    }
    expect((await queue.get(ids[2] ?? ''))?.args).toBe('running')
  })

  test('finds nothing in a queue that is not stored', async ({ openQueue, db, schema }) => {
    expect(await openQueue({ queueName: 'unknown' }).edit('1', { args: 1 })).toBeUndefined()
    const querier = new Querier(db, { schema })
    expect(await querier.edit('unknown', '1', { args: 1 })).toBeUndefined()
    expect(await querier.queues()).toEqual([])
  })

  test('mends a job that waits for its retry: it runs on with what it has behind it', async ({
    openQueue,
  }) => {
    const ran: unknown[] = []
    const queue = openQueue<string, void>(
      (job) => {
        ran.push([job.args, job.attempt, job.maxRetries])
        if (job.args === 'bad') failing()
      },
      { baseRetryDelay: '1h' },
    )
    const { id } = await queue.enqueue('bad', { maxRetries: 5 })
    await queue.drain()
    const record = await queue.edit(id, { args: 'good', delay: 0, maxRetries: 1 })
    expect(record).toMatchObject({ attempt: 1, errorCount: 1, errors: [{ attempt: 1 }] })
    expect(await queue.drain()).toMatchObject({ finished: 1 })
    expect(ran).toEqual([
      ['bad', 1, 5],
      ['good', 2, 1],
    ])
  })

  test('with fewer retries than were made lets the next failure be the last', async ({
    openQueue,
  }) => {
    const queue = openQueue(failing, { baseRetryDelay: 0 })
    const { id } = await queue.enqueue(1, { maxRetries: 9 })
    await queue.drain({ limit: 3 })
    expect(await queue.edit(id, { maxRetries: 0 })).toMatchObject({ attempt: 3, maxRetries: 0 })
    expect(await queue.drain()).toEqual({ finished: 0, failed: 1, retried: 0 })
    expect(await queue.get(id)).toMatchObject({ status: 'failed', attempt: 4 })
  })

  test('gives due jobs another order', async ({ openQueue }) => {
    const order: unknown[] = []
    const queue = openQueue((job) => void order.push(job.args))
    const jobs = await queue.enqueueMany(['a', 'b', 'c', 'd'].map((args) => ({ args })))
    const [a = '', , c = '', d = ''] = jobs.map(({ id }) => id)
    await queue.edit(a, { priority: 9 })
    await queue.edit(c, { priority: 0 })
    await queue.edit(d, { delay: '1h' })
    await queue.drain({ concurrency: 1 })
    expect(order).toEqual(['c', 'b', 'a'])
  })

  test('wakes a receiver that sleeps, for a job that is due now or sooner than it thought', async ({
    openQueue,
    receive,
    seen,
  }) => {
    const queue = openQueue(() => undefined, { pollInterval: '1h' })
    const [now, soon] = await queue.enqueueMany([
      { args: 'now', delay: '1h' },
      { args: 'soon', delay: '1h' },
    ])
    receive(queue)
    await seen('claim.made')
    await queue.edit(now?.id ?? '', { delay: 0 })
    await seen('job.finished', now?.id)
    await queue.edit(soon?.id ?? '', { delay: 300 })
    await seen('job.finished', soon?.id)
  })

  test('reaches a job that was moved to the dead-letter queue', async ({ openQueue }) => {
    const queue = openQueue(failing, { queueName: 'work', dlq: 'dead' })
    const { id } = await queue.enqueue('bad', { maxRetries: 0 })
    await queue.drain()
    const record = await queue.edit(id, { args: 'good', priority: 0, delay: '1h' })
    expect(record).toMatchObject({ queueName: 'dead', originQueue: 'work', args: 'good' })
    expect(await openQueue({ queueName: 'dead' }).get(id)).toEqual(record)
  })

  test('changes a suspect, which stays parked until it runs alone', async ({ openQueue, rows }) => {
    const ran: unknown[] = []
    const queue = openQueue((job) => void ran.push(job.args))
    const { id } = await queue.enqueue('as it was')
    await rows('update {schema}.jobs set claimed_by = 0, is_suspect = true')
    await rows('insert into {schema}.suspects select queue_id, id from {schema}.jobs')
    expect(await queue.edit(id, { args: 'edited', priority: 1, delay: 0 })).toMatchObject({
      status: 'available',
    })
    const parked = 'select claimed_by, is_suspect from {schema}.jobs'
    expect(await rows(parked)).toEqual([{ claimed_by: 0, is_suspect: true }])
    expect(await queue.drain()).toMatchObject({ finished: 1 })
    expect(ran).toEqual(['edited'])
  })

  test('in a transaction is seen when that commits, and never when it rolls back', async ({
    openQueue,
    receive,
    seen,
    db,
    schema,
  }) => {
    const queue = openQueue(() => undefined, { pollInterval: '1h' })
    const job = await queue.enqueue('old', { delay: '1h' })
    const querier = new Querier(db, { schema })
    const edit = (args: string) => async (tx: DBTX) => {
      const inside = querier.withTx(tx)
      expect(await inside.edit('default', job.id, { args, delay: 0 })).toMatchObject({ args })
      expect(await inside.get('default', job.id)).toMatchObject({ args })
      if (args === 'rolled back') throw new RollBack()
    }
    expect(await errorOf(inTransaction(db, edit('rolled back')))).toBeInstanceOf(RollBack)
    expect(await queue.get(job.id)).toMatchObject({ args: 'old', scheduledAt: job.scheduledAt })
    receive(queue)
    await seen('claim.made')
    await inTransaction(db, edit('new'))
    await seen('job.finished', job.id)
    expect(await queue.get(job.id)).toMatchObject({ args: 'new' })
  })
})
