import {
  Discard,
  RetryPolicy,
  Snooze,
  type Duration,
  type RetryPolicyName,
} from '../../src/index.ts'
import { describeEachDatabase, expect, type Fixtures } from '../support/fixtures.ts'
import { aborted, gate } from './arrange.ts'

const fail = (): never => {
  throw new Error('on purpose')
}

/** From the last failure of a job to its next run, both by the database's clock, in milliseconds. */
async function delayOf(rows: Fixtures['rows'], id: string): Promise<number> {
  const [row] = await rows(
    `select (extract(epoch from jobs.run_at - failure.at) * 1000)::float8 as ms
    from {schema}.jobs
    join lateral (
      select at from {schema}.job_errors where job_id = jobs.id order by number desc limit 1
    ) as failure on true
    where jobs.id = $1::text::bigint`,
    [id],
  )
  return Number(row?.['ms'])
}

/** Makes a waiting job due, as if its delay had passed. */
async function passTime(rows: Fixtures['rows'], id: string): Promise<void> {
  await rows('update {schema}.jobs set run_at = created_at where id = $1::text::bigint', [id])
}

/** The delays of the first four retries in seconds, up to a maximum of 1 h. */
const FORMULAS: readonly { policy: RetryPolicyName; base: Duration; delays: readonly number[] }[] =
  [
    { policy: RetryPolicy.Constant, base: '2s', delays: [2, 2, 2, 2] },
    { policy: RetryPolicy.Linear, base: '2s', delays: [2, 4, 6, 8] },
    { policy: RetryPolicy.Exponential, base: '2s', delays: [2, 4, 8, 16] },
    { policy: 'exponential', base: '3s', delays: [3, 9, 27, 81] },
    { policy: 'exponential', base: '2.5s', delays: [2.5, 6.25, 15.625, 39.0625] },
    { policy: 'exponential', base: '1s', delays: [1, 2, 4, 8] },
    { policy: 'exponential', base: '0.5s', delays: [0.5, 1, 2, 4] },
    { policy: 'linear', base: '0.5s', delays: [0.5, 1, 1.5, 2] },
    { policy: 'constant', base: '0.5s', delays: [0.5, 0.5, 0.5, 0.5] },
    { policy: 'exponential', base: '1.5s', delays: [1.5, 3, 6, 12] },
    { policy: 'exponential', base: '30s', delays: [30, 900, 3_600, 3_600] },
    { policy: 'exponential', base: '2h', delays: [3_600, 3_600, 3_600, 3_600] },
    { policy: 'constant', base: '2h', delays: [3_600, 3_600, 3_600, 3_600] },
    { policy: 'linear', base: '25m', delays: [1_500, 3_000, 3_600, 3_600] },
  ]

