import { Client } from 'pg'
import { describe } from 'vitest'
import { expect, test, until } from '../support/fixtures.ts'
import { commandsOf, findingsOf, findingThat } from './arrange.ts'

describe('autovacuum', () => {
  test('that is off for a table is an error, until it is on again', async ({
    db,
    schema,
    rows,
  }) => {
    await rows('alter table {schema}.jobs set (autovacuum_enabled = off)')
    const finding = await findingThat('off for the table jobs', 'autovacuum', db, { schema })
    expect(finding.level).toBe('error')
    expect(await findingsOf('drift', db, { schema })).toMatchObject([{ level: 'ok' }])
    for (const command of commandsOf(finding)) await db.query(command)
    expect(await findingsOf('autovacuum', db, { schema })).toMatchObject([{ level: 'ok' }])
  })

  test('that lets dead rows lie is told, until they are gone', async ({
    db,
    schema,
    rows,
    queue,
  }) => {
    await queue.enqueueMany(Array.from({ length: 50 }, (_, args) => ({ args })))
    await rows('delete from {schema}.jobs')
    await flush(db)
    expect(await findingsOf('autovacuum', db, { schema })).toMatchObject([{ level: 'ok' }])
    const limits = { deadRowsFactor: 0.001, vacuumMs: 0 }
    const finding = await findingThat('The table jobs has 50 dead rows', 'autovacuum', db, {
      ...{ schema, limits },
    })
    expect(finding).toMatchObject({
      level: 'warning',
      details: { table: 'jobs', deadRows: 50, beginsAt: 20_000, vacuumedForMs: null },
    })
    expect(finding.message).toContain('autovacuum begins at 20,000, and never came')
    await until(
      async () => {
        for (const command of commandsOf(finding)) await db.query(command)
        const after = await findingsOf('autovacuum', db, { schema, limits })
        return after.every(({ details }) => details?.['table'] !== 'jobs')
      },
      { what: 'other tests to let go of their snapshots' },
    )
  })
})

describe('snapshots', () => {
  const limits = { snapshotMs: 0 }

  test.for([
    ['begin isolation level repeatable read', `select 'my secret' as x, 1 -- and more`],
    ['begin', 'insert into {schema}.suspects values (7, 7)'],
  ])(
    'held by %j … are told, until that session ends',
    async ([begin = '', query = ''], { db, schema, databaseUrl }) => {
      const client = new Client({ connectionString: databaseUrl, application_name: 'forgotten' })
      const lost = new Promise((resolve) => client.on('error', resolve))
      await client.connect()
      await client.query(begin)
      await client.query(query.replaceAll('{schema}', () => `"${schema}"`))
      const { processID } = client as unknown as { processID: number }
      const says = new RegExp(
        `^Process ${processID} \\(\\w+, forgotten, .*\\) has held a snapshot for \\d`,
      )
      const finding = await findingThat(says, 'snapshots', db, { schema, limits })
      expect(finding).toMatchObject({ level: 'warning', details: { processId: processID } })
      expect(finding.message).toContain(' (idle in transaction, its query: ')
      expect(JSON.stringify(finding)).not.toContain('secret')
      expect(commandsOf(finding)).toEqual([`select pg_terminate_backend(${processID});`])
      for (const command of commandsOf(finding)) await db.query(command)
      await lost
      const after = await findingsOf('snapshots', db, { schema, limits })
      expect(after.filter(({ message }) => says.test(message))).toEqual([])
    },
  )

  test('held for a moment are nothing to speak of', async ({ db, schema, databaseUrl }) => {
    const client = new Client({ connectionString: databaseUrl })
    await client.connect()
    await client.query('begin isolation level repeatable read; select 1')
    const { processID } = client as unknown as { processID: number }
    const findings = await findingsOf('snapshots', db, { schema })
    expect(findings.map(({ message }) => message).join()).not.toContain(String(processID))
    await client.end()
  })
})

test('bloat is told, until the table is written anew', async ({ db, schema, rows, queue }) => {
  const jobs = Array.from({ length: 2_000 }, () => ({ args: 'x'.repeat(200) }))
  await queue.enqueueMany(jobs)
  expect(await findingsOf('bloat', db, { schema })).toMatchObject([{ level: 'ok' }])
  await rows('delete from {schema}.jobs')
  await flush(db)
  const options = { schema, limits: { bloatBytes: 100_000 } }
  const table = await findingThat('The table jobs takes', 'bloat', db, options)
  expect(table).toMatchObject({ level: 'warning', details: { name: 'jobs', isIndex: false } })
  const index = await findingThat('The index jobs_due of jobs takes', 'bloat', db, {
    ...{ schema, limits: { bloatBytes: 20_000 } },
  })
  await until(
    async () => {
      for (const command of [...commandsOf(index), ...commandsOf(table)]) await db.query(command)
      return (await findingsOf('bloat', db, options)).every(({ level }) => level === 'ok')
    },
    { what: 'other tests to let go of their snapshots' },
  )
})

test('the age of the database is told when it is high', async ({ db, schema }) => {
  expect(await findingsOf('wraparound', db, { schema })).toMatchObject([{ level: 'ok' }])
  const old = await findingsOf('wraparound', db, { schema, limits: { oldTransactions: 1 } })
  expect(old).toMatchObject([{ level: 'warning' }])
  const dangerous = { dangerousTransactions: 1 }
  const [finding] = await findingsOf('wraparound', db, { schema, limits: dangerous })
  expect(finding).toMatchObject({ level: 'error' })
  const [list = ''] = commandsOf(finding as never)
  expect((await db.query(list)).rows.length).toBeGreaterThan(0)
})

/** Makes what the sessions of the pool have counted known to everybody. */
async function flush(db: { query(text: string): Promise<unknown> }): Promise<void> {
  // Statistics are handed in by each session for itself, once a second at most.
  await Promise.all(
    Array.from({ length: 10 }, () => db.query('select pg_stat_force_next_flush(), pg_sleep(0.05)')),
  )
  await Promise.all(Array.from({ length: 10 }, () => db.query('select pg_sleep(0.05)')))
}
