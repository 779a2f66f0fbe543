import { Discard, type JobQueue } from '../../src/index.ts'
import { describeEachDatabase, expect } from '../support/fixtures.ts'

const date = expect.any(Date) as Date

/** Fails every run. */
const failing = (): never => {
  throw new Error('on purpose')
}

/** Moves so many jobs to the dead-letter queue; answers their ids in the order of enqueueing. */
async function buried(queue: JobQueue, count: number): Promise<string[]> {
  const items = Array.from({ length: count }, (_, args) => ({ args, maxRetries: 0 }))
  const jobs = await queue.enqueueMany(items)
  expect(await queue.drain({ concurrency: 1 })).toMatchObject({ failed: count })
  return jobs.map((job) => job.id)
}

describeEachDatabase('a move to the dead-letter queue', (test) => {
  test('keeps id, arguments, metadata, errors, retries and policy, with fresh attempts', async ({
    openQueue,
    rows,
    events,
  }) => {
    const queue = openQueue(failing, { queueName: 'work', dlq: 'dead', baseRetryDelay: 0 })
    const options = { maxRetries: 1, retryPolicy: 'linear', priority: 2, timeout: '9s' } as const
    const job = await queue.enqueue({ n: [1] }, { ...options, metadata: { tenant: 7 } })
    expect(await queue.drain()).toEqual({ finished: 0, failed: 1, retried: 1 })
    const record = await openQueue({ queueName: 'dead' }).get(job.id)
    expect(record).toEqual({
      ...job,
      ...{ queueName: 'dead', originQueue: 'work', status: 'available', attempt: 0 },
      ...{ scheduledAt: date, startedAt: null, finishedAt: null, result: undefined },
      ...{ errorCount: 2, errors: record?.errors, tags: [], progressAt: null },
      ...{ priority: 2, timeoutMs: 9_000, cancelRequestedAt: null },
    })
    expect(record?.errors).toMatchObject([
      { attempt: 1, name: 'Error', message: 'on purpose', startedAt: date, at: date },
      { attempt: 2, name: 'Error', message: 'on purpose', startedAt: date, at: date },
    ])
    const columns = 'retry_policy::text as policy, priority::int4, timeout_ms::int4 as timeout'
    expect(
      await rows(`select ${columns}, run_at <= now() as due from {schema}.jobs`),
    ).toMatchObject([{ policy: 'linear', priority: 2, timeout: 9_000, due: true }])
    const told = events.all('job.dead_lettered', job.id)
    expect(told).toMatchObject([{ queueName: 'work', dlq: 'dead', attempt: 2 }])
    expect(events.all('job.failed')).toEqual([])
  })

  test('does not come without one: the job stays as failed', async ({ openQueue }) => {
    for (const dlq of [undefined, '']) {
      const queue = openQueue(failing, { queueName: `none ${dlq}`, dlq })
      const [id = ''] = await buried(queue, 1)
      expect(await queue.get(id)).toMatchObject({ status: 'failed', originQueue: null })
      expect(await queue.redrive()).toBe(0)
    }
  })

  test('comes at once by Discard, whatever retries are left', async ({ openQueue }) => {
    const queue = openQueue(
      () => {
        throw new Discard('not for us', { cause: new Error('why') })
      },
      { dlq: 'dead' },
    )
    const job = await queue.enqueue(1, { maxRetries: 9 })
    expect(await queue.drain()).toEqual({ finished: 0, failed: 1, retried: 0 })
    const record = await queue.get(job.id)
    expect(record).toMatchObject({ queueName: 'dead', status: 'available', maxRetries: 9 })
    expect(record?.errors).toMatchObject([{ attempt: 1, name: 'Discard', message: 'not for us' }])
  })

  test('goes on from there: the dead-letter queue has a worker, and one of its own', async ({
    openQueue,
  }) => {
    const queue = openQueue(failing, { queueName: 'work', dlq: 'dead' })
    const dead = openQueue(failing, { queueName: 'dead', dlq: 'buried', baseRetryDelay: 0 })
    const grave = openQueue(() => 'at last', { queueName: 'buried' })
    const job = await queue.enqueue(1, { maxRetries: 0 })
    for (const each of [queue, dead]) expect(await each.drain()).toMatchObject({ failed: 1 })
    const record = await queue.get(job.id)
    expect(record).toMatchObject({ queueName: 'buried', originQueue: 'dead', errorCount: 2 })
    expect(await dead.get(job.id)).toEqual(record)
    expect(await dead.redrive()).toBe(0)
    // Back a step at a time; what it had been through is still told.
    expect(await grave.redrive()).toBe(1)
    expect(await queue.get(job.id)).toMatchObject({ queueName: 'dead', status: 'available' })
    expect(await dead.drain()).toMatchObject({ failed: 1 })
    expect(await grave.drain()).toMatchObject({ finished: 1 })
    expect(await queue.get(job.id)).toMatchObject({
      ...{ status: 'finished', result: 'at last', errorCount: 3, originQueue: 'dead' },
    })
  })

  test('into a circle of two queues ends nowhere, and the job is found from both', async ({
    openQueue,
  }) => {
    const left = openQueue(failing, { queueName: 'left', dlq: 'right' })
    const right = openQueue(failing, { queueName: 'right', dlq: 'left' })
    const [id = ''] = await buried(left, 1)
    for (const [queue, place] of [[right, 'left'], [left, 'right'], [right, 'left']] as const) {
      expect(await queue.drain({ limit: 1 })).toMatchObject({ failed: 1 })
      for (const from of [left, right]) {
        expect(await from.get(id)).toMatchObject({ queueName: place, status: 'available' })
      }
    }
    expect(await left.counts()).toMatchObject({ available: 1, failed: 0 })
  }) // prettier-ignore

  test('wakes the receiver of the dead-letter queue', async ({ openQueue, receive, seen }) => {
    const dead = openQueue(() => undefined, { queueName: 'dead', pollInterval: '1h' })
    receive(dead)
    await seen('claim.made', { queueName: 'dead' })
    const queue = openQueue(failing, { dlq: 'dead' })
    const [id = ''] = await buried(queue, 1)
    await seen('job.finished', { jobId: id, queueName: 'dead' })
  })
})