describeEachDatabase('a retry', (test) => {
  test('comes after just the delay of its policy, from the failure, by the clock of the database', async ({
    openQueue,
    rows,
  }) => {
    for (const base of new Set(FORMULAS.map((formula) => formula.base))) {
      const options = { queueName: `${base}`, baseRetryDelay: base, maxRetryDelay: '1h' } as const
      const queue = openQueue<{ policy: string; seconds: number; made: number }, void>(
        fail,
        options,
      )
      const cases = FORMULAS.filter((formula) => formula.base === base).flatMap(
        ({ policy, delays }) => delays.map((seconds, made) => ({ policy, seconds, made })),
      )
      const jobs = await queue.enqueueMany(
        cases.map((args) => ({ args, retryPolicy: args.policy, maxRetries: 4 })),
      )
      // As if so many retries had been made.
      await rows(`update {schema}.jobs set attempt = (args ->> 'made')::int4 where run_at <= now()`)
      expect(await queue.drain()).toEqual({ finished: 0, failed: 0, retried: cases.length })
      for (const { id, args } of jobs) {
        const what = `${args.policy} from ${base} after ${args.made} retries`
        expect(await delayOf(rows, id), what).toBeCloseTo(args.seconds * 1000, 2)
        const record = await queue.get(id)
        expect(record).toMatchObject({ status: 'available', attempt: args.made + 1 })
      }
    }
  })

  test('is never later than maxRetryDelay, also with jitter', async ({ openQueue, rows }) => {
    const queue = openQueue(fail, {
      baseRetryDelay: '10s',
      maxRetryDelay: '11s',
      retryJitter: 0.5,
    })
    const jobs = await queue.enqueueMany(
      Array.from({ length: 60 }, () => ({ args: 1, retryPolicy: 'constant' as const })),
    )
    await queue.drain()
    const delays = await Promise.all(jobs.map((job) => delayOf(rows, job.id)))
    expect(Math.min(...delays)).toBeGreaterThanOrEqual(5_000)
    expect(Math.min(...delays)).toBeLessThan(9_000)
    expect(Math.max(...delays)).toBeLessThanOrEqual(11_000.001)
    expect(new Set(delays).size).toBeGreaterThan(10)
  })

  test('runs maxRetries times after the first run, and each run knows which one it is', async ({
    openQueue,
  }) => {
    const attempts: number[] = []
    const queue = openQueue(
      (job, context) => {
        attempts.push(job.attempt, context.attempt)
        fail()
      },
      { baseRetryDelay: 0 },
    )
    const job = await queue.enqueue(1, { maxRetries: 3 })
    expect(job.attempt).toBe(0)
    expect(await queue.drain()).toEqual({ finished: 0, failed: 1, retried: 3 })
    expect(attempts).toEqual([1, 1, 2, 2, 3, 3, 4, 4])
    const record = await queue.get(job.id)
    expect(record).toMatchObject({ status: 'failed', attempt: 4, maxRetries: 3, errorCount: 4 })
    expect(record?.errors.map((error) => error.attempt)).toEqual([1, 2, 3, 4])
    expect(record?.finishedAt).toEqual(record?.errors.at(-1)?.at)
  })

  test('is not made with maxRetries 0', async ({ openQueue }) => {
    const queue = openQueue(fail)
    const job = await queue.enqueue(1, { maxRetries: 0 })
    expect(await queue.drain()).toEqual({ finished: 0, failed: 1, retried: 0 })
    expect(await queue.get(job.id)).toMatchObject({ status: 'failed', attempt: 1, errorCount: 1 })
  })

  test('that succeeds finishes the job, which keeps its errors', async ({ openQueue }) => {
    const queue = openQueue((job) => (job.attempt < 3 ? fail() : 'at last'), { baseRetryDelay: 0 })
    const job = await queue.enqueue(1)
    expect(await queue.drain()).toEqual({ finished: 1, failed: 0, retried: 2 })
    expect(await queue.get(job.id)).toMatchObject({
      status: 'finished',
      attempt: 3,
      result: 'at last',
      errorCount: 2,
      errors: [
        { attempt: 1, message: 'on purpose', startedAt: expect.any(Date) as Date },
        { attempt: 2, message: 'on purpose', startedAt: expect.any(Date) as Date },
      ],
    })
  })

  test('is run by a receiver that sleeps, as soon as it is due', async ({
    openQueue,
    receive,
    seen,
  }) => {
    const queue = openQueue((job) => (job.attempt === 1 ? fail() : undefined), {
      baseRetryDelay: 50,
      pollInterval: '1h',
    })
    receive(queue)
    const job = await queue.enqueue(1)
    expect(await seen('job.retried', job.id)).toMatchObject({ attempt: 1, retryInMs: 50 })
    expect(await seen('job.finished', job.id)).toMatchObject({ attempt: 2 })
  })
})

