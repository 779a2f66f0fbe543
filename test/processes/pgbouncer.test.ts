import { randomBytes } from 'node:crypto'
import { Pool } from 'pg'
import postgres from 'postgres'
import { afterAll, beforeAll, describe, inject } from 'vitest'
import {
  type EventType,
  JobQueue,
  migrateDown,
  migrateUp,
  type QueueOptions,
} from '../../src/index.ts'
import { executorFor } from '../../src/drivers/recognise.ts'
import { wakeAddress } from '../../src/store/wake.ts'
import { inPostgresJs, inPool } from '../queue/arrange.ts'
import { expect, test, until } from '../support/fixtures.ts'
import { findPgBouncer, type PgBouncer, startPgBouncer } from '../support/pgbouncer.ts'

const isMissing = findPgBouncer() === undefined
if (isMissing)
  console.warn('Skipped: pgbouncer is not installed (Debian: apt-get install pgbouncer).')

/** Runs `work` in a transaction of this kind of client. */
type Transact = (work: (tx: never) => Promise<void>) => Promise<void>

interface Client {
  db: never
  transaction: Transact
  end: () => Promise<void>
}

const CLIENTS: Record<string, (url: string) => Client> = {
  'a pg.Pool': (url) => {
    const pool = new Pool({ connectionString: url, max: 6 })
    return {
      db: pool as never,
      transaction: (work) => inPool(pool, (tx) => work(tx as never)),
      end: () => pool.end(),
    }
  },
  'postgres.js': (url) => {
    const sql = postgres(url, { max: 6, prepare: false, fetch_types: false })
    return {
      db: sql as never,
      transaction: (work) => inPostgresJs(sql, (tx) => work(tx as never)),
      end: () => sql.end({ timeout: 1 }),
    }
  },
}

/** The sleepers' locks of a schema, whoever holds them. */
const LOCKS = `select pid from pg_locks
  where locktype = 'advisory' and mode = 'ShareLock' and classid = $1::int8::oid`
const lockClass = (schema: string): number => wakeAddress(schema).lockClass >>> 0

const silent = (): void => {}
const quiet = { debug: silent, info: silent, warn: silent, error: silent }

