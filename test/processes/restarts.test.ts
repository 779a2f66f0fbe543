import { setTimeout as sleep } from 'node:timers/promises'
import { Client } from 'pg'
import { describe } from 'vitest'
import type { JobQueue } from '../../src/job-queue.ts'
import {
  expect,
  testOnOwnServer as test,
  until,
  type Fixtures,
  type JobScript,
} from '../support/fixtures.ts'
import type { WorkerProcess } from '../support/workers.ts'

const PRODUCERS = 3

/** Enqueues all the time until it is stopped. */
class Load {
  /** The jobs whose `enqueue` resolved. */
  readonly promised: string[] = []
  /** Why others rejected. */
  readonly refused: unknown[] = []
  readonly #stop = new AbortController()
  readonly #ended: Promise<unknown>

  constructor(queue: JobQueue) {
    this.#ended = Promise.all(Array.from({ length: PRODUCERS }, () => this.#produce(queue)))
  }

  async stop(): Promise<void> {
    this.#stop.abort()
    await this.#ended
  }

  async #produce(queue: JobQueue): Promise<void> {
    while (!this.#stop.signal.aborted) {
      try {
        const job = await queue.enqueue({ do: 'work', ms: 5 } satisfies JobScript)
        this.promised.push(job.id)
      } catch (error) {
        this.refused.push(error)
      }
      await sleep(10)
    }
  }
}

/** The ids of all runs that began in these processes. */
const runsOf = (workers: readonly WorkerProcess[]): string[] =>
  workers.flatMap((worker) =>
    worker.messages.filter(({ type }) => type === 'run').map(({ jobId }) => String(jobId)),
  )

/** Waits until so many more jobs are enqueued and run: the load is on again. */
async function untilBusy(load: Load, workers: readonly WorkerProcess[]): Promise<void> {
  const promised = load.promised.length + 50
  const ran = workers.map((worker) => runsOf([worker]).length + 20)
  await until(
    () =>
      load.promised.length >= promised &&
      workers.every((worker, index) => runsOf([worker]).length >= (ran[index] ?? 0)),
    { what: 'work' },
  )
}

/** What has to be true at the end, whatever became of connections and servers. */
async function expectNothingLost(
  load: Load,
  workers: readonly WorkerProcess[],
  { rows, events }: Pick<Fixtures, 'rows' | 'events'>,
): Promise<void> {
  await until(async () => (await rows('select from {schema}.jobs limit 1')).length === 0, {
    what: 'an empty queue',
  })
  const ran = new Set(runsOf(workers))
  expect(load.promised.filter((id) => !ran.has(id))).toEqual([])
  // Every job that is stored finished in its first attempt: an outage is no failure of a job.
  expect(
    await rows(`
      select outcome::text, attempt, error_count, count(*)::int4 as n, count(distinct id)::int4 as jobs
      from {schema}.history group by 1, 2, 3`),
  ).toEqual([{ outcome: 'finished', attempt: 1, error_count: 0, n: ran.size, jobs: ran.size }])
  // Nobody was declared dead, nobody registered twice.
  expect(await rows('select id from {schema}.workers where dead_at is not null')).toEqual([])
  for (const type of ['worker.died', 'worker.lease_lost', 'job.lease_lost'] as const) {
    expect(events.all(type)).toEqual([])
  }
  await expectAlive(workers)
}

/** No process died, `receive` never rejected, and all end well. */
async function expectAlive(workers: readonly WorkerProcess[]): Promise<void> {
  for (const worker of workers) {
    expect(worker.hasExited, worker.output).toBe(false)
    expect(worker.messages.filter(({ type }) => type === 'receive rejected')).toEqual([])
    await worker.stop()
    await worker.leave()
    expect(await worker.exited, worker.output).toEqual({ code: 0, signal: null })
    expect(worker.output).toBe('')
  }
}

describe('under load', () => {
  test('a server that is restarted three times, once away for longer than the lease, costs nobody anything', async ({
    server,
    queue,
    child,
    rows,
    events,
  }) => {
    const workers = await Promise.all(
      [1, 2].map(() => child.receive({ leaseTimeout: '1s', quiet: true })),
    )
    const load = new Load(queue)
    await untilBusy(load, workers)
    await server.restart('fast')
    await untilBusy(load, workers)
    await server.restart('immediate')
    await untilBusy(load, workers)
    await server.stop('fast')
    await sleep(3_000)
    await server.start()
    await untilBusy(load, workers)
    await load.stop()
    expect(load.refused.length).toBeGreaterThan(0)
    await expectNothingLost(load, workers, { rows, events })
  })

  test('backends that are terminated at random cost nobody anything', async ({
    queue,
    child,
    rows,
    events,
    databaseUrl,
  }) => {
    const workers = await Promise.all(
      [1, 2].map(() => child.receive({ leaseTimeout: '2s', quiet: true })),
    )
    const load = new Load(queue)
    await untilBusy(load, workers)
    const killer = new Client({ connectionString: databaseUrl })
    await killer.connect()
    let killed = 0
    while (killed < 120) {
      const { rowCount } = await killer.query(`
        select pg_terminate_backend(chosen.pid)
        from (
          select pid from pg_stat_activity
          where backend_type = 'client backend' and pid <> pg_backend_pid()
          order by random() limit 1
        ) as chosen`)
      killed += rowCount ?? 0
      await sleep(20)
    }
    await killer.end()
    await untilBusy(load, workers)
    await load.stop()
    await expectNothingLost(load, workers, { rows, events })
  })
})
