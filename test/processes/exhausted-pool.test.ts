import { describe } from 'vitest'
import { Pool } from 'pg'
import { JobQueue } from '../../src/job-queue.ts'
import { expect, test } from '../support/fixtures.ts'

describe('a pool that handlers have exhausted', () => {
  test('costs no lease, and an enqueue that waits for it is warned about with the remedy', async ({
    databaseUrl,
    schema,
    child,
    events,
    seen,
    rows,
  }) => {
    const log: string[] = []
    const silent = () => undefined
    const logger = { debug: silent, info: silent, error: silent, warn: (m: string) => log.push(m) }
    const pool = new Pool({ connectionString: databaseUrl, max: 2 })
    const queue = new JobQueue(
      pool,
      async (job: { args: { isHolding?: boolean } }) => {
        if (job.args.isHolding !== true) return
        const client = await pool.connect()
        await client.query('begin')
        // Waits for the connection that this very handler holds.
        const enqueued = queue.enqueue({})
        await seen('pool.exhausted', undefined, { withinMs: 20_000 })
        await client.query('commit')
        client.release()
        await enqueued
      },
      { schema, logger },
    )
    queue.observe((event) => events.record(event, process.pid))
    const stop = new AbortController()
    const received = queue.receive({ signal: stop.signal, leaseTimeout: '2s', concurrency: 1 })
    await seen('worker.registered', { pid: process.pid })
    // Somebody who would notice when the heartbeat stopped.
    const observer = await child.receive({ leaseTimeout: '2s', queue: { queueName: 'other' } })
    const job = await queue.enqueue({ isHolding: true })
    await seen('pool.exhausted', { queueName: 'default' })
    expect(log.join()).toMatch(/Raise the pool's max .* or pass their transaction as tx/)
    await seen('job.finished', job.id)
    expect(events.all('worker.died')).toEqual([])
    expect(events.all('worker.lease_lost')).toEqual([])
    expect(
      await rows('select attempt, error_count from {schema}.history where id = $1', [job.id]),
    ).toEqual([{ attempt: 1, error_count: 0 }])
    await observer.stop()
    stop.abort()
    await received
    await pool.end()
  })
})
