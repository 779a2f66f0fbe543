import { randomBytes } from 'node:crypto'
import { getEventListeners } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { Pool, type PoolConfig } from 'pg'
import { afterAll, afterEach, beforeEach, describe, expect, inject, test } from 'vitest'
import { PgPoolDriver } from '../../src/drivers/node-postgres.ts'
import type { PgPool } from '../../src/drivers/pg-shapes.ts'
import type { PoolTimes } from '../../src/drivers/pool-connections.ts'
import { startTcpProxy, type TcpProxy } from '../support/tcp-proxy.ts'
import { failureOf } from './failure.ts'
import { backendGone, backendRunning, until } from './server-side.ts'

const databaseUrl = inject('databaseUrl')
const admin = new Pool({ connectionString: databaseUrl })
const pools: Pool[] = []
let proxy: TcpProxy

beforeEach(async () => void (proxy = await startTcpProxy(databaseUrl)))
afterEach(async () => {
  await proxy.close()
  await Promise.all(pools.splice(0).map((pool) => pool.end()))
})
afterAll(() => admin.end())

/** Far below the 15 s of the default, so that a test takes no time; far above what the server needs. */
const ANSWER_MS = 400

function openPool(
  config: PoolConfig = {},
  times: Partial<PoolTimes> = {},
): { pool: Pool; driver: PgPoolDriver } {
  const pool = new Pool({ connectionString: proxy.url, max: 6, ...config })
  pools.push(pool)
  return { pool, driver: driverWith(pool, { answerMs: ANSWER_MS, ...times }) }
}

/** A driver with other times than a user gets from `driverFor`. */
function driverWith(pool: object, times: Partial<PoolTimes>): PgPoolDriver {
  return new PgPoolDriver(pool as PgPool, times)
}

/** Opens connections until the pool has so many, and lets them idle. */
async function fill(pool: Pool, count: number): Promise<void> {
  const clients = await Promise.all(Array.from({ length: count }, () => pool.connect()))
  await Promise.all(clients.map((client) => client.query('select 1')))
  for (const client of clients) client.release()
}

async function elapsed(work: Promise<unknown>): Promise<number> {
  const startedAt = performance.now()
  await work.catch(() => {})
  return performance.now() - startedAt
}

const mark = (): string => `/* ${randomBytes(6).toString('hex')} */`

