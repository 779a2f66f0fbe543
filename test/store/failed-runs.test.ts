import { expect } from 'vitest'
import { driverFor } from '../../src/drivers/recognise.ts'
import {
  FIND_DEAD_LETTERS,
  FIND_FAILED_RUNS,
  findDeadLetters,
  findFailedRuns,
} from '../../src/store/failed-runs.ts'
import { readBounded } from '../../src/store/read-only.ts'
import type { Statement } from '../../src/store/statement.ts'
import { Store } from '../../src/store/store.ts'
import { test, type Fixtures } from '../support/fixtures.ts'

const DAY_MS = 86_400_000

/** A queue with 30,000 jobs that finished after the 20 that failed, and as many that wait behind 20 that failed once. */
async function fill(rows: Fixtures['rows']): Promise<void> {
  await rows(`insert into {schema}.queues (name, base_retry_delay_ms, max_retry_delay_ms, retry_jitter)
    values ('emails', 0, 0, 0), ('dead', 0, 0, 0)`)
  await rows(
    'select {schema}.add_history_partition(current_date + n) from generate_series(0, 31) as n',
  )
  await rows(`insert into {schema}.history (id, expires_at, finished_at, run_at, created_at, queue_id, priority,
      max_retries, retry_policy, outcome, attempt, error_count, args, metadata, errors)
    select n, case when n <= 20 then now() + interval '30 days' else now() + interval '1 day' end, now(), now(), now(), 1, 5,
      3, 'constant', case when n <= 20 then 'failed' else 'finished' end::{schema}.outcome, 1, 1, '{}', '{}',
      case when n <= 20 then '[{"attempt":1,"at":1,"name":"Early","message":"m","stack":null},
        {"attempt":2,"at":2,"name":"Error","message":"m","stack":null}]' end::jsonb
    from generate_series(1, 30020) as n`)
  await rows(`insert into {schema}.jobs (id, run_at, created_at, queue_id, priority, max_retries, retry_policy, error_count,
      origin_queue_id, args, metadata)
    select queue_id * 100000 + n, now(), now(), queue_id, 5, 3, 'constant', case when n <= 20 then 2 else 0 end,
      case when queue_id = 2 then 1 + n % 2 end, case when n = 1 then
        (select to_jsonb(string_agg(md5(random()::text), '')) from generate_series(1, 500)) else '{}' end, '{}'
    from generate_series(1, 30020) as n, (values (1), (2)) as queues (queue_id)
    where queue_id = 1 or n <= 20`)
  await rows(`insert into {schema}.job_errors (job_id, number, attempt, name, message)
    select jobs.id, number, number, 'Error ' || number, 'm'
    from {schema}.jobs, (values (1), (2)) as numbers (number) where jobs.error_count > 0`)
  await rows('analyze {schema}.jobs')
  await rows('analyze {schema}.history')
}

test('failures are found among many that finished or never ran, at a bounded cost', async ({
  db,
  schema,
  rows,
}) => {
  await fill(rows)
  const store = new Store(driverFor(db), schema)
  const request = { queueId: 1, keepFinishedMs: DAY_MS, keepFailedMs: 30 * DAY_MS, limit: 500 }
  const found = await readBounded(store, (tx) => findFailedRuns(store, request, tx))
  expect(found.filter(({ status }) => status === 'failed')).toHaveLength(20)
  expect(found.filter(({ status }) => status === 'available')).toHaveLength(20)
  const names = found.map(({ errors }) => errors?.match(/"name": "(.*?)"/)?.[1])
  expect(new Set(names)).toEqual(new Set(['Error', 'Error 2'])) // the last one of each
  expect(found.every(({ args }) => args === '{}' || args === 'null')).toBe(true)
  // Where finished jobs are kept as long, what was looked at has none that failed.
  const alike = { ...request, keepFailedMs: DAY_MS }
  const near = await readBounded(store, (tx) => findFailedRuns(store, alike, tx))
  expect(near.filter(({ status }) => status === 'failed')).toEqual([])

  const buffersOf = (statement: Statement, values: unknown[]): Promise<number> =>
    readBounded(store, async (tx) => {
      const text = `explain (analyze, buffers, format json) ${store.text(statement)}`
      const answer = await tx.query(text, values)
      const json = answer.rows[0]?.['QUERY PLAN'] as string
      const [{ Plan: plan }] = JSON.parse(json) as [{ Plan: Record<string, number> }]
      return (plan['Shared Hit Blocks'] ?? 0) + (plan['Shared Read Blocks'] ?? 0)
    })
  for (const later of [DAY_MS, null]) {
    expect(await buffersOf(FIND_FAILED_RUNS, [1, 2_000, 500, later])).toBeLessThan(6_000)
  }
  expect(await buffersOf(FIND_DEAD_LETTERS, [2, 2_000, 500, null])).toBeLessThan(1_000)
})

test('dead letters are found by where they came from', async ({ db, schema, rows }) => {
  await fill(rows)
  const store = new Store(driverFor(db), schema)
  const find = (originId: number | null, limit = 500) =>
    readBounded(store, (tx) => findDeadLetters(store, { queueId: 2, originId, limit }, tx))
  expect(await find(null)).toHaveLength(20)
  expect(await find(1)).toHaveLength(10)
  expect(await find(7)).toEqual([])
  const few = await find(null, 3)
  expect(few.map(({ id }) => id)).toEqual(['200020', '200019', '200018'])
  expect(few[0]).toMatchObject({ queueName: 'dead', originQueue: 'emails', errorCount: 2 })
})
