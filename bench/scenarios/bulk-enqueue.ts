import { costs } from '../harness/meter.ts'
import type { Scenario } from '../harness/scenario.ts'
import { fill } from './draining.ts'

export const bulkEnqueue: Scenario = {
  name: 'bulk-enqueue',
  title: 'Bulk enqueue',
  text: 'One process enqueues all jobs with the call for many, in the batches that the contender documents as the fastest. Nobody receives.',
  headline: 'jobsPerSecond',
  needs: ['bulk'],
  countsStatements: true,
  sizes: { full: { jobs: 100_000 }, quick: { jobs: 20_000 }, smoke: { jobs: 500 } },
  run: async (trial) => {
    const jobs = trial.size('jobs')
    const producer = await trial.prepare({})
    await fill(producer, 0, 1) // connections are open, the queue is known
    await trial.place.checkpoint()
    const stopMeter = await trial.meter()
    const { elapsedMs } = await producer.call('enqueueMany', { from: 1, count: jobs })
    const usage = await stopMeter()
    const stored = await producer.call('unfinished')
    if (stored !== jobs + 1) trial.problem(`${stored} jobs are stored, not ${jobs + 1}`)
    return {
      values: {
        jobsPerSecond: (jobs / elapsedMs) * 1_000,
        ...costs([[usage, jobs]]),
        memoryPeakMb: await trial.memoryPeakMb(),
      },
    }
  },
}
