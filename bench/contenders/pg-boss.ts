import { randomUUID } from 'node:crypto'
import type { ClientBase } from 'pg'
import {
  PgBoss,
  policies,
  type ConstructorOptions,
  type Job,
  type JobInsert,
  type Queue,
  type WorkOptions,
} from 'pg-boss'
import type { Contender, Handler, OpenQueue, Payload, QueueNeeds, Receiving } from '../contender.ts'
import { inBatches, inOrder, type BatchPlan } from './batches.ts'
import { readCount, withClient } from './database.ts'
import { installedVersion } from './installed-version.ts'
import { Slots } from './slots.ts'

const QUEUE = 'bench'
/** Jobs of one key run strictly in order, so a queue that is strictly in order has one key. */
const FIFO_KEY = 'all'
const FIFO_SETTINGS = 'policy key_strict_fifo, one singletonKey, ids in order'

/** What is set beyond the library's defaults. */
export interface PgBossTuning {
  readonly instance: Omit<ConstructorOptions, 'connectionString'>
  readonly queue: Omit<Queue, 'name'>
  /** `localConcurrency` is the most workers; a scenario that asks for fewer handlers at once gets fewer. */
  readonly work: WorkOptions
  /** Over these where the queue is FIFO: `key_strict_fifo` hands out one job of a key at a time, whatever the batch. */
  readonly fifo: {
    readonly instance: Omit<ConstructorOptions, 'connectionString'>
    readonly work: WorkOptions
  }
  /** Handlers at once in one process where a scenario does not say. */
  readonly handlersAtOnce: number
  readonly insert: BatchPlan
}

const DEFAULTS: PgBossTuning = {
  instance: {},
  queue: {},
  work: {},
  fifo: { instance: {}, work: {} },
  handlersAtOnce: 1,
  insert: { size: 1000, atOnce: 1 },
}

/** The fastest that we found among what the documentation offers, see docs/benchmarks.md. */
export const PG_BOSS_BEST: PgBossTuning = {
  instance: {},
  queue: { partition: true },
  work: {
    batchSize: 3000,
    localConcurrency: 2,
    burstWhenBatchFull: true,
    pollingIntervalSeconds: 0.5,
  },
  // A worker goes on without a pause where it knows of more than one waiting job, which the monitor
  // tells it; without this it runs a job each half second.
  fifo: {
    instance: {
      superviseIntervalSeconds: 1,
      monitorIntervalSeconds: 1,
      queueCacheIntervalSeconds: 1,
    },
    work: { batchSize: 1, localConcurrency: 1, burstWhenReadyExceeds: 1 },
  },
  handlersAtOnce: 100,
  insert: { size: 5000, atOnce: 2 },
}

/** A NOTIFY in every insert wakes workers at once, and nearly halves what 50 callers can send. */
export const PG_BOSS_NOTIFY: PgBossTuning = {
  ...PG_BOSS_BEST,
  instance: { useListenNotify: true },
  queue: { ...PG_BOSS_BEST.queue, notify: true },
}

const COMMON = {
  library: 'pg-boss',
  version: installedVersion('pg-boss'),
  backend: 'postgres',
  // No 'discard': nothing deletes a job when it completes. Retention does, at most once a second and
  // a second after completion at the earliest, so a drain measures the kept job all the same.
  abilities: new Set([
    'bulk',
    'transactions',
    'keep',
    'fifo',
    'retries',
    'priorities',
    'processes',
    'postgres',
  ] as const),
} satisfies Partial<Contender>

/** pg-boss as `new PgBoss(url)` and `work(name, handler)` make it. */
export const pgBoss: Contender = {
  ...COMMON,
  name: 'pg-boss',
  tuning: 'defaults',
  settings: {
    concurrency: 'localConcurrency, where a scenario asks for one',
    insert: DEFAULTS.insert,
    fifo: FIFO_SETTINGS,
  },
  open: async (url, needs) => openPgBoss(url, needs, DEFAULTS),
}

