import { setTimeout as sleep } from 'node:timers/promises'
import type { Scenario } from '../harness/scenario.ts'

/**
 * What a process does once when it begins to receive is not what it costs to be idle. And connections tell PostgreSQL's
 * statistics of their transactions in lumps, as late as 10 s afterwards: the window has to be several times as long.
 */
const SETTLE_MS = { full: 20_000, quick: 12_000, smoke: 500 }

export const idle: Scenario = {
  name: 'idle',
  title: 'Idle',
  text: 'One process receives from many queues, all of them empty. Transactions are those that PostgreSQL counts in its database, connections those that are open at the end.',
  headline: 'transactionsPerSecond',
  needs: ['postgres'],
  runsOnce: true,
  isExtra: true,
  sizes: {
    full: { queues: 20, seconds: 30 },
    quick: { queues: 20, seconds: 3 },
    smoke: { queues: 20, seconds: 1 },
  },
  run: async (trial) => {
    const { database } = trial.place
    if (database === undefined) throw new Error('This contender has no database to look into')
    const seconds = trial.size('seconds')
    const worker = await trial.prepare({ queues: trial.size('queues') })
    await worker.call('receive', { kind: 'noop', capacity: 1 })
    await sleep(SETTLE_MS[trial.scale.name])
    const before = await trial.postgres.activity(database)
    const start = performance.now()
    await sleep(seconds * 1_000)
    const after = await trial.postgres.activity(database)
    const elapsed = (performance.now() - start) / 1_000
    return {
      values: {
        transactionsPerSecond: (after.transactions - before.transactions) / elapsed,
        connections: after.connections,
        memoryPeakMb: await trial.memoryPeakMb(),
      },
    }
  },
}
