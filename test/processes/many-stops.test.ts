import { setTimeout as sleep } from 'node:timers/promises'
import { Pool } from 'pg'
import { JobQueue } from '../../src/job-queue.ts'
import { expect, test, until } from '../support/fixtures.ts'

const silent = () => undefined
const logger = { debug: silent, info: silent, warn: silent, error: silent }

test('stops in the midst of work, however many, leave no claim, mark, living worker or burnt attempt', async ({
  databaseUrl,
  schema,
  rows,
}) => {
  const pool = new Pool({ connectionString: databaseUrl, max: 5 })
  const queue = new JobQueue(pool, () => sleep(1), { schema, logger })
  await queue.enqueueMany(Array.from({ length: 300 }, () => ({ args: {} })))
  for (let round = 0; round < 25; round += 1) {
    const stop = new AbortController()
    const received = queue.receive({ signal: stop.signal, shutdownTimeout: '1s' })
    await sleep(round * 3)
    stop.abort()
    await received
    // An attempt to connect that was given up needs a moment to leave the pool.
    await until(() => pool.idleCount === pool.totalCount, { withinMs: 1_000 })
  }
  expect(await rows('select from {schema}.workers where stopped_at is null')).toEqual([])
  expect(await rows('select from {schema}.marks')).toEqual([])
  expect(await rows('select from {schema}.jobs where claimed_by is not null')).toEqual([])
  expect(await rows('select from {schema}.jobs where attempt > 0')).toEqual([])
  await pool.end()
})
