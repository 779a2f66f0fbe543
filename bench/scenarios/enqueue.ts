import { costs } from '../harness/meter.ts'
import type { Findings, Scenario } from '../harness/scenario.ts'
import type { Trial } from '../harness/trial.ts'

const WARM_UP = 50

export const enqueueOneByOne: Scenario = {
  name: 'enqueue-one-by-one',
  title: 'Enqueue one after the other',
  text: 'One caller enqueues jobs, each after the one before is durable. Nobody receives. The percentiles are of the calls.',
  headline: 'jobsPerSecond',
  needs: [],
  countsStatements: true,
  sizes: { full: { jobs: 5_000 }, quick: { jobs: 1_000 }, smoke: { jobs: 50 } },
  run: (trial) => enqueueBy(trial, 1),
}

export const enqueueBy50Callers: Scenario = {
  name: 'enqueue-50-callers',
  title: 'Enqueue by 50 callers',
  text: '50 callers of one process enqueue jobs, each caller its next when its last is durable. Nobody receives. The percentiles are of the calls.',
  headline: 'jobsPerSecond',
  needs: [],
  countsStatements: true,
  sizes: { full: { jobs: 100_000 }, quick: { jobs: 20_000 }, smoke: { jobs: 500 } },
  run: (trial) => enqueueBy(trial, 50),
}

async function enqueueBy(trial: Trial, callers: number): Promise<Findings> {
  const jobs = trial.size('jobs')
  // What is left when time is up tells the rate as well.
  const limitMs = trial.scale.phaseMs / 2
  const producer = await trial.prepare({})
  await producer.call('enqueue', { from: 0, count: WARM_UP, callers, limitMs })
  await trial.place.checkpoint()
  const stopMeter = await trial.meter()
  const called = await producer.call('enqueue', { from: WARM_UP, count: jobs, callers, limitMs })
  const usage = await stopMeter()
  const stored = await producer.call('unfinished')
  const expected = WARM_UP + called.done
  if (stored !== expected) trial.problem(`${stored} jobs are stored, not ${expected}`)
  return {
    values: {
      jobsPerSecond: (called.done / called.elapsedMs) * 1_000,
      ...called.waits,
      ...costs([[usage, called.done]]),
      memoryPeakMb: await trial.memoryPeakMb(),
    },
  }
}
