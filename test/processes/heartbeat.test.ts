import { Pool } from 'pg'
import { JobQueue } from '../../src/job-queue.ts'
import { expect, test } from '../support/fixtures.ts'
import { startTcpProxy } from '../support/tcp-proxy.ts'

const silent = () => undefined
const logger = { debug: silent, info: silent, warn: silent, error: silent }

test('a heartbeat over a connection that went silent goes over another one before the lease runs out', async ({
  databaseUrl,
  schema,
  events,
  seen,
}) => {
  const proxy = await startTcpProxy(databaseUrl)
  const pool = new Pool({ connectionString: proxy.url })
  const queue = new JobQueue(pool, () => undefined, { schema, logger })
  queue.observe((event) => events.record(event, process.pid))
  const stop = new AbortController()
  const received = queue.receive({ signal: stop.signal, leaseTimeout: '10s' })
  await seen('worker.registered', { pid: process.pid })

  proxy.silence()
  const silentAt = performance.now()
  await seen('database.restored', { pid: process.pid })
  expect(performance.now() - silentAt).toBeLessThan(9_000)
  expect(events.all('worker.lease_lost')).toEqual([])

  stop.abort()
  await received
  await proxy.close() // first, as the pool would say goodbye to silent connections
  await pool.end()
})
