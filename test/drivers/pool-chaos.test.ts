import { randomBytes } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { Pool } from 'pg'
import { expect, inject, test } from 'vitest'
import { PgPoolDriver } from '../../src/drivers/node-postgres.ts'
import type { PgPool } from '../../src/drivers/pg-shapes.ts'
import { startTcpProxy, type TcpProxy } from '../support/tcp-proxy.ts'
import { until } from './server-side.ts'

const RUN_MS = 4_000

/** One way after the other to make the network bad, and good again. */
const TROUBLES: ((proxy: TcpProxy) => void)[] = [
  (proxy) => proxy.silence(),
  (proxy) => proxy.silence('toClient'),
  (proxy) => proxy.silence('toServer'),
  (proxy) => proxy.cut(),
  (proxy) => proxy.cut('reset'),
  (proxy) => (proxy.newcomers = 'refuse'),
  (proxy) => (proxy.newcomers = 'ignore'),
  (proxy) => (proxy.delayMs = 30),
  (proxy) => void proxy.cutAnswerTo('insert into'),
  (proxy) => void proxy.cutAnswerTo('commit', 'reset'),
]

test('whatever the network does, a resolved statement is stored, and one known to have had no effect is not', async () => {
  const databaseUrl = inject('databaseUrl')
  const admin = new Pool({ connectionString: databaseUrl })
  const table = `chaos_${randomBytes(5).toString('hex')}`
  await admin.query(`create table ${table} (id int4 primary key)`)
  const proxy = await startTcpProxy(databaseUrl)
  const pool = new Pool({ connectionString: proxy.url, max: 4 })
  const driver = new PgPoolDriver(pool as unknown as PgPool, { answerMs: 150, connectMs: 150 })

  const outcomes = { stored: [] as number[], absent: [] as number[], unknown: [] as number[] }
  let next = 0
  const work = async (endsAt: number): Promise<void> => {
    const insert = `insert into ${table} values ($1::int4)`
    while (performance.now() < endsAt) {
      const id = (next += 1)
      const statement =
        id % 2 === 0
          ? driver.query(insert, [id])
          : driver.transaction((tx) => tx.query(insert, [id]))
      await statement.then(
        () => outcomes.stored.push(id),
        (error: unknown) => {
          expect(driver.isConnectionError(error)).toBe(true)
          outcomes[driver.outcomeIsUnknown(error) ? 'unknown' : 'absent'].push(id)
        },
      )
    }
  }
  const endsAt = performance.now() + RUN_MS
  const workers = Array.from({ length: 6 }, () => work(endsAt))
  for (let round = 0; performance.now() < endsAt; round += 1) {
    TROUBLES[round % TROUBLES.length]?.(proxy)
    await sleep(60)
    proxy.newcomers = 'carry'
    proxy.delayMs = 0
    await sleep(120)
  }
  await Promise.all(workers)
  await untilNobodyWrites(admin, table)

  const { rows } = await admin.query<{ id: number }>(`select id from ${table}`)
  const stored = new Set(rows.map((row) => row.id))
  expect(outcomes.stored.filter((id) => !stored.has(id))).toEqual([])
  expect(outcomes.absent.filter((id) => stored.has(id))).toEqual([])
  expect(outcomes.stored.length).toBeGreaterThan(100)
  expect(outcomes.unknown.length).toBeGreaterThan(5)

  // The pool is whole: every place can be taken at once.
  const clients = await Promise.all(Array.from({ length: 4 }, () => pool.connect()))
  expect(pool.totalCount).toBe(4)
  for (const client of clients) client.release()
  await pool.end()
  await proxy.close()
  await admin.query(`drop table ${table}`)
  await admin.end()
})

/** What was sent over a connection that we gave up may still be under way on the server. */
async function untilNobodyWrites(admin: Pool, table: string): Promise<void> {
  await until(async () => {
    const { rowCount } = await admin.query(
      `select from pg_stat_activity
       where strpos(query, $1) > 0 and state <> 'idle' and pid <> pg_backend_pid()`,
      [table],
    )
    return rowCount === 0 ? true : undefined
  })
}