describe('a statement without an answer', () => {
  test('is given up with OUTCOME_UNKNOWN, and its connection leaves the pool', async () => {
    const { pool, driver } = openPool()
    await driver.query('select 1')
    proxy.silence()
    const startedAt = performance.now()
    const error = await failureOf(driver.query('select 2::int4 as two'))
    expect(performance.now() - startedAt).toBeLessThan(ANSWER_MS * 3)
    expect(error).toMatchObject({
      code: 'OUTCOME_UNKNOWN',
      details: { statement: 'select 2::int4 as two', waitedMs: expect.any(Number) as number },
    })
    expect(driver.isConnectionError(error)).toBe(true)
    expect(driver.outcomeIsUnknown(error)).toBe(true)
    expect(pool.totalCount).toBe(0)
    expect((await driver.query('select 1::int4 as one')).rows).toEqual([{ one: 1 }])
  })

  test('makes the pool replace what it had before, not try each connection in turn', async () => {
    const { pool, driver } = openPool()
    await fill(pool, 5)
    proxy.silence()
    await failureOf(driver.query('select 1'))
    expect(await elapsed(driver.query('select 2'))).toBeLessThan(ANSWER_MS)
    expect(pool.totalCount).toBe(1)
  })

  test('leaves connections alone that answered in the meantime', async () => {
    const { pool, driver } = openPool()
    await fill(pool, 2)
    const slow = failureOf(driver.query('select pg_sleep(2)::text', []))
    await sleep(ANSWER_MS / 2)
    const pid = async (): Promise<unknown> =>
      (await driver.query('select pg_backend_pid()')).rows[0]
    const before = await pid()
    await slow
    expect(await pid()).toEqual(before)
  })

  test('is ended on the server too', async () => {
    const { driver } = openPool()
    const sleeping = mark()
    const failure = failureOf(driver.query(`select pg_sleep(60)::text ${sleeping}`, []))
    const pid = await backendRunning(admin, sleeping)
    proxy.silence()
    expect(await failure).toMatchObject({ code: 'OUTCOME_UNKNOWN' })
    await backendGone(admin, pid)
  })

  test('in a transaction loses its locks on the server, also when only the answer was lost', async () => {
    const { driver } = openPool()
    const failure = failureOf(
      driver.transaction(async (tx) => {
        proxy.silence('toClient')
        await tx.query('select pg_advisory_xact_lock(4712)')
      }),
    )
    const error = await failure
    expect(error).toMatchObject({ code: 'OUTCOME_UNKNOWN' })
    expect(driver.outcomeIsUnknown(error)).toBe(false) // the commit was never sent
    await admin.query('select pg_advisory_lock(4712), pg_advisory_unlock(4712)')
  })

  test('in a transaction loses its locks on the server, also when it never got there', async () => {
    const { driver } = openPool()
    const failure = failureOf(
      driver.transaction(async (tx) => {
        await tx.query('select pg_advisory_xact_lock(4714)')
        proxy.silence()
        await tx.query('select 1')
      }),
    )
    expect(await failure).toMatchObject({ code: 'OUTCOME_UNKNOWN' })
    await admin.query('select pg_advisory_lock(4714), pg_advisory_unlock(4714)')
  })

  test('is ended on the server as soon as that can be reached again', async () => {
    const { driver } = openPool()
    const sleeping = mark()
    const failure = failureOf(driver.query(`select pg_sleep(60)::text ${sleeping}`, []))
    const pid = await backendRunning(admin, sleeping)
    proxy.silence()
    proxy.newcomers = 'refuse'
    await failure
    const refused = proxy.accepted
    await until(() => (proxy.accepted > refused ? true : undefined)) // it is tried again
    proxy.newcomers = 'carry'
    await backendGone(admin, pid)
  })

  test('is waited for when it is patient, in a transaction as well', async () => {
    const { driver } = openPool()
    const sql = `select 'late'::text as word from pg_sleep(${(ANSWER_MS * 2) / 1000})`
    const options = { isPatient: true }
    const single = driver.query(sql, [], options)
    const inside = driver.transaction((tx) => tx.query(sql), options)
    expect((await single).rows).toEqual([{ word: 'late' }])
    expect((await inside).rows).toEqual([{ word: 'late' }])
  })

  test('of a session aborts `lost`, and a new session works', async () => {
    const { driver } = openPool({ max: 2 })
    const session = await driver.openSession()
    proxy.silence()
    const error = await failureOf(session.query('select 1'))
    expect(error).toMatchObject({ code: 'OUTCOME_UNKNOWN' })
    expect(session.lost.reason).toBe(error)
    await session.close()
    const next = await driver.openSession()
    expect((await next.query('select 1::int4 as one')).rows).toEqual([{ one: 1 }])
    await next.close()
  })

  test('is not blamed on the network when this process was busy', async () => {
    const { driver } = openPool()
    await driver.query('select 1')
    const answer = driver.query('select 1::int4 as one')
    await new Promise((resolve) => setImmediate(resolve)) // now it is sent
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ANSWER_MS + 800)
    expect((await answer).rows).toEqual([{ one: 1 }])
  })

  test('counts from the sending: a wait for the pool is not silence', async () => {
    const { pool, driver } = openPool({ max: 1 })
    const held = await pool.connect()
    const waits: number[] = []
    const answer = driver.query('select 1::int4 as one', [], { onWait: (ms) => waits.push(ms) })
    await sleep(ANSWER_MS * 2)
    held.release()
    expect((await answer).rows).toEqual([{ one: 1 }])
    expect(waits).toEqual([])
  })

  test('does not hold a closing session up', async () => {
    const { driver } = openPool()
    const session = await driver.openSession()
    proxy.silence()
    expect(await elapsed(session.close())).toBeLessThan(1_500)
  })
})

