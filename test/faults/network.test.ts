import { setTimeout as sleep } from 'node:timers/promises'
import { describe } from 'vitest'
import { startTcpProxy, type TcpProxy } from '../support/tcp-proxy.ts'
import { IS_FULL, testFault, type Amount } from './fault-test.ts'
import type { Stage } from './stage.ts'
import { underLoad } from './under-load.ts'

/** Longer than the patience of a heartbeat, shorter than the lease. */
const SILENCE_MS = 4_000
const REFUSED_MS = IS_FULL ? 60_000 : 5_000

/** Workers behind a network that can be made bad. */
async function throughNetwork(
  stage: Stage,
  amount: Amount,
  happen: (proxy: TcpProxy) => Promise<void> | void,
): Promise<void> {
  const proxy = await startTcpProxy(stage.databaseUrl)
  try {
    await stage.hire(3, { leaseTimeout: '10s', databaseUrl: proxy.url })
    await underLoad(stage, amount, () => happen(proxy))
    await stage.close()
  } finally {
    await proxy.close()
  }
}

describe.concurrent('the network', () => {
  testFault(
    {
      title: 'Connections are cut, with and without a goodbye',
      promise: 'Each process connects again. Where an answer was lost, it looks what became of it.',
      full: { jobs: 5_000, faults: 60 },
      short: { jobs: 300, faults: 4 },
    },
    (stage, amount) => {
      let isReset = false
      return throughNetwork(stage, amount, (proxy) => {
        proxy.cut(isReset ? 'reset' : 'cut')
        isReset = !isReset
      })
    },
  )

  testFault(
    {
      title: 'Connections go silent and stay open',
      promise:
        'A heartbeat without an answer goes over another connection before the lease ends, and statements that got no answer are given up.',
      repeats: 'A process whose lease ran out meanwhile is taken for dead, and its jobs run again.',
      full: { jobs: 5_000, faults: 10 },
      short: { jobs: 300, faults: 1 },
    },
    (stage, amount) =>
      throughNetwork(stage, amount, async (proxy) => {
        proxy.silence()
        await sleep(SILENCE_MS)
      }),
  )

  testFault(
    {
      title: 'The network is slow: 200 ms each way',
      promise: 'Everything takes longer, nothing else changes.',
      full: { jobs: 3_000, faults: 5 },
      short: { jobs: 100, faults: 1 },
    },
    (stage, amount) =>
      throughNetwork(stage, amount, async (proxy) => {
        proxy.delayMs = 200
        await sleep(IS_FULL ? 10_000 : 3_000)
        proxy.delayMs = 0
      }),
  )

  testFault(
    {
      title: `The database refuses connections for ${IS_FULL ? 'a minute' : 'some seconds'}`,
      promise:
        'Workers wait, longer each time but never longer than a fifth of the lease, and go on by themselves.',
      repeats:
        'Nobody else can see that their leases end. What was running is written down when the database is back; where the lease of a process had run out in the eyes of another one, it runs again.',
      full: { jobs: 3_000, faults: 2 },
      short: { jobs: 200, faults: 1 },
    },
    (stage, amount) =>
      throughNetwork(stage, amount, async (proxy) => {
        proxy.newcomers = 'refuse'
        proxy.cut('reset')
        await sleep(REFUSED_MS)
        proxy.newcomers = 'carry'
      }),
  )
})
