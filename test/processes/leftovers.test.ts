import { once } from 'node:events'
import { Pool } from 'pg'
import { describe } from 'vitest'
import { JobQueue } from '../../src/job-queue.ts'
import { expect, test, until } from '../support/fixtures.ts'
import { startTcpProxy } from '../support/tcp-proxy.ts'

const silent = () => undefined
const logger = { debug: silent, info: silent, warn: silent, error: silent }

describe('a receiver that stopped before all was written down', () => {
  test('goes on with that while its process works on another queue', async ({
    databaseUrl,
    schema,
    events,
    seen,
    rows,
  }) => {
    const proxy = await startTcpProxy(databaseUrl)
    const pool = new Pool({ connectionString: proxy.url })
    const release = new AbortController()
    const options = { schema, logger }
    const one = new JobQueue(
      pool,
      async () => {
        await once(release.signal, 'abort')
        return 'done'
      },
      { ...options, queueName: 'one' },
    )
    const other = new JobQueue(pool, () => undefined, { ...options, queueName: 'other' })
    one.observe((event) => events.record(event, process.pid))
    const job = await one.enqueue({})
    const stops = [new AbortController(), new AbortController()] as const
    const received = other.receive({ signal: stops[1].signal })
    const stopped = one.receive({ signal: stops[0].signal })
    await seen('job.started', job.id)

    proxy.newcomers = 'refuse'
    proxy.cut()
    release.abort()
    stops[0].abort()
    await stopped
    expect(events.all('job.finished')).toEqual([])
    expect(await rows('select id::text from {schema}.jobs where claimed_by > 0')).toEqual([
      { id: job.id },
    ])

    proxy.newcomers = 'carry'
    await seen('job.finished', job.id)
    expect(await rows('select result::text from {schema}.history where id = $1', [job.id])).toEqual(
      [{ result: '"done"' }],
    )
    stops[1].abort()
    await received
    expect(await rows('select from {schema}.workers where stopped_at is null')).toEqual([])
    await pool.end()
    await proxy.close()
  })
})

describe('a handler of a FIFO queue that outlives a stop', () => {
  test('holds the queue until it returns, and then lets go of it', async ({
    db,
    databaseUrl,
    schema,
    openQueue,
    receive,
    seen,
    rows,
    untilRow,
  }) => {
    const deaf = new AbortController()
    const queue = openQueue(
      async (job: { args: { isDeaf?: boolean } }) => {
        if (job.args.isDeaf === true) await once(deaf.signal, 'abort')
      },
      { fifo: true },
    )
    const head = await queue.enqueue({ isDeaf: true })
    // Keeps the worker of this process alive.
    const keeper = openQueue(() => undefined, { queueName: 'keeper' })
    receive(keeper)
    const receiving = receive(queue, { shutdownTimeout: 0 })
    await seen('job.started', head.id)
    await receiving.stop()
    await seen('job.given_back', head.id)
    await rows(`update {schema}.jobs set args = '{}'`)

    // Neither another process nor a second receiver of this one may start what is behind it.
    const pool = new Pool({ connectionString: databaseUrl })
    const elsewhere = new JobQueue(pool, () => undefined, { schema, fifo: true, logger })
    const stop = new AbortController()
    const received = elsewhere.receive({ signal: stop.signal })
    const again = receive(queue)
    await untilRow(
      'select count(*)::int4 as n from {schema}.workers where queue_ids <> $1',
      ['{}'],
      {
        fits: ({ n }) => Number(n) >= 2,
      },
    )
    expect(await queue.get(head.id)).toMatchObject({ status: 'available' })

    deaf.abort()
    await until(async () => (await queue.get(head.id))?.status === 'finished')
    stop.abort()
    await received
    await again.stop()
    expect(db.totalCount).toBeGreaterThan(0)
    await pool.end()
  })
})
