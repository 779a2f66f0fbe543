import { setTimeout as sleep } from 'node:timers/promises'
import { Client, Pool } from 'pg'
import { describe } from 'vitest'
import { JobQueue } from '../../src/job-queue.ts'
import { receiveAll } from '../../src/receive-all.ts'
import { expect, test, until } from '../support/fixtures.ts'
import { statementsOf } from './statements-of.ts'

describe.concurrent('a queue in which nothing can run now', () => {
  test('is not asked again and again while its FIFO head waits for a retry', async ({
    openQueue,
    receive,
    seen,
    events,
  }) => {
    const queue = openQueue(
      () => {
        throw new Error('on purpose')
      },
      { fifo: true, baseRetryDelay: '1h' },
    )
    const [head] = await queue.enqueueMany([{ args: 1 }, { args: 2 }])
    receive(queue, { concurrency: 1 })
    await seen('job.retried', head?.id)
    const before = events.all('claim.made').length
    await sleep(1_500)
    expect(events.all('claim.made').length - before).toBeLessThan(12)
  })

  test('is not asked again and again while somebody has locked its job', async ({
    openQueue,
    receive,
    events,
    seen,
    databaseUrl,
    schema,
  }) => {
    const queue = openQueue(() => undefined)
    const job = await queue.enqueue({})
    const client = new Client({ connectionString: databaseUrl })
    await client.connect()
    await client.query('begin')
    await client.query(`select from "${schema}".jobs where id = $1 for update`, [job.id])
    receive(queue)
    await seen('claim.made')
    await sleep(1_500)
    expect(events.all('claim.made').length).toBeLessThan(12)
    await client.query('commit')
    await client.end()
    await seen('job.finished', job.id)
  })
})

test.concurrent('twenty idle queues cost two connections and about a transaction a second', async ({
  databaseUrl,
  schema,
}) => {
  const pool = new Pool({ connectionString: databaseUrl, max: 10, idleTimeoutMillis: 500 })
  const statements = statementsOf(pool)
  const stop = new AbortController()
  const queues = Array.from(
    { length: 20 },
    (_, i) => new JobQueue(pool, () => undefined, { schema, queueName: `queue ${i}` }),
  )
  const received = Promise.all([
    receiveAll(queues, { signal: stop.signal }),
    queues[0]?.receive({ signal: stop.signal }), // a second receiver on one of them
  ])
  // All have fallen asleep, and the partitions of history are made.
  await until(() => statements.some((text) => text.includes('pg_advisory_lock_shared')))
  await until(() => pool.totalCount <= 2)

  statements.length = 0
  const startedAt = performance.now()
  await sleep(4_000)
  const perSecond = statements.length / ((performance.now() - startedAt) / 1_000)
  expect(perSecond, statements.join('\n')).toBeLessThan(3)
  expect(pool.totalCount).toBeLessThanOrEqual(2)

  stop.abort()
  await received
  await pool.end()
})