describe('a wait for a free connection', () => {
  test('is told once, and goes on', async () => {
    const { pool, driver } = openPool({ max: 2 }, { noticeMs: 50 })
    const held = await Promise.all([pool.connect(), pool.connect()])
    const waits: number[] = []
    const told = new Promise<void>((resolve) => {
      const onWait = (ms: number): void => {
        waits.push(ms)
        resolve()
      }
      pending = driver.transaction((tx) => tx.query('select 1::int4 as one'), { onWait })
    })
    await told
    await sleep(150)
    for (const client of held) client.release()
    expect((await pending)?.rows).toEqual([{ one: 1 }])
    expect(waits).toHaveLength(1)
    expect(waits[0]).toBeGreaterThanOrEqual(45)
  })
  let pending: Promise<{ rows: unknown[] }> | undefined

  test('is not told where a connection is free', async () => {
    const { driver } = openPool({}, { noticeMs: 1 })
    proxy.delayMs = 20
    await driver.query('select 1', [], { onWait: () => expect.unreachable('nobody waited') })
  })
})

describe('a server that accepts a connection and says nothing', () => {
  test('is given up, its place in the pool is free again, and nothing was sent', async () => {
    const { pool, driver } = openPool({ max: 1 }, { connectMs: 200 })
    proxy.newcomers = 'ignore'
    const error = await failureOf(driver.query('select 1'))
    expect(error).toMatchObject({ code: 'ETIMEDOUT' })
    expect(driver.isConnectionError(error)).toBe(true)
    expect(driver.outcomeIsUnknown(error)).toBe(false)
    await until(() => (pool.totalCount === 0 ? true : undefined))
    proxy.newcomers = 'carry'
    expect((await driver.query('select 1::int4 as one')).rows).toEqual([{ one: 1 }])
  })

  test('does not keep the pool full with the attempts of others', async () => {
    const { pool, driver } = openPool({ max: 2 }, { connectMs: 100 })
    await driver.query('select 1')
    proxy.cut()
    await until(() => (pool.totalCount === 0 ? true : undefined))
    proxy.newcomers = 'ignore'
    const strangers = [failureOf(pool.connect()), failureOf(pool.connect())]
    const answer = driver.query('select 1::int4 as one')
    await sleep(150)
    proxy.newcomers = 'carry'
    expect((await answer).rows).toEqual([{ one: 1 }])
    for (const error of await Promise.all(strangers))
      expect(error).toMatchObject({ code: 'ETIMEDOUT' })
  })

  test('gives a connection that comes late to the pool, where it is not in our hands to end the attempt', async () => {
    const { pool } = openPool()
    const opaque = {
      connect: () => pool.connect(),
      on: (event: 'error', listener: () => void) => pool.on(event, listener),
      get totalCount() {
        return pool.totalCount
      },
    }
    const driver = driverWith(opaque, { connectMs: 60 })
    proxy.delayMs = 60
    expect(await failureOf(driver.query('select 1'))).toMatchObject({ code: 'ETIMEDOUT' })
    await until(() => (pool.idleCount === 1 ? true : undefined))
    proxy.delayMs = 0
    expect((await driver.query('select 1::int4 as one')).rows).toEqual([{ one: 1 }])
    expect(pool.totalCount).toBe(1)
  })
})

