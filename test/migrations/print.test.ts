import { afterAll, beforeAll, expect, test } from 'vitest'
import { LATEST_VERSION } from '../../src/migrations/all.ts'
import { checkSchema } from '../../src/migrations/check.ts'
import { migrateDown, migrateUp } from '../../src/migrations/migrate.ts'
import { migrationSql } from '../../src/migrations/print.ts'
import { createDatabase, errorOf, rowsOf, valueOf, type TestDatabase } from './arrange.ts'
import { countCatalog, describeSchema } from './catalog.ts'

let database: TestDatabase
beforeAll(async () => {
  database = await createDatabase()
})
afterAll(() => database.drop())

test.each(['millrace', 'it\'s a "queue" \\ $body$', '{schema}'])(
  'what is printed for %j makes the same schema as migrateUp, and takes it back',
  async (schema) => {
    const db = database.pool()
    const before = await countCatalog(db)
    await migrateUp(db, { schema })
    const migrated = await describeSchema(db, schema)
    await migrateDown(db, { to: 0, schema })

    const dba = await database.connect()
    await dba.query(migrationSql({ schema }))
    expect(await describeSchema(db, schema)).toEqual(migrated)
    expect(migrated.length).toBeGreaterThan(100)
    await checkSchema(db, schema)
    expect(await migrateUp(db, { schema })).toEqual({ steps: [] })

    await dba.query(migrationSql({ schema, from: LATEST_VERSION, to: 0 }))
    expect(await countCatalog(db)).toEqual(before)
  },
)

test('a script refuses a schema that is not where it begins, and changes nothing', async () => {
  const db = database.pool()
  const dba = await database.connect()
  await expect(dba.query(migrationSql({ from: LATEST_VERSION, to: 0 }))).rejects.toThrow(
    `the schema is at version 0, but this step begins at ${LATEST_VERSION}`,
  )
  await dba.query('rollback')
  await migrateUp(db)
  await expect(dba.query(migrationSql())).rejects.toThrow(
    `the schema is at version ${LATEST_VERSION}, but this step begins at 0`,
  )
  await dba.query('rollback')
  expect(await rowsOf(db, 'select max(version) as version from millrace.migrations')).toEqual([
    { version: LATEST_VERSION },
  ])
  await migrateDown(db, { to: 0 })
})

test('a script for no step changes nothing', async () => {
  const dba = await database.connect()
  const before = await countCatalog(dba)
  await dba.query(migrationSql({ from: 1, to: 1 }))
  expect(await countCatalog(dba)).toEqual(before)
})

test('a script and migrateUp keep out of each other’s way', async () => {
  const dba = await database.connect()
  const script = migrationSql({ schema: 'together' })
  await dba.query(script.slice(0, script.lastIndexOf('commit;')))
  const migrated = migrateUp(database.pool(), { schema: 'together' })
  await dba.query('commit')
  expect(await migrated).toEqual({ steps: [] })
  expect(await valueOf(dba, 'select count(*)::int from together.migrations')).toBe(LATEST_VERSION)
})

test.each([
  [{ from: -1 }, 'from'],
  [{ from: LATEST_VERSION + 1 }, 'from'],
  [{ to: 1.5 }, 'to'],
  [{ to: '0' }, 'to'],
  [{ to: null }, 'to'],
  [{ schema: '' }, 'schema'],
  [{ direction: 'down' }, 'direction'],
  [null, 'options'],
  [[], 'options'],
])('migrationSql(%j) is refused', async (options, option) => {
  const print = async () => migrationSql(options as object)
  expect(await errorOf(print())).toMatchObject({ code: 'INVALID_OPTION', details: { option } })
})