describeEachDatabase('an attempt', (test) => {
  test('is 0 before the first run, 1 during it, and startedAt tells that it runs', async ({
    openQueue,
    receive,
    seen,
  }) => {
    const release = gate()
    const queue = openQueue(() => release.opened)
    const job = await queue.enqueue(1)
    expect(await queue.get(job.id)).toMatchObject({
      ...{ status: 'available', attempt: 0, startedAt: null, finishedAt: null },
    })
    receive(queue)
    await seen('job.started', job.id)
    const running = await queue.get(job.id)
    expect(running).toMatchObject({ status: 'running', attempt: 1, finishedAt: null })
    expect(running?.startedAt).toBeInstanceOf(Date)
    release.open()
    await seen('job.finished', job.id)
    const finished = await queue.get(job.id)
    expect(finished).toMatchObject({ status: 'finished', attempt: 1 })
    const { createdAt, startedAt, finishedAt } = finished ?? {}
    expect(Number(createdAt)).toBeLessThanOrEqual(Number(startedAt))
    expect(Number(startedAt)).toBeLessThanOrEqual(Number(finishedAt))
  })

  test('that a stop interrupted is taken back', async ({ openQueue, receive, seen }) => {
    const queue = openQueue(async (_job, { signal }) => {
      throw await aborted(signal)
    })
    const job = await queue.enqueue(1)
    const receiving = receive(queue, { shutdownTimeout: 0 })
    await seen('job.started', job.id)
    await receiving.stop()
    expect(await seen('job.given_back', job.id)).toMatchObject({ wasRunning: true })
    expect(await queue.get(job.id)).toMatchObject({
      ...{ status: 'available', attempt: 0, errorCount: 0, startedAt: null },
    })
  })
})

describeEachDatabase('Discard', (test) => {
  test('fails the job now, whatever retries are left', async ({ openQueue }) => {
    const cause = new Error('the account is closed')
    const queue = openQueue(() => {
      throw new Discard('nobody wants it any more', { cause })
    })
    const job = await queue.enqueue(1, { maxRetries: 9 })
    expect(await queue.drain()).toEqual({ finished: 0, failed: 1, retried: 0 })
    const record = await queue.get(job.id)
    expect(record).toMatchObject({
      status: 'failed',
      attempt: 1,
      errors: [{ name: 'Discard', message: 'nobody wants it any more' }],
    })
    expect(record?.errors[0]?.stack).toContain('the account is closed')
  })
})

describeEachDatabase('Snooze', (test) => {
  test('runs the job again later and uses no attempt', async ({ openQueue, rows }) => {
    let runs = 0
    const attempts: number[] = []
    const queue = openQueue((job) => {
      attempts.push(job.attempt)
      runs += 1
      if (runs <= 5) throw new Snooze('1h')
    })
    const job = await queue.enqueue(1, { maxRetries: 0 })
    for (let snooze = 1; snooze <= 5; snooze++) {
      expect(await queue.drain()).toEqual({ finished: 0, failed: 0, retried: 0 })
      const record = await queue.get(job.id)
      expect(record).toMatchObject({ status: 'available', attempt: 0, errorCount: 0, errors: [] })
      const minutes = (Number(record?.scheduledAt) - Date.now()) / 60_000
      expect(minutes).toBeGreaterThan(58)
      expect(minutes).toBeLessThan(61)
      await passTime(rows, job.id)
    }
    expect(await queue.drain()).toMatchObject({ finished: 1 })
    expect(attempts).toEqual([1, 1, 1, 1, 1, 1])
    expect(await queue.get(job.id)).toMatchObject({ status: 'finished', attempt: 1 })
  })

  test('ends by itself, in a receiver that sleeps', async ({ openQueue, receive, seen }) => {
    let runs = 0
    const queue = openQueue(
      () => {
        runs += 1
        if (runs === 1) throw new Snooze('50ms')
      },
      { pollInterval: '1h' },
    )
    receive(queue)
    const job = await queue.enqueue(1)
    expect(await seen('job.snoozed', job.id)).toMatchObject({ afterMs: 50 })
    expect(await seen('job.finished', job.id)).toMatchObject({ attempt: 1 })
  })

  test('with a delay that is none fails the run', async ({ openQueue }) => {
    const queue = openQueue(() => {
      throw new Snooze('soon' as '1s')
    })
    const job = await queue.enqueue(1, { maxRetries: 0 })
    expect(await queue.drain()).toMatchObject({ failed: 1 })
    const record = await queue.get(job.id)
    expect(record?.errors[0]?.message).toContain('"delay" cannot be "soon"')
  })
})