describeEachDatabase('redrive', (test) => {
  test('sends the oldest first, up to the limit, with fresh attempts', async ({ openQueue }) => {
    const ran: unknown[] = []
    let isBroken = true
    const queue = openQueue<unknown, void>(
      (job) => {
        if (isBroken) failing()
        ran.push([job.args, job.attempt])
      },
      { queueName: 'work', dlq: 'dead' },
    )
    const dead = openQueue({ queueName: 'dead' })
    await buried(queue, 5)
    isBroken = false
    expect(await dead.redrive({ limit: 2 })).toBe(2)
    expect(await dead.counts()).toMatchObject({ available: 3 })
    expect(await queue.drain({ concurrency: 1 })).toMatchObject({ finished: 2 })
    expect(await dead.redrive({ limit: 9 })).toBe(3)
    expect(await dead.redrive()).toBe(0)
    expect(await queue.drain({ concurrency: 1 })).toMatchObject({ finished: 3 })
    expect(ran).toEqual([0, 1, 2, 3, 4].map((args) => [args, 1]))
  })

  test('sends each job to the queue that it came from, and leaves what is its own', async ({
    openQueue,
  }) => {
    const left = openQueue(failing, { queueName: 'left', dlq: 'dead' })
    const right = openQueue(failing, { queueName: 'right', dlq: 'dead' })
    const dead = openQueue({ queueName: 'dead' })
    const own = await dead.enqueue('own')
    const ids = [await buried(left, 2), await buried(right, 1)]
    expect(await dead.counts()).toMatchObject({ available: 4 })
    expect(await dead.redrive()).toBe(3)
    for (const [index, queue] of [left, right].entries()) {
      for (const id of ids[index] ?? []) {
        expect(await queue.get(id)).toMatchObject({
          ...{ status: 'available', queueName: queue.queueName, originQueue: null, attempt: 0 },
          ...{ errorCount: 1 },
        })
      }
    }
    expect(await dead.get(own.id)).toMatchObject({ status: 'available', queueName: 'dead' })
    expect(await dead.counts()).toMatchObject({ available: 1 })
  })

  test('sends more than one batch', async ({ openQueue }) => {
    const queue = openQueue(failing, { queueName: 'work', dlq: 'dead' })
    const items = Array.from({ length: 1_100 }, (_, args) => ({ args, maxRetries: 0 }))
    await queue.enqueueMany(items)
    await queue.drain({ concurrency: 100 })
    const dead = openQueue({ queueName: 'dead' })
    expect(await dead.redrive({ limit: 600 })).toBe(600)
    expect(await dead.redrive()).toBe(500)
    expect(await queue.counts()).toMatchObject({ available: 1_100 })
  })

  test('leaves out what runs, failed or was cancelled there', async ({ openQueue }) => {
    const queue = openQueue(failing, { queueName: 'work', dlq: 'dead' })
    const [failed = '', cancelled = '', runs = ''] = await buried(queue, 3)
    const redriven: number[] = []
    const dead: JobQueue = openQueue<unknown, unknown>(
      async (job) => {
        if (job.id === failed) throw new Discard('for good')
        redriven.push(await dead.redrive())
      },
      { queueName: 'dead' },
    )
    await dead.cancel(cancelled)
    expect(await dead.drain({ concurrency: 1 })).toMatchObject({ finished: 1, failed: 1 })
    expect(redriven).toEqual([0])
    expect(await dead.redrive()).toBe(0)
    const statuses = await Promise.all([failed, cancelled, runs].map((id) => queue.get(id)))
    expect(statuses.map((record) => record?.status)).toEqual(['failed', 'cancelled', 'finished'])
    // Available again, they may go back.
    expect([await dead.retry(failed), await dead.retry(cancelled)]).toEqual([true, true])
    expect(await dead.redrive()).toBe(2)
    expect(await queue.counts()).toMatchObject({ available: 2 })
  })

  test('wakes the receiver of the queue that the jobs came from', async ({
    openQueue,
    receive,
    seen,
  }) => {
    let runs = 0
    const queue = openQueue(
      () => {
        if (++runs === 1) failing()
      },
      { dlq: 'dead', pollInterval: '1h' },
    )
    const job = await queue.enqueue(1, { maxRetries: 0 })
    receive(queue)
    await seen('job.dead_lettered', job.id)
    expect(await openQueue({ queueName: 'dead' }).redrive()).toBe(1)
    await seen('job.finished', job.id)
    expect(await queue.get(job.id)).toMatchObject({ status: 'finished', attempt: 1 })
  })
})

