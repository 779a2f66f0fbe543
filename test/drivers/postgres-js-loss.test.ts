import { randomBytes } from 'node:crypto'
import { Pool } from 'pg'
import postgres from 'postgres'
import { afterAll, afterEach, beforeAll, describe, expect, inject, test } from 'vitest'
import type { Driver } from '../../src/drivers/driver.ts'
import { driverFor } from '../../src/drivers/recognise.ts'
import { startTcpProxy, type TcpProxy } from '../support/tcp-proxy.ts'
import { listener } from './conformance.ts'
import { failureOf } from './failure.ts'
import { backendGone, backendRunning, terminate, until } from './server-side.ts'

const databaseUrl = inject('databaseUrl')
const admin = new Pool({ connectionString: databaseUrl })
const table = `pjs_loss_${randomBytes(5).toString('hex')}`
const open: postgres.Sql[] = []
const unheard: unknown[] = []
const hear = (error: unknown): void => void unheard.push(error)
let proxy: TcpProxy

beforeAll(async () => {
  process.on('unhandledRejection', hear).on('uncaughtException', hear)
  proxy = await startTcpProxy(databaseUrl)
  await admin.query(`create table ${table} (id int4 primary key)`)
})
afterEach(async () => {
  proxy.rule = () => 'forward'
  proxy.newcomers = 'carry'
  await Promise.all(open.splice(0).map((sql) => sql.end({ timeout: 1 })))
  expect(unheard).toEqual([])
})
afterAll(async () => {
  process.off('unhandledRejection', hear).off('uncaughtException', hear)
  await proxy.close()
  await admin.query(`drop table ${table}`)
  await admin.end()
})

const mark = (): string => `/* ${randomBytes(6).toString('hex')} */`
const isStored = async (id: number): Promise<boolean> =>
  (await admin.query(`select from ${table} where id = $1`, [id])).rowCount === 1
const countStored = async (id: number): Promise<number | null> =>
  (await admin.query(`select from ${table} where id >= $1 and id < $1 + 10`, [id])).rowCount

function openSql(options: postgres.Options<Record<string, never>> & { viaProxy?: boolean } = {}): {
  sql: postgres.Sql
  driver: Driver
} {
  const { viaProxy, ...rest } = options
  const sql = postgres(viaProxy === true ? proxy.url : databaseUrl, { max: 4, ...rest })
  open.push(sql)
  return { sql, driver: driverFor(sql) }
}

