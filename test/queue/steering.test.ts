import { setTimeout as sleep } from 'node:timers/promises'
import { Discard, Snooze, type JobQueue, type JobRecord } from '../../src/index.ts'
import { describeEachDatabase, expect } from '../support/fixtures.ts'
import { gate } from './arrange.ts'

const NOTHING = { available: 0, running: 0, finished: 0, failed: 0, cancelled: 0 }
const LARGEST_ID = '9223372036854775807'

/** Fails every run; retries are due at once. */
const failing = (): never => {
  throw new RangeError('on purpose')
}

const date = expect.any(Date) as Date

describeEachDatabase('get', (test) => {
  test('answers a job that waits', async ({ queue }) => {
    const job = await queue.enqueue({ n: 1 }, { delay: '1h', metadata: { tenant: 7 } })
    expect(await queue.get(job.id)).toEqual({
      ...job,
      status: 'available',
      ...{ startedAt: null, finishedAt: null, errors: [], errorCount: 0 },
      ...{ result: undefined, originQueue: null, cancelRequestedAt: null },
      ...{ priority: 5, timeoutMs: null, tags: [], progressAt: null },
    })
    expect(job.scheduledAt.getTime() - job.createdAt.getTime()).toBe(3_600_000)
  })

  test('answers a job that runs, and what it was when it began', async ({ openQueue, receive }) => {
    const [running, end] = [gate(), gate()]
    const queue = openQueue(async () => {
      running.open()
      await end.opened
    })
    const job = await queue.enqueue(1)
    receive(queue)
    await running.opened
    const record = await queue.get(job.id)
    expect(record).toMatchObject({ status: 'running', attempt: 1, startedAt: date, errorCount: 0 })
    expect(record).toMatchObject({ finishedAt: null, result: undefined })
    expect(record?.startedAt?.getTime()).toBeGreaterThanOrEqual(job.createdAt.getTime())
    end.open()
  })

  test('answers a job that was claimed and has not started: running, without a start', async ({
    openQueue,
    rows,
  }) => {
    const last = 'select max(id)::text as id from {schema}.jobs where claimed_by > 0'
    const seen: (JobRecord | undefined)[] = []
    const queue: JobQueue = openQueue(async (job) => {
      // Runs of this length let the receiver claim more ahead than it says to be started; from in here that stands still.
      await sleep(2)
      if (Number(job.args) % 20 !== 19) return
      const [claimed] = await rows(last)
      seen.push(await queue.get(String(claimed?.['id'])))
    })
    await queue.enqueueMany(Array.from({ length: 200 }, (_, args) => ({ args })))
    await queue.drain({ concurrency: 1 })
    const ahead = seen.filter((record) => record?.status === 'running' && record.attempt === 0)
    expect(ahead).not.toEqual([])
    for (const record of ahead) expect(record).toMatchObject({ startedAt: null, finishedAt: null })
  })

  test('answers a job that finished, with its result', async ({ openQueue }) => {
    const queue = openQueue(() => ({ answer: 42 }))
    const job = await queue.enqueue(1)
    await queue.drain()
    const record = await queue.get(job.id)
    expect(record).toEqual({
      ...job,
      ...{ status: 'finished', attempt: 1, startedAt: date, finishedAt: date },
      ...{ errors: [], errorCount: 0, result: { answer: 42 }, originQueue: null },
      ...{ priority: 5, timeoutMs: null, cancelRequestedAt: null, tags: [], progressAt: null },
    })
    const [started = 0, finished = 0] = [
      record?.startedAt?.getTime(),
      record?.finishedAt?.getTime(),
    ]
    expect(finished).toBeGreaterThanOrEqual(started)
  })

  test('answers a job that waits for its retry, with the error of its run', async ({
    openQueue,
  }) => {
    const queue = openQueue(failing, { baseRetryDelay: '1h' })
    const job = await queue.enqueue(1)
    await queue.drain()
    const record = await queue.get(job.id)
    expect(record).toMatchObject({ status: 'available', attempt: 1, errorCount: 1 })
    expect(record).toMatchObject({ finishedAt: null, result: undefined })
    expect(record?.errors).toEqual([
      {
        ...{ attempt: 1, startedAt: date, at: date, name: 'RangeError', message: 'on purpose' },
        stack: expect.stringContaining('RangeError: on purpose') as string,
      },
    ])
    const [error] = record?.errors ?? []
    const waits = (record?.scheduledAt.getTime() ?? 0) - (error?.at.getTime() ?? 0)
    expect(Math.abs(waits - 3_600_000)).toBeLessThan(1_000)
  })

  test('answers a job that failed, with its errors in the order of its runs, and when each started', async ({
    openQueue,
    rows,
  }) => {
    const queue = openQueue(failing, { baseRetryDelay: 0 })
    const job = await queue.enqueue(1, { maxRetries: 2 })
    expect(await queue.drain()).toEqual({ finished: 0, failed: 1, retried: 2 })
    const record = await queue.get(job.id)
    expect(record).toMatchObject({ status: 'failed', attempt: 3, errorCount: 3, finishedAt: date })
    expect(record).toMatchObject({ startedAt: date, result: undefined, originQueue: null })
    expect(record?.errors.map((error) => error.attempt)).toEqual([1, 2, 3])
    for (const { startedAt, at } of record?.errors ?? []) {
      expect(Number(startedAt)).toBeGreaterThanOrEqual(job.createdAt.getTime() - 1)
      expect(Number(startedAt)).toBeLessThanOrEqual(at.getTime())
    }
    expect(record?.errors[2]?.startedAt).toEqual(record?.startedAt)
    // As code noted it that did not know of it.
    await rows(`update {schema}.history set errors = errors #- '{0,startedAt}'`)
    expect((await queue.get(job.id))?.errors).toMatchObject([
      { startedAt: null },
      { startedAt: date },
      { startedAt: date },
    ])
    await queue.retry(job.id)
    const again = await queue.get(job.id)
    expect(again?.errors).toMatchObject([
      { startedAt: null },
      { startedAt: record?.errors[1]?.startedAt },
      { startedAt: record?.errors[2]?.startedAt },
    ])
  })

  test('answers the first 20 and the last 20 errors of many, and counts them all', async ({
    openQueue,
  }) => {
    let runs = 0
    const queue = openQueue<number, void>(
      () => {
        throw new Error(`failure ${++runs}`)
      },
      { baseRetryDelay: 0 },
    )
    const job = await queue.enqueue(1, { maxRetries: 100 })
    const kept = [...Array(20).keys(), ...Array.from({ length: 20 }, (_, n) => n + 25)]
    const told = kept.map((n) => ({
      ...{ attempt: n + 1, startedAt: date, message: `failure ${n + 1}` },
    }))
    await queue.drain({ limit: 45 })
    const waiting = await queue.get(job.id)
    expect(waiting).toMatchObject({ status: 'available', attempt: 45, errorCount: 45 })
    expect(waiting?.errors).toMatchObject(told)
    expect(await queue.cancel(job.id)).toBe(true)
    const cancelled = await queue.get(job.id)
    expect(cancelled).toMatchObject({ status: 'cancelled', attempt: 45, errorCount: 45 })
    expect(cancelled?.errors).toEqual(waiting?.errors)
    expect(await queue.retry(job.id)).toBe(true)
    const retried = await queue.get(job.id)
    expect(retried).toMatchObject({ status: 'available', attempt: 0, errorCount: 45 })
    expect(retried?.errors).toEqual(waiting?.errors)
  })

  test('answers a job that snoozed with the attempts that it had', async ({ openQueue }) => {
    const queue = openQueue(() => {
      throw new Snooze('1h')
    })
    const job = await queue.enqueue(1)
    await queue.drain()
    const record = await queue.get(job.id)
    expect(record).toMatchObject({ status: 'available', attempt: 0, errorCount: 0, errors: [] })
    expect(record?.scheduledAt.getTime()).toBeGreaterThan(job.createdAt.getTime() + 3_590_000)
  })

  test('follows a job into the dead-letter queue, and back', async ({ openQueue }) => {
    const queue = openQueue(failing, { queueName: 'work', dlq: 'dead' })
    const dead = openQueue({ queueName: 'dead' })
    const job = await queue.enqueue(1, { maxRetries: 0 })
    await queue.drain()
    const record = await queue.get(job.id)
    expect(record).toMatchObject({ status: 'available', queueName: 'dead', originQueue: 'work' })
    expect(record).toMatchObject({ attempt: 0, startedAt: null, finishedAt: null, errorCount: 1 })
    expect(await dead.get(job.id)).toEqual(record)
    expect(await dead.redrive()).toBe(1)
    expect(await queue.get(job.id)).toMatchObject({ queueName: 'work', originQueue: null })
    expect(await dead.get(job.id)).toBeUndefined()
  })

  test('knows nothing of other queues and of ids that were never given', async ({ openQueue }) => {
    const queue = openQueue()
    const job = await openQueue({ queueName: 'other' }).enqueue(1)
    await queue.enqueue(1)
    for (const id of [job.id, '0', LARGEST_ID]) expect(await queue.get(id)).toBeUndefined()
  })
})

