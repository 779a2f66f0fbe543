import { PGlite } from '@electric-sql/pglite'
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest'
import { driverFor, executorFor } from '../../src/drivers/recognise.ts'
import { translateMissingSchema } from '../../src/core/missing-schema.ts'
import { checkSchema } from '../../src/migrations/check.ts'
import { migrateDown, migrateUp } from '../../src/migrations/migrate.ts'
import { migrationSql } from '../../src/migrations/print.ts'
import { migrationStatus } from '../../src/migrations/status.ts'
import { errorOf, rowsOf } from './arrange.ts'

// Three steps, so that the order and the stops between them can be seen.
vi.mock(import('../../src/migrations/all.ts'), () => ({
  LATEST_VERSION: 3,
  migrations: [
    {
      version: 1,
      name: 'first',
      oldestCode: 1,
      up: ['create table {schema}.first (id int)'],
      down: ['drop table {schema}.first'],
    },
    {
      version: 2,
      name: 'second',
      oldestCode: 1,
      up: ['create table {schema}.second (id int)'],
      down: ['drop table {schema}.second'],
    },
    {
      version: 3,
      name: 'third',
      oldestCode: 2,
      up: ['create table {schema}.third (id int)', 'insert into {schema}.second values (3)'],
      down: ['delete from {schema}.second where id = 3', 'drop table {schema}.third'],
    },
  ],
}))

let db: PGlite
beforeAll(async () => {
  db = new PGlite()
  await db.waitReady
})
afterEach(() => db.exec('drop schema if exists millrace cascade'))
afterAll(() => db.close())

function check(schema = 'millrace') {
  return checkSchema(driverFor(db), schema)
}

function tables() {
  return rowsOf(
    db,
    `select relname from pg_class where relnamespace = to_regnamespace('millrace') and relkind = 'r'
     order by relname`,
  ).then((rows) => rows.map(({ relname }) => relname))
}

function pretendVersion(version: number, oldestCode: number) {
  return db.query(
    `insert into millrace.migrations (version, name, oldest_code)
     values (${version}, 'from the future', ${oldestCode})`,
  )
}

describe('several steps', () => {
  test('are applied in order and taken back in reverse', async () => {
    const up = await migrateUp(db)
    expect(up.steps.map(({ name }) => name)).toEqual(['first', 'second', 'third'])
    expect(await tables()).toEqual(['first', 'migrations', 'second', 'third'])

    const down = await migrateDown(db, { to: 1 })
    expect(down.steps.map(({ name }) => name)).toEqual(['third', 'second'])
    expect(await tables()).toEqual(['first', 'migrations'])
    expect(await migrationStatus(db)).toEqual({
      current: 1,
      latest: 3,
      pending: [
        { version: 2, name: 'second' },
        { version: 3, name: 'third' },
      ],
    })
    expect(await migrateDown(db, { to: 2 })).toEqual({ steps: [] })
    await migrateUp(db)
    await migrateDown(db, { to: 0 })
    expect(await tables()).toEqual([])
  })

  test('stop at one that fails, which leaves nothing behind, and go on from there', async () => {
    await db.exec('create schema millrace; create table millrace.third (theirs int)')
    const error = await errorOf(migrateUp(db))
    expect(error.code).toBe('42P07')
    expect(await migrationStatus(db)).toMatchObject({ current: 2 })
    expect(await rowsOf(db, 'select * from millrace.second')).toEqual([])

    await db.exec('drop table millrace.third')
    const { steps } = await migrateUp(db)
    expect(steps).toEqual([{ version: 3, name: 'third' }])
  })

  test('are printed from any version to any other', async () => {
    await db.exec(migrationSql({ to: 2 }))
    await db.exec(migrationSql({ from: 2 }))
    expect(await tables()).toEqual(['first', 'migrations', 'second', 'third'])
    expect(await migrationStatus(db)).toMatchObject({ current: 3, pending: [] })
    await db.exec(migrationSql({ from: 3, to: 1 }))
    expect(await tables()).toEqual(['first', 'migrations'])
  })
})

