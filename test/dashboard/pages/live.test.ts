import { createDashboard } from '../../../src/dashboard/index.ts'
import { Live } from '../../../src/dashboard/live.ts'
import { apiOf } from '../arrange.ts'
import { describe, test as plainTest } from 'vitest'
import type { Pool } from 'pg'
import type { DB, DBTX } from '../../../src/index.ts'
import {
  describeEachDatabase,
  expect,
  test as postgresTest,
  until,
} from '../../support/fixtures.ts'
import { PageStream, visitorOf } from './arrange.ts'

describeEachDatabase('a page that somebody looks at', (test) => {
  test('is sent again when something has changed, and then only what has', async ({
    db,
    schema,
    openQueue,
  }) => {
    const dashboard = createDashboard(db, { auth: () => 'viewer', schema })
    const stream = await PageStream.open(dashboard, '/')
    expect(stream.response.headers.get('content-type')).toBe('text/event-stream')
    expect((await stream.next())?.data['queues']).toContain('There is no queue yet')
    await openQueue({ queueName: 'emails' }).enqueue(1, { delay: '1h' })
    const changed = await stream.next(({ data }) => data['queues']?.includes('emails') ?? false)
    expect(changed?.type).toBe('parts')
    const quiet = await stream.next(({ data }) => Object.keys(data).length === 0)
    expect(quiet).toEqual({ type: 'parts', data: {} })
    await stream.close()
  })

  test('shows at once what was changed here, to all who look', async ({ db, schema }) => {
    const dashboard = createDashboard(db, { auth: () => ({ role: 'admin', name: 'ada' }), schema })
    const streams = [
      await PageStream.open(dashboard, '/audit'),
      await PageStream.open(dashboard, '/audit'),
    ]
    for (const stream of streams) await stream.next()
    expect((await apiOf(dashboard)('PUT', '/api/queues/emails', {})).status).toBe(200)
    for (const stream of streams) {
      const event = await stream.next(({ data }) => data['entries']?.includes('putQueue') ?? false)
      expect(event?.data['entries']).toContain('emails')
      await stream.close()
    }
  })

  test('says when it cannot be made, and goes on when it can', async ({ db, schema, rows }) => {
    const dashboard = createDashboard(db, { auth: () => 'viewer', schema })
    const stream = await PageStream.open(dashboard, '/')
    await stream.next()
    await rows('alter table {schema}.queues rename to elsewhere')
    const trouble = await stream.next(({ type }) => type === 'trouble')
    expect(trouble?.data['message']).toContain('Not live')
    await rows('alter table {schema}.elsewhere rename to queues')
    expect((await stream.next(({ type }) => type === 'parts'))?.type).toBe('parts')
    await stream.close()
  })

  test('is left when the dashboard is closed', async ({ db, schema }) => {
    const dashboard = createDashboard(db, { auth: () => 'viewer', schema })
    const stream = await PageStream.open(dashboard, '/')
    await stream.next()
    dashboard.close()
    expect(await stream.next(() => false)).toBeUndefined()
    expect((await visitorOf(dashboard)('/')).status).toBe(200)
  })

  test('is not streamed to whom it is not shown', async ({ db, schema }) => {
    const dashboard = createDashboard(db, { auth: () => 'viewer', schema })
    const { response } = await PageStream.open(dashboard, '/audit')
    expect([response.status, response.headers.get('content-type')]).toEqual([
      403,
      'application/json',
    ])
  })
})

postgresTest('ten tabs cost no more statements than one', async ({ db, schema }) => {
  const counting = countStatements(db)
  const dashboard = createDashboard(counting.db, { auth: () => 'viewer', schema })
  const countDuring = async (tabs: number): Promise<number> => {
    const streams = await Promise.all(
      // Everything on this page is read in each round.
      Array.from({ length: tabs }, () => PageStream.open(dashboard, '/workers')),
    )
    await Promise.all(streams.map((stream) => stream.next()))
    const before = counting.statements
    // Three rounds of the page, as each stream sees them.
    for (let round = 0; round < 3; round++)
      await Promise.all(streams.map((stream) => stream.next()))
    const count = counting.statements - before
    await Promise.all(streams.map((stream) => stream.close()))
    return count
  }
  const ofOne = await countDuring(1)
  const ofTen = await countDuring(10)
  expect(ofOne).toBeGreaterThan(0)
  expect(ofTen).toBe(ofOne)
})

describe('streams', () => {
  plainTest('are so many at most; who leaves makes room', async () => {
    const live = new Live()
    const make = async () => new Map([['part', 'text']])
    const streams = Array.from({ length: 200 }, (_, n) => live.open(`page ${n}`, make))
    expect(streams.every((stream) => stream !== undefined)).toBe(true)
    expect(live.open('one more', make)).toBeUndefined()
    await streams[7]?.cancel()
    await until(() => live.open('one more', make) !== undefined)
    live.close()
  })

  plainTest('of a tab that takes nothing are not filled without end', async () => {
    const live = new Live()
    let made = 0
    const make = async () => new Map([['part', `${'x'.repeat(100_000)}${made++}`]])
    const stream = live.open('page', make)
    for (let n = 0; n < 50; n++) {
      live.refresh()
      await new Promise(setImmediate)
    }
    const reader = stream?.getReader()
    let bytes = 0
    live.close()
    for (;;) {
      const read = await reader?.read()
      if (read === undefined || read.done) break
      bytes += read.value.byteLength
    }
    expect(made).toBeGreaterThan(20)
    expect(bytes).toBeLessThan(2_000_000)
  })
})

/** The same database, with its statements counted. */
function countStatements(pool: Pool): { db: DB; readonly statements: number } {
  let statements = 0
  const counted = (tx: DBTX): DBTX => ({
    query: async (text: string, values?: unknown[]) => {
      statements++
      return tx.query(text, values)
    },
  })
  const db: DB = {
    ...counted(pool),
    transaction: async (work) => {
      const client = await pool.connect()
      try {
        await client.query('begin')
        const answer = await work(counted(client))
        await client.query('commit')
        return answer
      } finally {
        client.release()
      }
    },
  }
  return {
    db,
    get statements() {
      return statements
    },
  }
}
