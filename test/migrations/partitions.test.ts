import { PGlite } from '@electric-sql/pglite'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { migrateUp } from '../../src/migrations/migrate.ts'
import {
  createDatabase,
  errorOf,
  insertHistory,
  rowsOf,
  untilItWaits,
  valueOf,
  withClient,
  type Queryable,
  type TestDatabase,
} from './arrange.ts'

let database: TestDatabase
let embedded: PGlite
beforeAll(async () => {
  database = await createDatabase()
  embedded = new PGlite()
  await embedded.waitReady
  await withClient(database.url, (client) => migrateUp(client))
  await migrateUp(embedded)
})
afterAll(async () => {
  await database.drop()
  await embedded.close()
})

/** A day that no other test uses. */
let days = 0
function anotherDay(): string {
  days += 1
  return new Date(Date.UTC(2001, 0, days)).toISOString().slice(0, 10)
}

function add(db: Queryable, day: string) {
  return valueOf(db, 'select millrace.add_history_partition($1::text::date)', [day])
}

function drop(db: Queryable, day: string) {
  return valueOf(db, 'select millrace.drop_history_partition($1::text::date)', [day])
}

/** Where the row of `insertHistory` with this time went; it is removed again. */
async function partitionOf(db: Queryable, expiresAt: string) {
  await insertHistory(db, 'millrace', expiresAt)
  return valueOf(
    db,
    `delete from millrace.history where expires_at = $1::timestamptz
     returning tableoid::regclass::text`,
    [expiresAt],
  )
}

describe.each([
  ['PostgreSQL', () => database.pool({ max: 1 })],
  ['PGlite', () => embedded],
] as const)('a day of history, on %s', (_, open) => {
  test('is made once and removed once', async () => {
    const db: Queryable = open()
    const day = anotherDay()
    expect(await add(db, day)).toBe(true)
    expect(await add(db, day)).toBe(false)
    const name = `millrace.history_${day.replaceAll('-', '')}`
    expect(await partitionOf(db, `${day}T12:00:00Z`)).toBe(name)
    expect(await drop(db, day)).toBe(true)
    expect(await valueOf(db, 'select to_regclass($1)::text', [name])).toBeNull()
    expect(await drop(db, day)).toBe(true)
    expect(await add(db, day)).toBe(true)
  })

  test.each(['UTC', 'Pacific/Kiritimati', 'Pacific/Niue', 'Europe/Berlin'])(
    'runs from 00:00 UTC to 00:00 UTC in a session of %s',
    async (zone) => {
      const db: Queryable = open()
      await db.query(`set timezone to '${zone}'`)
      await db.query(`set datestyle to 'SQL, DMY'`)
      await add(db, '2024-03-31') // a day of 23 hours in Berlin
      const name = 'millrace.history_20240331'
      expect(await partitionOf(db, '2024-03-31T00:00:00Z')).toBe(name)
      expect(await partitionOf(db, '2024-03-31T23:59:59.999999Z')).toBe(name)
      for (const outside of ['2024-03-30T23:59:59.999999Z', '2024-04-01T00:00:00Z']) {
        const error = await errorOf(insertHistory(db, 'millrace', outside))
        expect(error.code).toBe('23514') // no partition found
      }
      await db.query('reset timezone')
      await db.query('reset datestyle')
    },
  )

  test('is indexed as history is, with nothing that an insert would have to check', async () => {
    const db: Queryable = open()
    const day = anotherDay()
    await add(db, day)
    const name = `millrace.history_${day.replaceAll('-', '')}`
    const indexes = await rowsOf(
      db,
      `select inhparent::regclass::text as parent, pg_index.indisvalid
       from pg_index join pg_inherits on inhrelid = indexrelid
       where indrelid = $1::regclass`,
      [name],
    )
    expect(indexes).toEqual([{ parent: 'millrace.history_of_job', indisvalid: true }])
    const checks = `select count(*)::int from pg_constraint where conrelid = $1::regclass and contype = 'c'`
    expect(await valueOf(db, checks, [name])).toBe(0)
  })

  test.each([null, 'infinity', '-infinity', '1969-12-31', '0044-03-15 BC', '10000-01-01'])(
    '%j is no day to make',
    async (day) => {
      const error = await errorOf(add(open(), day as string))
      expect(error.code).toBe('22023')
    },
  )

  test('is never removed before it is over', async () => {
    const db: Queryable = open()
    const today = new Date().toISOString().slice(0, 10)
    for (const day of [today, '2999-01-01', 'infinity', '-infinity', null]) {
      const error = await errorOf(drop(db, day as string))
      expect(error.code).toBe('22023')
    }
    await add(db, today)
    await db.query(`set timezone to 'Pacific/Kiritimati'`) // where today may be over already
    expect(await errorOf(drop(db, today))).toMatchObject({ code: '22023' })
    await db.query('reset timezone')
  })

  test('with the name of a foreign table is left alone', async () => {
    const db: Queryable = open()
    const day = anotherDay()
    const name = `millrace.history_${day.replaceAll('-', '')}`
    await db.query(`create table ${name} (theirs int)`)
    expect(await drop(db, day)).toBe(true)
    expect(await errorOf(add(db, day))).toMatchObject({ code: '42P07' })
    expect(await valueOf(db, 'select to_regclass($1)::text', [name])).toBe(name)
    await db.query(`drop table ${name}`)
  })
})

