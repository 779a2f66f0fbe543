import { driverFor } from '../../src/drivers/recognise.ts'
import { readBacklog, readBacklogs, type ReadyJobs } from '../../src/store/backlog.ts'
import { Store } from '../../src/store/store.ts'
import { expect, test, type Fixtures } from '../support/fixtures.ts'

/** Makes queues 1 up to `queues`. */
async function makeQueues(rows: Fixtures['rows'], queues: number): Promise<number[]> {
  await rows(`insert into {schema}.queues (name, base_retry_delay_ms, max_retry_delay_ms, retry_jitter)
    select 'queue ' || n, 0, 0, 0 from generate_series(1, ${queues}) as n`)
  return Array.from({ length: queues }, (_, index) => index + 1)
}

/** Puts jobs into a queue; `from` is the source of the numbers `n`. */
async function addJobs(
  rows: Fixtures['rows'],
  queueId: string,
  from: string,
  { priority = '5', dueIn = '-1 minute', claimedBy = 'null::int' } = {},
): Promise<void> {
  await rows(`insert into {schema}.jobs
      (queue_id, priority, run_at, created_at, max_retries, retry_policy, claimed_by, args, metadata)
    select ${queueId}, ${priority}, now() + interval '${dueIn}', now(), 0, 'constant', ${claimedBy}, '1', '{}'
    ${from}`)
}

test('what waits is the same of one queue and of many', async ({ db, schema, rows }) => {
  const store = new Store(driverFor(db), schema)
  const ids = await makeQueues(rows, 60)
  await addJobs(rows, '1', 'from generate_series(0, 99) as n', { priority: 'n % 10' })
  await addJobs(rows, '2', 'from generate_series(1, 4000) as n', { dueIn: '-1 hour' })
  await addJobs(rows, '2', 'from generate_series(1, 7) as n', { priority: '0' })
  await addJobs(rows, '3', 'from generate_series(1, 9) as n', { dueIn: '1 hour' })
  await addJobs(rows, '4', 'from generate_series(1, 3) as n', { claimedBy: '1' })
  await addJobs(rows, '4', 'from generate_series(1, 2) as n', { claimedBy: '0' })
  const all = await readBacklogs(store, ids)
  const shown = ({ ready, isExact, oldestReadyMs }: ReadyJobs): unknown => [
    ready,
    isExact,
    oldestReadyMs === null ? null : Math.round(oldestReadyMs / 60_000),
  ]
  expect(ids.slice(0, 5).map((id) => shown(all.get(id) as ReadyJobs))).toEqual([
    [100, true, 1],
    [4_007, true, 60],
    [0, true, null],
    [2, true, 1],
    [0, true, null],
  ])
  for (const id of ids) {
    expect(shown(all.get(id) as ReadyJobs)).toEqual(shown(await readBacklog(store, id)))
  }
  expect(await readBacklogs(store, [])).toEqual(new Map())
})

test('where too many wait everywhere, the statistics of the table say how many', async ({
  db,
  schema,
  rows,
}) => {
  const store = new Store(driverFor(db), schema)
  const ids = await makeQueues(rows, 40)
  await addJobs(rows, 'n % 40 + 1', 'from generate_series(1, 60000) as n', {
    priority: 'n / 40 % 10',
  })
  await addJobs(rows, 'n % 40 + 1', 'from generate_series(1, 20000) as n', { dueIn: '1 hour' })
  await rows('analyze {schema}.jobs')
  for (const { ready, isExact, oldestReadyMs } of (await readBacklogs(store, ids)).values()) {
    expect(isExact).toBe(false)
    expect(ready).toBeGreaterThan(1_200)
    expect(ready).toBeLessThan(1_800)
    expect(oldestReadyMs).toBeGreaterThan(59_000)
  }
})