describe.skipIf(isMissing).each(['transaction', 'session'] as const)(
  'behind PgBouncer in %s mode',
  (poolMode) => {
    let pgbouncer: PgBouncer
    beforeAll(async () => {
      pgbouncer = await startPgBouncer(inject('databaseUrl'), { poolMode })
    })
    afterAll(() => pgbouncer?.remove())

    describe.each(Object.keys(CLIENTS))('%s', (kind) => {
      const connect = (): Client => CLIENTS[kind]?.(pgbouncer.url) as Client

      test('jobs are enqueued, run, retried, buried, completed and kept in order', async ({
        schema,
        db: direct,
        rows,
        seen,
        events,
      }) => {
        const clients = [connect(), connect()]
        const [first, second] = clients as [Client, Client]
        await rows('create table {schema}.effects (id int4 primary key)')
        const effects = `"${schema}".effects`
        const order: unknown[] = []
        const open = (client: Client, options: QueueOptions): JobQueue<number> => {
          const queue = new JobQueue<number>(
            client.db,
            async (job, { complete }) => {
              if (job.queueName === 'ordered') order.push(job.args)
              if (job.queueName === 'failing' && job.attempt < 3) throw new Error('not yet')
              if (job.queueName === 'doomed') throw new Error('never')
              if (job.queueName !== 'completing') return
              await client.transaction(async (tx) => {
                await complete(tx)
                await direct.query(`insert into ${effects} values ($1)`, [job.args])
              })
            },
            { schema, logger: quiet, pollInterval: '100ms', baseRetryDelay: '10ms', ...options },
          )
          queue.observe((event) => events.record(event, process.pid))
          return queue
        }
        const stop = new AbortController()
        const received: Promise<void>[] = []
        const names: QueueOptions[] = [
          { queueName: 'plain' },
          { queueName: 'failing' },
          { queueName: 'doomed', dlq: 'dead' },
          { queueName: 'completing' },
          { queueName: 'ordered', fifo: true },
        ]
        for (const client of clients) {
          for (const options of names) {
            received.push(
              open(client, options).receive({ signal: stop.signal, shutdownTimeout: '2s' }),
            )
          }
        }
        const producer = (at: number): JobQueue<number> => open(second, names[at] ?? {})
        const plain = await producer(0).enqueueMany(
          Array.from({ length: 200 }, (_, args) => ({ args })),
        )
        const failing = await producer(1).enqueue(1)
        const doomed = await producer(2).enqueue(1, { maxRetries: 1 })
        const completing = await producer(3).enqueue(7)
        const ordered = await producer(4).enqueueMany(
          Array.from({ length: 20 }, (_, args) => ({ args })),
        )
        await first.transaction(async (tx) => void (await producer(0).enqueue(-1, { tx })))
        for (const job of [...plain, failing, completing, ...ordered]) {
          await seen('job.finished', job.id)
        }
        await until(async () => (await producer(2).get(doomed.id))?.queueName === 'dead')
        expect(order).toEqual([...order].sort((a, b) => Number(a) - Number(b)))
        expect(await rows('select id from {schema}.effects')).toEqual([{ id: 7 }])
        await until(async () => (await producer(0).counts()).finished === 201)
        stop.abort()
        await Promise.all(received)
        expect(await rows('select from {schema}.workers where stopped_at is null')).toEqual([])
        expect(await rows('select from {schema}.jobs where claimed_by is not null')).toEqual([])
        for (const client of clients) await client.end()
        expect(await rows(LOCKS, [lockClass(schema)])).toEqual([])
        const unavailable: EventType = 'listen.unavailable'
        if (poolMode === 'session') expect(events.all(unavailable)).toEqual([])
      })

      test('the schema is migrated up and down', async ({ db: direct }) => {
        const client = connect()
        const schema = `pooled ${randomBytes(4).toString('hex')}`
        await migrateUp(client.db, { schema })
        expect(await migrateUp(client.db, { schema })).toEqual({ steps: [] })
        await new JobQueue(client.db, { schema, logger: quiet }).enqueue(1)
        await migrateDown(client.db, { schema, to: 0 })
        await client.end()
        await direct.query(`drop schema if exists "${schema}" cascade`)
      })

      test(
        poolMode === 'session'
          ? 'notifications arrive'
          : 'notifications do not arrive, which is said once; nobody takes a lock, and polling works',
        async ({ schema, rows, seen, events, untilRow }) => {
          const client = connect()
          const pollInterval = poolMode === 'session' ? '10m' : '50ms'
          const options: QueueOptions = { schema, logger: quiet, pollInterval }
          const queue = new JobQueue(client.db, () => undefined, options)
          queue.observe((event) => events.record(event, process.pid))
          const stop = new AbortController()
          const received = queue.receive({ signal: stop.signal })
          const elsewhere = connect()
          const producer = new JobQueue(elsewhere.db, { schema, logger: quiet })
          if (poolMode === 'session') {
            await untilRow(LOCKS, [lockClass(schema)])
            await seen('job.finished', (await producer.enqueue(1)).id)
          } else {
            for (let n = 0; n < 20; n += 1) {
              await seen('job.finished', (await producer.enqueue(n)).id)
              expect(await rows(LOCKS, [lockClass(schema)])).toEqual([])
            }
            await seen('listen.unavailable')
            await seen('job.finished', (await producer.enqueue(1)).id)
            expect(events.all('listen.unavailable')).toHaveLength(1)
          }
          stop.abort()
          await received
          await Promise.all([client.end(), elsewhere.end()])
          expect(await rows(LOCKS, [lockClass(schema)])).toEqual([])
        },
      )
    })

    test('only what has one plan is prepared, and nothing once its names were refused', async ({
      schema,
    }) => {
      const poolSize = poolMode === 'transaction' ? 1 : 10
      const one = await startPgBouncer(inject('databaseUrl'), { poolMode, poolSize })
      for (const connect of Object.values(CLIENTS)) {
        const client = connect(one.url)
        const queue = new JobQueue(client.db, () => undefined, { schema, logger: quiet })
        for (let n = 0; n < 3; n += 1) {
          await Promise.all([queue.enqueue(n), queue.enqueueMany([{ args: n }])])
          expect(await queue.drain()).toMatchObject({ finished: 2 })
        }
        const seen: unknown[] = []
        await client.transaction(async (tx) => {
          const { rows } = await executorFor(tx).query('select name from pg_prepared_statements')
          seen.push(...rows)
        })
        for (const { name } of seen as { name: string }[]) {
          expect(name).toMatch(/^millrace_[0-9a-f]{24}$/)
        }
        await client.end()
      }
      await one.remove()
    })
  },
)

describe.skipIf(isMissing)('behind PgBouncer in transaction mode', () => {
  test('what is heard by chance, with the answer to a heartbeat, makes nobody take a lock', async ({
    schema,
    db: direct,
    rows,
    untilRow,
    seen,
    events,
  }) => {
    // With one connection of the server the heartbeat goes over the one that listens.
    const pgbouncer = await startPgBouncer(inject('databaseUrl'), {
      poolMode: 'transaction',
      poolSize: 1,
    })
    const pool = new Pool({ connectionString: pgbouncer.url })
    const options: QueueOptions = { schema, logger: quiet, pollInterval: '50ms' }
    const queue = new JobQueue(pool, () => undefined, options)
    queue.observe((event) => events.record(event, process.pid))
    const stop = new AbortController()
    const received = queue.receive({ signal: stop.signal, leaseTimeout: '5s' })
    await seen('listen.unavailable')

    const blocker = await direct.connect()
    await blocker.query(`begin; select from "${schema}".workers for update`)
    await untilRow(
      `select from pg_stat_activity where wait_event_type = 'Lock' and query like $1`,
      [`%"${schema}".workers%`],
    )
    await rows('select pg_notify($1, $2)', [wakeAddress(schema).channel, 'self-test'])
    await blocker.query('commit')
    blocker.release()
    const [{ beat = 0 } = {}] = await rows('select beat::int4 as beat from {schema}.workers')
    await untilRow('select from {schema}.workers where beat >= $1::int4 + 2', [beat])
    await seen('job.finished', (await queue.enqueue(1)).id)
    expect(await rows(LOCKS, [lockClass(schema)])).toEqual([])

    stop.abort()
    await received
    await pool.end()
    await pgbouncer.remove()
  })
})
