import type { Pool } from 'pg'
import { EventBus } from '../../src/core/event-bus.ts'
import { driverFor } from '../../src/drivers/recognise.ts'
import { claimJobs, claimSuspect } from '../../src/store/claim.ts'
import type { ClaimedJob } from '../../src/store/claim-answer.ts'
import { insertJobs, type JobSettings } from '../../src/store/insert.ts'
import { raiseMark } from '../../src/store/marks.ts'
import { ensureQueue, type QueueRow, type QueueSettings } from '../../src/store/queues.ts'
import { Store } from '../../src/store/store.ts'
import {
  listQueueOfWorker,
  readWorkers,
  registerWorker,
  type DeadWorker,
} from '../../src/store/workers.ts'
import { Floors } from '../../src/worker/floors.ts'
import { test as base } from '../support/fixtures.ts'

const NEVER_RETRIED_LATER = { baseRetryDelayMs: 0, maxRetryDelayMs: 0, retryJitter: 0 }

/** A schema as workers leave it, by the engine's own statements and without an engine. */
export class Scene {
  readonly store: Store
  readonly #claimNos = new Map<number, number>()

  constructor(db: Pool, schema: string) {
    this.store = new Store(driverFor(db), schema)
  }

  queue(name: string, settings: Partial<QueueSettings> = {}): Promise<QueueRow> {
    const usual = { isFifo: false, dlqId: null, keepFinishedMs: null, keepFailedMs: 60_000 }
    return ensureQueue(this.store, name, { ...usual, ...NEVER_RETRIED_LATER, ...settings })
  }

  /** A worker that claims from these queues. Nobody beats for it. */
  async worker(queues: readonly QueueRow[], leaseMs = 30_000): Promise<number> {
    const introduction = { token: 'token', host: 'host', pid: 1, version: '0', leaseMs }
    const connection = { query: this.store.driver.query.bind(this.store.driver) as never }
    const id = await registerWorker(this.store, introduction, connection)
    for (const queue of queues) await listQueueOfWorker(this.store, id, queue.id)
    return id
  }

  async enqueue(
    queue: QueueRow,
    count: number,
    rest: Partial<JobSettings> = {},
  ): Promise<string[]> {
    const options: JobSettings = {
      maxRetries: 3,
      retryPolicy: 'constant',
      priority: 5,
      runAtMs: undefined,
      delayMs: 0,
      timeoutMs: undefined,
      tags: [],
      ...rest,
    }
    const job = { argsJson: '{}', metadataJson: '{}', options }
    const inserted = await insertJobs(
      this.store,
      queue.id,
      Array.from({ length: count }, () => job),
    )
    return inserted.map(({ id }) => id)
  }

  /** Claims as one statement; `starts` says whether all of its jobs start at once. */
  async claim(
    queue: QueueRow,
    workerId: number,
    { limit, starts }: { limit: number; starts: boolean },
  ): Promise<ClaimedJob[]> {
    const request = { queueId: queue.id, workerId, claimNo: this.#nextClaimNo(workerId) }
    const floors = new Floors().lowered(0)
    const whole = { ...request, limit, startsAtOnce: starts }
    return (await claimJobs(this.store, whole, floors, null)).jobs
  }

  /** Claims a suspect; `starts` says whether it has begun to run alone. */
  async claimSuspect(
    queue: QueueRow,
    workerId: number,
    { starts }: { starts: boolean },
  ): Promise<ClaimedJob[]> {
    const request = { queueId: queue.id, workerId, claimNo: this.#nextClaimNo(workerId) }
    const { jobs } = await claimSuspect(this.store, request, false)
    await this.store.driver.query(
      `update ${this.store.qualified('jobs')}
       set started_at = case when $2::bool then statement_timestamp() end
       where claimed_by = $1::int4`,
      [workerId, starts],
    )
    return jobs
  }

  /** The worker is about to start the jobs of its last claim up to this one. */
  async mark(queue: QueueRow, workerId: number, job: ClaimedJob): Promise<void> {
    const { priority, runAt, id } = job
    const claimNo = String(this.#claimNos.get(workerId))
    await raiseMark(this.store, { workerId, queueId: queue.id, claimNo, priority, runAt, id })
  }

  async dead(workerId: number): Promise<DeadWorker> {
    const found = (await readWorkers(this.store)).dead.find((worker) => worker.id === workerId)
    if (found === undefined) throw new Error(`Worker ${workerId} is not dead, or done with.`)
    return found
  }

  #nextClaimNo(workerId: number): number {
    const claimNo = (this.#claimNos.get(workerId) ?? 0) + 1
    this.#claimNos.set(workerId, claimNo)
    return claimNo
  }
}

/** A job as the database has it, for comparing. */
export const JOBS = `
select id::text as id, claimed_by as "claimedBy", is_suspect as "isSuspect", attempt, error_count as "errorCount"
from {schema}.jobs order by id`

/** What is noted of workers that ended. */
export const WORKERS = `
select id, dead_at is not null as "isDead", looked_at is not null as "isLookedAt",
  rescued_at is not null as "isRescued"
from {schema}.workers order by id`

/** As `test`, with a scene, and with a bus whose events are recorded. */
export const test = base.extend<{ scene: Scene; bus: EventBus }>({
  scene: async ({ db, schema }, use) => {
    await use(new Scene(db, schema))
  },
  bus: async ({ events }, use) => {
    const bus = new EventBus()
    bus.on((event) => events.record(event, process.pid))
    await use(bus)
  },
})
