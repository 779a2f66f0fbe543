import postgres from 'postgres'
import { afterEach, describe, expect, inject, test } from 'vitest'
import { driverFor, executorFor } from '../../src/drivers/recognise.ts'
import { failureOf } from './failure.ts'

const databaseUrl = inject('databaseUrl')
const open: postgres.Sql[] = []
afterEach(() => Promise.all(open.splice(0).map((sql) => sql.end({ timeout: 1 }))))

function openSql(options: postgres.Options<Record<string, never>> = {}): postgres.Sql {
  const sql = postgres(databaseUrl, { max: 2, ...options })
  open.push(sql)
  return sql
}

const shout = { from: (name: string) => name.toUpperCase(), to: (name: string) => name }

describe('transforms of the user', () => {
  const text = `
    select 'a'::text as "queueName", 1::int4 as run_at, true as "isOwner", null::text as "runAt2", $1::text as id`
  const answer = [{ queueName: 'a', run_at: 1, isOwner: true, runAt2: null, id: 'x' }]

  test.each([
    ['camel', postgres.camel],
    ['pascal', postgres.pascal],
    ['kebab', postgres.kebab],
    ['upper case', { column: shout }],
    ['a value for undefined', { undefined: null }],
    ['values', { value: { from: () => 'other' } }],
  ])('leave names and values of our statements alone: %s', async (_, transform) => {
    const sql = openSql({ transform })
    expect((await driverFor(sql).query(text, ['x'])).rows).toEqual(answer)
    await driverFor(sql).transaction(async (tx) => {
      expect((await tx.query(text, ['x'])).rows).toEqual(answer)
    })
    await sql.begin(async (tx) => {
      expect((await executorFor(tx).query(text, ['x'])).rows).toEqual(answer)
    })
  })

  test('go on for the statements of the user', async () => {
    const sql = openSql({ transform: postgres.camel })
    await driverFor(sql).query(text, ['x'])
    expect([...(await sql`select 1 as run_at`)]).toEqual([{ runAt: 1 }])
  })

  test('that give columns names of their own are refused', async () => {
    const sql = openSql({ transform: { column: { from: (name) => `column_${name}_of_mine` } } })
    const error = await failureOf(driverFor(sql).query(text, ['x']))
    expect(error).toMatchObject({ code: 'INVALID_DATABASE' })
    expect(error.message).toContain('transform.column')
  })

  test('that change whole rows are refused, at once where the sql is known', async () => {
    const sql = openSql({ transform: { row: { from: (row) => ({ wrapped: row }) } } })
    expect(() => driverFor(sql)).toThrow('transform.row')
    const inside = sql.begin((tx) => executorFor(tx).query('select 1 as "one"'))
    await expect(inside).rejects.toThrow('transform.row')
  })
})

describe('a transaction of the user', () => {
  test('may be a reserved connection after its begin', async () => {
    const sql = openSql()
    const reserved = await sql.reserve()
    await reserved`begin`
    const { rows } = await executorFor(reserved).query('select $1::int4 as "n"', [7])
    expect(rows).toEqual([{ n: 7 }])
    await reserved`rollback`
    reserved.release()
  })

  test('may be a savepoint', async () => {
    const sql = openSql()
    await sql.begin((tx) =>
      tx.savepoint(async (inner) => {
        expect((await executorFor(inner).query('select 1::int4 as "n"')).rows).toEqual([{ n: 1 }])
      }),
    )
  })

  test('is never the whole sql', () => {
    expect(() => executorFor(openSql())).toThrow('a whole database')
  })
})

test('constructing a driver connects to nothing', () => {
  const sql = postgres('postgres://nobody@127.0.0.1:1/nothing')
  expect(driverFor(sql)).toMatchObject({ name: 'postgres.js', cannotReceive: undefined })
})
