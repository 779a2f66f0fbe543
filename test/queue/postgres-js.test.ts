import postgres from 'postgres'
import { describe } from 'vitest'
import { JobQueue } from '../../src/job-queue.ts'
import { wakeAddress } from '../../src/store/wake.ts'
import { expect, testOnOwnServer, testOnPostgresJs as test, until } from '../support/fixtures.ts'
import { inPostgresJs } from './arrange.ts'

const SESSIONS = `
  select pid::int4 as pid from pg_locks
  where locktype = 'advisory' and mode = 'ShareLock' and granted and classid = $1::int8::oid`
const lockClass = (schema: string): number => wakeAddress(schema).lockClass >>> 0

describe('a queue on postgres.js', () => {
  test('runs, retries and buries jobs, and keeps the order of a FIFO queue', async ({
    openQueue,
    receive,
    seen,
  }) => {
    const order: unknown[] = []
    const fifo = openQueue((job) => void order.push(job.args), { queueName: 'fifo', fifo: true })
    const failing = openQueue(
      (job) => {
        if (job.attempt < 2 || job.args === 'never') throw new Error('no')
        return { attempt: job.attempt }
      },
      { queueName: 'failing', dlq: 'dead', baseRetryDelay: '5ms' },
    )
    receive(fifo)
    receive(failing)
    const jobs = await fifo.enqueueMany(Array.from({ length: 30 }, (_, args) => ({ args })))
    const retried = await failing.enqueue({ text: '"\\u00fc"', list: [null] }, { maxRetries: 1 })
    const doomed = await failing.enqueue('never', { maxRetries: 1 })
    for (const job of [...jobs, retried]) await seen('job.finished', job.id)
    expect(order).toEqual(jobs.map((job) => job.args))
    expect(await failing.get(retried.id)).toMatchObject({
      status: 'finished',
      args: { text: '"\\u00fc"', list: [null] },
      result: { attempt: 2 },
    })
    await until(async () => (await failing.get(doomed.id))?.queueName === 'dead')
    expect(await failing.get(doomed.id)).toMatchObject({ errorCount: 2, originQueue: 'failing' })
  })

  test('enqueues and completes in transactions of the user', async ({ sql, openQueue, rows }) => {
    await rows('create table {schema}.effects (id int4)')
    const queue = openQueue(async (job: { args: number; attempt: number }, { complete }) => {
      await inPostgresJs(sql, async (tx) => {
        await complete(tx)
        if (job.attempt === 1) throw new Error('roll back')
      })
    })
    const thrown = new Error('changed my mind')
    const failed = inPostgresJs(sql, async (tx) => {
      await queue.enqueue(1, { tx })
      throw thrown
    })
    await expect(failed).rejects.toBe(thrown)
    await inPostgresJs(sql, (tx) => queue.enqueue(2, { tx }))
    expect(await queue.counts()).toMatchObject({ available: 1 })
    await queue.drain()
    await rows(
      `update {schema}.jobs set run_at = now(); update {schema}.queues set rewind = rewind + 1`,
    )
    await queue.drain()
    expect(await queue.counts()).toMatchObject({ available: 0, finished: 1 })
  })

  test('goes on listening after its connection was ended', async ({
    schema,
    rows,
    untilRow,
    db,
    openQueue,
    receive,
    seen,
  }) => {
    receive(openQueue(() => undefined, { pollInterval: '10m' }))
    const first = await untilRow(SESSIONS, [lockClass(schema)])
    await rows('select pg_terminate_backend($1::int4)', [first['pid']])
    await untilRow(SESSIONS, [lockClass(schema)], { fits: ({ pid }) => pid !== first['pid'] })
    // Over another client it is as from another process: a notification has to come.
    const job = await new JobQueue(db, { schema }).enqueue(1)
    await seen('job.finished', job.id)
  })

  test('keeps its lease while handlers hold all connections, and leaves none behind', async ({
    sql,
    schema,
    rows,
    untilRow,
    openQueue,
    receive,
    seen,
  }) => {
    const queue = openQueue(async () => {
      await inPostgresJs(sql, async (tx) => {
        await tx`select pg_advisory_xact_lock_shared(77)`
        await untilRow('select from {schema}.workers where beat >= 4')
      })
    })
    const receiving = receive(queue, { leaseTimeout: '1s', concurrency: 10 })
    const jobs = await queue.enqueueMany(Array.from({ length: 10 }, (_, args) => ({ args })))
    for (const job of jobs) await seen('job.finished', job.id)
    await receiving.stop()
    expect(await rows('select from {schema}.workers')).toHaveLength(1)
    expect(await rows(SESSIONS, [lockClass(schema)])).toEqual([])
  })

  testOnOwnServer(
    'outlives a crash of the server, and stops while it is away',
    async ({ server, schema, seen, events }) => {
      const unheard: unknown[] = []
      const hear = (error: unknown): void => void unheard.push(error)
      process.on('unhandledRejection', hear).on('uncaughtException', hear)
      // fetch_types: else a server that dies in the wrong moment is an error nobody can catch (docs/connections.md)
      const sql = postgres(server.url, { max: 4, fetch_types: false, backoff: () => 0.05 })
      const silent = (): void => {}
      const logger = { debug: silent, info: silent, warn: silent, error: silent }
      const queue = new JobQueue(sql, () => undefined, { schema, logger, pollInterval: '100ms' })
      queue.observe((event) => events.record(event, process.pid))
      const stop = new AbortController()
      const received = queue.receive({ signal: stop.signal })
      await seen('job.finished', (await queue.enqueue('before')).id)
      await server.restart('immediate')
      const after = await until(() => queue.enqueue('after').catch(() => undefined))
      await seen('job.finished', after.id)
      await server.kill()
      stop.abort()
      await received
      await sql.end({ timeout: 1 })
      process.off('unhandledRejection', hear).off('uncaughtException', hear)
      expect(unheard).toEqual([])
    },
  )
})