/** pg-boss at the fastest of its documented settings, for work that waits already. */
export const pgBossBest: Contender = {
  ...COMMON,
  name: 'pg-boss-best',
  tuning: 'best',
  settings: describeBest(PG_BOSS_BEST),
  open: async (url, needs) => openPgBoss(url, needs, PG_BOSS_BEST),
}

/** The same with LISTEN and NOTIFY, for what measures how soon a job starts. */
export const pgBossNotify: Contender = {
  ...COMMON,
  name: 'pg-boss-notify',
  tuning: 'best',
  settings: describeBest(PG_BOSS_NOTIFY),
  only: [
    'enqueue-in-transactions-busy',
    'enqueue-in-transactions-idle',
    'latency-same-process',
    'latency-other-process',
    'steady-bulk',
    'steady-50-callers',
    'steady-same-rate',
    'start-up',
    'idle',
  ],
  open: async (url, needs) => openPgBoss(url, needs, PG_BOSS_NOTIFY),
}

function describeBest({ fifo, ...tuning }: PgBossTuning): Record<string, unknown> {
  return {
    ...tuning,
    concurrency: 'handlers of the batches in hand that run at once, together',
    fifo: { ...fifo, queue: FIFO_SETTINGS },
    retries: 'perJobResults',
  }
}

/** For trying other settings. */
export function openPgBoss(url: string, needs: QueueNeeds, tuning: PgBossTuning): OpenQueue {
  return new PgBossQueue(url, needs, tuning)
}

class PgBossQueue implements OpenQueue {
  readonly #url: string
  readonly #needs: QueueNeeds
  readonly #tuning: PgBossTuning
  readonly #names: readonly string[]
  #starting: Promise<PgBoss> | undefined

