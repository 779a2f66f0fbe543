import { PGlite } from '@electric-sql/pglite'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { LATEST_VERSION } from '../../src/migrations/all.ts'
import { quoteIdentifier } from '../../src/core/identifiers.ts'
import { driverFor } from '../../src/drivers/recognise.ts'
import { checkSchema } from '../../src/migrations/check.ts'
import { migrateDown, migrateUp } from '../../src/migrations/migrate.ts'
import { migrationStatus } from '../../src/migrations/status.ts'
import {
  createDatabase,
  errorOf,
  insertHistory,
  insertJob,
  valueOf,
  type TestDatabase,
} from './arrange.ts'
import { countCatalog } from './catalog.ts'

const NAMES = [
  'millrace',
  'Millrace',
  'select',
  'with space',
  ' ',
  'we""ird',
  '"',
  "it's",
  "''",
  'back\\slash',
  'semi;colon--comment/*',
  'new\nline',
  'tab\tand\u0001control',
  '$user',
  '$body$',
  '$body_$body$',
  '$$',
  '$1',
  '100%',
  '%I%s%L',
  '{schema}',
  '{schema_name}{body}',
  ':colon',
  'public',
  'información',
  '队列队列队列队列队列队列队列队列队列队列队', // 63 bytes
  '🐎🐎',
  'x'.repeat(63),
  "E'\\'",
]

let database: TestDatabase
let embedded: PGlite
beforeAll(async () => {
  database = await createDatabase()
  embedded = new PGlite()
  await embedded.waitReady
})
afterAll(async () => {
  await database.drop()
  await embedded.close()
})

describe.each([
  ['PostgreSQL', () => database.pool()],
  ['PGlite', () => embedded],
] as const)('any schema name that PostgreSQL allows, on %s', (_, open) => {
  test.each(NAMES)('%j', async (schema) => {
    const db = open()
    const before = await countCatalog(db)
    await migrateUp(db, { schema })
    await checkSchema(driverFor(db), schema)
    expect(await migrationStatus(db, { schema })).toMatchObject({
      current: LATEST_VERSION,
      pending: [],
    })

    expect(await insertJob(db, schema)).toBe('1')
    const at = quoteIdentifier(schema)
    expect(await valueOf(db, `select ${at}.add_history_partition('2020-02-29')`)).toBe(true)
    expect(await valueOf(db, `select ${at}.add_history_partition('2020-02-29')`)).toBe(false)
    await insertHistory(db, schema, '2020-02-29T12:00:00Z')
    expect(await valueOf(db, `select ${at}.drop_history_partition('2020-02-29')`)).toBe(true)
    expect(await valueOf(db, `select count(*)::int from ${at}.history`)).toBe(0)

    await migrateDown(db, { to: 0, schema })
    expect(await countCatalog(db)).toEqual(before)
  })
})

test('two schemas of one database know nothing of each other', async () => {
  const db = database.pool()
  await migrateUp(db, { schema: 'one' })
  await migrateUp(db, { schema: 'One' })
  await insertJob(db, 'one')
  expect(await valueOf(db, 'select count(*)::int from "One".jobs')).toBe(0)
  await migrateDown(db, { schema: 'One', to: 0 })
  expect(await valueOf(db, 'select count(*)::int from one.jobs')).toBe(1)
})

test.each([
  [null, 'string'],
  [7, 'string'],
  ['', 'empty'],
  ['nul\u0000', '\\u0000'],
  ['lone \ud800', 'surrogate'],
  ['x'.repeat(64), '64'],
  ['队'.repeat(22), '66'],
  ['pg_queue', 'pg_'],
])('the schema %j is refused before the database is asked', async (schema, word) => {
  const untouchable = { query: refuse, transaction: refuse }
  for (const refused of [
    () => migrateUp(untouchable, { schema: schema as string }),
    () => migrateDown(untouchable, { schema: schema as string, to: 0 }),
    () => migrationStatus(untouchable, { schema: schema as string }),
  ]) {
    const error = await errorOf(refused())
    expect(error).toMatchObject({
      code: 'INVALID_OPTION',
      details: { option: 'schema', value: schema },
    })
    expect(error.message).toContain(word)
    expect(error.message).toContain("'millrace'")
  }
})

function refuse(): never {
  throw new Error('the database was asked')
}
