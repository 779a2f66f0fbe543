import { Client, Pool } from 'pg'
import { JobQueue, receiveAll } from '../../src/index.ts'
import { describeEachDatabase, expect, test } from '../support/fixtures.ts'
import { PATIENCE_MS } from '../support/until.ts'
import { aborted, errorOf, gate, refusal } from './arrange.ts'

const LIVING = 'select id from {schema}.workers where stopped_at is null and dead_at is null'

describeEachDatabase('receive', (test) => {
  test('runs no more jobs at once than concurrency says', async ({ openQueue, receive, seen }) => {
    const full = gate()
    let running = 0
    let highest = 0
    const queue = openQueue(async () => {
      running += 1
      highest = Math.max(highest, running)
      if (running === 7) full.open()
      await full.opened
      running -= 1
    })
    const jobs = await queue.enqueueMany(Array.from({ length: 30 }, (_, args) => ({ args })))
    receive(queue, { concurrency: 7 })
    for (const job of jobs) await seen('job.finished', job.id)
    expect(highest).toBe(7)
  })

  test('may be called several times on one queue, and each call stops by itself', async ({
    openQueue,
    receive,
    seen,
    rows,
  }) => {
    const full = gate()
    let running = 0
    const queue = openQueue(async (job) => {
      if (job.args !== 'together') return
      running += 1
      if (running === 4) full.open()
      await full.opened
    })
    const first = receive(queue, { concurrency: 2 })
    const second = receive(queue, { concurrency: 2 })
    // Only together do they have four slots.
    const jobs = await queue.enqueueMany(Array.from({ length: 4 }, () => ({ args: 'together' })))
    for (const job of jobs) await seen('job.finished', job.id)
    // They share a worker, and a heartbeat with it.
    expect(await rows(LIVING)).toHaveLength(1)
    await first.stop()
    const after = await queue.enqueue('by the second')
    await seen('job.finished', after.id)
    await second.stop()
    expect(await rows(LIVING)).toHaveLength(0)
    await receive(queue).stop()
    const again = receive(queue)
    const last = await queue.enqueue('by a third')
    await seen('job.finished', last.id)
    await again.stop()
  })

  test('resolves at once when its signal has aborted before', async ({ openQueue, rows }) => {
    const queue = openQueue(() => undefined)
    await queue.enqueue(1)
    await queue.receive({ signal: AbortSignal.abort() })
    expect(await queue.counts()).toMatchObject({ available: 1 })
    expect(await rows('select id from {schema}.workers')).toEqual([])
  })

  test('takes the smallest leaseTimeout of those that share a worker', async ({
    openQueue,
    receive,
    untilRow,
  }) => {
    const lease = 'select lease_ms::int4 as ms from {schema}.workers'
    const [a, b] = ['a', 'b'].map((queueName) => openQueue(() => undefined, { queueName }))
    if (a === undefined || b === undefined) throw new Error('unreachable')
    receive(a, { leaseTimeout: '20s' })
    expect(await untilRow(lease)).toEqual({ ms: 20_000 })
    const short = receive(b, { leaseTimeout: '1s' })
    await untilRow(`${lease} where lease_ms = 1000`)
    await short.stop()
    await untilRow(`${lease} where lease_ms = 20000`)
  })

  test('never rejects because jobs fail', async ({ openQueue, receive, seen }) => {
    const queue = openQueue(() => {
      throw new Error('on purpose')
    })
    const receiving = receive(queue)
    const jobs = await queue.enqueueMany(
      Array.from({ length: 20 }, (_, args) => ({ args, maxRetries: 0 })),
    )
    for (const job of jobs) await seen('job.failed', job.id)
    await receiving.stop()
  })

  test('needs a worker', async ({ queue }) => {
    const { signal } = new AbortController()
    for (const refused of [
      queue.receive({ signal }),
      queue.drain(),
      receiveAll([queue], { signal }),
    ]) {
      expect(await refusal(refused)).toMatchObject({
        code: 'NO_WORKER',
        details: { queueName: 'default' },
      })
    }
  })
})

