import { Pool } from 'pg'
import { inject } from 'vitest'
import { driverFor, executorFor } from '../../src/drivers/recognise.ts'
import { preparedName } from '../../src/drivers/prepared-names.ts'
import { expect, test as base } from '../support/fixtures.ts'

const PREPARED = { isPrepared: true }
const ADD = 'select $1::int4 + 1 as "sum"'

/** A pool with one connection, so that a test can see and change what that has prepared. */
const test = base.extend<{ pool: Pool; prepared: () => Promise<number> }>({
  // oxlint-disable-next-line no-empty-pattern -- vitest reads from it what a fixture needs
  pool: async ({}, use) => {
    const pool = new Pool({ connectionString: inject('databaseUrl'), max: 1 })
    await use(pool)
    await pool.end()
  },
  prepared: async ({ pool }, use) => {
    await use(async () => {
      const { rows } = await pool.query<{ count: string }>(
        'select count(*) from pg_prepared_statements',
      )
      return Number(rows[0]?.count)
    })
  },
})

test('a statement with one plan is prepared, any other is not', async ({ pool, prepared }) => {
  const driver = driverFor(pool)
  expect((await driver.query(ADD, [1])).rows).toEqual([{ sum: 2 }])
  expect(await prepared()).toBe(0)
  for (let n = 0; n < 3; n += 1) {
    expect((await driver.query(ADD, [n], PREPARED)).rows).toEqual([{ sum: n + 1 }])
  }
  expect(await prepared()).toBe(1)
})

test('where the server knows the name no more, the statement runs without it, and all later ones', async ({
  pool,
  prepared,
}) => {
  const driver = driverFor(pool)
  await driver.query(ADD, [1], PREPARED)
  await pool.query('deallocate all')
  expect((await driver.query(ADD, [1], PREPARED)).rows).toEqual([{ sum: 2 }])
  expect((await driver.query('select $1::text as "it"', ['x'], PREPARED)).rows).toEqual([
    { it: 'x' },
  ])
  expect(await prepared()).toBe(0)
})

test('where the server knows the name already, the statement runs without it', async ({ pool }) => {
  await pool.query(`prepare "${preparedName(ADD)}" (int4) as ${ADD}`)
  expect((await driverFor(pool).query(ADD, [1], PREPARED)).rows).toEqual([{ sum: 2 }])
})

test('an answer whose type has changed is asked for anew', async ({ pool, rows, schema }) => {
  await rows('create table {schema}.t (a int4)')
  await rows('insert into {schema}.t values (1)')
  const driver = driverFor(pool)
  const read = `select a from "${schema}".t where a::int8 = $1::int8`
  expect((await driver.query(read, [1], PREPARED)).rows).toEqual([{ a: 1 }])
  await rows('alter table {schema}.t alter column a type text')
  expect((await driver.query(read, [1], PREPARED)).rows).toEqual([{ a: '1' }])
})

test('a statement that fails for a reason of its own fails', async ({ pool }) => {
  const failing = driverFor(pool).query('select 1 / $1::int4', [0], PREPARED)
  await expect(failing).rejects.toMatchObject({ code: '22012' })
})

test('in a transaction of the caller a statement is prepared, if the client speaks to the server itself', async ({
  pool,
}) => {
  const client = await pool.connect()
  const count = async (): Promise<number> => {
    const { rows } = await client.query<{ n: string }>(
      'select count(*) as n from pg_prepared_statements',
    )
    return Number(rows[0]?.n)
  }
  try {
    await client.query('begin')
    const tx = executorFor(client)
    expect((await tx.queryPrepared?.(ADD, [1]))?.rows).toEqual([{ sum: 2 }])
    expect(await count()).toBe(1)
    expect((await tx.query(ADD, [2])).rows).toEqual([{ sum: 3 }])
    await client.query('rollback')
  } finally {
    client.release()
  }
})

test('behind a pooler nothing of a transaction of the caller is prepared', async ({ pool }) => {
  const client = await pool.connect()
  try {
    Object.assign(client, { processID: -1 }) // as a pooler tells it
    await client.query('begin')
    expect((await executorFor(client).queryPrepared?.(ADD, [1]))?.rows).toEqual([{ sum: 2 }])
    const { rows } = await client.query('select name from pg_prepared_statements')
    expect(rows).toEqual([])
    await client.query('rollback')
  } finally {
    client.release()
  }
})

test('a transaction that is aborted says so, and the next one is asked anew', async ({ pool }) => {
  const client = await pool.connect()
  try {
    await client.query('begin')
    await client.query('select 1 / 0').catch(() => undefined)
    await expect(executorFor(client).queryPrepared?.(ADD, [1])).rejects.toMatchObject({
      code: '25P02',
    })
    await client.query('rollback')
    await client.query('begin')
    expect((await executorFor(client).queryPrepared?.(ADD, [1]))?.rows).toEqual([{ sum: 2 }])
    await client.query('rollback')
  } finally {
    client.release()
  }
})
