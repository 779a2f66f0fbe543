import { setTimeout as sleep } from 'node:timers/promises'
import { Client } from 'pg'
import { describe } from 'vitest'
import type { StopMode } from '../support/postgres.ts'
import { testFault } from './fault-test.ts'
import type { Stage } from './stage.ts'
import { underLoad } from './under-load.ts'

const LEASE = '10s'

describe.concurrent('the server', () => {
  const restarts: readonly { mode: StopMode; words: string }[] = [
    { mode: 'fast', words: 'restarted (fast)' },
    { mode: 'immediate', words: 'restarted without a checkpoint (immediate)' },
  ]
  for (const { mode, words } of restarts) {
    testFault(
      {
        title: `The server is ${words} every few seconds`,
        promise:
          'An outage is no failure of a job: running handlers go on, and what became of them is written down when the database is back. An `enqueue` whose answer was lost rejects with `OUTCOME_UNKNOWN`.',
        full: { jobs: 5_000, faults: 15 },
        short: { jobs: 300, faults: 2 },
      },
      async (stage, amount) => {
        await stage.hire(3, { leaseTimeout: LEASE })
        await underLoad(stage, amount, () => stage.server.restart(mode))
      },
    )
  }

  testFault(
    {
      title: 'The server’s backends are terminated',
      promise: 'Each process connects again and goes on under the same lease.',
      full: { jobs: 5_000, faults: 200 },
      short: { jobs: 300, faults: 10 },
    },
    async (stage, amount) => {
      await stage.hire(3, { leaseTimeout: LEASE })
      await withClient(stage, (client) =>
        underLoad(stage, amount, () =>
          client.query(`
            select pg_terminate_backend(chosen.pid)
            from (
              select pid from pg_stat_activity
              where backend_type = 'client backend' and pid <> pg_backend_pid()
              order by random() limit 1
            ) as chosen`),
        ),
      )
    },
  )

  testFault(
    {
      title: 'The connection that listens is lost',
      promise: 'It is opened again; until then queues are polled, and the lease holds.',
      full: { jobs: 3_000, faults: 30 },
      short: { jobs: 200, faults: 3 },
    },
    async (stage, amount) => {
      await stage.hire(3, { leaseTimeout: LEASE })
      await underLoad(stage, amount, () =>
        withClient(stage, (client) =>
          client.query(`
            select pg_terminate_backend(pid) from pg_stat_activity
            where pid <> pg_backend_pid()
              and query ~ '(set beat = beat|^listen |pg_advisory_(un)?lock_shared|insert into .*workers)'`),
        ),
      )
    },
  )

  testFault(
    {
      title: 'The partition of history for tomorrow is missing',
      promise: 'The next finished job makes it.',
      full: { jobs: 3_000, faults: 20 },
      short: { jobs: 200, faults: 2 },
    },
    async (stage, amount) => {
      await stage.hire(3, { leaseTimeout: LEASE })
      await underLoad(stage, amount, async () => {
        const partitions = await stage.rows(
          `select inhrelid::regclass::text as name from pg_inherits where inhparent = '{schema}.history'::regclass`,
        )
        for (const { name } of partitions) await stage.rows(`drop table ${String(name)}`)
      })
    },
  )

  testFault(
    {
      title: 'Deadlocks are provoked',
      promise:
        'A statement of ours that is the victim is repeated; what a transaction of somebody else’s locks is worked off when it lets go.',
      full: { jobs: 5_000, faults: 200 },
      short: { jobs: 300, faults: 10 },
    },
    async (stage, amount) => {
      await stage.rows(`alter system set deadlock_timeout = '20ms'`)
      await stage.rows('select pg_reload_conf()')
      await stage.hire(3, { leaseTimeout: LEASE })
      await underLoad(stage, amount, () => lockBackwards(stage))
    },
  )
})

/** Locks jobs that are in somebody's hands one by one, the highest id first: a settle locks them upwards. */
async function lockBackwards(stage: Stage): Promise<void> {
  await withClient(stage, async (client) => {
    const table = `"${stage.schema}".jobs`
    const { rows } = await client.query<{ id: string }>(
      `select id from ${table} where claimed_by > 0 order by id desc limit 20`,
    )
    await client.query('begin')
    try {
      for (const { id } of rows) {
        await client.query(`select from ${table} where id = $1 for update`, [id])
        await sleep(2)
      }
    } catch {
      // It was the victim itself.
    }
    await client.query('rollback')
  })
}

async function withClient(stage: Stage, work: (client: Client) => Promise<unknown>): Promise<void> {
  const client = new Client({ connectionString: stage.databaseUrl })
  client.on('error', () => {}) // it is terminated as others are
  await client.connect()
  try {
    await work(client)
  } finally {
    await client.end()
  }
}
