import { Pool } from 'pg'
import { describe } from 'vitest'
import { JobQueue } from '../../src/job-queue.ts'
import { wakeAddress } from '../../src/store/wake.ts'
import {
  expect,
  test,
  testOnOwnServer,
  until,
  type Fixtures,
  type JobScript,
} from '../support/fixtures.ts'
import type { WorkerProcess } from '../support/workers.ts'

/** What a job of these tests carries. */
const script = (args: JobScript): JobScript => args
const fast = (length: number) => Array.from({ length }, () => ({ args: script({}) }))

/** `receive` resolves within its shutdownTimeout and so much more. */
const A_FEW_SECONDS_MS = 6_000

const OUTCOMES = `
  select outcome, attempt, error_count, count(*)::int4
  from {schema}.history group by 1, 2, 3 order by 1, 2, 3`

describe('a worker that is stopped in the middle', () => {
  test('gives back what it has prefetched at once, no attempt burnt, and lets running jobs finish', async ({
    queue,
    child,
    rows,
    untilRow,
  }) => {
    // Fast jobs first, so that it learns to claim many ahead; then one that holds the process still for a moment.
    const [holding, ...rest] = await queue.enqueueMany([
      { args: script({ do: 'hold' }) },
      ...fast(1_500),
      { args: script({ do: 'block', ms: 1_500 }) },
      ...fast(2_500),
    ])
    const blocking = rest[1_500]
    const leaving = await child.receive({ quiet: true, shutdownTimeout: '20s' })
    await leaving.untilRuns(blocking?.id ?? '')
    await untilRow('select count(*)::int4 as n from {schema}.jobs where claimed_by > 0', [], {
      fits: ({ n }) => Number(n) > 500,
    })
    leaving.kill('SIGTERM')
    const next = await child.receive({ quiet: true })
    // The first one still waits for its last job; everything else is done by then.
    await untilRow('select count(*)::int4 as n from {schema}.jobs', [], {
      fits: ({ n }) => n === 1,
    })
    expect(
      await rows('select id::text, attempt, claimed_by > 0 as held from {schema}.jobs'),
    ).toEqual([{ id: holding?.id, attempt: 0, held: true }])

    await leaving.release()
    await stopped(leaving)
    expect(await rows(OUTCOMES)).toEqual([
      { outcome: 'finished', attempt: 1, error_count: 0, count: 4_002 },
    ])
    expect(await rows('select from {schema}.jobs')).toEqual([])
    await next.stop()
    expect(await rows('select from {schema}.workers where stopped_at is null')).toEqual([])
    expect(await rows('select from {schema}.marks')).toEqual([])
  })

  test('aborts what still runs after shutdownTimeout with SHUTDOWN, and takes the run back', async ({
    queue,
    child,
    rows,
    seen,
  }) => {
    const job = await queue.enqueue(script({ do: 'hold' }), { maxRetries: 0 })
    const leaving = await child.receive({ shutdownTimeout: '300ms' })
    await leaving.untilRuns(job.id, 1)
    leaving.kill('SIGTERM')
    expect(await leaving.next('aborted')).toMatchObject({ jobId: job.id, code: 'SHUTDOWN' })
    expect(await stopped(leaving)).toBeLessThan(300 + A_FEW_SECONDS_MS)
    await seen('job.given_back', { jobId: job.id, wasRunning: true })
    expect(await queue.get(job.id)).toMatchObject({
      status: 'available',
      attempt: 0,
      errorCount: 0,
    })

    const next = await child.receive()
    await next.untilRuns(job.id, 1)
    await next.release()
    await seen('job.finished', job.id)
    expect(await rows(OUTCOMES)).toEqual([
      { outcome: 'finished', attempt: 1, error_count: 0, count: 1 },
    ])
  })

  test('does not wait for a deaf handler, ends by itself, and the job runs elsewhere as the first run', async ({
    queue,
    child,
    seen,
  }) => {
    const job = await queue.enqueue(script({ do: 'deaf' }), { maxRetries: 0 })
    const leaving = await child.receive({ shutdownTimeout: '300ms' })
    await leaving.untilRuns(job.id, 1)
    leaving.kill('SIGTERM')
    expect(await stopped(leaving)).toBeLessThan(300 + A_FEW_SECONDS_MS)
    expect(leaving.messages).toContainEqual(
      expect.objectContaining({ type: 'aborted', jobId: job.id, code: 'SHUTDOWN' }),
    )
    const next = await child.receive()
    await next.untilRuns(job.id, 1)
    await next.release()
    expect(await seen('job.finished', job.id)).toMatchObject({ attempt: 1, pid: next.pid })
  })

  testOnOwnServer(
    'does all that with the database away too',
    async ({ server, queue, child, seen }) => {
      const deaf = await queue.enqueue(script({ do: 'deaf' }), { maxRetries: 0 })
      const hearing = await queue.enqueue(script({ do: 'hold' }), { maxRetries: 0 })
      const leaving = await child.receive({ shutdownTimeout: '300ms', leaseTimeout: '1s' })
      await leaving.untilRuns(deaf.id)
      await leaving.untilRuns(hearing.id)
      await server.stop('immediate')
      leaving.kill('SIGTERM')
      expect(await stopped(leaving)).toBeLessThan(300 + A_FEW_SECONDS_MS)

      await server.start()
      const next = await child.receive({ leaseTimeout: '1s' })
      await next.release()
      for (const { id } of [deaf, hearing]) {
        expect(await seen('job.finished', id)).toMatchObject({ attempt: 1, pid: next.pid })
      }
    },
  )

  test('hands a FIFO queue on at once, in order', async ({
    openQueue,
    child,
    runLog,
    untilRow,
  }) => {
    const fifo = { fifo: true, pollInterval: '10m' } as const // so that only a notification hands it on
    const queue = openQueue(fifo)
    const jobs = await queue.enqueueMany([{ args: script({ do: 'hold' }) }, ...fast(20)])
    const [head] = jobs
    const options = { queue: fifo, runLog: runLog.table }
    const owner = await child.receive({ ...options, shutdownTimeout: '300ms' })
    await owner.untilRuns(head?.id ?? '')
    const heir = await child.receive(options)
    await heir.release()
    owner.kill('SIGTERM')
    await stopped(owner)
    // Far below the lease, and below any poll.
    await untilRow('select count(*)::int4 as n from {schema}.history', [], {
      fits: ({ n }) => n === jobs.length,
      withinMs: 5_000,
    })
    const runs = await runLog.read()
    expect(runs.map((run) => run.jobId)).toEqual([head?.id, ...jobs.map((job) => job.id)])
    expect(new Set(runs.slice(1).map((run) => run.pid))).toEqual(new Set([heir.pid]))
    await heir.stop()
  })
})