  constructor(url: string, needs: QueueNeeds, tuning: PgBossTuning) {
    this.#url = url
    this.#needs = needs
    this.#tuning = tuning
    this.#names = Array.from({ length: needs.queues ?? 1 }, (_, index) =>
      index === 0 ? QUEUE : `${QUEUE}-${index + 1}`,
    )
  }

  async prepare(): Promise<void> {
    const boss = await this.#start()
    const options = {
      ...this.#tuning.queue,
      ...(this.#needs.fifo === true ? { policy: policies.key_strict_fifo } : {}),
      ...(this.#needs.retries === true ? { retryLimit: 1, retryDelay: 0 } : {}),
    }
    for (const name of this.#names) await boss.createQueue(name, options)
  }

  async enqueue(payload: Payload, options: { priority?: number } = {}): Promise<void> {
    const boss = await this.#start()
    await boss.send(QUEUE, payload, this.#jobOptions(options))
  }

  async enqueueMany(
    payloads: readonly Payload[],
    options: { priority?: number } = {},
  ): Promise<void> {
    const boss = await this.#start()
    const plan = this.#needs.fifo === true ? inOrder(this.#tuning.insert) : this.#tuning.insert
    await inBatches(payloads, plan, async (batch) => {
      const jobs = batch.map((data): JobInsert => ({
        data,
        ...this.#jobOptions(options),
        ...this.#id(data),
      }))
      return boss.insert(QUEUE, jobs)
    })
  }

  async enqueueIn(tx: ClientBase, payload: Payload): Promise<void> {
    const boss = await this.#start()
    const db = { executeSql: async (text: string, values?: unknown[]) => tx.query(text, values) }
    await boss.send(QUEUE, payload, { ...this.#jobOptions({}), db })
  }

  async receive(handler: Handler): Promise<Receiving> {
    const boss = await this.#start()
    const options = this.#workOptions()
    for (const name of this.#names) {
      if (options.batchSize === undefined) {
        await boss.work<Payload>(name, options, async ([job]) => job && handler(job.data))
      } else {
        await this.#receiveBatches(boss, name, options, handler)
      }
    }
    return {
      stop: async () => void (await Promise.all(this.#names.map((name) => boss.offWork(name)))),
    }
  }

  async fillHistory(count: number): Promise<void> {
    await withClient(this.#url, async (client) => client.query(FILL_HISTORY, [QUEUE, count]))
  }

  async unfinished(): Promise<number> {
    return readCount(this.#url, UNFINISHED)
  }

  async close(): Promise<void> {
    const boss = await this.#starting
    await boss?.stop()
  }

  /** At the first use, as starting writes to the database. */
  async #start(): Promise<PgBoss> {
    this.#starting ??= (async () => {
      const { instance, fifo } = this.#tuning
      const boss = new PgBoss({
        connectionString: this.#url,
        ...instance,
        ...(this.#needs.fifo === true ? fifo.instance : {}),
      })
      boss.on('error', (error) => console.error('pg-boss:', error))
      return boss.start()
    })()
    return this.#starting
  }

  /** 0 runs first here, the highest runs first there. */
  #jobOptions({ priority }: { priority?: number }): { priority?: number; singletonKey?: string } {
    return {
      ...(priority === undefined ? {} : { priority: 9 - priority }),
      ...(this.#needs.fifo === true ? { singletonKey: FIFO_KEY } : {}),
    }
  }

  /** Jobs of one insert have one time of creation, and run in the order of their ids, which are random by default. */
  #id({ n }: Payload): { id?: string } {
    if (this.#needs.fifo !== true) return {}
    const head = n.toString(16).padStart(12, '0')
    return { id: `${head.slice(0, 8)}-${head.slice(8)}${randomUUID().slice(13)}` }
  }

  #workOptions(): WorkOptions {
    const { concurrency, fifo } = this.#needs
    const { work } = this.#tuning
    if (fifo === true) return { ...work, ...this.#tuning.fifo.work }
    if (concurrency === undefined) return work
    if (work.localConcurrency === undefined) return { ...work, localConcurrency: concurrency }
    return { ...work, localConcurrency: Math.min(work.localConcurrency, concurrency) }
  }

  async #receiveBatches(
    boss: PgBoss,
    name: string,
    options: WorkOptions,
    handler: Handler,
  ): Promise<void> {
    const slots = new Slots(this.#needs.concurrency ?? this.#tuning.handlersAtOnce)
    if (this.#needs.retries !== true) {
      await boss.work<Payload>(name, options, async (jobs) =>
        slots.forEach(jobs, async (job) => handler(job.data)),
      )
      return
    }
    await boss.work<Payload, void, { perJobResults: true }>(
      name,
      { ...options, perJobResults: true },
      async (jobs) => settleEach(jobs, slots, handler),
    )
  }
}

type Settled = { id: string; status: 'completed' | 'failed'; output?: unknown }

/** Without it one job that throws fails its whole batch, and every job of it runs again. */
async function settleEach(
  jobs: readonly Job<Payload>[],
  slots: Slots,
  handler: Handler,
): Promise<Settled[]> {
  const results: Settled[] = []
  await slots.forEach(jobs, async ({ id, data }) => {
    try {
      await handler(data)
      results.push({ id, status: 'completed' })
    } catch (error) {
      results.push({ id, status: 'failed', output: error })
    }
  })
  return results
}

const UNFINISHED = `
select count(*) from pgboss.job where state in ('created', 'retry', 'active')`

/** Columns that are not named here have the same default as in a job that was sent and completed. */
const FILL_HISTORY = `
insert into pgboss.job (name, data, state, policy, created_on, start_after, started_on, completed_on, keep_until)
select $1::text, json_build_object('n', n, 'text', 'history'), 'completed', queue.policy,
  now() - interval '1 hour', now() - interval '1 hour', now() - interval '1 hour',
  now() - interval '1 hour', now() + interval '14 days'
from generate_series(1, $2::bigint) n, pgboss.queue queue
where queue.name = $1::text`