describe('a connection lost in the middle of a statement', () => {
  test.each([[[]], [[1]]])(
    'rejects with an unknown outcome, and the next statement runs over another connection (values %j)',
    async (values) => {
      const { driver } = openSql()
      const sleeping = mark()
      const text = `select ${values.length > 0 ? '$1::text, ' : ''}pg_sleep(60)::text ${sleeping}`
      const failure = failureOf(driver.query(text, values))
      await terminate(admin, await backendRunning(admin, sleeping))
      const error = await failure
      expect(driver.isConnectionError(error)).toBe(true)
      expect(driver.outcomeIsUnknown(error)).toBe(true)
      expect((await driver.query('select 1::int4 as one')).rows).toEqual([{ one: 1 }])
    },
  )

  test.each(['cut', 'reset'] as const)(
    'may have been carried out, and is not sent again (%s)',
    async (how) => {
      const { driver } = openSql({ viaProxy: true })
      await driver.query('select 1')
      const first = how === 'cut' ? 10 : 20
      const insert = `insert into ${table} select coalesce(max(id), $1::int4 - 1) + 1 from ${table} where id >= $1`
      const lost = proxy.cutAnswerTo(`insert into ${table}`, how)
      const error = await failureOf(driver.query(insert, [first]))
      await lost
      expect(driver.isConnectionError(error)).toBe(true)
      expect(driver.outcomeIsUnknown(error)).toBe(true)
      expect((await driver.query('select 1::int4 as one')).rows).toEqual([{ one: 1 }])
      expect(await countStored(first)).toBe(1)
    },
  )

  test('leaves nothing of a transaction whose commit was not sent, which is known', async () => {
    const { driver } = openSql()
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
    expect((await driver.query('select 1::int4 as one')).rows).toEqual([{ one: 1 }])
  })

  test('between two statements of a transaction is known to leave nothing', async () => {
    const { driver } = openSql({ max: 1 })
    const failure = failureOf(
      driver.transaction(async (tx) => {
        await tx.query(`insert into ${table} values (4)`)
        const { rows } = await tx.query('select pg_backend_pid() as pid')
        await terminate(admin, Number(rows[0]?.['pid']))
        await tx.query(`insert into ${table} values (5)`)
      }),
    )
    const error = await failure
    expect(driver.isConnectionError(error)).toBe(true)
    expect(driver.outcomeIsUnknown(error)).toBe(false)
    // The server's goodbye may be taken for the answer to the next statement.
    const ask = () => driver.query('select 1::int4 as one').catch(() => undefined)
    expect((await until(ask)).rows).toEqual([{ one: 1 }])
    expect(await isStored(4)).toBe(false)
    expect(await isStored(5)).toBe(false)
  })

  test('during the commit leaves the outcome of the transaction unknown', async () => {
    const { driver } = openSql({ viaProxy: true })
    const lost = proxy.cutAnswerTo('commit')
    const error = await failureOf(
      driver.transaction((tx) => tx.query(`insert into ${table} values (6)`)),
    )
    await lost
    expect(driver.outcomeIsUnknown(error)).toBe(true)
    expect(await isStored(6)).toBe(true)
  })

  test('is survived by the transactions of others, again and again', async () => {
    const { driver } = openSql({ max: 3, backoff: () => 0.01 })
    const attempt = async (n: number): Promise<string> => {
      const work = driver.transaction(async (tx) => {
        const { rows } = await tx.query('select pg_backend_pid() as pid')
        if (n % 3 === 0) await admin.query('select pg_terminate_backend($1)', [rows[0]?.['pid']])
        await Promise.all([1, 2, 3].map(() => tx.query('select pg_sleep(0.001)')))
        return 'done'
      })
      return work.catch((error: unknown) => (driver.isConnectionError(error) ? 'lost' : 'failed'))
    }
    const outcomes = await Promise.all(Array.from({ length: 60 }, (_, n) => attempt(n)))
    expect(outcomes.filter((outcome) => outcome === 'failed')).toEqual([])
    // postgres.js also rejects the first statement over a connection that it makes anew, unsent, with the old error.
    const done = outcomes.filter((outcome) => outcome === 'done').length
    expect(done).toBeGreaterThan(0)
    expect(done).toBeLessThanOrEqual(40)
    expect(
      (
        await driver
          .query('select 1::int4 as one')
          .catch(() => driver.query('select 1::int4 as one'))
      ).rows,
    ).toEqual([{ one: 1 }])
  })
})

describe('a statement that was never sent', () => {
  test('says so when the server is not there', async () => {
    const { driver } = openSql({ port: 1 })
    const error = await failureOf(driver.query('select 1'))
    expect(driver.isConnectionError(error)).toBe(true)
    expect(driver.outcomeIsUnknown(error)).toBe(false)
    const failed = await failureOf(driver.transaction(async () => {}))
    expect(driver.isConnectionError(failed)).toBe(true)
    expect(driver.outcomeIsUnknown(failed)).toBe(false)
  })

  test('says so when the server does not answer in time', async () => {
    proxy.newcomers = 'ignore'
    const { driver } = openSql({ viaProxy: true, connect_timeout: 0.2 })
    const error = await failureOf(driver.query('select 1'))
    expect(error).toMatchObject({ code: 'CONNECT_TIMEOUT' })
    expect(driver.outcomeIsUnknown(error)).toBe(false)
  })

  test('says so when it still waits for a connection as sql is destroyed', async () => {
    const { sql, driver } = openSql({ max: 1 })
    const sleeping = mark()
    const busy = failureOf(driver.query(`select $1::text, pg_sleep(60)::text ${sleeping}`, [1]))
    await backendRunning(admin, sleeping)
    const queued = failureOf(driver.query(`insert into ${table} values ($1)`, [7]))
    await sql.end({ timeout: 0 })
    expect(driver.outcomeIsUnknown(await queued)).toBe(false)
    expect(driver.outcomeIsUnknown(await busy)).toBe(true)
    expect(await isStored(7)).toBe(false)
  })

  test('is not sent later, when the wait for it was ended', async () => {
    const { driver } = openSql({ max: 1 })
    const sleeping = mark()
    const busy = driver.query(`select $1::text, pg_sleep(0.3)::text ${sleeping}`, [1])
    await backendRunning(admin, sleeping)
    const stop = new AbortController()
    const { signal } = stop
    const queued = failureOf(driver.query(`insert into ${table} values ($1)`, [8], { signal }))
    const begun = failureOf(
      driver.transaction((tx) => tx.query(`insert into ${table} values (9)`), { signal }),
    )
    const reason = new Error('enough')
    setImmediate(() => stop.abort(reason))
    expect(await queued).toBe(reason)
    expect(await begun).toBe(reason)
    expect(driver.outcomeIsUnknown(reason)).toBe(false)
    await busy
    expect((await driver.query('select 1::int4 as one')).rows).toEqual([{ one: 1 }])
    expect(await isStored(8)).toBe(false)
    expect(await isStored(9)).toBe(false)
  })

  test('is refused when its signal has aborted before', async () => {
    const { driver } = openSql()
    const signal = AbortSignal.abort(new Error('too late'))
    await expect(driver.query('select 1', [], { signal })).rejects.toThrow('too late')
    await expect(driver.transaction(async () => {}, { signal })).rejects.toThrow('too late')
  })
})

