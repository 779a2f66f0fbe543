import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { LATEST_VERSION, migrations } from '../../src/migrations/all.ts'
import type { DB } from '../../src/drivers/driver.ts'
import { lockStatement } from '../../src/migrations/steps.ts'
import { migrateDown, migrateUp } from '../../src/migrations/migrate.ts'
import { migrationStatus } from '../../src/migrations/status.ts'
import {
  createDatabase,
  errorOf,
  insertJob,
  rowsOf,
  STEPS,
  uniqueName,
  untilItWaits,
  valueOf,
  type TestDatabase,
} from './arrange.ts'
import { countCatalog, describeSchema } from './catalog.ts'

let database: TestDatabase
beforeAll(async () => {
  database = await createDatabase()
})
afterAll(() => database.drop())

describe('up and down', () => {
  test('up, down and up again ends where it began', async () => {
    const db = database.pool()
    const empty = await countCatalog(db)
    const first = await migrateUp(db)
    const description = await describeSchema(db, 'millrace')
    await insertJob(db, 'millrace')
    await valueOf(db, 'select millrace.add_history_partition(current_date)')

    const down = await migrateDown(db, { to: 0 })
    expect(await countCatalog(db)).toEqual(empty)

    await migrateUp(db)
    expect(first.steps).toEqual(STEPS)
    expect(down.steps).toEqual(STEPS.toReversed())
    expect(await describeSchema(db, 'millrace')).toEqual(description)
    await migrateDown(db, { to: 0 })
  })

  test('up on what is up to date and down on what is not there do nothing', async () => {
    const db = database.pool()
    const schema = uniqueName('twice')
    expect(await migrateDown(db, { to: 0, schema })).toEqual({ steps: [] })
    await migrateUp(db, { schema })
    const id = await insertJob(db, schema)
    expect(await migrateUp(db, { schema })).toEqual({ steps: [] })
    expect(await valueOf(db, `select id::text from ${schema}.jobs`)).toBe(id)
  })

  test('a client that is no pool migrates too', async () => {
    const client = await database.connect()
    const schema = uniqueName('client')
    await migrateUp(client, { schema })
    expect(await migrationStatus(client, { schema })).toMatchObject({ current: LATEST_VERSION })
  })

  test('any object that satisfies DB will do', async () => {
    const client = await database.connect()
    const db: DB = {
      query: (text, values) => client.query<Record<string, unknown>>(text, values),
      async transaction(work) {
        await client.query('begin')
        try {
          const result = await work({ query: (text, values) => db.query(text, values) })
          await client.query('commit')
          return result
        } catch (error) {
          await client.query('rollback')
          throw error
        }
      },
    }
    const schema = uniqueName('custom')
    await migrateUp(db, { schema })
    expect(await migrationStatus(db, { schema })).toMatchObject({ current: LATEST_VERSION })
    expect((await migrateDown(db, { schema, to: 0 })).steps).toHaveLength(LATEST_VERSION)
  })

  test('the bookkeeping says what was applied and which code it still admits', async () => {
    const db = database.pool()
    const schema = uniqueName('books')
    await migrateUp(db, { schema })
    const rows = await rowsOf(
      db,
      `select version, name, oldest_code, applied_at between now() - interval '1 minute' and now() as is_recent
       from ${schema}.migrations
       order by version`,
    )
    expect(rows).toEqual(
      migrations.map(({ version, name, oldestCode }) => ({
        ...{ version, name, oldest_code: oldestCode, is_recent: true },
      })),
    )
  })
})

describe('nothing foreign is dropped', () => {
  test('a foreign table in the schema stays, and the schema with it', async () => {
    const db = database.pool()
    const schema = uniqueName('tenant')
    await migrateUp(db, { schema })
    await db.query(`create table ${schema}.theirs (id int)`)
    await migrateDown(db, { to: 0, schema })
    const left = await rowsOf(
      db,
      'select relname from pg_class where relnamespace = $1::regnamespace',
      [schema],
    )
    expect(left).toEqual([{ relname: 'theirs' }])
    await migrateUp(db, { schema })
    await db.query(`drop table ${schema}.theirs`)
    await migrateDown(db, { to: 0, schema })
    expect(await valueOf(db, 'select to_regnamespace($1)::text', [schema])).toBeNull()
  })

  test('a foreign view of our tables refuses the step down, and everything of it stays', async () => {
    const db = database.pool()
    const schema = uniqueName('viewed')
    await migrateUp(db, { schema })
    await migrateDown(db, { to: 1, schema }) // the last step is the one that is refused
    const before = await describeSchema(db, schema)
    await db.query(`create view public.${schema} as select id from ${schema}.jobs`)
    const error = await errorOf(migrateDown(db, { to: 0, schema }))
    expect(error.code).toBe('2BP01')
    expect(await describeSchema(db, schema)).toEqual(before)
    await db.query(`drop view public.${schema}`)
  })

  test('a schema that was there before stays', async () => {
    const db = database.pool()
    const schema = uniqueName('given')
    await db.query(`create schema ${schema}`)
    await migrateUp(db, { schema })
    await migrateDown(db, { to: 0, schema })
    expect(await describeSchema(db, schema)).toEqual(['schema: '])
    await migrateUp(db, { schema: 'public' })
    await migrateDown(db, { to: 0, schema: 'public' })
    expect(await valueOf(db, `select to_regnamespace('public')::text`)).toBe('public')
  })

  test('a table "migrations" of another tool is not taken for ours', async () => {
    const db = database.pool()
    const schema = uniqueName('shared')
    await db.query(`create schema ${schema}`)
    await db.query(`create table ${schema}.migrations (id int, name text)`)
    for (const refused of [
      () => migrateUp(db, { schema }),
      () => migrateDown(db, { to: 0, schema }),
      () => migrationStatus(db, { schema }),
    ]) {
      const error = await errorOf(refused())
      expect(error).toMatchObject({ code: 'INVALID_OPTION', details: { option: 'schema' } })
    }
    expect(await valueOf(db, `select count(*)::int from ${schema}.migrations`)).toBe(0)
  })
})

