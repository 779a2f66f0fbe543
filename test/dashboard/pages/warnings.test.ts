import type { Pool } from 'pg'
import { expect } from 'vitest'
import type { Role } from '../../../src/dashboard/index.ts'
import type { DB, DBTX } from '../../../src/index.ts'
import { describeEachDatabase, test, until } from '../../support/fixtures.ts'
import { HOSTILE, seeAs } from './see.ts'

/** What the overview says once the doctor has looked. */
function seeWarnings(see: ReturnType<typeof seeAs>): Promise<string> {
  return until(async () => {
    const { text } = await see('/')
    const said = text.slice(text.indexOf('Warnings'))
    return said.includes('Looking for trouble') ? undefined : said
  })
}

describeEachDatabase('warnings', (test) => {
  test('do not hold up the page, and come with their remedies', async ({
    db,
    schema,
    rows,
    openQueue,
  }) => {
    await openQueue({ queueName: HOSTILE }).enqueue(1)
    await openQueue({ queueName: 'busy' }).enqueue(1, { delay: '1h' })
    await rows(`update {schema}.jobs set run_at = run_at - interval '10 minutes'`)
    const see = seeAs('viewer', db, schema)
    expect((await see('/')).text).toContain('Looking for trouble…')
    const said = await seeWarnings(see)
    expect(said).toContain('Warning: Jobs have been due for 10 min')
    expect(said).toContain('Start a worker for it')
    expect(said).toContain('millrace jobs list --queue')
    expect((await see('/')).html).toContain(
      `href="/queues/${encodeURIComponent(HOSTILE).replaceAll("'", '&#39;')}"`,
    )
    expect(said).not.toContain('in the queue "busy"')
  })

  test('are not there when nothing is wrong', async ({ db, schema }) => {
    expect(await seeWarnings(seeAs('viewer', db, schema))).toMatch(
      /looked .* UTC Nothing is wrong\./,
    )
  })
})

/** A database in which somebody has held a snapshot for long, and how often it was asked who does. */
function withHolder(pool: Pool, query: string): { db: DB; asked: () => number } {
  let asked = 0
  const holder = {
    ...{ processId: 4711, user: 'eve', application: 'psql', address: '10.0.0.3', query },
    ...{
      state: 'idle in transaction',
      kind: 'client backend',
      openForMs: '600000',
      transactions: 9,
    },
  }
  const on = (client: DBTX): DBTX => ({
    async query(text, values) {
      const answer = await client.query(text, values)
      if (!text.includes('pg_stat_progress_vacuum')) return answer
      asked++
      return { ...answer, rows: [holder, ...answer.rows] }
    },
  })
  const db: DB = {
    ...on(pool),
    async transaction(work) {
      const client = await pool.connect()
      try {
        await client.query('begin')
        const answer = await work(on(client))
        await client.query('commit')
        return answer
      } finally {
        client.release(true)
      }
    },
  }
  return { db, asked: () => asked }
}

const SECRET = 'select the_secret from secrets where number = 4711'

test.for<[Role, boolean, boolean]>([
  ['admin', false, true],
  ['operator', false, false],
  ['viewer', false, false],
  ['admin', true, false],
])(
  'what others ask the database is told to an administrator alone: %s, redacting: %s',
  async ([role, isRedacting, isTold], { db: pool, schema }) => {
    const { db } = withHolder(pool, SECRET)
    const see = seeAs(role, db, schema, isRedacting ? { redact: ['args.card'] } : {})
    const said = await seeWarnings(see)
    expect(said).toContain('Process 4711 (eve, psql, 10.0.0.3) has held a snapshot for 10 min 0 s')
    expect(said).toContain('select pg_terminate_backend(4711);')
    expect(said.includes('the_secret')).toBe(isTold)
    expect((await see('/')).html.includes('the_secret')).toBe(isTold)
  },
)

test('the doctor looks once for all who look meanwhile', async ({ db: pool, schema }) => {
  const { db, asked } = withHolder(pool, HOSTILE)
  const see = seeAs('admin', db, schema)
  await Promise.all([see('/'), see('/'), see('/?name=x')])
  await seeWarnings(see)
  await see('/')
  expect(asked()).toBe(1)
})

test('that the doctor had no answer is said', async ({ db: pool, schema }) => {
  const { db } = withHolder(pool, '')
  const failing: DB = {
    ...db,
    transaction: (work) =>
      db.transaction((tx) =>
        work({
          query: (text, values) =>
            text.includes('server_version_num')
              ? Promise.reject(new Error('Connection terminated unexpectedly'))
              : tx.query(text, values),
        }),
      ),
  }
  const said = await seeWarnings(seeAs('admin', failing, schema))
  expect(said).toContain('The database did not answer when it was looked at')
})
