import { randomBytes } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { Client, Pool } from 'pg'
import { afterAll, beforeAll, describe, inject } from 'vitest'
import { quoteIdentifier } from '../../src/core/identifiers.ts'
import { diagnose } from '../../src/doctor/diagnose.ts'
import { NEEDED } from '../../src/doctor/privileges.ts'
import { expect, test as base } from '../support/fixtures.ts'
import { commandsOf, findingsOf, levelsOf } from './arrange.ts'

const name = `doctor_${randomBytes(4).toString('hex')}`
const admin = new Client({ connectionString: inject('databaseUrl') })
const pools: Pool[] = []

beforeAll(async () => {
  await admin.connect()
  await admin.query(`create role ${name}`)
})

afterAll(async () => {
  await Promise.all(pools.map((pool) => pool.end()))
  await admin.query(`drop owned by ${name}`)
  await admin.query(`drop role ${name}`)
  await admin.end()
})

/** A pool on which everything is done as this role. */
function poolAs(role: string): Pool {
  const pool = new Pool({ connectionString: inject('databaseUrl'), options: `-c role=${role}` })
  pools.push(pool)
  return pool
}

/** The grants of docs/roles.md, for a schema and a role of our own. */
async function documentedGrants(schema: string): Promise<{ runtime: string; reader: string }> {
  const page = await readFile(new URL('../../docs/roles.md', import.meta.url), 'utf8')
  const blocks = [...page.matchAll(/```sql\n(.*?)```/gs)].map(([, sql = '']) =>
    sql
      .replaceAll(/create role .*;\n/g, '')
      .replaceAll(/millrace_(runtime|reader)/g, name)
      .replaceAll('schema millrace', () => `schema ${quoteIdentifier(schema)}`)
      .replaceAll('millrace.', () => `${quoteIdentifier(schema)}.`),
  )
  return { runtime: blocks[1] ?? '', reader: blocks[2] ?? '' }
}

const test = base.extend<{ grants: { runtime: string; reader: string } }>({
  grants: async ({ schema }, use) => {
    await use(await documentedGrants(schema))
    await admin.query(`drop owned by ${name}`)
  },
})

test('what is needed is what the page on roles grants', async ({ db, schema, grants }) => {
  await db.query(grants.runtime)
  const pool = poolAs(name)
  expect(await findingsOf('privileges', pool, { schema })).toEqual([
    { check: 'privileges', level: 'ok', message: `${name} may do all that workers do.` },
  ])
  for (const object of Object.keys(NEEDED)) {
    const kind = object.includes('(') ? 'function ' : object === 'job_ids' ? 'sequence ' : ''
    await db.query(`revoke all on ${kind}${quoteIdentifier(schema)}.${object} from ${name}`)
    const [finding] = await findingsOf('privileges', pool, { schema })
    expect(finding).toMatchObject({ level: 'error' })
    await db.query(grants.runtime)
  }
})

test('the runtime role sees all but the sessions of others', async ({
  db,
  schema,
  grants,
  openQueue,
}) => {
  await db.query(grants.runtime)
  await openQueue({ queueName: 'emails' }).enqueue(1)
  const findings = await diagnose(poolAs(name), { schema, version: '0.1.0' })
  const skipped = findings.filter(({ level }) => level === 'skipped')
  for (const finding of skipped) {
    expect(finding.check).toBe('snapshots')
    expect(commandsOf(finding)).toEqual([`grant pg_read_all_stats to ${name};`])
  }
  expect(levelsOf(findings)).not.toContain('error')
})

test('a session of another role is seen, but not since when', async ({ db, schema, grants }) => {
  await db.query(grants.runtime)
  const other = await db.connect()
  await other.query('begin isolation level repeatable read; select 1')
  try {
    const pool = poolAs(name)
    const findings = await findingsOf('snapshots', pool, { schema, limits: { snapshotMs: 0 } })
    const skipped = findings.find(({ level }) => level === 'skipped')
    expect(skipped?.message).toMatch(/of other roles holds? a snapshot/)
    const old = { snapshotMs: 0, snapshotTransactions: 0 }
    const all = await findingsOf('snapshots', pool, { schema, limits: old })
    expect(
      all.some(({ message }) => / has held a snapshot over \d+ transactions/.test(message)),
    ).toBe(true)
    await db.query(`grant pg_read_all_stats to ${name}`)
    const told = await findingsOf('snapshots', pool, { schema, limits: { snapshotMs: 0 } })
    expect(levelsOf(told)).toEqual(['warning'])
    await db.query(`revoke pg_read_all_stats from ${name}`)
  } finally {
    await other.query('rollback')
    other.release()
  }
})

