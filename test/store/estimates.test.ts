import { driverFor } from '../../src/drivers/recognise.ts'
import { countJobs, estimateJobs } from '../../src/store/jobs.ts'
import { Store } from '../../src/store/store.ts'
import { expect, test as base } from '../support/fixtures.ts'

/** Puts rows into the tables as jobs would leave them there. */
interface Fill {
  jobs(queueId: number, count: number, running?: number): Promise<void>
  history(queueId: number, count: number, outcome: string): Promise<void>
}

const test = base.extend<{ store: Store; fill: Fill }>({
  store: async ({ db, schema }, use) => {
    await use(new Store(driverFor(db), schema))
  },
  fill: async ({ rows }, use) => {
    await rows('select {schema}.add_history_partition(current_date + 30)')
    await use({
      jobs: async (queueId, count, running = 0) => {
        await rows(
          `insert into {schema}.jobs
             (queue_id, priority, run_at, created_at, max_retries, retry_policy, args, metadata, claimed_by)
           select $1, 5, now(), now(), 3, 'constant', '{}', '{}', case when n <= $3 then 1 end
           from generate_series(1, $2::int4) as n`,
          [queueId, count, running],
        )
      },
      history: async (queueId, count, outcome) => {
        await rows(
          `insert into {schema}.history
             (id, queue_id, priority, expires_at, finished_at, run_at, created_at, max_retries, retry_policy,
              outcome, attempt, error_count, args, metadata)
           select n, $1, 5, (current_date + 30)::timestamp at time zone 'UTC' + interval '1 hour',
             now(), now(), now(), 3, 'constant', $3::text::{schema}.outcome, 1, 0, '{}', '{}'
           from generate_series(1, $2::int4) as n`,
          [queueId, count, outcome],
        )
      },
    })
  },
})

test('an estimate of few jobs is exact', async ({ store, fill }) => {
  await fill.jobs(1, 30, 4)
  await fill.jobs(2, 7)
  await fill.history(1, 5, 'finished')
  await fill.history(1, 3, 'failed')
  await fill.history(1, 2, 'cancelled')
  await fill.history(1, 6, 'moved') // a pointer is no job
  const counted = await countJobs(store, 1)
  expect(counted).toEqual({ available: 26, running: 4, finished: 5, failed: 3, cancelled: 2 })
  expect(await estimateJobs(store, 1)).toEqual({ counts: counted, isExact: true })
})

test('a queue without jobs has none of any kind', async ({ store }) => {
  const none = { available: 0, running: 0, finished: 0, failed: 0, cancelled: 0 }
  expect(await countJobs(store, 1)).toEqual(none)
  expect(await estimateJobs(store, 1)).toEqual({ counts: none, isExact: true })
})

test('an estimate of many jobs is near, and shared out among the outcomes as in the newest', async ({
  store,
  fill,
  rows,
}) => {
  await fill.jobs(1, 30_000, 50)
  await fill.jobs(2, 5_000)
  await fill.history(1, 9_000, 'failed')
  await fill.history(1, 27_000, 'finished')
  await rows('analyze {schema}.jobs')
  await rows('analyze {schema}.history')
  const { counts: estimate, isExact } = await estimateJobs(store, 1)
  expect(isExact).toBe(false)
  expect(estimate.running).toBe(50)
  expect(estimate.available / 29_950).toBeCloseTo(1, 0)
  expect((estimate.finished + estimate.failed) / 36_000).toBeCloseTo(1, 0)
  expect(estimate.finished).toBeGreaterThan(estimate.failed)
  expect(estimate.cancelled).toBe(0)
})

test('an estimate is never below what was seen, however old the statistics are', async ({
  store,
  fill,
}) => {
  await fill.jobs(1, 12_000)
  expect((await estimateJobs(store, 1)).counts.available).toBeGreaterThanOrEqual(10_000)
})