describe('beside others', () => {
  test('a day is made beside open readers and writers of history, and settles go on', async () => {
    const [old, day] = [anotherDay(), anotherDay()]
    await add(database.pool(), old)
    const reader = await database.connect()
    await reader.query('begin isolation level repeatable read')
    await reader.query('select count(*) from millrace.history')
    const writer = await database.connect()
    await writer.query('begin')
    await insertHistory(writer, 'millrace', `${old}T01:00:00Z`)

    const hurried = { options: '-c lock_timeout=1s' }
    const maker = await database.connect(hurried)
    await maker.query('begin')
    expect(await add(maker, day)).toBe(true)
    // While its transaction is open, which is when its locks are held:
    const other = await database.connect(hurried)
    await insertHistory(other, 'millrace', `${old}T02:00:00Z`)
    await insertHistory(writer, 'millrace', `${old}T03:00:00Z`)
    await other.query('select count(*) from millrace.history')
    await maker.query('commit')

    // A transaction from before sees the partition too, as a settle must that made it.
    await insertHistory(writer, 'millrace', `${day}T04:00:00Z`)
    await insertHistory(other, 'millrace', `${day}T05:00:00Z`)
    await reader.query('select count(*) from millrace.history')
    await Promise.all([reader.query('commit'), writer.query('commit')])
    const count = `select count(*)::int from millrace.history where expires_at >= $1::date`
    expect(await valueOf(other, count, [old])).toBe(5)
  })

  test('the transaction whose insert found no partition can make it and insert again', async () => {
    const day = anotherDay()
    const client = await database.connect()
    await client.query('begin')
    await client.query('savepoint settle')
    expect(await errorOf(insertHistory(client, 'millrace', `${day}T01:00:00Z`))).toMatchObject({
      code: '23514',
    })
    await client.query('rollback to settle')
    expect(await add(client, day)).toBe(true)
    await insertHistory(client, 'millrace', `${day}T01:00:00Z`)
    await client.query('commit')
  })

  test('of eight sessions at once one makes the day, and none fails', async () => {
    const day = anotherDay()
    const clients = await Promise.all(Array.from({ length: 8 }, () => database.connect()))
    const made = await Promise.all(clients.map((client) => add(client, day)))
    expect(made.filter(Boolean)).toHaveLength(1)
  })

  test.each(['commit', 'rollback'])(
    'who comes second waits for the %s of the first',
    async (end) => {
      const day = anotherDay()
      const [first, second] = await Promise.all([database.connect(), database.connect()])
      await first.query('begin')
      expect(await add(first, day)).toBe(true)
      const answer = add(second, day)
      expect(await untilItWaits(second)).toBe('advisory')
      await first.query(end)
      expect(await answer).toBe(end === 'rollback')
    },
  )

  test('a reader keeps the day, and nobody waits for longer than a moment', async () => {
    const day = anotherDay()
    const reader = await database.connect()
    await add(reader, day)
    await reader.query('begin isolation level repeatable read')
    await reader.query('select count(*) from millrace.history')

    const dropper = await database.connect({ options: '-c lock_timeout=30s' })
    const answer = drop(dropper, day)
    const settler = await database.connect({ options: '-c statement_timeout=5s' })
    await insertHistory(settler, 'millrace', `${day}T01:00:00Z`)
    expect(await answer).toBe(false)
    expect(await valueOf(dropper, 'show lock_timeout')).toBe('30s')
    expect(
      await valueOf(
        settler,
        'select count(*)::int from millrace.history where expires_at >= $1::date and expires_at < $1::date + 1',
        [day],
      ),
    ).toBe(1)

    await reader.query('commit')
    expect(await drop(dropper, day)).toBe(true)
  })

  test('two who remove the same day both succeed', async () => {
    const day = anotherDay()
    const [first, second] = await Promise.all([database.connect(), database.connect()])
    await add(first, day)
    expect(await Promise.all([drop(first, day), drop(second, day)])).toEqual([true, true])
  })
})