describe('code and schema of different releases', () => {
  test('a missing schema says what to run', async () => {
    const error = await errorOf(check())
    expect(error).toMatchObject({ code: 'SCHEMA_MISSING', details: { schema: 'millrace' } })
    expect(error.message).toContain('migrateUp(db)')
    const other = await errorOf(check('a "b"'))
    expect(other.message).toContain('migrateUp(db, { schema: "a \\"b\\"" })')
  })

  test('the check leaves the transaction of a caller alive', async () => {
    await db.transaction(async (tx) => {
      const error = await errorOf(checkSchema(executorFor(tx), 'millrace'))
      expect(error.code).toBe('SCHEMA_MISSING')
      await tx.query('select 1')
    })
  })

  test('an older schema says both versions and what to run', async () => {
    await db.exec(migrationSql({ to: 2 }))
    const error = await errorOf(check())
    expect(error).toMatchObject({
      code: 'SCHEMA_OUTDATED',
      details: { schema: 'millrace', current: 2, latest: 3 },
    })
    expect(error.message).toContain('migrateUp(db)')
  })

  test('a newer schema that admits this release works, and migrateUp leaves it alone', async () => {
    await migrateUp(db)
    await pretendVersion(4, 3)
    expect(await check()).toEqual({ current: 4, oldestCode: 3 })
    expect(await migrateUp(db)).toEqual({ steps: [] })
    expect(await migrationStatus(db)).toEqual({ current: 4, latest: 3, pending: [] })
  })

  test('a newer schema that needs newer code is refused', async () => {
    await migrateUp(db)
    await pretendVersion(4, 4)
    await pretendVersion(5, 1) // the need of an earlier step is not forgotten
    for (const refused of [() => check(), () => migrateUp(db)]) {
      expect(await errorOf(refused())).toMatchObject({
        code: 'SCHEMA_TOO_NEW',
        details: { schema: 'millrace', current: 5, latest: 3, oldestCode: 4 },
      })
    }
  })

  test('a newer schema is not taken back by code that does not know how', async () => {
    await migrateUp(db)
    await pretendVersion(4, 1)
    expect(await errorOf(migrateDown(db, { to: 0 }))).toMatchObject({ code: 'SCHEMA_TOO_NEW' })
    expect(await tables()).toHaveLength(4)
  })

  test('the database’s word for a missing table becomes SCHEMA_MISSING, other errors stay', async () => {
    for (const sql of ['select from millrace.jobs', 'create table millrace.jobs ()']) {
      const cause = await errorOf(db.query(sql))
      expect(translateMissingSchema(cause, 'millrace')).toMatchObject({
        code: 'SCHEMA_MISSING',
        details: { schema: 'millrace' },
        cause,
      })
    }
    const other = await errorOf(db.query('select 1/0'))
    expect(translateMissingSchema(other, 'millrace')).toBe(other)
    for (const thrown of [undefined, null, 'text', { code: 42 }]) {
      expect(translateMissingSchema(thrown, 'millrace')).toBe(thrown)
    }
  })
})

describe('options', () => {
  test.each([
    [undefined, 'to'],
    [{}, 'to'],
    [{ to: -1 }, 'to'],
    [{ to: 4 }, 'to'],
    [{ to: 0.5 }, 'to'],
    [{ to: '0' }, 'to'],
    [{ to: null }, 'to'],
    [{ to: Number.NaN }, 'to'],
    [{ to: 0, force: true }, 'force'],
    [{ to: 0, signal: {} }, 'signal'],
    [null, 'options'],
    [0, 'options'],
    [[], 'options'],
  ])('migrateDown(db, %j) is refused and changes nothing', async (options, option) => {
    await migrateUp(db)
    expect(await errorOf(migrateDown(db, options as never))).toMatchObject({
      code: 'INVALID_OPTION',
      details: { option },
    })
    expect(await tables()).toHaveLength(4)
  })

  test.each([
    [{ to: 1 }, 'to'],
    [{ signal: 'now' }, 'signal'],
    [{ Schema: 'millrace' }, 'Schema'],
    [null, 'options'],
    ['millrace', 'options'],
  ])('migrateUp(db, %j) is refused and changes nothing', async (options, option) => {
    expect(await errorOf(migrateUp(db, options as never))).toMatchObject({
      code: 'INVALID_OPTION',
      details: { option },
    })
    expect(await tables()).toEqual([])
  })
})
