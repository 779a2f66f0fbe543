import { setTimeout as sleep } from 'node:timers/promises'
import { nowMs } from '../harness/clock.ts'
import { costs } from '../harness/meter.ts'
import { percentiles } from '../harness/percentiles.ts'
import type { Role } from '../harness/role.ts'
import type { Findings, Scenario } from '../harness/scenario.ts'
import type { Trial } from '../harness/trial.ts'
import { catchUp } from './enqueue-in-transactions.ts'
import { check, stopAll } from './draining.ts'
import { pressFor } from './pressing.ts'

const CALLERS = 50
/** What every contender on PostgreSQL can sustain at its best, the slowest included. */
const SAME_RATE = 500
const SIZES = {
  full: { maximumSeconds: 4, steadySeconds: 5 },
  quick: { maximumSeconds: 1, steadySeconds: 1.5 },
  smoke: { maximumSeconds: 0.5, steadySeconds: 0.5 },
}
const TEXT =
  'One process enqueues, another one runs the jobs, which do nothing. First as fast as both can go: what they sustain together is the rate. Then at half of that rate: the percentiles are of the time from when a job was due to be enqueued to the start of its handler.'

export const steadyBulk: Scenario = {
  name: 'steady-bulk',
  title: 'Steady state, bulk producer',
  text: `${TEXT} Jobs are enqueued by the call for many, at half the rate all those of 10 ms in one.`,
  headline: 'jobsPerSecond',
  needs: ['bulk', 'processes'],
  onlyBest: true,
  sizes: SIZES,
  run: (trial) => runSteady(trial, undefined),
}

export const steadyBy50Callers: Scenario = {
  name: 'steady-50-callers',
  title: 'Steady state, 50 callers',
  text: `${TEXT} Jobs are enqueued one by one by ${CALLERS} callers.`,
  headline: 'jobsPerSecond',
  needs: ['processes'],
  onlyBest: true,
  isExtra: true,
  sizes: SIZES,
  run: (trial) => runSteady(trial, CALLERS),
}

export const steadyAtSameRate: Scenario = {
  name: 'steady-same-rate',
  title: 'Steady state, the same rate for all',
  text: `One process enqueues ${SAME_RATE} jobs/s one by one by ${CALLERS} callers, another one runs them; they do nothing. The percentiles are of the time from when a job was due to be enqueued to the start of its handler.`,
  headline: 'p99Ms',
  needs: ['processes', 'postgres'],
  onlyBest: true,
  sizes: {
    full: { jobsPerSecond: SAME_RATE, steadySeconds: 5 },
    quick: { jobsPerSecond: SAME_RATE, steadySeconds: 1.5 },
    smoke: { jobsPerSecond: SAME_RATE, steadySeconds: 0.5 },
  },
  run: async (trial) => {
    const roles = await openRoles(trial)
    return { values: await offerSteadily(trial, roles, SAME_RATE, CALLERS) }
  },
}

interface Roles {
  readonly producer: Role
  readonly worker: Role
}

async function runSteady(trial: Trial, callers: number | undefined): Promise<Findings> {
  const roles = await openRoles(trial)
  const maximum = await findMaximum(trial, roles, callers)
  if (maximum === 0) return { values: { jobsPerSecond: 0 } }
  // New processes and an empty queue, as what the first phase left is not part of a steady state.
  await trial.renew()
  const half = await offerSteadily(trial, await openRoles(trial), maximum / 2, callers)
  return { values: { ...half, jobsPerSecond: maximum } }
}

async function openRoles(trial: Trial): Promise<Roles> {
  const needs = { concurrency: trial.concurrency }
  const producer = await trial.prepare(needs)
  return { producer, worker: await trial.open(needs) }
}

/** What producer and worker sustain together when both go as fast as they can. */
async function findMaximum(
  trial: Trial,
  { producer, worker }: Roles,
  callers: number | undefined,
): Promise<number> {
  const limitMs = trial.size('maximumSeconds') * 1_000
  const count = Math.ceil(limitMs * 300) // more than anybody can
  await worker.call('receive', { kind: 'noop', capacity: count })
  await trial.place.checkpoint()
  const start = nowMs()
  const { done } =
    callers === undefined
      ? await pressFor({ producer, worker }, { count, limitMs })
      : await producer.call('enqueue', { from: 0, count, callers, limitMs })
  const progress = await worker.call('progress')
  const rate = (progress.done / (nowMs() - start)) * 1_000
  const isWhole = await catchUp(trial, [worker], start, done)
  if (await stopAll(trial, [worker])) await check(trial, [worker], { jobs: done, isWhole })
  return rate
}

async function offerSteadily(
  trial: Trial,
  { producer, worker }: Roles,
  rate: number,
  callers: number | undefined,
): Promise<Findings['values']> {
  const jobs = Math.max(1, Math.ceil(trial.size('steadySeconds') * rate))
  await worker.call('receive', { kind: 'stamp', capacity: jobs })
  await sleep(100)
  await trial.place.checkpoint()
  const start = nowMs()
  const stopMeter = await trial.meter()
  const { dueAt } = await producer.call('offer', { from: 0, count: jobs, rate, callers })
  const isWhole = await catchUp(trial, [worker], start, jobs)
  const usage = await stopMeter()
  const startedAt = await worker.call('startedAt')
  // One that has not started has waited at least until now.
  const now = nowMs()
  const waits = dueAt.map((due, n) => (startedAt[n] === 0 ? now : (startedAt[n] ?? now)) - due)
  const { done } = await worker.call('progress')
  const memoryPeakMb = await trial.memoryPeakMb([producer, worker])
  const counted = (await stopAll(trial, [worker]))
    ? await check(trial, [worker], { jobs, isWhole })
    : undefined
  return { ...percentiles(waits), ...costs([[usage, done]]), memoryPeakMb, ...counted }
}
