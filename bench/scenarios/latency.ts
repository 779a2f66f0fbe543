import { setTimeout as sleep } from 'node:timers/promises'
import { median, percentiles } from '../harness/percentiles.ts'
import type { Role } from '../harness/role.ts'
import type { Findings, Scenario } from '../harness/scenario.ts'
import type { Trial } from '../harness/trial.ts'
import { check, stopAll } from './draining.ts'

const SIZES = { full: { jobs: 500 }, quick: { jobs: 40 }, smoke: { jobs: 10 } }
const WARM_UP = 10
/** Receivers have gone idle before the next job, each time after another pause, so that no rhythm helps or harms. */
const PAUSE_MS = { from: 5, to: 18 }
const TEXT =
  'Jobs come one after the other, each after a pause in which the receiver goes idle. The time is from the call of enqueue to the start of the handler.'

export const latencySameProcess: Scenario = {
  name: 'latency-same-process',
  title: 'Idle latency in one process',
  text: `${TEXT} The process that enqueues is the one that runs the job.`,
  headline: 'p50Ms',
  needs: [],
  sizes: SIZES,
  run: async (trial) => {
    const role = await trial.prepare({ concurrency: trial.concurrency })
    return measure(trial, role, role)
  },
}

export const latencyOtherProcess: Scenario = {
  name: 'latency-other-process',
  title: 'Idle latency from process to process',
  text: `${TEXT} One process enqueues, another one runs the job.`,
  headline: 'p50Ms',
  needs: ['processes'],
  sizes: SIZES,
  run: async (trial) => {
    const needs = { concurrency: trial.concurrency }
    const producer = await trial.prepare(needs)
    return measure(trial, producer, await trial.open(needs))
  },
}

async function measure(trial: Trial, producer: Role, worker: Role): Promise<Findings> {
  const jobs = trial.size('jobs')
  await worker.call('receive', { kind: 'stamp', capacity: jobs + WARM_UP })
  const end = performance.now() + 2 * trial.scale.phaseMs
  const calls: { began: number; ended: number }[] = []
  for (let n = 0; n < jobs + WARM_UP && performance.now() < end; n += 1) {
    // Asked before, so that nothing but the job happens between the call and its start.
    const done = worker.call('untilDone', n)
    calls.push(await producer.call('enqueueOne', n))
    await done
    await sleep(PAUSE_MS.from + ((n * 7) % (PAUSE_MS.to - PAUSE_MS.from)))
  }
  const started = await worker.call('startedAt')
  // Slow ones are told by what came after fewer, or by the first job of all.
  const first = calls.length > WARM_UP ? WARM_UP : Math.max(0, calls.length - 1)
  const counting = calls.slice(first)
  const waits = counting.map(({ began }, index) => (started[first + index] ?? 0) - began)
  const callMs = counting.map(({ began, ended }) => ended - began)
  const counted = (await stopAll(trial, [worker]))
    ? await check(trial, [worker], { jobs: calls.length, isWhole: true })
    : undefined
  return {
    values: {
      ...percentiles(Float64Array.from(waits)),
      callMs: median(callMs),
      ...counted,
    },
  }
}