describeEachDatabase('receiveAll', (test) => {
  test('receives several queues by one worker, with its concurrency for each', async ({
    openQueue,
    seen,
    rows,
  }) => {
    const full = gate()
    let running = 0
    const work = async (): Promise<void> => {
      running += 1
      if (running === 6) full.open()
      await full.opened
    }
    const queues = ['a', 'b', 'c'].map((queueName) => openQueue(work, { queueName }))
    const stop = new AbortController()
    const received = receiveAll(queues, { signal: stop.signal, concurrency: 2 })
    for (const queue of queues) await queue.enqueueMany([{ args: 1 }, { args: 2 }])
    await full.opened
    await seen('job.finished', undefined, { nth: 6 })
    expect(await rows(LIVING)).toHaveLength(1)
    stop.abort()
    await received
    expect(await rows(LIVING)).toHaveLength(0)
  })

  test('stops the others gracefully when one of them cannot be received', async ({
    openQueue,
    receive,
    seen,
    rows,
  }) => {
    await openQueue({ queueName: 'strict', fifo: true }).enqueue(1)
    const release = gate()
    const good = openQueue(() => release.opened, { queueName: 'good' })
    const job = await good.enqueue(1)
    const { signal } = new AbortController()
    receive(good)
    await seen('job.started', job.id)
    const bad = openQueue(() => undefined, { queueName: 'strict' })
    expect(await refusal(receiveAll([good, bad], { signal }))).toMatchObject({
      code: 'QUEUE_MODE_MISMATCH',
    })
    release.open()
    await seen('job.finished', job.id)
    // The other call of receive goes on.
    const next = await good.enqueue(2)
    await seen('job.finished', next.id)
    expect(await rows(LIVING)).toHaveLength(1)
  })
})

describeEachDatabase('a stop', (test) => {
  test('lets running jobs finish, claims nothing new and gives back at once what was prefetched', async ({
    openQueue,
    receive,
    seen,
  }) => {
    const release = gate()
    const quick = openQueue((job) => (job.args === 'hold' ? release.opened : undefined))
    const receiving = receive(quick, { concurrency: 1 })
    // Quick jobs make it claim ahead.
    const warm = await quick.enqueueMany(Array.from({ length: 100 }, (_, args) => ({ args })))
    await seen('job.finished', warm.at(-1)?.id)
    const [held, ...behind] = await quick.enqueueMany(
      Array.from({ length: 20 }, () => ({ args: 'hold' })),
    )
    await seen('job.started', held?.id)
    const stopped = receiving.stop()
    // While the running job goes on, the others are free for anybody.
    await expect
      .poll(async () => (await quick.counts()).available, { timeout: PATIENCE_MS })
      .toBe(behind.length)
    expect(await quick.counts()).toMatchObject({ running: 1 })
    release.open()
    await stopped
    expect(await quick.get(held?.id ?? '')).toMatchObject({ status: 'finished', attempt: 1 })
    for (const job of behind) {
      expect(await quick.get(job.id)).toMatchObject({
        ...{ status: 'available', attempt: 0, startedAt: null, errorCount: 0 },
      })
    }
  })

  test('aborts the signals of jobs that outlast shutdownTimeout, with SHUTDOWN, and gives them back', async ({
    openQueue,
    receive,
    seen,
  }) => {
    const reasons: unknown[] = []
    const queue = openQueue(async (job, { signal }) => {
      reasons.push(await aborted(signal))
      if (job.args === 'returns') return 'in time'
      throw new Error('whatever it throws then')
    })
    const receiving = receive(queue, { shutdownTimeout: 100 })
    const [returns, throws] = await queue.enqueueMany([{ args: 'returns' }, { args: 'throws' }])
    await seen('job.started', returns?.id)
    await seen('job.started', throws?.id)
    const began = performance.now()
    await receiving.stop()
    expect(performance.now() - began).toBeGreaterThanOrEqual(95)
    expect(reasons).toMatchObject([{ code: 'SHUTDOWN' }, { code: 'SHUTDOWN' }])
    // A handler that still returns has done its work.
    expect(await queue.get(returns?.id ?? '')).toMatchObject({
      ...{ status: 'finished', result: 'in time', attempt: 1 },
    })
    expect(await queue.get(throws?.id ?? '')).toMatchObject({
      ...{ status: 'available', attempt: 0, errorCount: 0 },
    })
  })
})

