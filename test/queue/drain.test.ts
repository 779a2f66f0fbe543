import { JobQueue, type DrainResult } from '../../src/index.ts'
import { createSchema, describeEachDatabase, expect, test } from '../support/fixtures.ts'
import { PATIENCE_MS } from '../support/until.ts'
import { aborted, gate, inTransaction } from './arrange.ts'

const NOTHING: DrainResult = { finished: 0, failed: 0, retried: 0 }

describeEachDatabase('drain', (test) => {
  test('works off what is due now and tells what became of it', async ({ openQueue }) => {
    const queue = openQueue<string, void>(
      (job) => {
        if (job.args !== 'finish') throw new Error(job.args)
      },
      { dlq: 'dead', baseRetryDelay: '1h' },
    )
    await queue.enqueueMany([
      ...Array.from({ length: 300 }, () => ({ args: 'finish' })),
      ...[
        { args: 'fail', maxRetries: 0 },
        { args: 'bury', maxRetries: 0 },
      ],
      ...[{ args: 'retry' }, { args: 'retry' }, { args: 'retry' }],
      { args: 'later', delay: '1h' as const },
    ])
    expect(await queue.drain()).toEqual({ finished: 300, failed: 2, retried: 3 })
    expect(await queue.drain()).toEqual(NOTHING)
    expect(await queue.counts()).toEqual({
      ...{ available: 4, running: 0, finished: 300, failed: 0, cancelled: 0 },
    })
  })

  test('resolves at once when there is nothing to do', async ({ openQueue }) => {
    expect(await openQueue(() => undefined).drain()).toEqual(NOTHING)
  })

  test('starts no more than limit runs', async ({ openQueue }) => {
    let runs = 0
    const queue = openQueue(() => void (runs += 1))
    await queue.enqueueMany(Array.from({ length: 50 }, (_, args) => ({ args })))
    expect(await queue.drain({ limit: 1 })).toMatchObject({ finished: 1 })
    expect(await queue.drain({ limit: 13, concurrency: 5 })).toMatchObject({ finished: 13 })
    expect(runs).toBe(14)
    expect(await queue.counts()).toMatchObject({ available: 36, finished: 14 })
    expect(await queue.drain({ limit: 1_000 })).toMatchObject({ finished: 36 })
  })

  test('runs as many at once as concurrency says, ten by default', async ({ openQueue }) => {
    for (const [options, most] of [
      [undefined, 10],
      [{ concurrency: 1 }, 1],
      [{ concurrency: 25 }, 25],
    ] as const) {
      let running = 0
      let highest = 0
      const full = gate()
      const queue = openQueue(async () => {
        running += 1
        highest = Math.max(highest, running)
        if (running === most) full.open()
        await full.opened
        await new Promise((resolve) => setImmediate(resolve))
        running -= 1
      })
      await queue.enqueueMany(Array.from({ length: 60 }, (_, args) => ({ args })))
      expect(await queue.drain(options)).toMatchObject({ finished: 60 })
      expect(highest).toBe(most)
    }
  })

  test('runs what its own handlers enqueue', async ({ openQueue }) => {
    const queue: JobQueue<number, void> = openQueue<number, void>(async (job) => {
      if (job.args < 5) await queue.enqueue(job.args + 1)
    })
    await queue.enqueue(1)
    expect(await queue.drain()).toEqual({ finished: 5, failed: 0, retried: 0 })
  })

  test('runs what its own handlers enqueue in the transactions that end their jobs', async ({
    db,
    openQueue,
  }) => {
    const queue: JobQueue<number, void> = openQueue<number, void>(async (job, { complete }) => {
      await inTransaction(db, async (tx) => {
        if (job.args < 5) await queue.enqueue(job.args + 1, { tx })
        await complete(tx)
      })
    })
    await queue.enqueue(1)
    expect(await queue.drain()).toEqual({ finished: 5, failed: 0, retried: 0 })
  })

  test('stops early when its signal aborts, and lets what runs finish', async ({
    openQueue,
    seen,
  }) => {
    const release = gate()
    const stop = new AbortController()
    const queue = openQueue(() => release.opened)
    const [first] = await queue.enqueueMany(Array.from({ length: 5 }, (_, args) => ({ args })))
    const drained = queue.drain({ signal: stop.signal, concurrency: 1 })
    await seen('job.started', first?.id)
    stop.abort()
    release.open()
    expect(await drained).toEqual({ finished: 1, failed: 0, retried: 0 })
    expect(await queue.counts()).toMatchObject({ available: 4, finished: 1, running: 0 })
    expect(await queue.drain({ signal: AbortSignal.abort() })).toEqual(NOTHING)
    expect(await queue.drain()).toMatchObject({ finished: 4 })
  })

  test('stops starting jobs after its timeout', async ({ openQueue, seen }) => {
    const stop = new AbortController()
    const queue = openQueue(async (job) => {
      if (job.args === 'long') await aborted(stop.signal)
    })
    const [long] = await queue.enqueueMany(
      ['long', 'b', 'c'].map((args, priority) => ({ args, priority })),
    )
    const drained = queue.drain({ timeout: 1_000, concurrency: 1 })
    await seen('job.started', long?.id)
    setTimeout(() => stop.abort(), 1_100)
    expect(await drained).toEqual({ finished: 1, failed: 0, retried: 0 })
    expect(await queue.counts()).toMatchObject({ available: 2 })
    // Longer than a Node timer can be, which would fire at once.
    expect(await queue.drain({ timeout: '3650d' })).toMatchObject({ finished: 2 })
  })

  test('shares the work with another drain: each job runs once', async ({ openQueue }) => {
    const ran: unknown[] = []
    const queue = openQueue(async (job) => {
      ran.push(job.args)
      await new Promise((resolve) => setImmediate(resolve))
    })
    await queue.enqueueMany(Array.from({ length: 200 }, (_, args) => ({ args })))
    const results = await Promise.all([queue.drain(), queue.drain(), queue.drain()])
    expect(results.reduce((sum, result) => sum + result.finished, 0)).toBe(200)
    expect(new Set(ran).size).toBe(200)
    expect(ran).toHaveLength(200)
  })

  test('leaves a FIFO queue to the receiver of this process that works on it', async ({
    openQueue,
    receive,
    seen,
  }) => {
    const release = gate()
    const queue = openQueue(() => release.opened, { fifo: true })
    receive(queue)
    const first = await queue.enqueue(1)
    const second = await queue.enqueue(2)
    await seen('job.started', first.id)
    expect(await queue.drain()).toEqual(NOTHING)
    release.open()
    await seen('job.finished', second.id)
  })

  test('of a FIFO queue ends at a head that waits', async ({ openQueue }) => {
    const ran: unknown[] = []
    const queue = openQueue(
      (job) => {
        ran.push(job.args)
        if (job.args === 'b') throw new Error('later')
      },
      { fifo: true, baseRetryDelay: '1h' },
    )
    await queue.enqueueMany(['a', 'b', 'c'].map((args) => ({ args })))
    expect(await queue.drain()).toEqual({ finished: 1, failed: 0, retried: 1 })
    expect(ran).toEqual(['a', 'b'])
  })
})

test('a drain leaves nothing behind: no listener on the signal, no connection, no timer', async ({
  db,
}) => {
  const schema = await createSchema(db, 'leaves nothing')
  const queue = new JobQueue(db, () => undefined, { schema })
  const { signal } = new AbortController()
  const counted = { added: 0, removed: 0 }
  const watched = new Proxy(signal, {
    get: (target, name): unknown => {
      if (name === 'addEventListener') counted.added += 1
      if (name === 'removeEventListener') counted.removed += 1
      const value: unknown = Reflect.get(target, name)
      return typeof value === 'function' ? (value.bind(target) as unknown) : value
    },
  })
  for (let n = 0; n < 3; n++) {
    await queue.enqueue(n)
    expect(await queue.drain({ signal: watched })).toMatchObject({ finished: 1 })
  }
  // Each call also asks for both once, to see that it is a signal.
  expect(counted.added).toBe(counted.removed)
  await expect.poll(() => db.totalCount - db.idleCount, { timeout: PATIENCE_MS }).toBe(0)
})