describe('a signal that aborts', () => {
  const reason = new Error('enough')

  test('before anything was done lets nothing be done', async () => {
    const { pool, driver } = openPool()
    const signal = AbortSignal.abort(reason)
    const failures = [
      await failureOf(driver.query('select 1', [], { signal })),
      await failureOf(driver.transaction(async () => {}, { signal })),
      await failureOf(driver.openSession({ signal })),
    ]
    expect(failures).toEqual([reason, reason, reason])
    expect(driver.outcomeIsUnknown(reason)).toBe(false)
    expect(pool.totalCount).toBe(0)
  })

  test('ends a wait for the pool, and the connection that comes later goes back', async () => {
    const { pool, driver } = openPool({ max: 1 })
    const held = await pool.connect()
    const stop = new AbortController()
    const failure = failureOf(driver.query('select 1', [], { signal: stop.signal }))
    stop.abort(reason)
    expect(await failure).toBe(reason)
    held.release()
    await until(() => (pool.idleCount === 1 ? true : undefined))
    expect(pool.waitingCount).toBe(0)
  })

  test('ends an attempt to connect at once', async () => {
    const { pool, driver } = openPool()
    proxy.newcomers = 'ignore'
    const stop = new AbortController()
    const failures = [
      failureOf(driver.openSession({ signal: stop.signal })),
      failureOf(driver.query('select 1', [], { signal: stop.signal })),
    ]
    await until(() => (proxy.connections.length === 2 ? true : undefined))
    stop.abort(reason)
    expect(await Promise.all(failures)).toEqual([reason, reason])
    await until(() => (pool.totalCount + proxy.connections.length === 0 ? true : undefined))
  })

  test('ends the wait for an answer with OUTCOME_UNKNOWN and closes the connection', async () => {
    const { pool, driver } = openPool()
    const sleeping = mark()
    const stop = new AbortController()
    const options = { signal: stop.signal, isPatient: true }
    const failure = failureOf(driver.query(`select pg_sleep(60)::text ${sleeping}`, [], options))
    const pid = await backendRunning(admin, sleeping)
    stop.abort(reason)
    const error = await failure
    expect(error).toMatchObject({ code: 'OUTCOME_UNKNOWN', cause: reason })
    expect(driver.outcomeIsUnknown(error)).toBe(true)
    expect(pool.totalCount).toBe(0)
    await admin.query('select pg_terminate_backend($1::int4)', [pid])
  })

  test('between the last statement and the commit rolls the transaction back', async () => {
    const { pool, driver } = openPool()
    const stop = new AbortController()
    const failure = failureOf(
      driver.transaction(
        async (tx) => {
          await tx.query('select pg_advisory_xact_lock(4713)')
          stop.abort(reason)
        },
        { signal: stop.signal },
      ),
    )
    expect(await failure).toBe(reason)
    expect(driver.outcomeIsUnknown(reason)).toBe(false)
    expect(pool.totalCount).toBe(0)
    await admin.query('select pg_advisory_lock(4713), pg_advisory_unlock(4713)')
  })

  test('may be shared by any number of statements, which leave at most one listener', async () => {
    const { driver } = openPool({ max: 3 })
    const { signal } = new AbortController()
    const warnings: Error[] = []
    const note = (warning: Error): number => warnings.push(warning)
    process.on('warning', note)
    const statements = Array.from({ length: 30 }, () => driver.query('select 1', [], { signal }))
    await Promise.all(statements)
    expect(getEventListeners(signal, 'abort').length).toBeLessThanOrEqual(1)
    await sleep(0) // warnings are told a tick later
    process.off('warning', note)
    expect(warnings).toEqual([])
  })
})

describe('a session of a pool that stays full', () => {
  test('gets a connection beside the pool, which ends with it', async () => {
    const { pool, driver } = openPool({ max: 2 }, { noticeMs: 50 })
    const held = await Promise.all([pool.connect(), pool.connect()])
    const waits: number[] = []
    const session = await driver.openSession({ onWait: (ms) => waits.push(ms) })
    expect(waits).toHaveLength(1)
    const { rows } = await session.query<{ pid: number }>('select pg_backend_pid() as pid')
    expect(pool.totalCount).toBe(2)
    await session.close()
    await backendGone(admin, rows[0]?.pid ?? 0)
    for (const client of held) client.release()
    await until(() => (pool.idleCount === 2 && pool.waitingCount === 0 ? true : undefined))
  })

  test('is lost like any other', async () => {
    const { pool, driver } = openPool({ max: 2 }, { noticeMs: 50 })
    const held = await Promise.all([pool.connect(), pool.connect()])
    const session = await driver.openSession()
    const { rows } = await session.query<{ pid: number }>('select pg_backend_pid() as pid')
    const lost = new Promise((resolve) => session.lost.addEventListener('abort', resolve))
    await admin.query('select pg_terminate_backend($1::int4)', [rows[0]?.pid])
    await lost
    await session.close()
    for (const client of held) client.release()
  })
})
