import { openSync, writeSync } from 'node:fs'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { Pool } from 'pg'
import postgres from 'postgres'
import { describe, expect } from 'vitest'
import { JobQueue } from '../../src/job-queue.ts'
import { testOnOwnServer, until } from '../support/fixtures.ts'
import { startStandby, type StandbyServer } from '../support/standby.ts'
import { startTcpProxy } from '../support/tcp-proxy.ts'
import { IS_FULL } from './fault-test.ts'
import { keep } from './findings.ts'
import { now, Stage, type StageParts } from './stage.ts'

const LOAD_MS = IS_FULL ? 20_000 : 2_000
/** An asynchronous standby lacks so much of what the primary had acknowledged. */
const BEHIND_MS = 500
/** What a process has claimed starts within that time. */
const CLAIMED_AHEAD_MS = 2_000
const PATIENCE_MS = 60_000
const LEASE = '10s'
const SILENT = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} }

const KINDS = [
  {
    isSynchronous: true,
    title: 'Failover to a synchronous standby',
    promise:
      'The primary is killed under load and the standby promoted: every job whose `enqueue` resolved is there and runs.',
    repeats: 'What was running when the primary died runs again.',
  },
  {
    isSynchronous: false,
    title: 'Failover to an asynchronous standby',
    promise:
      'What the primary had acknowledged and not sent yet when it died is gone, as in every table of such a database; that is what “lost” counts here, of half a second. All that had arrived runs.',
    repeats:
      'What was running when the primary died runs again, and what its successor does not know to be claimed or done.',
  },
] as const

describe('failover', () => {
  for (const { isSynchronous, title, promise, repeats } of KINDS) {
    testOnOwnServer(
      title,
      { timeout: 5 * 60_000 },
      async ({ server, queue, child, rows, events, schema, databaseUrl }) => {
        const parts = { server, queue, child, rows, events, schema, databaseUrl }
        const standby = await startStandby(server, { isSynchronous })
        try {
          const { stage, reissued, refused } = await failOver(parts, standby, isSynchronous)
          const verdict = stage.judge()
          const { jobs, lost, repeated, unexplained, wentOnAfterMs, ranAgainAfterMs } = verdict
          if (IS_FULL) {
            keep({
              ...{
                title,
                promise,
                jobs,
                faults: 1,
                lost: lost.length + reissued,
                repeated,
                refused,
              },
              ...{ unexplained: unexplained.length, wentOnAfterMs, ranAgainAfterMs },
              repeats,
            })
          }
          if (isSynchronous) expect([...lost, reissued]).toEqual([0])
          else expect(repeated, 'jobs whose end was forgotten').toBeGreaterThan(0)
          expect(unexplained).toEqual([])
          expect(refused).toBeGreaterThan(0)
        } finally {
          await standby.remove()
        }
      },
    )
  }
})

/**
 * Load from one pool that goes through a proxy (pg knows one host) and from one that knows both hosts (postgres.js);
 * workers on both. Then the primary dies, and what is enqueued goes to the standby.
 */
async function failOver(
  parts: StageParts,
  standby: StandbyServer,
  isSynchronous: boolean,
): Promise<{ stage: Stage; reissued: number; refused: number }> {
  const { server, schema } = parts
  const proxy = await startTcpProxy(server.url)
  const pool = new Pool({ connectionString: proxy.url, max: 5 })
  const sql = postgres(bothServers(server.url, standby.url), {
    ...{ max: 5, target_session_attrs: 'read-write', connect_timeout: 2, onnotice: () => {} },
  })
  const viaProxy = new Stage({ ...parts, queue: new JobQueue(pool, { schema, logger: SILENT }) })
  const handler = writingDown(viaProxy.folder)
  const overBoth = new JobQueue(sql, handler, { schema, logger: SILENT })
  const viaBoth = new Stage({ ...parts, queue: overBoth })
  const stop = new AbortController()
  const received = overBoth.receive({ signal: stop.signal, leaseTimeout: LEASE })
  await viaProxy.hire(2, { leaseTimeout: LEASE, databaseUrl: proxy.url })
  const stages = [viaProxy, viaBoth]
  const ends = stages.map((stage) => stage.load({ producers: 8, restMs: 0 }))
  await sleep(LOAD_MS)
  const after = isSynchronous ? {} : { forgottenMs: CLAIMED_AHEAD_MS }
  await viaProxy.fault(async () => {
    if (!isSynchronous) {
      await standby.fallBehind()
      await sleep(BEHIND_MS)
    }
    await server.kill()
    await standby.promote()
    proxy.pointTo(standby.url)
  }, after)
  const wanted = stages.map((stage) => stage.promised.size + 50)
  await until(() => stages.every(({ promised }, index) => promised.size > (wanted[index] ?? 0)), {
    ...{ what: 'enqueues into the new primary', withinMs: PATIENCE_MS },
  })
  await sleep(LOAD_MS)
  for (const end of ends) await end()
  await untilEmpty(standby.url, schema)
  stop.abort()
  await received
  await viaProxy.close()
  await Promise.all([pool.end(), sql.end({ timeout: 1 }), proxy.close()])
  for (const id of viaBoth.promised) viaProxy.promise(id)
  const refused = viaProxy.refused.length + viaBoth.refused.length
  return { stage: viaProxy, reissued: viaProxy.reissued + viaBoth.reissued, refused }
}

async function untilEmpty(databaseUrl: string, schema: string): Promise<void> {
  const pool = new Pool({ connectionString: databaseUrl, max: 1 })
  await until(
    async () => (await pool.query(`select from "${schema}".jobs limit 1`)).rowCount === 0,
    { what: 'an empty queue', withinMs: PATIENCE_MS },
  )
  await pool.end()
}

/** Both servers in one string, as postgres.js takes them. */
function bothServers(first: string, second: string): string {
  const { username, password, host, pathname } = new URL(first)
  return `postgres://${username}:${password}@${host},${new URL(second).host}${pathname}`
}

/** A handler in this process that writes down its runs as those of the children do. */
function writingDown(folder: string): (job: { id: string; attempt: number }) => Promise<void> {
  const file = openSync(path.join(folder, `${process.pid}.runs`), 'a')
  const write = (what: string, id: string, attempt: number): void =>
    void writeSync(file, `${now()} ${what} ${id} ${attempt}\n`)
  return async ({ id, attempt }) => {
    write('start', id, attempt)
    await sleep(5)
    write('end', id, attempt)
  }
}