test('a wait for an answer can be ended, with an unknown outcome', async () => {
  const { driver } = openSql({ max: 1 })
  const sleeping = mark()
  const stop = new AbortController()
  const text = `select $1::text, pg_sleep(60)::text ${sleeping}`
  const failure = failureOf(driver.query(text, [1], { signal: stop.signal }))
  const pid = await backendRunning(admin, sleeping)
  stop.abort()
  const error = await failure
  expect(error).toMatchObject({ code: 'OUTCOME_UNKNOWN' })
  expect(driver.outcomeIsUnknown(error)).toBe(true)
  await terminate(admin, pid)
})

describe('a session', () => {
  const pidOf = async (session: { query: Driver['query'] }): Promise<number> =>
    Number(
      (await session.query<{ pid: string }>('select pg_backend_pid()::text as pid')).rows[0]?.pid,
    )

  test('leaves no connection, lock or LISTEN behind when it is closed', async () => {
    const { driver } = openSql({ max: 1 })
    const session = await driver.openSession()
    const pid = await pidOf(session)
    await session.listen?.('anything', () => {})
    await session.query('select pg_advisory_lock_shared(17, 4)')
    await session.close()
    await backendGone(admin, pid)
    const { rows } = await driver.query(
      `select count(*)::int4 as locks from pg_locks where pid = ${pid}`,
    )
    expect(rows).toEqual([{ locks: 0 }])
  })

  test('needs no connection of a pool that is full', async () => {
    const { sql, driver } = openSql({ max: 1 })
    const reserved = await sql.reserve()
    const session = await driver.openSession()
    expect(await pidOf(session)).toBeGreaterThan(0)
    await session.close()
    reserved.release()
  })

  test('says that it is lost when its connection ends, also while nothing is under way', async () => {
    const { driver } = openSql()
    const session = await driver.openSession()
    const heard = listener()
    await session.listen?.('loss', heard.hear)
    await terminate(admin, await pidOf(session))
    await until(() => (session.lost.aborted ? true : undefined))
    const error = await failureOf(session.query('select 1'))
    expect(driver.isConnectionError(error)).toBe(true)
    expect(driver.outcomeIsUnknown(error)).toBe(false)
    await session.close()
    const next = await driver.openSession()
    await next.listen?.('loss', heard.hear)
    await driver.query(`select pg_notify('loss', 'again')`)
    expect(await heard.next()).toBe('again')
    await next.close()
  })

  test('says that it is lost when it breaks in a statement', async () => {
    const { driver } = openSql({ viaProxy: true })
    const session = await driver.openSession()
    const lost = proxy.cutAnswerTo('select 7', 'reset')
    const error = await failureOf(session.query('select 7'))
    await lost
    expect(driver.isConnectionError(error)).toBe(true)
    expect(session.lost.aborted).toBe(true)
    await session.close()
  })

  test('closes over a network that went silent', async () => {
    const { driver } = openSql({ viaProxy: true })
    const session = await driver.openSession()
    proxy.silence()
    const unanswered = failureOf(session.query('select $1::text', ['a']))
    await session.close()
    expect(driver.isConnectionError(await unanswered)).toBe(true)
  })

  test('says when it cannot be opened, and stops trying when told to', async () => {
    proxy.newcomers = 'refuse'
    const { driver } = openSql({ viaProxy: true })
    const refused = await failureOf(driver.openSession())
    expect(driver.isConnectionError(refused)).toBe(true)
    expect(driver.outcomeIsUnknown(refused)).toBe(false)
    proxy.newcomers = 'ignore'
    const stop = new AbortController()
    const opening = failureOf(driver.openSession({ signal: stop.signal }))
    await until(() => (proxy.connections.length > 0 ? true : undefined))
    const reason = new Error('enough')
    stop.abort(reason)
    expect(await opening).toBe(reason)
  })
})
