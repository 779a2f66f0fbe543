import { nowMs } from '../harness/clock.ts'
import { costs } from '../harness/meter.ts'
import type { Reception } from '../harness/procedures.ts'
import type { Findings, Scenario } from '../harness/scenario.ts'
import type { Trial } from '../harness/trial.ts'
import { check, fill, stopAll, untilDone } from './draining.ts'

const CALLERS = 32
const SIZES = {
  full: { jobs: 100_000, seconds: 3 },
  quick: { jobs: 20_000, seconds: 1 },
  smoke: { jobs: 500, seconds: 1 },
}
const TEXT = `${CALLERS} callers, each on a connection of its own, enqueue one job in each of their transactions: begin, enqueue, commit.`

export const enqueueWhileBusy: Scenario = {
  name: 'enqueue-in-transactions-busy',
  title: 'Enqueue in 32 callers’ transactions, receivers busy',
  text: `${TEXT} Meanwhile another process runs jobs of 20 ms, 10 at a time, and always has more than enough of them.`,
  headline: 'jobsPerSecond',
  needs: ['transactions', 'bulk', 'processes'],
  onlyBest: true,
  countsStatements: true,
  sizes: SIZES,
  run: (trial) =>
    enqueueBeside(trial, { concurrency: 10, kind: 'wait', handlerMs: 20, backlog: 3_000 }),
}

export const enqueueWhileIdle: Scenario = {
  name: 'enqueue-in-transactions-idle',
  title: 'Enqueue in 32 callers’ transactions, receivers idle in between',
  text: `${TEXT} Another process runs the jobs, which do nothing, and is done with them so fast that it goes idle and is woken all the time.`,
  headline: 'jobsPerSecond',
  needs: ['transactions', 'bulk', 'processes'],
  onlyBest: true,
  sizes: SIZES,
  run: (trial) =>
    enqueueBeside(trial, { concurrency: trial.concurrency, kind: 'noop', backlog: 0 }),
}

interface Beside {
  readonly concurrency: number | undefined
  readonly kind: Reception['kind']
  readonly handlerMs?: number
  /** Jobs that wait before the callers begin. */
  readonly backlog: number
}

async function enqueueBeside(
  trial: Trial,
  { concurrency, kind, handlerMs, backlog }: Beside,
): Promise<Findings> {
  const count = trial.size('jobs')
  const producer = await trial.prepare({ concurrency })
  const worker = await trial.open({ concurrency })
  await fill(producer, 0, backlog)
  await trial.place.checkpoint()
  const begun = nowMs()
  await worker.call('receive', { kind, handlerMs, capacity: backlog + count })
  const stopMeter = await trial.meter()
  const called = await producer.call('enqueueInTransactions', {
    from: backlog,
    count,
    callers: CALLERS,
    limitMs: trial.size('seconds') * 1_000,
  })
  const usage = await stopMeter()
  const jobs = backlog + called.done
  const isWhole = backlog === 0 && (await catchUp(trial, [worker], begun, jobs))
  const counted = (await stopAll(trial, [worker]))
    ? await check(trial, [worker], { jobs, isWhole })
    : undefined
  return {
    values: {
      jobsPerSecond: (called.done / called.elapsedMs) * 1_000,
      ...called.waits,
      ...costs([[usage, called.done]]),
      memoryPeakMb: await trial.memoryPeakMb([producer]),
      ...counted,
    },
  }
}

/** Gives the workers some time to run what is left, for the check; answers whether they did. */
export async function catchUp(
  trial: Trial,
  workers: Parameters<typeof untilDone>[0],
  begun: number,
  wanted: number,
): Promise<boolean> {
  const limitMs = nowMs() - begun + trial.scale.phaseMs / 4
  return (await untilDone(workers, begun, { wanted, limitMs })).done >= wanted
}
