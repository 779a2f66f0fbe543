import { describe } from 'vitest'
import type { JobScript } from '../support/fixtures.ts'
import { testFault } from './fault-test.ts'

const MINUTES = 60_000
const MANNERS = ['string', 'null', 'undefined', 'symbol', 'getters', 'huge'] as const

describe.concurrent('handlers', () => {
  testFault(
    {
      title: 'Handlers throw what nobody expects',
      promise:
        'A string, null, undefined, a symbol, an object whose getters throw, an error of 5 MB: each is a failed run like any other, with a record that can be read.',
      full: { jobs: 3_000, faults: 1 },
      short: { jobs: 60, faults: 1 },
    },
    async (stage, { jobs }) => {
      await stage.hire(2, { leaseTimeout: '2s', queue: { baseRetryDelay: '10ms' } })
      await stage.fault(async () => {
        for (const how of MANNERS)
          await stage.enqueue(jobs / MANNERS.length, { do: 'misbehave', how })
        await stage.untilDone(5 * MINUTES)
      })
      const [row] = await stage.rows(`
        select count(*)::int4 as jobs, count(*) filter (where errors is not null and attempt = 2)::int4 as told
        from {schema}.history where outcome = 'finished'`)
      if (row?.['jobs'] !== jobs || row['told'] !== jobs)
        throw new Error(`Not all errors are on record: ${JSON.stringify(row)}`)
    },
  )

  testFault(
    {
      title: 'Handlers never end',
      promise:
        'A timeout of the job gives its slot back; the run has failed and is repeated, and a stop does not wait for it.',
      full: { jobs: 400, faults: 1 },
      short: { jobs: 10, faults: 1 },
    },
    async (stage, { jobs }) => {
      const never: JobScript = { do: 'misbehave', how: 'never' }
      await stage.hire(1, { leaseTimeout: '2s', queue: { baseRetryDelay: '10ms' } })
      await stage.fault(async () => {
        const items = Array.from({ length: jobs }, () => ({
          args: never,
          timeout: '200ms' as const,
        }))
        for (const { id } of await stage.queue.enqueueMany(items)) stage.promised.add(id)
        await stage.untilDone(5 * MINUTES)
      })
    },
  )

  testFault(
    {
      title: 'Handlers exhaust the pool',
      promise:
        'Handlers that hold every connection of the pool delay claims and settles; neither the lease nor a job is lost.',
      full: { jobs: 3_000, faults: 1 },
      short: { jobs: 150, faults: 1 },
    },
    async (stage, { jobs }) => {
      await stage.hire(2, { leaseTimeout: '2s', concurrency: 20, poolSize: 4 })
      await stage.fault(async () => {
        await stage.enqueue(jobs, { do: 'hog', ms: 100 })
        await stage.untilDone(10 * MINUTES)
      })
    },
  )
})