/** A queue with a job in each status; `end` lets the running one finish. */
async function oneOfEach(
  open: (work: (job: { args: unknown }) => unknown) => JobQueue,
  receive: (queue: JobQueue) => unknown,
  seen: (type: 'job.finished' | 'job.failed', jobId: string) => Promise<unknown>,
): Promise<{ queue: JobQueue; ids: Record<string, string>; end: () => void }> {
  const [running, end] = [gate(), gate()]
  const queue = open(async ({ args }) => {
    if (args === 'failed') throw new Discard('no')
    if (args !== 'running') return
    running.open()
    await end.opened
  })
  const ids: Record<string, string> = {}
  for (const args of ['finished', 'failed', 'running']) ids[args] = (await queue.enqueue(args)).id
  for (const args of ['available', 'cancelled']) {
    ids[args] = (await queue.enqueue(args, { delay: '1h' })).id
  }
  await queue.cancel(ids['cancelled'] ?? '')
  receive(queue)
  await running.opened
  await seen('job.finished', ids['finished'] ?? '')
  await seen('job.failed', ids['failed'] ?? '')
  return { queue, ids, end: () => end.open() }
}

describeEachDatabase('counts', (test) => {
  test('tells how many jobs are in each status, exactly and by estimate', async ({
    openQueue,
    receive,
    seen,
  }) => {
    const { queue, end } = await oneOfEach(openQueue, receive, seen)
    const each = { available: 1, running: 1, finished: 1, failed: 1, cancelled: 1 }
    expect(await queue.counts()).toEqual(each)
    expect(await queue.counts({ estimate: false })).toEqual(each)
    expect(await queue.counts({ estimate: true })).toEqual(each)
    end()
  })

  test('of a queue leaves out the jobs of others, and those that went to the dead', async ({
    openQueue,
  }) => {
    const queue = openQueue(failing, { dlq: 'dead' })
    const other = openQueue({ queueName: 'other' })
    await other.enqueueMany([{ args: 1 }, { args: 2 }])
    await queue.enqueue(1, { maxRetries: 0 })
    await queue.drain()
    for (const estimate of [false, true]) {
      expect(await queue.counts({ estimate })).toEqual(NOTHING)
      expect(await other.counts({ estimate })).toEqual({ ...NOTHING, available: 2 })
      expect(await openQueue({ queueName: 'dead' }).counts({ estimate })).toEqual({
        ...{ ...NOTHING, available: 1 },
      })
    }
  })

  test('estimates a large queue after the planner has looked at it', async ({ queue, rows }) => {
    await queue.enqueueMany(Array.from({ length: 12_000 }, (_, args) => ({ args })))
    await rows('analyze {schema}.jobs')
    const { available, ...rest } = await queue.counts({ estimate: true })
    expect(available).toBeGreaterThan(10_000)
    expect(available).toBeLessThan(14_000)
    expect(rest).toEqual({ running: 0, finished: 0, failed: 0, cancelled: 0 })
  })
})

