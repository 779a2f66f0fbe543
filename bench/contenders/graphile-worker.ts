import {
  Logger,
  makeWorkerUtils,
  run,
  runMigrations,
  type AddJobsJobSpec,
  type TaskList,
  type WorkerUtils,
} from 'graphile-worker'
import type { ClientBase } from 'pg'
import type { Contender, Handler, OpenQueue, Payload, QueueNeeds, Receiving } from '../contender.ts'
import { inBatches, inOrder, type BatchPlan } from './batches.ts'
import { readCount } from './database.ts'
import { installedVersion } from './installed-version.ts'

const TASK = 'bench'
/** Jobs of one named queue run one after the other. */
const FIFO_QUEUE = 'fifo'

/** What is set beyond the library's defaults. */
export interface GraphileTuning {
  readonly worker: GraphileConfig.WorkerOptions
  /** Over `worker` where the queue is FIFO, whatever concurrency is asked for. */
  readonly fifo: GraphileConfig.WorkerOptions
  /** Over `worker` where jobs fail. */
  readonly retries: GraphileConfig.WorkerOptions
  readonly addJobs: BatchPlan
}

const DEFAULTS: GraphileTuning = {
  worker: {},
  fifo: {},
  retries: {},
  addJobs: { size: 1000, atOnce: 1 },
}

/** The fastest that we found among what the documentation offers, see docs/benchmarks.md. */
export const GRAPHILE_BEST: GraphileTuning = {
  worker: {
    concurrentJobs: 24,
    maxPoolSize: 25,
    localQueue: { size: 4000 },
    completeJobBatchDelay: 0,
    failJobBatchDelay: 0,
  },
  // A worker looks for its next job before the completion of the last has freed the named queue,
  // finds none, and waits for pollInterval: 2 s by default.
  fifo: {
    concurrentJobs: 1,
    pollInterval: 1,
    localQueue: { size: -1 },
    completeJobBatchDelay: -1,
    failJobBatchDelay: -1,
  },
  retries: { pollInterval: 100 },
  addJobs: { size: 2000, atOnce: 4 },
}

const COMMON = {
  library: 'graphile-worker',
  version: installedVersion('graphile-worker'),
  backend: 'postgres',
  // No 'keep': a job is deleted when it completes.
  abilities: new Set([
    'bulk',
    'transactions',
    'discard',
    'fifo',
    'retries',
    'priorities',
    'processes',
    'postgres',
  ] as const),
} satisfies Partial<Contender>

const COMMON_SETTINGS = {
  logger: 'silent; its default writes two lines for each job to the console',
  ordered: 'one queueName',
  failing: 'maxAttempts 2; the wait of e seconds before the second attempt can not be set',
}

/** graphile-worker as `run({ connectionString, taskList })` makes it. */
export const graphileWorker: Contender = {
  ...COMMON,
  name: 'graphile-worker',
  tuning: 'defaults',
  settings: {
    ...COMMON_SETTINGS,
    concurrency: 'concurrentJobs, where a scenario asks for one',
    addJobs: DEFAULTS.addJobs,
  },
  open: async (url, needs) => openGraphile(url, needs, DEFAULTS),
}

/** graphile-worker at the fastest of its documented settings. */
export const graphileWorkerBest: Contender = {
  ...COMMON,
  name: 'graphile-worker-best',
  tuning: 'best',
  settings: { ...COMMON_SETTINGS, ...GRAPHILE_BEST },
  open: async (url, needs) => openGraphile(url, needs, GRAPHILE_BEST),
}

/** For trying other settings. */
export function openGraphile(url: string, needs: QueueNeeds, tuning: GraphileTuning): OpenQueue {
  return new GraphileQueue(url, needs, tuning)
}

class GraphileQueue implements OpenQueue {
  readonly #url: string
  readonly #needs: QueueNeeds
  readonly #tuning: GraphileTuning
  #opening: Promise<WorkerUtils> | undefined

  constructor(url: string, needs: QueueNeeds, tuning: GraphileTuning) {
    this.#url = url
    this.#needs = needs
    this.#tuning = tuning
  }

  async prepare(): Promise<void> {
    await runMigrations(this.#options())
  }

  async enqueue(payload: Payload, options: { priority?: number } = {}): Promise<void> {
    const utils = await this.#utils()
    await utils.addJob(TASK, payload, this.#spec(options))
  }

  async enqueueMany(
    payloads: readonly Payload[],
    options: { priority?: number } = {},
  ): Promise<void> {
    const utils = await this.#utils()
    const spec = this.#spec(options)
    const { addJobs } = this.#tuning
    const plan = this.#needs.fifo === true ? inOrder(addJobs) : addJobs
    await inBatches(payloads, plan, async (batch) =>
      utils.addJobs(
        batch.map((payload): AddJobsJobSpec => ({ identifier: TASK, payload, ...spec })),
      ),
    )
  }

  async enqueueIn(tx: ClientBase, payload: Payload): Promise<void> {
    const { queueName, maxAttempts } = this.#spec({})
    await tx.query(ADD_JOB, [TASK, JSON.stringify(payload), queueName, maxAttempts])
  }

  async receive(handler: Handler): Promise<Receiving> {
    const taskList: TaskList = {}
    for (let queue = 1; queue <= (this.#needs.queues ?? 1); queue += 1) {
      taskList[queue === 1 ? TASK : `${TASK}-${queue}`] = async (payload) =>
        handler(payload as Payload)
    }
    const runner = await run({ ...this.#options(), taskList, parsedCronItems: [] })
    runner.promise.catch((error: unknown) => console.error('graphile-worker:', error))
    return { stop: async () => runner.stop() }
  }

  async fillHistory(): Promise<void> {
    throw new Error('graphile-worker keeps no finished jobs: it deletes each when it completes.')
  }

  async unfinished(): Promise<number> {
    return readCount(this.#url, UNFINISHED)
  }

  async close(): Promise<void> {
    const utils = await this.#opening
    await utils?.release()
  }

  #options() {
    const { concurrency, fifo, retries } = this.#needs
    const worker = {
      connectionString: this.#url,
      logger: SILENT,
      ...this.#tuning.worker,
      ...(concurrency === undefined ? {} : { concurrentJobs: concurrency }),
      ...(fifo === true ? this.#tuning.fifo : {}),
      ...(retries === true ? this.#tuning.retries : {}),
    }
    // Ours is the process that ends, so no handlers of signals.
    return { preset: { worker }, noHandleSignals: true }
  }

  /** At the first use: a process that only receives has no second pool. */
  async #utils(): Promise<WorkerUtils> {
    this.#opening ??= makeWorkerUtils(this.#options())
    return this.#opening
  }

  /** 0 runs first there as well. */
  #spec({ priority }: { priority?: number }) {
    return {
      ...(priority === undefined ? {} : { priority }),
      ...(this.#needs.fifo === true ? { queueName: FIFO_QUEUE } : {}),
      ...(this.#needs.retries === true ? { maxAttempts: 2 } : {}),
    }
  }
}

const SILENT = new Logger(() => () => undefined)

const ADD_JOB = `
select graphile_worker.add_job($1::text, $2::json, queue_name := $3::text, max_attempts := $4::integer)`

const UNFINISHED = `
select count(*) from graphile_worker.jobs where attempts < max_attempts or locked_at is not null`
