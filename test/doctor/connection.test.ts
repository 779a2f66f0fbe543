import { Pool } from 'pg'
import { afterAll, beforeAll, describe, inject, vi } from 'vitest'
import { clock } from '../../src/doctor/clock.ts'
import { nodeOf, postgresOf } from '../../src/doctor/versions.ts'
import type { DB } from '../../src/drivers/driver.ts'
import { expect, test } from '../support/fixtures.ts'
import { findPgBouncer, startPgBouncer, type PgBouncer } from '../support/pgbouncer.ts'
import { findingsOf, findingThat } from './arrange.ts'

const isMissing = findPgBouncer() === undefined

test('how long an answer takes is told, and whether by TLS', async ({ db, schema }) => {
  const [finding, ...others] = await findingsOf('connection', db, { schema })
  expect(others).toEqual([])
  expect(finding?.message).toMatch(/^PostgreSQL answers in \d+\.\d ms, without TLS\.$/)
  expect(finding).toMatchObject({ level: 'ok', details: { tls: null } })
})

describe('the clock', () => {
  test('of the database is compared with that of this machine', async ({ db, schema }) => {
    expect(await findingsOf('clock', db, { schema })).toMatchObject([{ level: 'ok' }])
    const ahead = await withClock(5_000, () => findingThat('behind', 'clock', db, { schema }))
    expect(ahead).toMatchObject({ level: 'warning' })
    expect(ahead.message).toMatch(/^The database's clock is \d.* behind that of this machine\.$/)
    const behind = await withClock(-60_000, () => findingThat('ahead of', 'clock', db, { schema }))
    expect(behind).toMatchObject({ level: 'warning', check: clock.name })
  })

  async function withClock<T>(offMs: number, look: () => Promise<T>): Promise<T> {
    const now = Date.now.bind(Date)
    const spy = vi.spyOn(Date, 'now').mockImplementation(() => now() + offMs)
    try {
      return await look()
    } finally {
      spy.mockRestore()
    }
  }
})

describe('releases', () => {
  const server = {
    ...{ version: '', isStandby: false, quotedUser: 'a', quotedSchema: 'b', seesAllSessions: true },
  }

  test.each([
    [120_004, 'error', 'is too old'],
    [130_010, 'warning', 'is older than what is supported'],
    [140_002, 'warning', 'is older than what is supported'],
    [150_000, 'ok', 'is supported'],
    [180_004, 'ok', 'is supported'],
    [190_000, 'warning', 'is newer than this release knows'],
  ])('PostgreSQL %d: %s', (versionNumber, level, says) => {
    const version = String(versionNumber)
    const observation = postgresOf({ ...server, versionNumber, version })
    expect(observation).toMatchObject({ level, message: `PostgreSQL ${version} ${says}.` })
  })

  test.each([
    ['18.20.1', 'error'],
    ['20.18.0', 'error'],
    ['20.19.0', 'ok'],
    ['24.1.0', 'ok'],
  ])('Node.js %s: %s', (version, level) => {
    expect(nodeOf(version)).toMatchObject({ level })
  })
})

test('without a pooler notifications arrive', async ({ db, schema }) => {
  expect(await findingsOf('pooler', db, { schema })).toMatchObject([
    { level: 'ok', details: { isShared: false, hears: true } },
  ])
})

test('where notifications get lost on the way, that is found out', async ({
  databaseUrl,
  schema,
}) => {
  const deaf = new Pool({ connectionString: databaseUrl, max: 4 })
  deaf.on('connect', (client) => {
    const on = client.on.bind(client) as (...args: unknown[]) => unknown
    // Stands in for a pooler that hands every statement to the same connection, and passes on nothing else.
    Object.assign(client, {
      on: (event: string, listener: unknown) =>
        event === 'notification' ? client : on(event, listener),
    })
  })
  expect(await findingsOf('pooler', deaf, { schema })).toMatchObject([
    { level: 'warning', details: { isShared: false, hears: false } },
  ])
  await deaf.end()
})

test('of a client that does not say which connection it uses nothing is known', async ({
  db,
  schema,
}) => {
  const custom: DB = {
    query: (text, values) => db.query(text, values),
    transaction: async (work) => {
      const client = await db.connect()
      try {
        await client.query('begin')
        const result = await work({ query: (text, values) => client.query(text, values) })
        await client.query('commit')
        return result
      } finally {
        client.release()
      }
    },
  }
  expect(await findingsOf('pooler', custom, { schema })).toMatchObject([{ level: 'skipped' }])
})

describe.skipIf(isMissing).each([
  ['session', 20, { level: 'ok', details: { isShared: false, hears: true } }],
  ['transaction', 20, { level: 'warning', details: { hears: false } }],
  ['transaction', 1, { level: 'warning', details: { isShared: true, hears: false } }],
] as const)('behind PgBouncer in %s mode with %d connections', (poolMode, poolSize, expected) => {
  let pgbouncer: PgBouncer | undefined
  let pool: Pool

  beforeAll(async () => {
    pgbouncer = await startPgBouncer(inject('databaseUrl'), { poolMode, poolSize })
    pool = new Pool({ connectionString: pgbouncer.url, max: 4 })
  })

  afterAll(async () => {
    await pool.end()
    await pgbouncer?.remove()
  })

  test('that is found out, and everything else as ever', async ({ schema }) => {
    for (let times = 0; times < 3; times++) {
      expect(await findingsOf('pooler', pool, { schema })).toMatchObject([expected])
    }
    for (const check of ['connection', 'versions', 'drift', 'privileges', 'bloat']) {
      const findings = await findingsOf(check, pool, { schema })
      expect(findings.every(({ level }) => level === 'ok')).toBe(true)
    }
  })
})
