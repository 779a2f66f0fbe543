import { describeEachDatabase, expect } from '../support/fixtures.ts'
import { countRows, errorOf, refusal } from './arrange.ts'

describeEachDatabase('enqueue', (test) => {
  test('answers the job as it is stored', async ({ openQueue, rows }) => {
    const queue = openQueue<{ to: string }, void>({ queueName: 'emails' })
    const before = Date.now()
    const job = await queue.enqueue(
      { to: 'ada@example.org' },
      { maxRetries: 5, metadata: { tenant: 7 } },
    )
    expect(job).toEqual({
      id: expect.stringMatching(/^[1-9]\d*$/) as string,
      queueName: 'emails',
      args: { to: 'ada@example.org' },
      metadata: { tenant: 7 },
      attempt: 0,
      maxRetries: 5,
      createdAt: expect.any(Date) as Date,
      scheduledAt: job.createdAt,
    })
    expect(Math.abs(job.createdAt.getTime() - before)).toBeLessThan(60_000)
    expect(await queue.get(job.id)).toMatchObject(job)
    expect(await rows('select id::text, args, metadata, attempt from {schema}.jobs')).toEqual([
      { id: job.id, args: { to: 'ada@example.org' }, metadata: { tenant: 7 }, attempt: 0 },
    ])
  })

  test('keeps the order of one producer who awaits each', async ({ queue }) => {
    const ids = []
    for (let n = 0; n < 20; n++) ids.push(BigInt((await queue.enqueue(n)).id))
    expect(ids).toEqual([...ids].sort((left, right) => (left < right ? -1 : 1)))
  })

  test('draws ids from one sequence for all queues', async ({ openQueue }) => {
    const left = openQueue({ queueName: 'left' })
    const right = openQueue({ queueName: 'right' })
    const jobs = [await left.enqueue(1), await right.enqueue(2), await left.enqueue(3)]
    expect(new Set(jobs.map((job) => job.id)).size).toBe(3)
    expect(await right.get(jobs[0]?.id ?? '')).toBeUndefined()
  })

  test('tells observers of the job, and not of its arguments', async ({ queue, events }) => {
    const job = await queue.enqueue({ secret: 'hunter2' })
    const told = events.all('job.enqueued')
    expect(told).toMatchObject([{ jobId: job.id, queueName: 'default' }])
    expect(JSON.stringify(told)).not.toContain('hunter2')
  })

  test('rejects with the reason of an aborted signal and writes nothing', async ({
    queue,
    rows,
  }) => {
    const reason = new Error('the caller has gone')
    const signal = AbortSignal.abort(reason)
    expect(await errorOf(queue.enqueue(1, { signal }))).toBe(reason)
    expect(await errorOf(queue.enqueueMany([{ args: 1 }], { signal }))).toBe(reason)
    expect(await countRows(rows)).toMatchObject({ queues: 0, jobs: 0 })
  })

  test('takes a signal that aborts while it waits for its turn', async ({ queue, rows }) => {
    await queue.enqueue('opens the queue')
    const caller = new AbortController()
    const reason = new Error('changed my mind')
    const error = errorOf(queue.enqueue('never', { signal: caller.signal }))
    caller.abort(reason)
    expect(await error).toBe(reason)
    expect(await rows('select args from {schema}.jobs')).toEqual([{ args: 'opens the queue' }])
  })

  test('is not disturbed by a signal that aborts afterwards', async ({ queue }) => {
    const caller = new AbortController()
    const job = await queue.enqueue(1, { signal: caller.signal })
    caller.abort()
    expect(await queue.get(job.id)).toMatchObject({ status: 'available' })
  })
})

describeEachDatabase('enqueueMany', (test) => {
  test('answers the jobs in the order given, and their ids ascend', async ({ openQueue }) => {
    const queue = openQueue<number, void>()
    const jobs = await queue.enqueueMany(
      Array.from({ length: 2_500 }, (_, n) => ({ args: n, priority: n % 10, maxRetries: n })),
    )
    expect(jobs.map((job) => job.args)).toEqual(Array.from({ length: 2_500 }, (_, n) => n))
    expect(jobs.map((job) => job.maxRetries)).toEqual(jobs.map((job) => job.args))
    const ids = jobs.map((job) => BigInt(job.id))
    expect(ids.every((id, n) => n === 0 || id > (ids[n - 1] ?? 0n))).toBe(true)
    expect(await queue.get(jobs[1_234]?.id ?? '')).toMatchObject({ args: 1_234, maxRetries: 1_234 })
    expect(await queue.counts()).toMatchObject({ available: 2_500 })
  })

  test('gives every job the options of its own', async ({ queue, rows }) => {
    await queue.enqueueMany([
      { args: 'a', priority: 0, retryPolicy: 'linear', metadata: { n: 1 }, timeout: '2s' },
      { args: 'b', delay: '1h' },
      { args: 'c', runAt: new Date(Date.now() + 7_200_000), maxRetries: 0 },
    ])
    const stored = await rows(`
      select
        args, priority::int4, retry_policy::text as policy, metadata, timeout_ms::int4 as timeout,
        max_retries::int4 as retries, round(extract(epoch from run_at - created_at) / 60)::int4 as minutes
      from {schema}.jobs order by id`)
    const usual = { priority: 5, policy: 'exponential', metadata: {}, timeout: null, retries: 3 }
    expect(stored).toEqual([
      {
        ...usual,
        args: 'a',
        priority: 0,
        policy: 'linear',
        metadata: { n: 1 },
        timeout: 2000,
        minutes: 0,
      },
      { ...usual, args: 'b', minutes: 60 },
      { ...usual, args: 'c', retries: 0, minutes: 120 },
    ])
  })

  test('does nothing for no jobs', async ({ queue, rows }) => {
    expect(await queue.enqueueMany([])).toEqual([])
    expect(await countRows(rows)).toMatchObject({ queues: 0, jobs: 0 })
  })

  test('stores none when one of them is refused', async ({ queue, rows }) => {
    const error = await refusal(
      queue.enqueueMany([{ args: 1 }, { args: { n: [0, Number.NaN] } }, { args: 3 }]),
    )
    expect(error).toMatchObject({ code: 'INVALID_ARGS', details: { path: 'jobs[1].args.n[1]' } })
    expect(await countRows(rows)).toMatchObject({ queues: 0, jobs: 0 })
  })

  test('stores none when the database refuses one of several statements', async ({
    queue,
    rows,
  }) => {
    await queue.enqueue('opens the queue')
    await rows(`alter table {schema}.jobs add constraint no_last check (args <> '4999')`)
    // More than one statement carries, so that only a transaction keeps them together.
    const items = Array.from({ length: 5_000 }, (_, n) => ({ args: n }))
    expect(await errorOf(queue.enqueueMany(items))).toMatchObject({ code: '23514' })
    expect(await countRows(rows)).toMatchObject({ jobs: 1 })
  })
})
