import { PGlite } from '@electric-sql/pglite'
import { Client, Pool } from 'pg'
import { describe, expect, inject, test } from 'vitest'
import { MillraceError } from '../../src/core/errors.ts'
import { driverFor, executorFor } from '../../src/drivers/recognise.ts'
import { failureOf } from './failure.ts'

const connectionString = inject('databaseUrl')

function refusalOf(attempt: () => unknown): MillraceError {
  try {
    attempt()
  } catch (error) {
    if (error instanceof MillraceError) return error
    throw error
  }
  throw new Error('It was to be refused, and was not.')
}

describe('driverFor', () => {
  class Knex {
    readonly raw = 'select 1'
  }
  const refused: [what: string, value: unknown, said: RegExp][] = [
    ['a connection string', 'postgres://me:secret@localhost/db', /string.*new pg\.Pool/],
    ['nothing', undefined, /is undefined/],
    ['null', null, /is null/],
    ['a number', 5432, /is 5432/],
    ['an empty object', {}, /class Object.*pg\.Pool/],
    ['an object without a prototype', Object.create(null), /an object/],
    ['some other library', new Knex(), /class Knex/],
    ['the class instead of an object of it', Pool, /a function/],
    ['a configuration', { connectionString: 'postgres://localhost' }, /class Object/],
    ['a promise', PGlite.prototype.waitReady ?? Promise.resolve(), /await it/],
    ['what only runs statements', { query: async () => ({ rows: [] }) }, /transaction\(\)/],
    ['a Drizzle database', { $client: {}, execute: () => {} }, /\$client/],
    ['postgres.js', Object.assign(() => {}, { unsafe: () => {}, begin: () => {} }), /postgres\.js/],
  ]
  test.each(refused)('refuses %s and says what it takes', (_, value, said) => {
    const error = refusalOf(() => driverFor(value))
    expect(error.code).toBe('INVALID_DATABASE')
    expect(error.message).toMatch(said)
    expect(error.message).toContain('pg.Pool')
    expect(error.message).not.toContain('secret')
  })

  test('does no I/O and leaves the pool alone', () => {
    const pool = new Pool({ connectionString })
    driverFor(pool)
    expect(pool.totalCount).toBe(0)
    expect(pool.listenerCount('error')).toBe(0)
  })

  test('listens for errors of a pool once, however often it is used', async () => {
    const pool = new Pool({ connectionString })
    for (let i = 0; i < 3; i += 1) await driverFor(pool).query('select 1')
    expect(pool.listenerCount('error')).toBe(1)
    await pool.end()
  })
})

describe('executorFor', () => {
  const refused: [what: string, value: unknown][] = [
    ['null', null],
    ['true', true],
    ['a string', 'begin'],
    ['an empty object', {}],
    ['a function', () => {}],
    ['a pool', new Pool()],
  ]
  test.each(refused)('refuses %s', (_, value) => {
    expect(refusalOf(() => executorFor(value))).toMatchObject({
      code: 'INVALID_DATABASE',
      details: { option: 'tx' },
    })
  })

  test('refuses a client that was ended', async () => {
    const client = new Client({ connectionString })
    await client.connect()
    executorFor(client)
    await client.end()
    expect(refusalOf(() => executorFor(client)).message).toContain('ended')
  })

  test('refuses a DB that is known as a database, and takes a transaction that has transactions of its own', () => {
    const db = {
      query: async () => ({ rows: [], rowCount: 0 }),
      transaction: async <T>(work: (tx: never) => Promise<T>) => work(undefined as never),
    }
    driverFor(db)
    expect(refusalOf(() => executorFor(db)).message).toContain('whole database')
    expect(() => executorFor({ ...db })).not.toThrow()
  })

  test('gives what the client gives, and nothing of its class', async () => {
    const client = new Client({ connectionString })
    await client.connect()
    await client.query('begin')
    const { rows, rowCount } = await executorFor(client).query('select $1::int4 as n', [1])
    expect({ rows, rowCount }).toEqual({ rows: [{ n: 1 }], rowCount: 1 })
    await client.end()
  })
})

describe('a pg.Client', () => {
  test('that was never connected is refused, where pg would wait for ever', async () => {
    const client = new Client({ connectionString })
    const error = await failureOf(driverFor(client).query('select 1'))
    expect(error).toMatchObject({ code: 'INVALID_DATABASE' })
    expect(error.message).toContain('client.connect()')
  })

  test("with a transaction of the user's takes no statement past it", async () => {
    const client = new Client({ connectionString })
    await client.connect()
    const driver = driverFor(client)
    await client.query('begin')
    const refusal = { code: 'INVALID_OPTION', details: { option: 'tx' } }
    expect(await failureOf(driver.query('select 1'))).toMatchObject(refusal)
    expect(await failureOf(driver.transaction(async () => {}))).toMatchObject(refusal)
    await client.query('rollback')
    expect((await driver.query('select 1::int4 as one')).rows).toEqual([{ one: 1 }])
    await client.end()
  })

  test('runs our statements one after the other, none within another transaction of ours', async () => {
    const client = new Client({ connectionString })
    await client.connect()
    const driver = driverFor(client)
    const transactionId = 'select pg_current_xact_id()::text as id'
    let inside: unknown
    const work = driver.transaction(async (tx) => {
      inside = (await tx.query(transactionId)).rows[0]
      await new Promise((resolve) => setImmediate(resolve))
      expect((await tx.query(transactionId)).rows[0]).toEqual(inside)
    })
    const outside = driver.query(transactionId)
    await work
    expect((await outside).rows[0]).not.toEqual(inside)
    await client.end()
  })
})
