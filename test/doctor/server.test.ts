import { Pool } from 'pg'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { migrateUp } from '../../src/migrations/migrate.ts'
import { startPostgres, type PostgresServer } from '../support/postgres.ts'
import { until } from '../support/until.ts'
import { commandsOf, findingsOf, findingThat } from './arrange.ts'

/* What takes a server of its own: its settings are those of everybody. */

const schema = 'millrace'
const CONNECTIONS = 5
let server: PostgresServer
let db: Pool

beforeAll(async () => {
  server = await startPostgres({
    settings: {
      max_prepared_transactions: 5,
      wal_level: 'logical',
      autovacuum_max_workers: 1,
      autovacuum_naptime: '1s',
    },
  })
  db = new Pool({ connectionString: server.url, max: CONNECTIONS })
  await migrateUp(db)
})

afterAll(async () => {
  await db.end()
  await server.remove()
})

test('a prepared transaction that nobody ends is told, until it is rolled back', async () => {
  await db.query(
    `begin; insert into millrace.suspects values (1, 1); prepare transaction 'it''s mine'`,
  )
  const limits = { snapshotMs: 0 }
  const finding = await findingThat(
    'The prepared transaction "it\'s mine" of postgres',
    'snapshots',
    db,
    {
      ...{ schema, limits },
    },
  )
  expect(finding.level).toBe('warning')
  for (const command of commandsOf(finding)) await db.query(command)
  const after = await findingsOf('snapshots', db, { schema, limits })
  expect(after.map(({ message }) => message).join()).not.toContain('prepared')
})

test('autovacuum that is off for the whole server is an error, until it is on again', async () => {
  await setSetting('autovacuum', 'off')
  const finding = await findingThat('autovacuum is off', 'autovacuum', db, { schema })
  expect(finding.level).toBe('error')
  for (const command of commandsOf(finding)) await db.query(command)
  await untilSetting('autovacuum', 'on')
  expect(await findingsOf('autovacuum', db, { schema })).toMatchObject([{ level: 'ok' }])
})

test('autovacuum whose workers are all busy elsewhere is told', async () => {
  const client = await db.connect()
  await client.query('create table events as select n from generate_series(1, 50000) as n')
  const slowly = 'autovacuum_vacuum_cost_delay = 100, autovacuum_vacuum_cost_limit = 1'
  await client.query(`alter table events set (${slowly})`)
  await client.query('delete from events')
  await client.query('select pg_stat_force_next_flush()')
  client.release()
  const isBusy = `select 1 from pg_stat_activity where backend_type = 'autovacuum worker' and query like '%events%'`
  await until(async () => (await db.query(isBusy)).rows.length > 0, { what: 'the autovacuum' })
  const limits = { vacuumMs: 0 }
  const finding = await findingThat('autovacuum workers (1) have been busy', 'autovacuum', db, {
    schema,
    limits,
  })
  expect(finding.level).toBe('warning')
  expect(finding.message).toContain('public.events')
  await db.query('drop table events')
})

test('a replication slot that holds back nothing is no finding', async () => {
  await db.query('select pg_create_physical_replication_slot($1, true)', ['left_behind'])
  expect(await findingsOf('snapshots', db, { schema })).toMatchObject([{ level: 'ok' }])
  await db.query('select pg_drop_replication_slot($1)', ['left_behind'])
})

async function setSetting(name: string, value: string): Promise<void> {
  await db.query(`alter system set ${name} = ${value}`)
  await db.query('select pg_reload_conf()')
  await untilSetting(name, value)
}

async function untilSetting(name: string, value: string): Promise<void> {
  await until(
    async () => {
      // Every connection of the pool reads the settings for itself.
      const answers = await Promise.all(
        Array.from({ length: CONNECTIONS }, () =>
          db.query('select current_setting($1) as value, pg_sleep(0.05)', [name]),
        ),
      )
      return answers.every(({ rows }) => (rows[0] as { value: string }).value === value)
    },
    { what: `${name} to be ${value}` },
  )
}
