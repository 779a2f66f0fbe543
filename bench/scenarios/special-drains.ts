import { FAILS_EVERY } from '../harness/payload.ts'
import type { Role } from '../harness/role.ts'
import type { Scenario } from '../harness/scenario.ts'
import { runDrain } from './drain.ts'

const SIZES = { full: { jobs: 100_000 }, quick: { jobs: 20_000 }, smoke: { jobs: 500 } }
/** No contender splits a call of so many, so that they are stored in the order of their numbers. */
const IN_ORDER_AT_ONCE = 500
const PRIORITIES = 10

export const fifo: Scenario = {
  name: 'fifo',
  title: 'FIFO',
  text: 'Jobs that do nothing wait in one queue of strict order, one job at a time. A job that begins after a later one is counted as a problem.',
  headline: 'jobsPerSecond',
  needs: ['bulk', 'fifo'],
  onlyBest: true,
  countsStatements: true,
  sizes: { full: { jobs: 20_000 }, quick: { jobs: 5_000 }, smoke: { jobs: 200 } },
  run: (trial) =>
    runDrain(trial, {
      queue: { concurrency: trial.concurrency, fifo: true },
      enqueueAll: fillInOrder,
      inOrder: true,
    }),
}

export const retries: Scenario = {
  name: 'retries',
  title: 'Retries',
  text: `Every ${FAILS_EVERY}th job throws on its first run and is retried as soon as the contender can. The rate counts jobs, not runs.`,
  headline: 'jobsPerSecond',
  needs: ['bulk', 'retries'],
  onlyBest: true,
  isExtra: true,
  countsStatements: true,
  sizes: SIZES,
  run: (trial) =>
    runDrain(trial, {
      queue: { concurrency: trial.concurrency, retries: true },
      kind: 'fail-once',
      runs: (n) => (n % FAILS_EVERY === 0 ? 2 : 1),
    }),
}

export const priorities: Scenario = {
  name: 'priorities',
  title: 'Mixed priorities',
  text: `Jobs of ${PRIORITIES} priorities, enqueued in turn by ${IN_ORDER_AT_ONCE}, are drained by one process.`,
  headline: 'jobsPerSecond',
  needs: ['bulk', 'priorities'],
  onlyBest: true,
  isExtra: true,
  sizes: SIZES,
  run: (trial) =>
    runDrain(trial, { queue: { concurrency: trial.concurrency }, enqueueAll: fillMixed }),
}

async function fillInOrder(producer: Role, jobs: number): Promise<void> {
  for (let from = 0; from < jobs; from += IN_ORDER_AT_ONCE) {
    const count = Math.min(IN_ORDER_AT_ONCE, jobs - from)
    await producer.call('enqueueMany', { from, count })
  }
}

async function fillMixed(producer: Role, jobs: number): Promise<void> {
  const size = Math.min(IN_ORDER_AT_ONCE, Math.ceil(jobs / PRIORITIES))
  for (let from = 0; from < jobs; from += size) {
    const count = Math.min(size, jobs - from)
    const priority = (from / size) % PRIORITIES
    await producer.call('enqueueMany', { from, count, priority })
  }
}