// On PostgreSQL only: it waits for seconds.
test('a stop gives back the job of a deaf handler after a few seconds, and ignores the rest of it', async ({
  openQueue,
  receive,
  seen,
  log,
}) => {
  const release = gate()
  const queue = openQueue(() => release.opened)
  const receiving = receive(queue, { shutdownTimeout: 50 })
  const job = await queue.enqueue(1)
  await seen('job.started', job.id)
  const began = performance.now()
  await receiving.stop()
  expect(performance.now() - began).toBeLessThan(5_000)
  expect(await queue.get(job.id)).toMatchObject({ status: 'available', attempt: 0 })
  expect(log.map((line) => line.message).join('\n')).toContain('goes on after its shutdown')
  release.open()
  expect(await queue.drain()).toMatchObject({ finished: 1 })
})

async function openPool(databaseUrl: string, max: number): Promise<Pool> {
  const pool = new Pool({ connectionString: databaseUrl, max })
  pool.on('error', () => undefined)
  return pool
}

test('receive takes a pool, not a single client, nor a pool of one', async ({
  databaseUrl,
  schema,
}) => {
  const client = new Client({ connectionString: databaseUrl })
  const pool = await openPool(databaseUrl, 1)
  const { signal } = new AbortController()
  for (const db of [client, pool]) {
    const queue = new JobQueue(db, () => undefined, { schema })
    for (const refused of [queue.receive({ signal }), queue.drain()]) {
      const error = await refusal(refused)
      expect(error).toMatchObject({ code: 'INVALID_DATABASE' })
      expect(error.message).toMatch(/pg\.Pool/)
    }
  }
  await pool.end()
})

test('receive leaves neither a connection nor a listener behind', async ({
  databaseUrl,
  schema,
}) => {
  const pool = await openPool(databaseUrl, 5)
  const queue = new JobQueue(pool, () => undefined, { schema })
  for (let round = 0; round < 3; round++) {
    const stop = new AbortController()
    const received = queue.receive({ signal: stop.signal })
    await queue.enqueue(round)
    await expect
      .poll(async () => (await queue.counts()).finished, { timeout: PATIENCE_MS })
      .toBe(round + 1)
    stop.abort()
    await received
    await expect.poll(() => pool.totalCount - pool.idleCount, { timeout: PATIENCE_MS }).toBe(0)
  }
  await pool.end()
})

test('receive waits for a database that is not there yet, and stops in time without it', async () => {
  const pool = new Pool({ host: '127.0.0.1', port: 1, connectionTimeoutMillis: 500 })
  const log: string[] = []
  const note = (message: string): void => void log.push(message)
  const logger = { debug: note, info: note, warn: note, error: note }
  const queue = new JobQueue(pool, () => undefined, { logger })
  const stop = new AbortController()
  const received = queue.receive({ signal: stop.signal })
  await expect
    .poll(() => log.join('\n'), { timeout: PATIENCE_MS })
    .toContain('The database cannot be reached (try 2)')
  const began = performance.now()
  stop.abort()
  await received
  expect(performance.now() - began).toBeLessThan(4_000)
  expect(await errorOf(queue.enqueue(1))).toMatchObject({ code: 'ECONNREFUSED' })
  await pool.end()
})

test('jobs that three pools receive run once each', async ({ databaseUrl, schema, events }) => {
  const ran: unknown[] = []
  const pools = await Promise.all([1, 2, 3].map(() => openPool(databaseUrl, 4)))
  const queues = pools.map(
    (db) => new JobQueue<number>(db, (job) => void ran.push(job.args), { schema }),
  )
  const stop = new AbortController()
  const received = queues.map((queue) => queue.receive({ signal: stop.signal }))
  queues.forEach((queue) => queue.observe((event) => events.record(event, 0)))
  await queues[0]?.enqueueMany(Array.from({ length: 300 }, (_, args) => ({ args })))
  await events.seen('job.finished', undefined, { nth: 300 } satisfies object)
  stop.abort()
  await Promise.all(received)
  expect(ran).toHaveLength(300)
  expect(new Set(ran).size).toBe(300)
  await Promise.all(pools.map((pool) => pool.end()))
})
