import { median } from '../harness/percentiles.ts'
import type { Role } from '../harness/role.ts'
import type { Findings, Scenario } from '../harness/scenario.ts'
import type { Trial } from '../harness/trial.ts'
import type { ScenarioName } from '../results.ts'
import { drain, fill, stopAll } from './draining.ts'

/** Each depth is measured so often in its one run, as a drain of this size is over in a moment. */
const ROUNDS = 5
const TEXT =
  'A process begins to receive, and the time is taken until it has run the given number of jobs that do nothing, with so many others waiting behind them in the same queue: five times over, the backlog filled up in between. The rate is the median.'

export const depths: readonly Scenario[] = [
  makeDepth('depth-0', 'none', 0),
  makeDepth('depth-100k', '100,000', 100_000),
  makeDepth('depth-1m', '1 million', 1_000_000),
  { ...makeDepth('depth-5m', '5 million', 5_000_000), onlyMillrace: true },
]

export const deepHistory: Scenario = {
  ...makeDepth('history-5m', 'none', 0),
  title: 'Drain with 5 million finished jobs in history',
  text: 'As the drain with none waiting behind, while 5 million finished jobs are kept.',
  needs: ['bulk', 'keep'],
  onlyMillrace: true,
  sizes: {
    full: { jobs: 20_000, finished: 5_000_000 },
    quick: { jobs: 10_000, finished: 500_000 },
    smoke: { jobs: 200, finished: 2_000 },
  },
  run: async (trial) => {
    const producer = await trial.prepare({ concurrency: trial.concurrency, finished: 'keep' })
    await producer.call('fillHistory', trial.size('finished'))
    return measure(trial, producer, 0)
  },
}

function makeDepth(name: ScenarioName, words: string, waiting: number): Scenario {
  return {
    name,
    title: `Drain with ${words} waiting behind`,
    text: TEXT,
    headline: 'jobsPerSecond',
    needs: ['bulk'],
    onlyBest: true,
    runsOnce: true,
    isExtra: true,
    sizes: {
      full: { jobs: 20_000, waiting },
      quick: { jobs: 10_000, waiting: Math.ceil(waiting / 10) },
      smoke: { jobs: 200, waiting: Math.ceil(waiting / 1_000) },
    },
    run: async (trial) => {
      const producer = await trial.prepare({ concurrency: trial.concurrency })
      return measure(trial, producer, trial.size('waiting'))
    },
  }
}

async function measure(trial: Trial, producer: Role, waiting: number): Promise<Findings> {
  const wanted = trial.size('jobs')
  const worker = await trial.open({ concurrency: trial.concurrency })
  const limits = { wanted, limitMs: trial.scale.phaseMs / 2 }
  const rates: number[] = []
  const runs: Uint8Array[] = []
  let jobs = 0
  let left = 0
  for (let round = 1; round <= ROUNDS; round += 1) {
    await fill(producer, jobs, waiting + wanted - left)
    jobs += waiting + wanted - left
    await trial.place.checkpoint()
    const drained = await drain([worker], { kind: 'noop', capacity: jobs }, limits)
    rates.push(drained.jobsPerSecond)
    const hasStopped = await stopAll(trial, [worker])
    if (!hasStopped) break
    runs.push(await worker.call('runs'))
    left = await worker.call('unfinished')
    // One that is slow once is slow again, and time is short.
    if (drained.done < wanted) break
  }
  const duplicates = checkRuns(trial, runs, { jobs, left })
  const memoryPeakMb = await trial.memoryPeakMb([worker])
  return {
    values: { jobsPerSecond: median(rates), duplicates, memoryPeakMb },
    series: { jobsPerSecond: rates.map((rate, index) => [index + 1, rate] as const) },
  }
}

/** Nothing is lost: what did not run in any round is left. Answers how many jobs ran more than once. */
function checkRuns(
  trial: Trial,
  rounds: readonly Uint8Array[],
  { jobs, left }: { jobs: number; left: number },
): number {
  let ran = 0
  let duplicates = 0
  for (let n = 0; n < jobs; n += 1) {
    const times = rounds.reduce((sum, runs) => sum + (runs[n] ?? 0), 0)
    if (times > 0) ran += 1
    duplicates += Math.max(0, times - 1)
  }
  if (ran + left < jobs) trial.problem(`${jobs - ran - left} of ${jobs} jobs are gone`)
  return duplicates
}
