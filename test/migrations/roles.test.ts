import { readFile } from 'node:fs/promises'
import type pg from 'pg'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { LATEST_VERSION } from '../../src/migrations/all.ts'
import { driverFor } from '../../src/drivers/recognise.ts'
import { checkSchema } from '../../src/migrations/check.ts'
import { migrateDown, migrateUp } from '../../src/migrations/migrate.ts'
import { migrationSql } from '../../src/migrations/print.ts'
import { migrationStatus } from '../../src/migrations/status.ts'
import {
  asAdmin,
  createDatabase,
  errorOf,
  insertHistory,
  insertJob,
  rowsOf,
  uniqueName,
  valueOf,
  withClient,
  type TestDatabase,
} from './arrange.ts'

const owner = uniqueName('owner')
const runtime = uniqueName('runtime')
const reader = uniqueName('reader')

let database: TestDatabase
let grantSql: string

/** The blocks of SQL of docs/roles.md, for roles of our own. */
async function readDocumentedSql(): Promise<string[]> {
  const page = await readFile(new URL('../../docs/roles.md', import.meta.url), 'utf8')
  return [...page.matchAll(/```sql\n(.*?)```/gs)].map(([, sql]) =>
    String(sql)
      .replaceAll('millrace_owner', owner)
      .replaceAll('millrace_runtime', runtime)
      .replaceAll('millrace_reader', reader),
  )
}

/** A connection on which everything is done as this role. */
function connectAs(role: string): Promise<pg.Client> {
  return database.connect({ options: `-c role=${role}` })
}

beforeAll(async () => {
  const [setUp = '', grants = '', looking = ''] = await readDocumentedSql()
  grantSql = grants
  database = await createDatabase()
  await withClient(database.url, async (admin) => {
    await admin.query(setUp)
    await admin.query(`set role ${owner}`)
    await migrateUp(admin)
    await admin.query(grants)
    await admin.query('reset role')
    await admin.query(looking)
  })
})
afterAll(async () => {
  await database.drop()
  for (const role of [owner, runtime, reader]) await asAdmin(`drop role if exists ${role}`)
})

test('the runtime role can do all that the engine does', async () => {
  const client = await connectAs(runtime)
  await checkSchema(driverFor(client), 'millrace')
  const id = await insertJob(client, 'millrace')
  await client.query(
    `update millrace.jobs set claimed_by = 1
     where (queue_id, id) in (select queue_id, id from millrace.jobs for no key update skip locked)`,
  )
  await client.query('delete from millrace.jobs where id = $1', [id])
  await client.query(
    `insert into millrace.workers (token, host, pid, version, lease_ms) values ('t', 'h', 1, 'v', 30000)`,
  )
  const tables = ['queues', 'workers', 'jobs', 'job_errors', 'suspects', 'marks', 'history']
  for (const table of [...tables, 'job_progress', 'job_logs', 'tallies', 'statistics']) {
    for (const right of ['select', 'insert', 'update', 'delete']) {
      const has = `select has_table_privilege($1, $2)`
      expect(await valueOf(client, has, [`millrace.${table}`, right])).toBe(true)
    }
  }
})

test('the runtime role keeps history without DDL, in partitions of the owner', async () => {
  const client = await connectAs(runtime)
  expect(await valueOf(client, `select millrace.add_history_partition('2021-05-01')`)).toBe(true)
  await insertHistory(client, 'millrace', '2021-05-01T10:00:00Z')
  await client.query('select count(*) from millrace.history')
  const ownerOf = `select relowner::regrole::text from pg_class where oid = 'millrace.history_20210501'::regclass`
  expect(await valueOf(client, ownerOf)).toBe(owner)
  expect(await valueOf(client, `select millrace.drop_history_partition('2021-05-01')`)).toBe(true)
})

test.each([
  'create table millrace.mine (id int)',
  'drop table millrace.jobs',
  'alter table millrace.jobs add column mine int',
  'truncate millrace.jobs',
  'create index on millrace.jobs (created_at)',
  'drop schema millrace cascade',
  'delete from millrace.migrations',
  `insert into millrace.migrations (version, name, oldest_code) values (9, 'nine', 9)`,
  `select setval('millrace.job_ids', 1)`,
  'drop function millrace.drop_history_partition(date)',
  'create schema another',
])('the runtime role may not: %s', async (sql) => {
  const client = await connectAs(runtime)
  expect(await errorOf(client.query(sql))).toMatchObject({ code: '42501' })
})

test('the runtime role migrates in vain, and is refused only where there is something to do', async () => {
  const client = await connectAs(runtime)
  expect(await migrateUp(client)).toEqual({ steps: [] })
  expect(await migrationStatus(client)).toMatchObject({ current: LATEST_VERSION, pending: [] })
  expect(await errorOf(migrateUp(client, { schema: 'another' }))).toMatchObject({ code: '42501' })
  expect(await errorOf(migrateDown(client, { to: 0 }))).toMatchObject({ code: '42501' })
})

test('who was granted nothing cannot run the functions or read the jobs', async () => {
  const stranger = uniqueName('stranger')
  const admin = await database.connect()
  await admin.query(`create role ${stranger}`)
  await admin.query(`grant usage on schema millrace to ${stranger}`)
  await admin.query(`set role ${stranger}`)
  for (const sql of [
    `select millrace.add_history_partition('2021-05-02')`,
    `select millrace.drop_history_partition('2021-05-02')`,
    'select id from millrace.jobs',
  ]) {
    expect(await errorOf(admin.query(sql))).toMatchObject({ code: '42501' })
  }
  await admin.query('reset role')
  await admin.query(`drop owned by ${stranger}`)
  await admin.query(`drop role ${stranger}`)
})

test('objects of the caller do not reach into the functions', async () => {
  const client = await connectAs(runtime)
  await client.query(
    `create function pg_temp.to_regclass(text) returns regclass language sql as $$ select 'pg_class'::regclass $$`,
  )
  await client.query(`create temp table pg_inherits as select 1 as inhparent, 2 as inhrelid`)
  await client.query('set search_path = pg_temp, pg_catalog')
  expect(await valueOf(client, `select millrace.add_history_partition('2021-05-03')`)).toBe(true)
  expect(await valueOf(client, `select millrace.add_history_partition('2021-05-03')`)).toBe(false)
})

test('the reader reads and does nothing else', async () => {
  const client = await connectAs(reader)
  await rowsOf(client, 'select id, args from millrace.jobs')
  expect(await migrationStatus(client)).toMatchObject({ current: LATEST_VERSION })
  expect(await errorOf(client.query('delete from millrace.jobs'))).toMatchObject({ code: '42501' })
})

test('the owner, who may not create schemas, goes down and up again in the one it was given', async () => {
  const client = await connectAs(owner)
  expect(await errorOf(migrateUp(client, { schema: 'another' }))).toMatchObject({ code: '42501' })
  await migrateDown(client, { to: 0 })
  expect(await valueOf(client, `select to_regnamespace('millrace')::text`)).toBe('millrace')
  await client.query(migrationSql())
  await client.query(grantSql)
  await client.query(grantSql)
  await checkSchema(driverFor(await connectAs(runtime)), 'millrace')
})
