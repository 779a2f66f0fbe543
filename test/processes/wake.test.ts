import { setTimeout as sleep } from 'node:timers/promises'
import { Pool } from 'pg'
import { describe } from 'vitest'
import { JobQueue } from '../../src/job-queue.ts'
import { wakeAddress } from '../../src/store/wake.ts'
import { expect, test, until } from '../support/fixtures.ts'
import { startTcpProxy } from '../support/tcp-proxy.ts'
import { statementsOf } from './statements-of.ts'

const silent = () => undefined
const logger = { debug: silent, info: silent, warn: silent, error: silent }

/** How many receivers of this schema say that they sleep. */
const SLEEPERS = `
  select count(*)::int4 as n from pg_locks
  where locktype = 'advisory' and mode = 'ShareLock' and granted and classid = $1::int8::oid`

/** The class of the sleepers' locks as pg_locks shows it, unsigned. */
const lockClass = (schema: string): number => wakeAddress(schema).lockClass >>> 0

describe('a receiver that sleeps', () => {
  test('finds what was enqueued while its listening connection was lost, however rarely it polls', async ({
    databaseUrl,
    schema,
    queue,
    untilRow,
    seen,
    events,
  }) => {
    const proxy = await startTcpProxy(databaseUrl)
    const pool = new Pool({ connectionString: proxy.url })
    const statements = statementsOf(pool)
    const options = { schema, logger, pollInterval: '10m' } as const
    const receiving = new JobQueue(pool, () => undefined, options)
    receiving.observe((event) => events.record(event, process.pid))
    const stop = new AbortController()
    const received = receiving.receive({ signal: stop.signal })
    await untilRow(SLEEPERS, [lockClass(schema)], { fits: ({ n }) => n === 1 })
    // The looks soon after falling asleep are over; the next is in ten minutes.
    const polls = (): number => statements.filter((text) => text.includes('bool_or(due.id')).length
    for (let before = -1; before < polls();) {
      before = polls()
      await sleep(700)
    }

    proxy.newcomers = 'refuse'
    proxy.cut()
    await untilRow(SLEEPERS, [lockClass(schema)], { fits: ({ n }) => n === 0 })
    const job = await queue.enqueue({})
    proxy.newcomers = 'carry'
    await seen('job.finished', job.id)

    stop.abort()
    await received
    await pool.end()
    await proxy.close()
  })

  test('is called for each enqueue into a FIFO queue only when it owns the queue', async ({
    databaseUrl,
    schema,
    rows,
    untilRow,
    seen,
    events,
  }) => {
    const stop = new AbortController()
    const pools = [1, 2, 3].map(() => new Pool({ connectionString: databaseUrl }))
    const queues = pools.map(
      (pool) => new JobQueue(pool, () => undefined, { schema, fifo: true, pollInterval: '100ms' }),
    )
    const [first] = queues
    for (const queue of queues) queue.observe((event) => events.record(event, process.pid))
    const received = Promise.all(queues.map((queue) => queue.receive({ signal: stop.signal })))
    await untilRow(SLEEPERS, [lockClass(schema)], { fits: ({ n }) => n === 1 })
    const job = await first?.enqueue({})
    await seen('job.finished', job?.id)
    await until(() => events.all('worker.registered').length === 3)
    await untilRow(SLEEPERS, [lockClass(schema)], { fits: ({ n }) => n === 1 })
    expect(await rows(SLEEPERS, [lockClass(schema)])).toEqual([{ n: 1 }])

    stop.abort()
    await received
    await Promise.all(pools.map((pool) => pool.end()))
  })
})
