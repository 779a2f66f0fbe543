import { once } from 'node:events'
import { Client, Pool } from 'pg'
import { describe } from 'vitest'
import { JobQueue } from '../../src/job-queue.ts'
import { wakeAddress } from '../../src/store/wake.ts'
import { expect, test, until } from '../support/fixtures.ts'

const silent = () => undefined
const logger = { debug: silent, info: silent, warn: silent, error: silent }

describe.concurrent('a notification', () => {
  test('is sent for a queue that sleeps, and not for one that is at work', async ({
    databaseUrl,
    schema,
    openQueue,
    receive,
    seen,
    untilRow,
  }) => {
    const { channel, lockClass } = wakeAddress(schema)
    const listener = new Client({ connectionString: databaseUrl })
    await listener.connect()
    const heard: string[] = []
    listener.on('notification', ({ payload = '' }) => {
      if (payload !== 'self-test') heard.push(payload)
    })
    await listener.query(`listen ${channel}`)
    const go = new AbortController()
    const queue = openQueue(async (job: { args: { isFirst?: boolean } }) => {
      if (job.args.isFirst === true) await once(go.signal, 'abort')
    })
    // One runs, and more wait than are claimed ahead: the receiver has no reason to sleep.
    const waiting = Array.from({ length: 50 }, () => ({ args: {} }))
    const [first] = await queue.enqueueMany([{ args: { isFirst: true } }, ...waiting])
    receive(queue, { concurrency: 1 })
    await seen('job.started', first?.id)
    // Another process: what this one enqueues needs no way through the database.
    const elsewhere = new Pool({ connectionString: databaseUrl })
    const producer = new JobQueue(elsewhere, { schema, logger })
    for (let i = 0; i < 20; i++) await producer.enqueue({})
    await listener.query('select 1')
    expect(heard).toEqual([])

    go.abort()
    await untilRow(
      `select count(*)::int4 as n from pg_locks
       where locktype = 'advisory' and mode = 'ShareLock' and granted and classid = $1::int8::oid`,
      [lockClass >>> 0],
      { fits: ({ n }) => n === 1 },
    )
    await seen('job.finished', (await producer.enqueue({})).id)
    await until(() => heard.length > 0)
    await elsewhere.end()
    await listener.end()
  })

  test('that never arrives, as behind a transaction pooler, is missed once: polling goes on', async ({
    databaseUrl,
    schema,
    queue,
    events,
    seen,
    rows,
  }) => {
    const pool = new Pool({ connectionString: databaseUrl })
    pool.on('connect', (client) => {
      const on = client.on.bind(client) as (event: string, listener: () => void) => Client
      Object.assign(client, {
        on: (event: string, listener: () => void) =>
          event === 'notification' ? client : on(event, listener),
      })
    })
    const options = { schema, logger, pollInterval: '100ms' } as const
    const receiving = new JobQueue(pool, () => undefined, options)
    receiving.observe((event) => events.record(event, process.pid))
    const stop = new AbortController()
    const received = receiving.receive({ signal: stop.signal })
    await seen('job.finished', (await queue.enqueue({})).id)
    expect(await seen('listen.unavailable')).toMatchObject({ pollIntervalMs: 100 })
    await seen('job.finished', (await queue.enqueue({})).id)
    // Nobody says that he sleeps who would not hear the call.
    const locks = 'select from pg_locks where classid = $1::int8::oid and pid <> pg_backend_pid()'
    expect(await rows(locks, [wakeAddress(schema).lockClass >>> 0])).toEqual([])
    expect(events.all('listen.unavailable')).toHaveLength(1)
    stop.abort()
    await received
    await pool.end()
  })
})
