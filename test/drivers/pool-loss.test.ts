import { randomBytes } from 'node:crypto'
import { Client, Pool } from 'pg'
import { afterAll, afterEach, beforeAll, describe, expect, inject, test } from 'vitest'
import type { Driver } from '../../src/drivers/driver.ts'
import { driverFor } from '../../src/drivers/recognise.ts'
import { startTcpProxy, type TcpProxy } from '../support/tcp-proxy.ts'
import { listener } from './conformance.ts'
import { failureOf } from './failure.ts'
import { backendRunning, terminate, until } from './server-side.ts'

const databaseUrl = inject('databaseUrl')
const admin = new Pool({ connectionString: databaseUrl })
const table = `loss_${randomBytes(5).toString('hex')}`
const open: { end(): Promise<void> }[] = []
let proxy: TcpProxy

beforeAll(async () => {
  proxy = await startTcpProxy(databaseUrl)
  await admin.query(`create table ${table} (id int4 primary key)`)
})
afterEach(async () => {
  proxy.rule = () => 'forward'
  proxy.newcomers = 'carry'
  await Promise.all(open.splice(0).map((one) => one.end()))
})
afterAll(async () => {
  await proxy.close()
  await admin.query(`drop table ${table}`)
  await admin.end()
})

const mark = (): string => `/* ${randomBytes(6).toString('hex')} */`
const isStored = async (id: number): Promise<boolean> =>
  (await admin.query(`select from ${table} where id = $1`, [id])).rowCount === 1

function openPool(options: { max?: number; viaProxy?: boolean } = {}): {
  pool: Pool
  driver: Driver
} {
  const connectionString = options.viaProxy === true ? proxy.url : databaseUrl
  const pool = new Pool({ connectionString, max: options.max ?? 4 })
  open.push(pool)
  return { pool, driver: driverFor(pool) }
}

describe('a connection lost in the middle of a statement', () => {
  test('rejects with an unknown outcome, and the next statement runs over another connection', async () => {
    const { driver, pool } = openPool()
    const sleeping = mark()
    const failure = failureOf(driver.query(`select pg_sleep(60)::text ${sleeping}`, []))
    await terminate(admin, await backendRunning(admin, sleeping))
    const error = await failure
    expect(error).toMatchObject({ code: '57P01' })
    expect(driver.isConnectionError(error)).toBe(true)
    expect(driver.outcomeIsUnknown(error)).toBe(true)
    expect((await driver.query('select 1::int4 as one')).rows).toEqual([{ one: 1 }])
    expect(pool.totalCount).toBe(1)
  })

  test.each(['cut', 'reset'] as const)('may have been carried out (%s)', async (how) => {
    const { driver } = openPool({ viaProxy: true })
    await driver.query('select 1')
    const id = how === 'cut' ? 1 : 2
    const lost = proxy.cutAnswerTo(`insert into ${table}`, how)
    const error = await failureOf(driver.query(`insert into ${table} values ($1)`, [id]))
    await lost
    expect(driver.outcomeIsUnknown(error)).toBe(true)
    expect(await isStored(id)).toBe(true)
    expect((await driver.query('select 1::int4 as one')).rows).toEqual([{ one: 1 }])
  })

  test('leaves nothing of a transaction whose commit was not sent, which is known', async () => {
    const { driver } = openPool()
    const sleeping = mark()
    const failure = failureOf(
      driver.transaction(async (tx) => {
        await tx.query(`insert into ${table} values (3)`)
        await tx.query(`select pg_sleep(60)::text ${sleeping}`)
      }),
    )
    await terminate(admin, await backendRunning(admin, sleeping))
    const error = await failure
    expect(driver.isConnectionError(error)).toBe(true)
    expect(driver.outcomeIsUnknown(error)).toBe(false)
    expect(await isStored(3)).toBe(false)
  })

  test('between two statements of a transaction is known to leave nothing', async () => {
    const { driver } = openPool()
    const failure = failureOf(
      driver.transaction(async (tx) => {
        await tx.query(`insert into ${table} values (4)`)
        const { rows } = await tx.query('select pg_backend_pid() as pid')
        await terminate(admin, Number(rows[0]?.['pid']))
        await tx.query('select 1')
      }),
    )
    const error = await failure
    expect(driver.isConnectionError(error)).toBe(true)
    expect(driver.outcomeIsUnknown(error)).toBe(false)
    expect(await isStored(4)).toBe(false)
  })

  test('during the commit leaves the outcome of the transaction unknown', async () => {
    const { driver } = openPool({ viaProxy: true })
    const lost = proxy.cutAnswerTo('commit')
    const error = await failureOf(
      driver.transaction((tx) => tx.query(`insert into ${table} values (5)`)),
    )
    await lost
    expect(driver.outcomeIsUnknown(error)).toBe(true)
    expect(await isStored(5)).toBe(true)
  })

  test('ends a single client for good, which every later statement says', async () => {
    const client = new Client({ connectionString: databaseUrl })
    await client.connect()
    const driver = driverFor(client)
    const sleeping = mark()
    const failure = failureOf(driver.query(`select pg_sleep(60)::text ${sleeping}`, []))
    const queued = failureOf(driver.query(`insert into ${table} values (6)`))
    await terminate(admin, await backendRunning(admin, sleeping))
    expect(driver.outcomeIsUnknown(await failure)).toBe(true)
    expect(driver.isConnectionError(await queued)).toBe(true)
    const later = await failureOf(driver.query('select 1'))
    expect(later.message).toContain('not queryable')
    expect(driver.isConnectionError(later)).toBe(true)
    expect(driver.outcomeIsUnknown(later)).toBe(false)
    expect(await isStored(6)).toBe(false)
    await client.end()
  })
})