describe('rights that are missing', () => {
  test.for([
    [
      'revoke insert, update on {schema}.jobs, {schema}.marks from {role}',
      'insert, update on jobs, marks',
      ['grant insert, update on table {schema}.jobs, {schema}.marks to {role};'],
    ],
    [
      'revoke usage on sequence {schema}.job_ids from {role}; revoke execute on function {schema}.add_history_partition(date) from {role}',
      'usage on job_ids; execute on add_history_partition(date)',
      [
        'grant usage on sequence {schema}.job_ids to {role};',
        'grant execute on function {schema}.add_history_partition(date) to {role};',
      ],
    ],
    [
      'revoke usage on schema {schema} from {role}',
      'usage of the schema',
      ['grant usage on schema {schema} to {role};'],
    ],
  ] as const)('%s', async ([done, lacks, told], { db, schema, grants }) => {
    const filled = (text: string): string =>
      text.replaceAll('{schema}', () => quoteIdentifier(schema)).replaceAll('{role}', name)
    await db.query(grants.runtime)
    await db.query(filled(done))
    const [finding] = await findingsOf('privileges', db, { schema, role: name })
    expect(finding).toMatchObject({
      level: 'error',
      message: `${name} lacks rights that workers need: ${filled(lacks)}.`,
    })
    const commands = commandsOf(finding as never)
    expect(commands).toEqual(told.map(filled))
    for (const command of commands) await db.query(command)
    const options = { schema, role: name }
    expect(await findingsOf('privileges', db, options)).toMatchObject([{ level: 'ok' }])
  })

  test('are not missed in a role that only reads', async ({ db, schema, grants }) => {
    await db.query(grants.reader)
    const findings = await diagnose(poolAs(name), { schema, version: '0.1.0' })
    expect(levelsOf(findings)).not.toContain('error')
    expect(findings.filter(({ check }) => check === 'privileges')).toMatchObject([
      { level: 'skipped', message: `${name} only reads, so it is not the role of workers.` },
    ])
    const others = findings.filter(({ check }) => !['privileges', 'snapshots'].includes(check))
    expect(levelsOf(others)).toEqual(['ok'])
  })

  test('keep a stranger from looking, and what to grant is said', async ({
    db,
    schema,
    grants,
  }) => {
    const pool = poolAs(name)
    const findings = await diagnose(pool, { schema, version: '0.1.0' })
    const grantsToLook = [
      `grant usage on schema "${schema}" to ${name};`,
      `grant select on all tables in schema "${schema}" to ${name};`,
    ]
    const unread = findings.find(({ message }) => message.includes('how far the schema was'))
    expect(commandsOf(unread as never)).toEqual(grantsToLook)
    expect(findings.find(({ check }) => check === 'privileges')?.level).toBe('error')
    await db.query(`grant usage on schema "${schema}" to ${name}`)
    await db.query(`grant select on "${schema}".migrations to ${name}`)
    const [queues] = await findingsOf('queues', pool, { schema })
    expect(queues).toMatchObject({ level: 'skipped' })
    expect(queues?.message).toMatch(
      new RegExp(`^${name} may not look at it: permission denied for table \\w+\\.$`),
    )
    expect(commandsOf(queues as never)).toEqual(grantsToLook)
    expect(grants.reader).not.toBe('')
  })

  test('of a role that is not there are not looked for', async ({ db, schema }) => {
    const [finding] = await findingsOf('privileges', db, { schema, role: 'Nobody' })
    expect(finding).toMatchObject({
      level: 'error',
      message: 'There is no role "Nobody" on this server.',
    })
  })
})