describe('others who migrate at the same time', () => {
  test('a step waits for whoever holds the lock, and the wait can be aborted', async () => {
    const schema = uniqueName('locked')
    const other = await database.connect()
    await other.query('begin')
    await other.query(lockStatement(schema))

    const stop = new AbortController()
    const aborted = errorOf(migrateUp(database.pool(), { schema, signal: stop.signal }))
    const patient = migrateUp(database.pool(), { schema })
    const first = await Promise.race([aborted, patient, sleep(300, 'both wait')])
    expect(first).toBe('both wait')

    const reason = new Error('the deployment was cancelled')
    stop.abort(reason)
    expect(await aborted).toBe(reason)
    await other.query('commit')
    expect((await patient).steps).toHaveLength(LATEST_VERSION)
  })

  test('a step that finds a table in use gives way, and is taken when that is free', async () => {
    const db = database.pool()
    const schema = uniqueName('in_use')
    await migrateUp(db, { schema })
    await migrateDown(db, { to: 1, schema })
    const reader = await database.connect()
    await reader.query('begin')
    await reader.query(`select from ${schema}.jobs`)
    const ours = await database.connect()
    const migrated = migrateUp(ours, { schema })
    await untilItWaits(ours)
    await insertJob(db, schema) // behind the step, but not until the reader has ended
    await reader.query('commit')
    expect((await migrated).steps.at(-1)).toEqual(STEPS.at(-1))
    expect(await valueOf(db, `select count(*)::int from ${schema}.jobs`)).toBe(1)
  })

  test('somebody who makes the schema at the same moment is not in the way', async () => {
    const schema = uniqueName('raced')
    const [other, ours] = [await database.connect(), await database.connect()]
    await other.query('begin')
    await other.query(`create schema ${schema}`)
    const migrated = migrateUp(ours, { schema })
    await untilItWaits(ours)
    await other.query('commit')
    expect((await migrated).steps).toHaveLength(LATEST_VERSION)
    // It is theirs, so it stays.
    await migrateDown(ours, { schema, to: 0 })
    expect(await valueOf(ours, 'select to_regnamespace($1)::text', [schema])).toBe(schema)
  })

  test('a signal that is aborted already changes nothing', async () => {
    const db = database.pool()
    const schema = uniqueName('aborted')
    const reason = new Error('too late')
    const error = await errorOf(migrateUp(db, { schema, signal: AbortSignal.abort(reason) }))
    expect(error).toBe(reason)
    expect(await valueOf(db, 'select to_regnamespace($1)::text', [schema])).toBeNull()
  })

  test('sessions that default to repeatable read see what the others did', async () => {
    const schema = uniqueName('repeatable')
    const options =
      '-c default_transaction_isolation=repeatable\\ read -c standard_conforming_strings=off'
    const results = await Promise.all(
      Array.from({ length: 6 }, () => migrateUp(database.pool({ options, max: 1 }), { schema })),
    )
    expect(results.flatMap(({ steps }) => steps)).toHaveLength(LATEST_VERSION)
  })

  test('the ways up and down may cross', async () => {
    const schema = uniqueName('crossing')
    const results = await Promise.allSettled(
      Array.from({ length: 12 }, (_, index) =>
        index % 2 === 0
          ? migrateUp(database.pool({ max: 1 }), { schema })
          : migrateDown(database.pool({ max: 1 }), { schema, to: 0 }),
      ),
    )
    expect(results.filter(({ status }) => status === 'rejected')).toEqual([])
    await migrateUp(database.pool(), { schema })
  })
})
