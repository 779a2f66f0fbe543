import { setTimeout as sleep } from 'node:timers/promises'
import { describe, type TestAPI } from 'vitest'
import {
  expect,
  test as base,
  until,
  type JobScript,
  type ServerFixtures,
} from '../support/fixtures.ts'
import { startTcpProxy, type TcpProxy } from '../support/tcp-proxy.ts'
import type { WorkerProcess } from '../support/workers.ts'

/** The children's network can go silent; this process's cannot. */
const test = base.extend<{ proxy: TcpProxy }>({
  proxy: async (
    { databaseUrl }: { databaseUrl: string },
    use: (proxy: TcpProxy) => Promise<void>,
  ) => {
    const proxy = await startTcpProxy(databaseUrl)
    await use(proxy)
    await proxy.close()
  },
}) as unknown as TestAPI<ServerFixtures & { proxy: TcpProxy }>

const script = (args: JobScript): JobScript => args
const WORK = { args: script({ do: 'work', ms: 30 }) }

/** The jobs whose runs began in this process. */
const runsOf = (worker: WorkerProcess): string[] =>
  worker.messages.filter(({ type }) => type === 'run').map(({ jobId }) => String(jobId))

/** Waits until it has run so many more jobs. */
async function untilRan(worker: WorkerProcess, more: number, withinMs?: number): Promise<void> {
  const goal = runsOf(worker).length + more
  await until(() => runsOf(worker).length >= goal, {
    what: `${more} more runs`,
    ...(withinMs === undefined ? {} : { withinMs }),
  })
}

const IS_EMPTY = `
  select count(*)::int4 as n from {schema}.history
  having not exists (select from {schema}.jobs)`
const ENDS = `
  select outcome::text, attempt, error_count, count(*)::int4 as n, count(distinct id)::int4 as jobs
  from {schema}.history group by 1, 2, 3`
const DEAD = 'select id from {schema}.workers where dead_at is not null'

// Each waits for the 15 s after which a connection without an answer is given up; so they do it together.
describe.concurrent('connections that go silent under load', () => {
  test('are replaced: the work goes on within 30 s, nothing is lost, nobody is dead', async ({
    proxy,
    queue,
    child,
    rows,
    untilRow,
    events,
  }) => {
    await queue.enqueueMany(Array.from({ length: 500 }, () => WORK))
    const worker = await child.receive({ databaseUrl: proxy.url, quiet: true })
    await untilRan(worker, 100)
    proxy.silence()
    const before = proxy.connections.length
    const silentAt = performance.now()
    // What was in hand still runs; what comes after it needs a new connection.
    await until(() => proxy.accepted > before, { withinMs: 25_000 })
    await untilRan(worker, 100, 10_000)
    expect(performance.now() - silentAt).toBeLessThan(30_000)

    await untilRow(IS_EMPTY, [], { withinMs: 10_000 })
    expect(await rows(ENDS)).toEqual([
      { outcome: 'finished', attempt: 1, error_count: 0, n: 500, jobs: 500 },
    ])
    expect(await rows(DEAD)).toEqual([])
    expect(events.all('job.lease_lost')).toEqual([])
    await worker.stop()
  })

  test('for longer than the lease: others take over, and the worker comes back', async ({
    proxy,
    queue,
    child,
    rows,
    seen,
    untilRow,
  }) => {
    const held = await queue.enqueue(script({ do: 'hold' }))
    const silent = await child.receive({ databaseUrl: proxy.url, leaseTimeout: '2s', quiet: true })
    await silent.untilRuns(held.id)
    const other = await child.receive({ leaseTimeout: '2s', quiet: true })
    await queue.enqueueMany(Array.from({ length: 1_000 }, () => WORK))
    await untilRan(silent, 100)
    proxy.newcomers = 'refuse' // or its heartbeat goes over another connection, and may be in time
    proxy.silence()
    const { workerId } = await seen('worker.died', { pid: other.pid })
    proxy.newcomers = 'carry'
    await other.untilRuns(held.id)
    await other.release()
    await untilRow(IS_EMPTY, [], { fits: ({ n }) => n === 1_001, withinMs: 10_000 })

    // What it still holds is no longer its own, and it finds that out as soon as it is heard again.
    await seen('worker.lease_lost', { pid: silent.pid, workerId }, { withinMs: 25_000 })
    expect(await silent.next('aborted', { jobId: held.id })).toMatchObject({ code: 'LEASE_LOST' })
    await other.stop()
    const next = await queue.enqueue(script({ do: 'return' }))
    await silent.untilRuns(next.id)
    await untilRow(IS_EMPTY, [], { fits: ({ n }) => n === 1_002 })
    expect(await rows(ENDS)).toEqual([
      { outcome: 'finished', attempt: 1, error_count: 0, n: 1_002, jobs: 1_002 },
    ])
    await silent.stop()
  })

  test('and can be reached by nobody: a stop ends soon after its shutdownTimeout', async ({
    proxy,
    queue,
    child,
  }) => {
    const held = await queue.enqueue(script({ do: 'hold' }))
    const deaf = await queue.enqueue(script({ do: 'deaf' }))
    await queue.enqueueMany(Array.from({ length: 1_000 }, () => WORK))
    const worker = await child.receive({
      databaseUrl: proxy.url,
      shutdownTimeout: '1s',
      quiet: true,
    })
    await worker.untilRuns(held.id)
    await worker.untilRuns(deaf.id)
    await untilRan(worker, 20)
    proxy.newcomers = 'ignore'
    proxy.silence()
    const { ms } = await worker.stop()
    expect(ms).toBeGreaterThanOrEqual(990)
    expect(ms).toBeLessThan(1_000 + 10_000) // what docs/deployment.md asks of a platform
    expect(await worker.next('aborted', { jobId: held.id })).toMatchObject({ code: 'SHUTDOWN' })
    // The user's pool may have something left that waits for the network.
    await proxy.close()
    await worker.leave()
    expect(await worker.exited, worker.output).toEqual({ code: 0, signal: null })
  })

  test('for less than the lease: nobody loses a job', async ({
    proxy,
    queue,
    child,
    rows,
    untilRow,
    events,
  }) => {
    const lease = { leaseTimeout: '6s', quiet: true } as const
    const held = await queue.enqueue(script({ do: 'hold' }))
    const stalled = await child.receive({ databaseUrl: proxy.url, ...lease })
    await stalled.untilRuns(held.id)
    await child.receive(lease)
    await queue.enqueueMany(Array.from({ length: 500 }, () => WORK))
    await untilRan(stalled, 50)
    // What is sent now arrives in 3 s, and everything later behind it.
    proxy.delayMs = 3_000
    await sleep(200)
    proxy.delayMs = 0
    await untilRow('select count(*)::int4 as n from {schema}.history', [], {
      fits: ({ n }) => n === 500,
    })
    await stalled.release(held.id)
    await untilRow(IS_EMPTY, [])
    expect(await rows(ENDS)).toEqual([
      { outcome: 'finished', attempt: 1, error_count: 0, n: 501, jobs: 501 },
    ])
    expect(await rows(DEAD)).toEqual([])
    expect(events.all('worker.lease_lost')).toEqual([])
    expect(events.all('job.lease_lost')).toEqual([])
    expect(stalled.messages.filter(({ type }) => type === 'aborted')).toEqual([])
  })
})
