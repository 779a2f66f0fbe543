import { setTimeout as sleep } from 'node:timers/promises'
import { Client } from 'pg'
import { describe } from 'vitest'
import { testFault } from './fault-test.ts'
import type { Stage } from './stage.ts'
import { underLoad } from './under-load.ts'

const settings = [
  {
    setting: 'statement_timeout',
    value: '40ms',
    promise: 'A statement that was cancelled is repeated; smaller and later ones get through.',
  },
  {
    setting: 'lock_timeout',
    value: '5ms',
    promise: 'Whoever does not get a lock in time tries again.',
  },
  {
    setting: 'idle_in_transaction_session_timeout',
    value: '10ms',
    promise: 'No transaction of ours waits for anything but the database.',
  },
] as const

describe.concurrent('settings', () => {
  for (const { setting, value, promise } of settings) {
    testFault(
      {
        title: `\`${setting}\` is ${value}`,
        promise,
        full: { jobs: 5_000, faults: 60 },
        short: { jobs: 200, faults: 4 },
      },
      async (stage, amount) => {
        await stage.rows(`alter database postgres set ${setting} = '${value}'`)
        await stage.hire(3, { leaseTimeout: '10s' })
        // What waits for this lock runs into the timeout.
        await underLoad(stage, amount, () => lockForAMoment(stage))
      },
    )
  }
})

async function lockForAMoment({ databaseUrl, schema }: Stage): Promise<void> {
  const client = new Client({ connectionString: databaseUrl })
  await client.connect()
  await client.query('set statement_timeout = 0; set lock_timeout = 0')
  await client.query('set idle_in_transaction_session_timeout = 0')
  await client.query('begin')
  await client.query(`lock table "${schema}".jobs in share row exclusive mode`)
  await sleep(100)
  await client.query('commit')
  await client.end()
}
