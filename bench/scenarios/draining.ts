import { setTimeout as sleep } from 'node:timers/promises'
import { nowMs, within } from '../harness/clock.ts'
import type { Reception } from '../harness/procedures.ts'
import type { Role } from '../harness/role.ts'
import type { Trial } from '../harness/trial.ts'

const LOOK_MS = 25
/** So long a graceful stop may take before it counts as hung. */
const STOP_MS = 45_000
/** So many jobs go into one call that fills a backlog. */
const FILLED_AT_ONCE = 100_000

export interface Drained {
  readonly done: number
  /** From the first call of `receive` until the last of these jobs had run. */
  readonly elapsedMs: number
  readonly jobsPerSecond: number
}

/** Enqueues the jobs from `from` on, as fast as the contender can. */
export async function fill(producer: Role, from: number, count: number): Promise<void> {
  for (let n = from; n < from + count; n += FILLED_AT_ONCE) {
    const size = Math.min(FILLED_AT_ONCE, from + count - n)
    await producer.call('enqueueMany', { from: n, count: size })
  }
}

/** Lets the workers run until they have done `wanted` jobs in all, or time is up. They go on. */
export async function drain(
  workers: readonly Role[],
  reception: Reception,
  { wanted, limitMs }: { wanted: number; limitMs: number },
): Promise<Drained> {
  const start = nowMs()
  await Promise.all(workers.map((worker) => worker.call('receive', reception)))
  return untilDone(workers, start, { wanted, limitMs })
}

/** The same for workers that receive already. */
export async function untilDone(
  workers: readonly Role[],
  start: number,
  { wanted, limitMs }: { wanted: number; limitMs: number },
): Promise<Drained> {
  for (;;) {
    const all = await Promise.all(workers.map((worker) => worker.call('progress')))
    const done = all.reduce((sum, progress) => sum + progress.done, 0)
    const isOver = nowMs() - start > limitMs
    if (done >= wanted || isOver) {
      const lastAt = Math.max(...all.map((progress) => progress.lastAt))
      const elapsedMs = done >= wanted ? lastAt - start : nowMs() - start
      return { done, elapsedMs, jobsPerSecond: (done / elapsedMs) * 1_000 }
    }
    await sleep(LOOK_MS)
  }
}

/** Stops the workers gracefully. One that does not stop is a problem, and no reason to wait. */
export async function stopAll(trial: Trial, workers: readonly Role[]): Promise<boolean> {
  const stopping = Promise.all(workers.map((worker) => worker.call('stopReceiving')))
  try {
    await within(STOP_MS, 'Stopping', stopping)
    return true
  } catch (error) {
    trial.problem(error instanceof Error ? error.message : String(error))
    return false
  }
}

export interface Expected {
  /** Jobs 0 up to this were enqueued. */
  readonly jobs: number
  /** All of them should have run, because time was not up before. */
  readonly isWhole: boolean
  /** How often job `n` should run. */
  readonly runs?: (n: number) => number
  /** Finished jobs should still be there. */
  readonly keeps?: boolean
}

/**
 * Checks that nothing is lost: every job ran, or still waits where time was up. Answers how many ran more often than
 * they should. The workers have stopped.
 */
export async function check(
  trial: Trial,
  workers: readonly Role[],
  { jobs, isWhole, runs = () => 1, keeps = false }: Expected,
): Promise<{ duplicates: number }> {
  const tallies = await Promise.all(workers.map((worker) => worker.call('runs')))
  let ran = 0
  let duplicates = 0
  for (let n = 0; n < jobs; n += 1) {
    const times = tallies.reduce((sum, tally) => sum + (tally[n] ?? 0), 0)
    if (times > 0) ran += 1
    duplicates += Math.max(0, times - runs(n))
  }
  const [worker] = workers
  if (worker === undefined) return { duplicates }
  const left = await worker.call('unfinished')
  if (isWhole && ran < jobs) trial.problem(`${jobs - ran} of ${jobs} jobs did not run`)
  if (isWhole && left > 0) trial.problem(`${left} jobs are left, though all had run`)
  if (!isWhole && ran + left < jobs) trial.problem(`${jobs - ran - left} of ${jobs} jobs are gone`)
  const kept = keeps ? await worker.call('finished') : undefined
  const finished = jobs - left
  if (kept !== undefined && kept < finished) {
    trial.problem(`${finished - kept} of ${finished} finished jobs were not kept`)
  }
  return { duplicates }
}
