import { Pool } from 'pg'
import { describe } from 'vitest'
import { LATEST_VERSION } from '../../src/migrations/all.ts'
import { quoteIdentifier } from '../../src/core/identifiers.ts'
import { CHECKS } from '../../src/doctor/checks.ts'
import { diagnose } from '../../src/doctor/diagnose.ts'
import { driverFor } from '../../src/drivers/recognise.ts'
import { migrateDown } from '../../src/migrations/migrate.ts'
import { readOnly } from '../../src/store/read-only.ts'
import { Store } from '../../src/store/store.ts'
import { describeEachDatabase, expect, test } from '../support/fixtures.ts'
import { findingsOf, findingThat } from './arrange.ts'

const version = '0.1.0'
describeEachDatabase('a schema that was just migrated', (test, database) => {
  test('has nothing wrong with it', async ({ db, schema }) => {
    const findings = await diagnose(db, { schema, version })
    const named = new Set(findings.map(({ check }) => check))
    expect([...named]).toEqual(CHECKS.map(({ name }) => name))
    // Other tests may hold snapshots of the same database, and load it.
    const ofSchema = findings.filter(({ check }) => !['snapshots', 'autovacuum'].includes(check))
    expect(ofSchema.filter(({ level }) => level === 'error' || level === 'warning')).toEqual([])
    const skipped = findings.filter(({ level }) => level === 'skipped').map(({ check }) => check)
    expect(skipped).toEqual(
      database === 'PGlite' ? ['pooler', 'clock', 'autovacuum', 'snapshots'] : [],
    )
  })
})

/** A version that this release does not know. */
const NEXT = LATEST_VERSION + 1

describe('the schema', () => {
  test('that is not there is an error, and nothing is looked for in it', async ({ db, schema }) => {
    await migrateDown(db, { schema, to: 0 })
    const findings = await diagnose(db, { schema, version })
    expect(findings.filter(({ level }) => level === 'error')).toEqual([
      {
        check: 'versions',
        level: 'error',
        message: `There is no schema "${schema}" of Millrace in this database.`,
        remedy: `Apply what is missing:\nmillrace migrate up --schema '${schema}'`,
      },
    ])
    const skipped = findings.filter(({ level }) => level === 'skipped')
    expect(skipped.map(({ check }) => check)).toEqual([
      ...['drift', 'privileges', 'history', 'queues', 'workers', 'suspects', 'autovacuum', 'bloat'],
    ])
    for (const { message } of skipped) expect(message).toBe('The schema is not there.')
  })

  test('that needs newer code is an error', async ({ db, schema, rows }) => {
    await rows(
      `insert into {schema}.migrations (version, name, oldest_code) values (${NEXT}, 'next', ${NEXT})`,
    )
    const finding = await findingThat(`needs code of version ${NEXT}`, 'versions', db, { schema })
    expect(finding.level).toBe('error')
    const [queues] = await findingsOf('queues', db, { schema })
    expect(queues).toMatchObject({
      level: 'skipped',
      message: 'The schema is too new for this release.',
    })
  })

  test('that is newer and still admits this code is used, but not compared', async ({
    db,
    schema,
    rows,
  }) => {
    await rows(
      `insert into {schema}.migrations (version, name, oldest_code) values (${NEXT}, 'next', 1)`,
    )
    const finding = await findingThat('newer than Millrace', 'versions', db, { schema })
    expect(finding.level).toBe('ok')
    expect(await findingsOf('drift', db, { schema })).toMatchObject([{ level: 'skipped' }])
    expect(await findingsOf('queues', db, { schema })).toMatchObject([{ level: 'ok' }])
  })

  test('of somebody else is an error', async ({ db, schema, rows }) => {
    await rows('alter table {schema}.migrations drop column oldest_code')
    const finding = await findingThat('that is not of millrace', 'versions', db, { schema })
    expect(finding.level).toBe('error')
  })
})

test('a check that cannot look is a finding, and the others are not kept from theirs', async ({
  db,
  schema,
}) => {
  const other = await db.connect()
  await other.query(`begin; lock table ${quoteIdentifier(schema)}.jobs in access exclusive mode`)
  try {
    const findings = await diagnose(db, { schema, version })
    expect(findings.filter(({ check }) => check === 'bloat')).toMatchObject([
      { level: 'warning', message: 'Somebody held a lock on it for longer than 1 s.' },
    ])
    expect(findings.filter(({ check }) => check === 'wraparound')).toMatchObject([{ level: 'ok' }])
  } finally {
    await other.query('rollback')
    other.release()
  }
})

test('a database that is away rejects', async () => {
  const pool = new Pool({ connectionString: 'postgres://nobody@127.0.0.1:1/nothing' })
  await expect(diagnose(pool, { version })).rejects.toMatchObject({ code: 'ECONNREFUSED' })
  await pool.end()
})

describe('a transaction that only looks', () => {
  test('changes nothing', async ({ db, schema }) => {
    const store = new Store(driverFor(db), schema)
    const insert = `insert into ${store.qualified('suspects')} values (1, 1)`
    const refused = readOnly(store, (tx) => tx.query(insert))
    await expect(refused).rejects.toMatchObject({ code: '25006' })
  })

  test('leaves no setting behind on its connection', async ({ databaseUrl, schema }) => {
    const one = new Pool({ connectionString: databaseUrl, max: 1 })
    const settings = `select name, setting from pg_settings
      where name in ('transaction_read_only', 'statement_timeout', 'lock_timeout', 'search_path')`
    const before = (await one.query(settings)).rows as unknown
    await readOnly(new Store(driverFor(one), schema), () => Promise.resolve())
    expect((await one.query(settings)).rows).toEqual(before)
    await one.end()
  })
})
