import pg from 'pg'
import { nowMs } from '../harness/clock.ts'
import type { Findings, Scenario } from '../harness/scenario.ts'
import type { Trial } from '../harness/trial.ts'
import { check, stopAll } from './draining.ts'
import { catchUp } from './enqueue-in-transactions.ts'
import { pressFor, type Sample } from './pressing.ts'

export const heldSnapshot: Scenario = {
  name: 'held-snapshot',
  title: 'Full load beside an open transaction',
  text: 'A REPEATABLE READ transaction that has read something stays open, so that nothing that is deleted or updated can be tidied away. One process enqueues in bulk, never far ahead, another one runs the jobs, which do nothing: both as fast as they can.',
  headline: 'lastWindow',
  needs: ['bulk', 'processes', 'postgres'],
  onlyBest: true,
  runsOnce: true,
  sizes: {
    full: { seconds: 120, windowSeconds: 10 },
    quick: { seconds: 3, windowSeconds: 1 },
    smoke: { seconds: 1, windowSeconds: 0.25 },
  },
  run: async (trial) => {
    const reader = new pg.Client({ connectionString: trial.place.url })
    reader.on('error', () => {}) // the database is dropped under it
    await reader.connect()
    try {
      return await measure(trial, reader)
    } finally {
      await reader.end()
    }
  },
}

async function measure(trial: Trial, reader: pg.Client): Promise<Findings> {
  const limitMs = trial.size('seconds') * 1_000
  const count = Math.ceil(limitMs * 200) // more than anybody can
  const producer = await trial.prepare({ concurrency: trial.concurrency })
  const worker = await trial.open({ concurrency: trial.concurrency })
  await worker.call('receive', { kind: 'noop', capacity: count })
  await trial.place.checkpoint()
  await reader.query('begin isolation level repeatable read')
  await reader.query('select count(*) from pg_class')
  const start = nowMs()
  const { done, samples } = await pressFor({ producer, worker }, { count, limitMs })
  const isWhole = await catchUp(trial, [worker], start, done)
  await reader.query('commit')
  const memoryPeakMb = await trial.memoryPeakMb()
  const counted = (await stopAll(trial, [worker]))
    ? await check(trial, [worker], { jobs: done, isWhole })
    : undefined
  const windows = inWindows(samples, start, trial.size('windowSeconds') * 1_000, limitMs)
  return {
    values: {
      firstWindow: windows[0]?.[1],
      lastWindow: windows.at(-1)?.[1],
      jobsPerSecond: windows.reduce((sum, [, rate]) => sum + rate, 0) / windows.length,
      memoryPeakMb,
      ...counted,
    },
    series: { jobsPerSecond: windows },
  }
}

/** Rates by window: `[seconds at its end, jobs/s]`. */
function inWindows(
  samples: readonly Sample[],
  start: number,
  windowMs: number,
  limitMs: number,
): (readonly [number, number])[] {
  const doneAt = (at: number): Sample =>
    samples.findLast((sample) => sample.at <= at) ?? { at: start, done: 0 }
  return Array.from({ length: Math.floor(limitMs / windowMs) }, (_, index) => {
    const from = doneAt(start + index * windowMs)
    const to = doneAt(start + (index + 1) * windowMs)
    const rate = ((to.done - from.done) / Math.max(1, to.at - from.at)) * 1_000
    return [((index + 1) * windowMs) / 1_000, rate] as const
  })
}
