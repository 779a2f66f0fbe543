import { Pool } from 'pg'
import { Discard, JobQueue, Snooze, type Job } from '../../src/index.ts'
import { describeEachDatabase, expect, test, type Fixtures } from '../support/fixtures.ts'
import { countRows, gate, inTransaction, refusal, type Gate } from './arrange.ts'

/** A handler whose runs are watched: their order, and how many there were at once. */
class Watched {
  readonly order: unknown[] = []
  most = 0
  #running = 0

  async run(job: Job, work: () => unknown = () => undefined): Promise<void> {
    this.most = Math.max(this.most, ++this.#running)
    this.order.push(job.args)
    try {
      await new Promise(setImmediate)
      await work()
    } finally {
      this.#running -= 1
    }
  }
}

/** A FIFO queue whose job `head` runs until `end` is opened. */
function heldByHead(openQueue: Fixtures['openQueue']): {
  ran: Watched
  queue: JobQueue
  started: Gate
  end: Gate
} {
  const [ran, started, end] = [new Watched(), gate(), gate()]
  const queue: JobQueue = openQueue<unknown, unknown>(
    (job) =>
      ran.run(job, () => {
        if (job.args !== 'head') return
        started.open()
        return end.opened
      }),
    { fifo: true, baseRetryDelay: '1h' },
  )
  return { ran, queue, started, end }
}

describeEachDatabase('a FIFO queue', (test) => {
  test('runs one job at a time, in the order of their ids, whatever the concurrency', async ({
    openQueue,
    receive,
    seen,
  }) => {
    const ran = new Watched()
    const queue = openQueue((job) => ran.run(job), { fifo: true })
    const early = await queue.enqueueMany(Array.from({ length: 40 }, (_, args) => ({ args })))
    receive(queue, { concurrency: 20 })
    for (let args = 40; args < 60; args++) await queue.enqueue(args)
    const last = await queue.enqueue(60)
    await seen('job.finished', last.id)
    expect(ran.order).toEqual(Array.from({ length: 61 }, (_, args) => args))
    expect(ran.most).toBe(1)
    expect(early).toHaveLength(40)
  })

  test('runs one job at a time over two calls of receive in one process', async ({
    openQueue,
    receive,
    seen,
  }) => {
    const ran = new Watched()
    const options = { fifo: true, pollInterval: '50ms' } as const
    const queues = [openQueue((job) => ran.run(job), options), openQueue((job) => ran.run(job), options)]
    const [first] = queues
    if (first === undefined) throw new Error('There are two.')
    const stopped = receive(first)
    for (const queue of queues) receive(queue)
    const jobs = await first.enqueueMany(Array.from({ length: 30 }, (_, args) => ({ args })))
    await seen('job.finished', jobs[9]?.id)
    await stopped.stop() // the others go on
    await seen('job.finished', jobs.at(-1)?.id)
    expect({ most: ran.most, order: ran.order }).toEqual({
      ...{ most: 1, order: jobs.map((job) => job.args) },
    })
  }) // prettier-ignore

  test('is held by a head that waits for its retry, until it is cancelled', async ({
    openQueue,
    receive,
    seen,
  }) => {
    const ran = new Watched()
    const fails = (job: Job): Promise<void> =>
      ran.run(job, () => {
        if (job.args === 'fails') throw new Error('on purpose')
      })
    const queue = openQueue(fails, { fifo: true, baseRetryDelay: '1h' })
    const head = await queue.enqueue('fails')
    const next = await queue.enqueue('next')
    // Each drain looks again, and finds that the head is not due.
    for (let look = 0; look < 3; look++) await queue.drain()
    expect(ran.order).toEqual(['fails'])
    expect(await queue.get(next.id)).toMatchObject({ status: 'available', attempt: 0 })
    receive(queue)
    await seen('worker.registered')
    expect(await queue.cancel(head.id)).toBe(true)
    await seen('job.finished', next.id)
    expect(ran.order).toEqual(['fails', 'next'])
  })

  test('is held by a head that snoozes, and goes on when it is deleted', async ({ openQueue }) => {
    const ran = new Watched()
    const queue = openQueue(
      (job) =>
        ran.run(job, () => {
          if (job.args === 'snoozes') throw new Snooze('1h')
        }),
      { fifo: true },
    )
    const head = await queue.enqueue('snoozes')
    await queue.enqueue('next')
    for (let look = 0; look < 3; look++) await queue.drain()
    expect(ran.order).toEqual(['snoozes'])
    expect(await queue.get(head.id)).toMatchObject({ status: 'available', attempt: 0 })
    expect(await queue.delete(head.id)).toBe(true)
    expect(await queue.drain()).toMatchObject({ finished: 1 })
    expect(ran.order).toEqual(['snoozes', 'next'])
  })

  test('runs the head again before those behind it', async ({ openQueue }) => {
    let runs = 0
    const ran = new Watched()
    const queue = openQueue(
      (job) =>
        ran.run(job, () => {
          if (job.args === 1 && ++runs < 3) throw new Error('not yet')
        }),
      { fifo: true, baseRetryDelay: 0 },
    )
    await queue.enqueueMany([{ args: 1 }, { args: 2 }, { args: 3 }])
    expect(await queue.drain()).toEqual({ finished: 3, failed: 0, retried: 2 })
    expect(ran.order).toEqual([1, 1, 1, 2, 3])
  })

  test.for([undefined, 'dead'])('goes on when its head failed for good (dlq: %s)', async (dlq, { openQueue }) => {
    const ran = new Watched()
    const queue = openQueue(
      (job) =>
        ran.run(job, () => {
          if (job.args === 'discards') throw new Discard('no')
          if (job.args === 'fails') throw new Error('on purpose')
        }),
      { fifo: true, dlq },
    )
    await queue.enqueueMany([{ args: 'fails', maxRetries: 0 }, { args: 'discards' }, { args: 'last' }])
    expect(await queue.drain()).toEqual({ finished: 1, failed: 2, retried: 0 })
    expect(ran.order).toEqual(['fails', 'discards', 'last'])
  }) // prettier-ignore

  test.for(['priority', 'runAt', 'delay'])('refuses %s and writes nothing', async (option, { openQueue, rows }) => {
    const queue = openQueue({ fifo: true })
    const bag = { [option]: option === 'runAt' ? new Date() : 0 }
    const before = await countRows(rows)
    for (const refused of [queue.enqueue(1, bag), queue.enqueueMany([{ args: 1, ...bag }])]) {
      const error = await refusal(refused)
      expect(error.code).toBe('INVALID_OPTION')
      expect(error.message).toContain('FIFO')
    }
    expect(await countRows(rows)).toEqual(before)
  }) // prettier-ignore

  test('does not retry or delete a head that runs, and asks it to end when it is cancelled', async ({ openQueue, receive, seen }) => {
    const { queue, started, end, ran } = heldByHead(openQueue)
    const head = await queue.enqueue('head')
    const next = await queue.enqueue('next')
    receive(queue)
    await started.opened
    expect([await queue.cancel(head.id), await queue.retry(head.id), await queue.delete(head.id)]).toEqual([true, false, false])
    expect(await queue.cancel(next.id)).toBe(true)
    const last = await queue.enqueue('last')
    end.open()
    await seen('job.finished', last.id)
    expect(ran.order).toEqual(['head', 'last'])
  }) // prettier-ignore

  test('gives a retried job and a redriven one their places by id', async ({ openQueue }) => {
    let isBroken = true
    const ran = new Watched()
    const work = (job: Job): Promise<void> =>
      ran.run(job, () => {
        if (isBroken) throw new Discard('broken')
      })
    const queue = openQueue(work, { queueName: 'plain', fifo: true })
    const dying = openQueue(work, { queueName: 'dying', fifo: true, dlq: 'dead' })
    const failed = await queue.enqueue('failed')
    await dying.enqueue('moved')
    for (const each of [queue, dying]) expect(await each.drain()).toMatchObject({ failed: 1 })
    isBroken = false
    await queue.enqueue('later')
    await dying.enqueue('later still')
    expect(await queue.retry(failed.id)).toBe(true)
    expect(await openQueue({ queueName: 'dead' }).redrive()).toBe(1)
    for (const each of [queue, dying]) expect(await each.drain()).toMatchObject({ finished: 2 })
    expect(ran.order.slice(2)).toEqual(['failed', 'later', 'moved', 'later still'])
  })

  test('takes a job that came back before the next one, also while the last one runs', async ({
    openQueue,
    receive,
    seen,
  }) => {
    const { queue, ran, started, end } = heldByHead(openQueue)
    const back = await queue.enqueue('back')
    await queue.cancel(back.id)
    await queue.enqueue('head')
    const last = await queue.enqueue('last')
    receive(queue)
    await started.opened
    await queue.retry(back.id)
    end.open()
    await seen('job.finished', last.id)
    expect(ran.order).toEqual(['head', 'back', 'last'])
  })

  test('keeps the order of jobs that a transaction enqueued', async ({ openQueue, db }) => {
    const ran = new Watched()
    const queue = openQueue((job) => ran.run(job), { fifo: true })
    await queue.enqueue(0)
    await inTransaction(db, async (tx) => {
      await queue.enqueue(1, { tx })
      await queue.enqueueMany([{ args: 2 }, { args: 3 }], { tx })
    })
    await queue.enqueue(4)
    await queue.drain()
    expect(ran.order).toEqual([0, 1, 2, 3, 4])
  })
})

test('a FIFO queue runs one job at a time over two queues on pools of their own', async ({
  databaseUrl,
  schema,
  openQueue,
  receive,
}) => {
  const pool = new Pool({ connectionString: databaseUrl })
  const ran = new Watched()
  const options = { fifo: true, pollInterval: '50ms' } as const
  const here = openQueue((job) => ran.run(job), options)
  const there = new JobQueue(pool, (job) => ran.run(job), { schema, ...options })
  const finished: string[] = []
  there.observe((event) => {
    if (event.type === 'job.finished') finished.push(event.jobId)
  })
  const jobs = await here.enqueueMany(Array.from({ length: 30 }, (_, args) => ({ args })))
  const receiving = [receive(here), receive(there)]
  const last = await there.enqueue(30)
  const isDone = async (): Promise<boolean> => (await here.get(last.id))?.status === 'finished'
  await expect.poll(isDone, { timeout: 15_000 }).toBe(true)
  expect(ran.order).toEqual(Array.from({ length: 31 }, (_, args) => args))
  expect(ran.most).toBe(1)
  expect(jobs).toHaveLength(30)
  // The turn goes over to the other one when its holder stops.
  await receiving[0]?.stop()
  const more = await here.enqueue('more')
  await expect.poll(() => finished, { timeout: 15_000 }).toContain(more.id)
  await receiving[1]?.stop()
  await pool.end()
})

test('a lower id that is committed while an earlier job runs goes next', async ({
  openQueue,
  receive,
  seen,
  db,
}) => {
  const { queue, ran, started, end } = heldByHead(openQueue)
  await queue.enqueue('head')
  const client = await db.connect()
  await client.query('begin')
  const lower = await queue.enqueue('lower', { tx: client })
  const higher = await queue.enqueue('higher')
  expect(BigInt(lower.id)).toBeLessThan(BigInt(higher.id))
  receive(queue)
  await started.opened
  await client.query('commit')
  client.release()
  end.open()
  await seen('job.finished', higher.id)
  expect(ran.order).toEqual(['head', 'lower', 'higher'])
})

test('an id that is not committed yet holds nobody', async ({ openQueue, db }) => {
  const ran = new Watched()
  const queue = openQueue((job) => ran.run(job), { fifo: true })
  await queue.enqueue('opens the queue')
  const client = await db.connect()
  await client.query('begin')
  await queue.enqueue('late', { tx: client })
  await queue.enqueue('on time')
  expect(await queue.drain()).toMatchObject({ finished: 2 })
  await client.query('commit')
  client.release()
  expect(await queue.drain()).toMatchObject({ finished: 1 })
  expect(ran.order).toEqual(['opens the queue', 'on time', 'late'])
})
