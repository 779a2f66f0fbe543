import type { Scenario } from '../harness/scenario.ts'

export const startUp: Scenario = {
  name: 'start-up',
  title: 'Start of a process',
  text: 'A job waits already. The time is from the import of the library in a running process to the start of that job’s handler.',
  headline: 'startMs',
  needs: [],
  isExtra: true,
  sizes: { full: { jobs: 1 }, quick: { jobs: 1 }, smoke: { jobs: 1 } },
  run: async (trial) => {
    const needs = { concurrency: trial.concurrency }
    const producer = await trial.prepare(needs)
    await producer.call('enqueue', { from: 0, count: 1, callers: 1, limitMs: 10_000 })
    await producer.call('close')
    await producer.end()
    const worker = trial.start()
    const { startMs } = await worker.call('startUp', {
      contender: trial.contender.name,
      url: trial.place.url,
      needs,
    })
    return { values: { startMs, memoryPeakMb: await trial.memoryPeakMb([worker]) } }
  },
}