describe('after a clean stop', () => {
  test('nothing is left: no claim, mark, lock, LISTEN or connection, and the worker says that it stopped', async ({
    databaseUrl,
    schema,
    queue,
    rows,
  }) => {
    const { pool, receiving } = openApart({ databaseUrl, schema })
    const jobs = await queue.enqueueMany(fast(3_000))
    const stop = new AbortController()
    const received = receiving.receive({ signal: stop.signal })
    await until(async () => (await queue.counts()).finished === jobs.length)
    // It sleeps: it listens, and says so by a lock.
    await until(async () => (await rows(LOCKS, [lockClass(schema)])).length > 0)
    stop.abort()
    await received

    expect(await rows(LOCKS, [lockClass(schema)])).toEqual([])
    expect(await rows('select from {schema}.workers where stopped_at is null')).toEqual([])
    expect(await rows('select from {schema}.workers')).toHaveLength(1)
    expect(await rows('select from {schema}.marks')).toEqual([])
    expect(await rows('select from {schema}.jobs')).toEqual([])
    await expectNothingTaken(pool)
    await pool.end()
  })

  test('a second receive in the same process works', async ({ openQueue, receive, seen, rows }) => {
    const queue = openQueue(() => undefined)
    for (let round = 0; round < 3; round++) {
      const receiving = receive(queue)
      const job = await queue.enqueue({ round })
      await seen('job.finished', job.id)
      await receiving.stop()
    }
    expect(await rows('select from {schema}.workers where stopped_at is null')).toEqual([])
  })

  test('100 starts and stops in a row, at every moment of a start, leave nothing behind', async ({
    databaseUrl,
    schema,
    rows,
  }) => {
    const warnings: Error[] = []
    const warned = (warning: Error): void => void warnings.push(warning)
    process.on('warning', warned)
    const { pool, receiving } = openApart({ databaseUrl, schema })
    let finished = 0
    receiving.observe((event) => {
      if (event.type === 'job.finished') finished += 1
    })
    for (let round = 0; round < 100; round++) {
      const stop = new AbortController()
      const received = receiving.receive({ signal: stop.signal })
      await untilMoment(round % 5, pool, async () => {
        const before = finished
        await receiving.enqueue({ round })
        await until(() => finished > before)
      })
      stop.abort()
      await received
      await expectNothingTaken(pool)
    }
    process.off('warning', warned)
    expect(warnings).toEqual([])
    expect(await rows('select id, beat from {schema}.workers where stopped_at is null')).toEqual([])
    expect(await rows(LOCKS, [lockClass(schema)])).toEqual([])
    await pool.end()
  })
})

const LOCKS = `select mode from pg_locks where locktype = 'advisory' and classid = $1::int8::oid`

/** The class of the sleepers' locks as pg_locks shows it, unsigned. */
const lockClass = (schema: string): number => wakeAddress(schema).lockClass >>> 0

/** A queue on a pool of its own. */
function openApart({ databaseUrl, schema }: Pick<Fixtures, 'databaseUrl' | 'schema'>) {
  const pool = new Pool({ connectionString: databaseUrl, max: 5 })
  return { pool, receiving: new JobQueue(pool, () => undefined, { schema }) }
}

/** Waits until a start has come so far: not at all, a turn of the loop, connecting, connected, at work. */
async function untilMoment(moment: number, pool: Pool, work: () => Promise<void>): Promise<void> {
  if (moment === 1) await new Promise(setImmediate)
  if (moment === 2) await until(() => pool.totalCount > 0)
  if (moment === 3) await until(() => pool.totalCount > pool.idleCount + 1)
  if (moment === 4) await work()
}

/** Waits for the end of the stop, and of the process, which nothing may keep. Answers how long the stop took. */
async function stopped(worker: WorkerProcess): Promise<number> {
  const { ms } = await worker.next('stopped')
  expect(await worker.exited).toEqual({ code: 0, signal: null })
  return Number(ms)
}

/** No connection is in anybody's hands, and none in the pool listens. */
async function expectNothingTaken(pool: Pool): Promise<void> {
  // A connection that was just being made goes to the pool when it is there.
  await until(() => pool.idleCount === pool.totalCount)
  const clients = await Promise.all(Array.from({ length: pool.totalCount }, () => pool.connect()))
  for (const client of clients) {
    const { rows } = await client.query('select pg_listening_channels()')
    expect(rows).toEqual([])
    client.release()
  }
}