describeEachDatabase('cancel, retry and delete', (test) => {
  test('answer whether they did: each only from the statuses it is for', async ({
    openQueue,
    receive,
    seen,
  }) => {
    const { queue, ids, end } = await oneOfEach(openQueue, receive, seen)
    const done = async (act: 'cancel' | 'retry' | 'delete', status: string): Promise<boolean> =>
      queue[act](ids[status] ?? '')
    for (const status of ['finished', 'failed', 'cancelled']) {
      expect(await done('cancel', status), status).toBe(false)
    }
    for (const status of ['available', 'running', 'finished']) {
      expect(await done('retry', status), status).toBe(false)
    }
    expect(await done('delete', 'running')).toBe(false)
    expect(await queue.counts()).toMatchObject({ available: 1, running: 1, finished: 1, failed: 1 })
    for (const status of ['available', 'finished', 'failed', 'cancelled']) {
      expect(await done('delete', status), status).toBe(true)
      expect(await done('delete', status), status).toBe(false)
      expect(await queue.get(ids[status] ?? '')).toBeUndefined()
    }
    expect(await queue.counts()).toEqual({ ...NOTHING, running: 1 })
    end()
    await seen('job.finished', ids['running'])
    expect(await queue.get(ids['running'] ?? '')).toMatchObject({ status: 'finished' })
  })

  test('leave ids of other queues and unknown ones alone', async ({ openQueue }) => {
    const queue = openQueue()
    const other = openQueue({ queueName: 'other' })
    await queue.enqueue(1)
    const job = await other.enqueue(1)
    for (const id of [job.id, '0', LARGEST_ID]) {
      const answers = [await queue.cancel(id), await queue.retry(id), await queue.delete(id)]
      expect(answers).toEqual([false, false, false])
    }
    expect(await other.get(job.id)).toMatchObject({ status: 'available' })
  })

  test('cancel keeps what is known of the job, which never runs', async ({ openQueue }) => {
    const ran: unknown[] = []
    const queue = openQueue((job) => void ran.push(job.args))
    const cancelled = await queue.enqueue('cancelled', { metadata: { n: 1 }, maxRetries: 7 })
    await queue.enqueue('runs')
    expect(await queue.cancel(cancelled.id)).toBe(true)
    expect(await queue.drain()).toEqual({ finished: 1, failed: 0, retried: 0 })
    expect(ran).toEqual(['runs'])
    expect(await queue.get(cancelled.id)).toEqual({
      ...cancelled,
      ...{ status: 'cancelled', startedAt: null, finishedAt: date, errors: [], errorCount: 0 },
      ...{ result: undefined, originQueue: null, cancelRequestedAt: null },
      ...{ priority: 5, timeoutMs: null, tags: [], progressAt: null },
    })
  })

  test('retry makes a failed job available now, with fresh attempts and its old errors', async ({
    openQueue,
  }) => {
    let runs = 0
    const queue = openQueue(
      () => {
        if (++runs <= 2) throw new Error(`failure ${runs}`)
      },
      { baseRetryDelay: 0 },
    )
    const job = await queue.enqueue('twice', { maxRetries: 1, metadata: { n: 1 } })
    await queue.drain()
    expect(await queue.retry(job.id)).toBe(true)
    const again = await queue.get(job.id)
    expect(again).toMatchObject({ ...job, scheduledAt: date, status: 'available', attempt: 0 })
    expect(again).toMatchObject({ startedAt: null, finishedAt: null, errorCount: 2 })
    expect(await queue.retry(job.id)).toBe(false)
    expect(await queue.drain()).toEqual({ finished: 1, failed: 0, retried: 0 })
    const record = await queue.get(job.id)
    expect(record).toMatchObject({ status: 'finished', attempt: 1, errorCount: 2 })
    expect(record?.errors).toMatchObject([{ message: 'failure 1' }, { message: 'failure 2' }])
  })

  test('wake a receiver: a retried job runs without waiting for the next poll', async ({
    openQueue,
    receive,
    seen,
  }) => {
    const queue = openQueue(() => undefined, { pollInterval: '1h' })
    const job = await queue.enqueue(1, { delay: '1h' })
    await queue.cancel(job.id)
    receive(queue)
    await seen('worker.registered')
    await queue.retry(job.id)
    await seen('job.finished', job.id)
  })

  test('reach a job that was moved to the dead-letter queue', async ({ openQueue, rows }) => {
    const queue = openQueue(failing, { queueName: 'work', dlq: 'dead' })
    const [first, second] = await queue.enqueueMany([
      { args: 1, maxRetries: 0 },
      { args: 2, maxRetries: 0 },
    ])
    const [one = '', two = ''] = [first?.id, second?.id]
    await queue.drain()
    expect(await queue.cancel(one)).toBe(true)
    expect(await queue.get(one)).toMatchObject({ status: 'cancelled', queueName: 'dead' })
    expect(await queue.retry(one)).toBe(true)
    expect(await queue.get(one)).toMatchObject({ status: 'available', originQueue: 'work' })
    expect([await queue.delete(one), await queue.delete(two)]).toEqual([true, true])
    for (const table of ['jobs', 'history', 'job_errors']) {
      expect(await rows(`select * from {schema}.${table}`), table).toEqual([])
    }
  })
})
