import { Client, Pool } from 'pg'
import { JobQueue } from '../../src/job-queue.ts'
import { expect, test, until } from '../support/fixtures.ts'

const silent = () => undefined
const logger = { debug: silent, info: silent, warn: silent, error: silent }

test('a job on whose row somebody holds a foreign-key lock is claimed all the same', async ({
  databaseUrl,
  openQueue,
  receive,
  seen,
  rows,
}) => {
  const queue = openQueue(() => undefined)
  const job = await queue.enqueue({})
  const client = new Client({ connectionString: databaseUrl })
  await client.connect()
  await client.query('begin')
  const [{ relation } = {}] = await rows(`select '{schema}.jobs' as relation`)
  await client.query(`select from ${String(relation)} where id = $1 for key share`, [job.id])
  receive(queue)
  await seen('job.started', job.id)
  await client.query('commit') // the row may leave the table only now
  await seen('job.finished', job.id)
  await client.end()
})

test('where every transaction is serializable, lost races are run again and each job runs once', async ({
  databaseUrl,
  schema,
  queue,
  rows,
}) => {
  const pools = [1, 2, 3].map(
    () =>
      new Pool({
        connectionString: databaseUrl,
        options: '-c default_transaction_isolation=serializable',
      }),
  )
  const runs = new Map<string, number>()
  const stop = new AbortController()
  const received = Promise.all(
    pools.map((pool) =>
      new JobQueue(pool, (job) => void runs.set(job.id, (runs.get(job.id) ?? 0) + 1), {
        schema,
        logger,
        keepFinished: '1h',
      }).receive({ signal: stop.signal, concurrency: 5 }),
    ),
  )
  for (let batch = 0; batch < 10; batch++) {
    await queue.enqueueMany(Array.from({ length: 50 }, () => ({ args: {} })))
  }
  await until(async () => (await rows('select from {schema}.jobs limit 1')).length === 0)
  expect(await rows('select attempt, count(*)::int4 from {schema}.history group by 1')).toEqual([
    { attempt: 1, count: 500 },
  ])
  expect([...runs.values()].filter((count) => count !== 1)).toEqual([])
  stop.abort()
  await received
  await Promise.all(pools.map((pool) => pool.end()))
})

test('no row changes with every job but its own, and that only once', async ({
  databaseUrl,
  schema,
  queue,
  rows,
}) => {
  const pool = new Pool({ connectionString: databaseUrl })
  const receiving = new JobQueue(pool, () => undefined, { schema, logger })
  let givenBack = 0
  receiving.observe(({ type }) => void (givenBack += type === 'job.given_back' ? 1 : 0))
  await queue.enqueueMany(Array.from({ length: 3_000 }, () => ({ args: {} })))
  const stop = new AbortController()
  const received = receiving.receive({ signal: stop.signal })
  await until(async () => (await rows('select from {schema}.jobs limit 1')).length === 0)
  stop.abort()
  await received
  await pool.end() // backends tell what they did at their end
  const changed = async (table: string): Promise<{ updates: number; hot: number }> => {
    const [row] = await rows(
      `select n_tup_upd::int4 as updates, n_tup_hot_upd::int4 as hot
       from pg_stat_user_tables where schemaname = $1 and relname = $2`,
      [schema, table],
    )
    return row as { updates: number; hot: number }
  }
  await until(async () => (await changed('jobs')).updates >= 3_000)
  const jobs = await changed('jobs')
  // A machine that cannot keep up gives some back, and claims them again.
  expect(jobs.updates - 2 * givenBack).toBeLessThanOrEqual(3_000)
  expect(jobs.hot / jobs.updates).toBeGreaterThan(0.95)
  expect((await changed('queues')).updates).toBeLessThan(10 + givenBack / 100)
  expect((await changed('workers')).updates).toBeLessThan(20)
})
