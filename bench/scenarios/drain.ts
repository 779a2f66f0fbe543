import type { QueueNeeds } from '../contender.ts'
import { costs } from '../harness/meter.ts'
import { CONCURRENCY } from '../harness/scale.ts'
import type { Findings, Scenario } from '../harness/scenario.ts'
import type { Role } from '../harness/role.ts'
import type { HandlerKind } from '../harness/tally.ts'
import type { Trial } from '../harness/trial.ts'
import type { ScenarioName } from '../results.ts'
import { check, drain, fill, stopAll } from './draining.ts'

export interface DrainOptions {
  readonly queue: QueueNeeds
  readonly processes?: number
  readonly kind?: HandlerKind
  readonly handlerMs?: number
  readonly runs?: (n: number) => number
  /** A job that begins after a later one is a problem. */
  readonly inOrder?: boolean
  /** How the jobs are enqueued, where it is not simply in bulk. */
  readonly enqueueAll?: (producer: Role, jobs: number) => Promise<void>
}

const SIZES = { full: { jobs: 100_000 }, quick: { jobs: 20_000 }, smoke: { jobs: 500 } }
const COSTS =
  'WAL, CPU and statements are those of a job’s whole life: its bulk enqueue and its run.'

/** Jobs that wait are run by one or more processes; the whole life of a job is metered. */
export async function runDrain(trial: Trial, options: DrainOptions): Promise<Findings> {
  const { queue, processes = 1, kind = 'noop', handlerMs, runs } = options
  const { enqueueAll = (producer, count) => fill(producer, 0, count) } = options
  const jobs = trial.size('jobs')
  const producer = await trial.prepare(queue)
  const workers = await Promise.all(Array.from({ length: processes }, () => trial.open(queue)))
  // Once, before the jobs' life: between its halves it would have every page written to the log twice.
  await trial.place.checkpoint()
  const stopFilling = await trial.meter()
  await enqueueAll(producer, jobs)
  const filling = await stopFilling()
  const stopDraining = await trial.meter()
  const limits = { wanted: jobs, limitMs: trial.scale.phaseMs }
  const drained = await drain(workers, { kind, capacity: jobs, handlerMs }, limits)
  const hasStopped = await stopAll(trial, workers)
  const draining = await stopDraining()
  const isWhole = drained.done >= jobs
  if (options.inOrder === true) await checkOrder(trial, workers)
  const keeps = queue.finished === 'keep'
  const counted = hasStopped
    ? await check(trial, workers, { jobs, isWhole, runs, keeps })
    : undefined
  return {
    values: {
      jobsPerSecond: drained.jobsPerSecond,
      ...costs([
        [filling, jobs],
        [draining, drained.done],
      ]),
      memoryPeakMb: await trial.memoryPeakMb(workers),
      ...counted,
    },
  }
}

async function checkOrder(trial: Trial, workers: readonly Role[]): Promise<void> {
  for (const worker of workers) {
    const outOfOrder = await worker.call('outOfOrder')
    if (outOfOrder > 0) trial.problem(`${outOfOrder} jobs began after a later one`)
  }
}

export const drainKept = makeDrain({
  name: 'drain-kept',
  title: 'Drain, finished jobs kept',
  finished: 'keep',
  processes: 1,
})

export const drainNotKept = makeDrain({
  name: 'drain-not-kept',
  title: 'Drain, finished jobs deleted',
  finished: 'discard',
  processes: 1,
})

export const drainKeptByTwo = makeDrain({
  name: 'drain-kept-2-processes',
  title: 'Drain by two processes, finished jobs kept',
  finished: 'keep',
  processes: 2,
})

export const drainNotKeptByTwo = makeDrain({
  name: 'drain-not-kept-2-processes',
  title: 'Drain by two processes, finished jobs deleted',
  finished: 'discard',
  processes: 2,
})

export const drainAtDefaults: Scenario = {
  name: 'drain-at-defaults',
  title: 'Drain with nothing set at all',
  text: `Jobs that do nothing are run by one process, at the defaults of each library, its concurrency included. ${COSTS}`,
  headline: 'jobsPerSecond',
  needs: ['bulk'],
  onlyDefaults: true,
  sizes: SIZES,
  run: (trial) => runDrain(trial, { queue: {} }),
}

export const handlersOf5Ms: Scenario = {
  name: 'handlers-5ms',
  title: 'Handlers of 5 ms',
  text: `Each handler waits for 5 ms; ${CONCURRENCY} of them may run at once in one process, so that ${(CONCURRENCY * 1_000) / 5} jobs/s is the most there can be. ${COSTS}`,
  headline: 'jobsPerSecond',
  needs: ['bulk'],
  onlyBest: true,
  isExtra: true,
  sizes: { full: { jobs: 40_000 }, quick: { jobs: 10_000 }, smoke: { jobs: 500 } },
  run: (trial) =>
    runDrain(trial, { queue: { concurrency: CONCURRENCY }, kind: 'wait', handlerMs: 5 }),
}

function makeDrain(given: {
  name: ScenarioName
  title: string
  finished: 'keep' | 'discard'
  processes: number
}): Scenario {
  const { name, title, finished, processes } = given
  return {
    name,
    title,
    text: `Jobs that do nothing wait already, and are run by ${processes === 1 ? 'one process' : 'two processes'}. The time is from the call that starts to receive until the last job has run. ${COSTS}`,
    headline: 'jobsPerSecond',
    needs: ['bulk', finished, ...(processes > 1 ? (['processes'] as const) : [])],
    countsStatements: processes === 1,
    // What peers drain at their defaults is a scenario of its own.
    onlyBest: true,
    isExtra: processes > 1,
    sizes: SIZES,
    run: (trial) => {
      const queue = { concurrency: trial.concurrency, finished }
      return runDrain(trial, { queue, processes })
    },
  }
}