describeEachDatabase('a FIFO dead-letter queue', (test) => {
  test('gives each job its place by id, its priority and time reset', async ({
    openQueue,
    rows,
  }) => {
    const order: unknown[] = []
    const dead = openQueue((job) => void order.push(job.args), { queueName: 'dead', fifo: true })
    const queue = openQueue(failing, { queueName: 'work', dlq: 'dead' })
    await queue.enqueue('first', { maxRetries: 0, priority: 9 })
    await dead.enqueue('between')
    await queue.enqueue('third', { maxRetries: 0, priority: 0 })
    await queue.drain({ concurrency: 1 })
    expect(
      await rows(
        'select args, priority::int4, run_at <= now() as due from {schema}.jobs order by id',
      ),
    ).toEqual(['first', 'between', 'third'].map((args) => ({ args, priority: 5, due: true })))
    expect(await dead.drain()).toMatchObject({ finished: 3 })
    expect(order).toEqual(['first', 'between', 'third'])
  })

  test('may be known as one first and be opened as FIFO later', async ({ openQueue }) => {
    const queue = openQueue(failing, { queueName: 'work', dlq: 'dead' })
    await queue.enqueue('first', { maxRetries: 0, priority: 9 })
    await queue.enqueue('second', { maxRetries: 0, priority: 0 })
    await queue.drain({ concurrency: 1 })
    const order: unknown[] = []
    const dead = openQueue((job) => void order.push(job.args), { queueName: 'dead', fifo: true })
    expect(await dead.drain()).toMatchObject({ finished: 2 })
    expect(order).toEqual(['first', 'second'])
  })
})
