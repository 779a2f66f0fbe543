import { randomBytes } from 'node:crypto'
import { Pool } from 'pg'
import { describe, inject } from 'vitest'
import { quoteIdentifier } from '../../src/core/identifiers.ts'
import { describeSchema } from '../../src/doctor/described-schema.ts'
import { EXPECTED_PARTS, OUR_TABLES, tableOf } from '../../src/doctor/expected-schema.ts'
import { DEFAULT_LIMITS } from '../../src/doctor/limits.ts'
import { readServer, readStanding } from '../../src/doctor/subject.ts'
import type { Database } from '../../src/drivers/database.ts'
import { driverFor } from '../../src/drivers/recognise.ts'
import { migrateDown, migrateUp } from '../../src/migrations/migrate.ts'
import { readOnly } from '../../src/store/read-only.ts'
import { Store } from '../../src/store/store.ts'
import { describeEachDatabase, expect, test } from '../support/fixtures.ts'
import { commandsOf, findingsOf, findingThat } from './arrange.ts'

/** The schema as the doctor sees it, a line for each part. */
async function linesOf(db: Database, schema: string): Promise<string[]> {
  const store = new Store(driverFor(db), schema)
  const { server, role } = await readServer(store, undefined)
  const standing = await readStanding(store)
  const subject = { store, server, role, standing, limits: DEFAULT_LIMITS, version: '' }
  const parts = await readOnly(store, (tx) => describeSchema(subject, tx))
  return parts.map(({ kind, name, text }) => `${kind} ${name}: ${text}`).sort()
}

describeEachDatabase('what is expected of a schema', (test) => {
  test('is what migrations make', async ({ db, schema }) => {
    const expected = EXPECTED_PARTS.map(({ kind, name, text }) => `${kind} ${name}: ${text}`)
    expect(await linesOf(db, schema)).toEqual(expected.sort())
  })
})

test('every part of a table is known to be of it', () => {
  for (const part of EXPECTED_PARTS) {
    if (['enum', 'sequence', 'function'].includes(part.kind)) continue
    expect(OUR_TABLES).toContain(tableOf(part))
  }
  expect(OUR_TABLES).toContain('jobs')
})

test.each(['millrace', 'order', "it's", 'back\\slash', '"', 'jobs', 'a.b', '{schema}'])(
  'a schema may be named %j',
  async (name) => {
    const pool = new Pool({ connectionString: inject('databaseUrl'), max: 2 })
    const database = `drift_${randomBytes(4).toString('hex')}`
    await pool.query(`create database ${database}`)
    const url = new URL(inject('databaseUrl'))
    url.pathname = database
    const own = new Pool({ connectionString: url.href, max: 4 })
    try {
      await migrateUp(own, { schema: name })
      expect(await findingsOf('drift', own, { schema: name })).toMatchObject([{ level: 'ok' }])
      await own.query(`drop index ${quoteIdentifier(name)}.marks_of_claim`)
      const finding = await findingThat('marks_of_claim', 'drift', own, { schema: name })
      for (const command of commandsOf(finding)) await own.query(command)
      expect(await findingsOf('drift', own, { schema: name })).toMatchObject([{ level: 'ok' }])
      await migrateDown(own, { schema: name, to: 0 })
    } finally {
      await own.end()
      await pool.query(`drop database ${database} with (force)`)
      await pool.end()
    }
  },
)