describe('a connection that cannot be made', () => {
  test('is a connection error with a known outcome', async () => {
    const { driver, pool } = openPool({ viaProxy: true })
    proxy.newcomers = 'refuse'
    const error = await failureOf(driver.query(`insert into ${table} values (7)`))
    expect(driver.isConnectionError(error)).toBe(true)
    expect(driver.outcomeIsUnknown(error)).toBe(false)
    expect(pool.totalCount).toBe(0)
  })

  test('for a wrong password is not a connection error: no later attempt mends it', async () => {
    const url = new URL(databaseUrl)
    url.username = 'nobody_of_this_name'
    const pool = new Pool({ connectionString: url.href })
    open.push(pool)
    const driver = driverFor(pool)
    const error = await failureOf(driver.query('select 1'))
    expect(error).toMatchObject({ code: expect.stringMatching(/^28/) as string })
    expect(driver.isConnectionError(error)).toBe(false)
    expect(driver.outcomeIsUnknown(error)).toBe(false)
  })
})

describe('an error that nobody waits for', () => {
  test('of an idle connection of the pool goes unnoticed, and the next statement gets another', async () => {
    const { driver, pool } = openPool()
    const { rows } = await driver.query<{ pid: number }>('select pg_backend_pid() as pid')
    expect(pool.idleCount).toBe(1)
    await terminate(admin, rows[0]?.pid ?? 0)
    await until(() => (pool.totalCount === 0 ? true : undefined))
    expect((await driver.query('select 1::int4 as one')).rows).toEqual([{ one: 1 }])
  })

  test('of a single client that is idle is heard of by the next statement', async () => {
    const client = new Client({ connectionString: databaseUrl })
    await client.connect()
    const driver = driverFor(client)
    const { rows } = await driver.query<{ pid: number }>('select pg_backend_pid() as pid')
    const ended = new Promise((resolve) => client.once('end', resolve))
    await terminate(admin, rows[0]?.pid ?? 0)
    await ended
    const error = await failureOf(driver.query('select 1'))
    expect(driver.isConnectionError(error)).toBe(true)
    expect(driver.outcomeIsUnknown(error)).toBe(false)
  })

  test('of a session aborts `lost`, and another session hears again', async () => {
    const { driver, pool } = openPool({ max: 2 })
    const session = await driver.openSession()
    const heard = listener()
    await session.listen?.('after_loss', heard.hear)
    const { rows } = await session.query<{ pid: number }>('select pg_backend_pid() as pid')
    const lost = new Promise((resolve) => session.lost.addEventListener('abort', resolve))
    await terminate(admin, rows[0]?.pid ?? 0)
    await lost
    expect(driver.isConnectionError(session.lost.reason)).toBe(true)
    const refusal = await failureOf(session.query('select 1'))
    expect(driver.outcomeIsUnknown(refusal)).toBe(false)
    await session.close()
    const next = await driver.openSession()
    await next.listen?.('after_loss', heard.hear)
    await admin.query(`select pg_notify('after_loss', 'again')`)
    expect(await heard.next()).toBe('again')
    await next.close()
    expect(pool.totalCount).toBe(0)
  })
})

describe('a session', () => {
  test('leaves neither its locks nor its LISTENs to the next user of the pool', async () => {
    const { driver, pool } = openPool({ max: 2 })
    const session = await driver.openSession()
    await session.listen?.('left_behind', () => {})
    await session.query('select pg_advisory_lock_shared(4711)')
    await session.close()
    const { rows } = await admin.query<{ free: boolean }>(
      'select pg_try_advisory_lock(4711) as free',
    )
    expect(rows[0]?.free).toBe(true)
    expect(pool.totalCount).toBe(0)
    expect((await driver.query('select pg_listening_channels() as channel')).rows).toEqual([])
  })

  test('needs a second connection, so a pool of one cannot receive', () => {
    expect(openPool({ max: 1 }).driver.cannotReceive).toContain('max of 2')
    expect(openPool({ max: 2 }).driver.cannotReceive).toBeUndefined()
  })
})
