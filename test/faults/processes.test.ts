import { describe } from 'vitest'
import { testFault } from './fault-test.ts'
import { underLoad } from './under-load.ts'

const LEASE = '2s'
const PAST_THE_LEASE_MS = 4_000
const MINUTES = 60_000

describe.concurrent('processes', () => {
  testFault(
    {
      title: 'Workers are killed at random (SIGKILL)',
      promise:
        'Every job runs. The jobs of a process that died are free again within the lease (2 s here, 30 s by default) and a moment; 10 s later where the process that noticed was killed as well.',
      repeats: 'What a killed process was running, or had run and not written down, runs again.',
      full: { jobs: 50_000, faults: 30 },
      short: { jobs: 2_000, faults: 3 },
    },
    async (stage, { jobs, faults }) => {
      const args = { do: 'work', ms: 20 } as const
      await stage.hire(4, { leaseTimeout: LEASE, concurrency: 20 })
      const enqueued = stage.enqueue(jobs, args)
      const kill = async (): Promise<void> => {
        const worker = await stage.someWorker()
        worker.kill('SIGKILL')
        await worker.exited
      }
      // Beside them jobs come one after another, so that none of the kills comes too late.
      const restRuns = jobs / faults
      await underLoad(stage, { jobs, faults }, kill, { args, restRuns })
      await enqueued
    },
  )

  testFault(
    {
      title: 'Workers are frozen for longer than the lease (SIGSTOP, SIGCONT)',
      promise:
        'Others take over what a frozen process holds. When it wakes up it cannot settle any of it.',
      repeats: 'What was running in it runs again.',
      full: { jobs: 10_000, faults: 10 },
      short: { jobs: 500, faults: 1 },
    },
    async (stage, { jobs, faults }) => {
      await stage.hire(3, { leaseTimeout: LEASE, concurrency: 10 })
      const enqueued = stage.enqueue(jobs, { do: 'work', ms: 50 })
      for (let freeze = 0; freeze < faults; freeze += 1) {
        await stage.untilRan(20, MINUTES)
        const worker = await stage.someWorker()
        const seen = { nth: freeze + 1, withinMs: 30_000 }
        await stage.fault(async () => {
          worker.kill('SIGSTOP')
          await stage.events.seen('worker.died', undefined, seen)
          worker.kill('SIGCONT')
          await stage.events.seen('worker.lease_lost', undefined, seen)
        })
      }
      await enqueued
      await stage.untilDone(10 * MINUTES)
    },
  )

  testFault(
    {
      title: 'The event loop is blocked for longer than the lease',
      promise:
        'The process is taken for dead while its handler computes, and what the handler did then counts no more. The job itself runs again, alone.',
      repeats: 'The blocking jobs run again, and what ran beside them.',
      full: { jobs: 5_000, faults: 10 },
      short: { jobs: 300, faults: 1 },
    },
    async (stage, amount) => {
      await stage.hire(3, { leaseTimeout: LEASE, concurrency: 10 })
      let block = 0
      await underLoad(stage, amount, async () => {
        await stage.enqueue(1, { do: 'block-once', ms: PAST_THE_LEASE_MS })
        const seen = { nth: (block += 1), withinMs: 30_000 }
        await stage.events.seen('worker.lease_lost', undefined, seen)
      })
    },
  )

  testFault(
    {
      title: 'Clocks of processes are wrong by an hour',
      promise:
        'No process’s clock decides anything: leases are measured by monotonic clocks, times by the database’s.',
      full: { jobs: 5_000, faults: 2 },
      short: { jobs: 500, faults: 2 },
    },
    async (stage, { jobs }) => {
      const HOUR = 3_600_000
      const off = (ms: number) => ({
        env: { CLOCK_OFF_MS: String(ms) },
        execArgv: ['--import', new URL('shifted-clock.mjs', import.meta.url).href],
      })
      await stage.fault(() => stage.hire(1, { leaseTimeout: LEASE, process: off(HOUR) }))
      await stage.fault(() => stage.hire(1, { leaseTimeout: LEASE, process: off(-HOUR) }))
      await stage.hire(1, { leaseTimeout: LEASE })
      const load = stage.load({ producers: 4, restMs: 0, options: { delay: '300ms' } })
      await stage.untilPromised(jobs, 5 * MINUTES)
      await load()
      await stage.untilDone(5 * MINUTES)
      const early = await stage.rows('select id from {schema}.history where started_at < run_at')
      if (early.length > 0) throw new Error(`${early.length} jobs ran before their time`)
    },
  )
})