describe('a part that is not as migrations make it', () => {
  /** What was done, what is said of it, and how bad it is. */
  const damages: [done: string, says: string | RegExp, level: string][] = [
    ['drop index {schema}.jobs_due', 'The index jobs_due is missing.', 'error'],
    ['drop index {schema}.history_of_job', 'The index history_of_job is missing.', 'error'],
    [
      'drop index {schema}.marks_of_claim; create index marks_of_claim on {schema}.marks (worker_id)',
      'The index marks_of_claim is not as migrations make it: ',
      'error',
    ],
    [
      'create index of_mine on {schema}.jobs (claimed_by)',
      'Migrations do not make the index of_mine: ',
      'warning',
    ],
    [
      'alter table {schema}.jobs drop constraint jobs_by_id',
      'The constraint jobs.jobs_by_id is missing.',
      'error',
    ],
    [
      'alter table {schema}.queues drop constraint queue_names',
      'The constraint queues.queue_names is missing.',
      'error',
    ],
    [
      'alter table {schema}.jobs set (fillfactor = 100)',
      'The storage options of the table jobs are not as migrations make them: fillfactor is 100, not 45.',
      'warning',
    ],
    [
      'alter table {schema}.jobs reset (vacuum_truncate, autovacuum_vacuum_threshold)',
      'autovacuum_vacuum_threshold is not set, not 20000; vacuum_truncate is not set, not off.',
      'warning',
    ],
    [
      'alter table {schema}.marks set (autovacuum_vacuum_cost_delay = 10)',
      'autovacuum_vacuum_cost_delay is 10, not left as it comes.',
      'warning',
    ],
    [
      'create trigger "Of mine" before insert on {schema}.jobs for each row execute function suppress_redundant_updates_trigger()',
      'Migrations do not make the trigger jobs.Of mine: ',
      'warning',
    ],
  ]

  test.for(damages)('%s', async ([done, says, level], { db, schema, rows }) => {
    await rows(done)
    const finding = await findingThat(says, 'drift', db, { schema })
    expect(finding.level).toBe(level)
    // What is told heals it.
    for (const command of commandsOf(finding)) await db.query(command)
    expect(await findingsOf('drift', db, { schema })).toMatchObject([{ level: 'ok' }])
  })

  test.for([
    ['alter table {schema}.queues drop column rewind', 'The column queues.rewind is missing.'],
    [
      'alter table {schema}.jobs alter column attempt type bigint',
      'The column jobs.attempt is not as migrations make it: bigint not null default ',
    ],
    ['drop table {schema}.marks', 'The table marks is missing.'],
    [
      'alter table {schema}.jobs enable row level security',
      'The table jobs is not as migrations make it: permanent with row level security, not permanent.',
    ],
    [
      'drop function {schema}.drop_history_partition(date)',
      'The function drop_history_partition(date) is missing.',
    ],
    [
      `create or replace function {schema}.add_history_partition(day date) returns boolean
       language plpgsql security definer set search_path = pg_catalog, pg_temp as 'begin return true; end'`,
      'body changed, not',
    ],
    [
      'grant execute on function {schema}.add_history_partition(date) to public',
      'for everybody body as migrated, not',
    ],
  ])('%s, which no command mends', async ([done = '', says = ''], { db, schema, rows }) => {
    await rows(done)
    const findings = await findingsOf('drift', db, { schema })
    expect(findings).toMatchObject([{ level: 'error' }])
    expect(findings[0]?.message).toContain(says)
    expect(commandsOf(findings[0] as never)).toEqual([
      `millrace migrate up --print --schema '${schema}'`,
    ])
  })

  test('what is not of Millrace is left alone', async ({ db, schema, rows }) => {
    await rows('create table {schema}.of_mine (id int primary key, "a.b" text)')
    await rows('create index of_mine_too on {schema}.of_mine ("a.b")')
    await rows('create sequence {schema}.numbers_of_mine')
    await rows('create view {schema}.seen_by_me as select id from {schema}.jobs')
    expect(await findingsOf('drift', db, { schema })).toMatchObject([{ level: 'ok' }])
  })

  test('an invalid index is an error, until it is built anew', async ({
    db,
    schema,
    rows,
    queue,
  }) => {
    await queue.enqueueMany([{ args: 1 }, { args: 2 }])
    const build = rows('create unique index concurrently half_built on {schema}.jobs (priority)')
    await expect(build).rejects.toMatchObject({ code: '23505' })
    const finding = await findingThat('half_built of jobs is invalid', 'drift', db, { schema })
    expect(finding.level).toBe('error')
    await rows('delete from {schema}.jobs')
    for (const command of commandsOf(finding)) await db.query(command)
    const after = await findingsOf('drift', db, { schema })
    expect(after.map(({ message }) => message).join()).not.toContain('is invalid')
  })
})
