import { cancelMany, cancelOne } from './cancelling.ts'
import type { EnqueueItem } from './core/enqueue-options.ts'
import { EventBus } from './core/event-bus.ts'
import { resolveSchema } from './core/identifiers.ts'
import { resolveCountsOptions, type CountsOptions } from './core/call-options.ts'
import type { Job, JobCounts, JobLogLine, JobRecord } from './core/job.ts'
import { resolveJobChanges, type JobChanges } from './core/job-changes.ts'
import { parseJobId } from './core/job-id.ts'
import { DEFAULT_MAX_BYTES } from './core/json.ts'
import { checkQueueName } from './core/queue-name.ts'
import { resolvePauseOptions, type PauseOptions } from './core/pause-options.ts'
import { resolveStatsOptions, type StatsOptions } from './core/stats-options.ts'
import type { TransactionLike } from './core/transaction.ts'
import { invalidOption, readOptions } from './core/validate.ts'
import type { Database } from './drivers/database.ts'
import type { DBTX } from './drivers/driver.ts'
import { driverFor, executorFor } from './drivers/recognise.ts'
import { editJob } from './edit-job.ts'
import { engineFor, type Engine } from './engine.ts'
import { Enqueuer, readyJobs } from './enqueuer.ts'
import { readLogs, resolveLogsOptions, type LogsOptions } from './job-logs.ts'
import { toJobRecord } from './job-record.ts'
import {
  resolveListIdsOptions,
  resolveListOptions,
  type ListIdsOptions,
  type ListOptions,
} from './list-options.ts'
import { readStats, type QueueStats } from './metrics/stats.ts'
import { toQueueInfos, type QueueGlance, type QueueInfo } from './queue-info.ts'
import {
  checkIds,
  redriveMany,
  resolveRedriveMany,
  type RedriveManyOptions,
} from './redrive-many.ts'
import { longestWait } from './store/backlog.ts'
import { countJobs, estimateJobs, getJob, type Estimate } from './store/jobs.ts'
import { listJobIds, listJobs } from './store/list.ts'
import { locateJob } from './store/locate.ts'
import { pauseQueue, resumeQueue } from './store/pause.ts'
import { findQueue, listQueues, type QueueRow } from './store/queues.ts'
import { deleteJob, deleteJobs, retryJob, retryJobs } from './store/steer.ts'
import type { Store } from './store/store.ts'
import {
  resolveWhere,
  type Deed,
  type QuerierSelection,
  type RedriveWhereOptions,
  type WhereAnswer,
  type WhereOptions,
} from './where-options.ts'
import { doWhere, queuesOf } from './where.ts'

/** How a `Querier` works. */
export interface QuerierOptions {
  /** The schema with Millrace's tables. @default 'millrace' */
  schema?: string | undefined
}

const NO_JOBS: JobCounts = { available: 0, running: 0, finished: 0, failed: 0, cancelled: 0 }

/**
 * The statements that a program may want inside a transaction of its own, on any queue by its name
 * and without a worker: insert, look, list, count, edit, cancel, retry, delete. It never makes a queue:
 * a name that is not stored is refused by `insert`, and the others find nothing under it.
 * Middlewares belong to a `JobQueue`; they do not run here.
 */
export class Querier {
  readonly #db: Database
  readonly #engine: Engine
  #tx: DBTX | undefined

  /** @throws MillraceError `INVALID_DATABASE`, `INVALID_OPTION` */
  constructor(db: Database, options?: QuerierOptions) {
    const { schema } = readOptions(options, { of: 'Querier', known: ['schema'] })
    this.#db = db
    this.#engine = engineFor(driverFor(db), resolveSchema(schema))
  }

  /** The same statements inside a transaction. @throws MillraceError `INVALID_DATABASE` when it is none */
  withTx(tx: TransactionLike): Querier {
    const inside = new Querier(this.#db, { schema: this.#store.schema })
    inside.#tx = executorFor(tx)
    return inside
  }

  /**
   * Inserts jobs into a queue, all or none, and answers them in the order given.
   *
   * @throws MillraceError `INVALID_OPTION` (an unknown queue among others), `INVALID_ARGS`, `ARGS_TOO_LARGE`
   */
  async insert<Args>(queueName: string, items: readonly EnqueueItem<Args>[]): Promise<Job<Args>[]> {
    const queue = await this.#find(queueName)
    if (queue === undefined) {
      const remedy = 'open it once by a JobQueue: its first enqueue or receive makes it'
      throw invalidOption('queueName', queueName, remedy)
    }
    const rules = { fifo: queue.isFifo === true, maxArgsBytes: DEFAULT_MAX_BYTES }
    const ready = readyJobs(items, rules, undefined)
    if (ready.length === 0) return []
    const enqueuer = new Enqueuer(this.#engine, new EventBus(), queue.name)
    return enqueuer.many<Args>(queue, ready, this.#tx)
  }

  /** The job with that id, wherever it went from this queue; undefined when there is none. @throws MillraceError `INVALID_JOB_ID` */
  async get<Args = unknown, Result = unknown>(
    queueName: string,
    id: string,
  ): Promise<JobRecord<Args, Result> | undefined> {
    const jobId = parseJobId(id)
    const queue = await this.#find(queueName)
    const row = queue && (await getJob(this.#store, queue.id, jobId, this.#tx))
    return row && toJobRecord<Args, Result>(row)
  }

  /** The job with that id, in whichever queue it is. @throws MillraceError `INVALID_JOB_ID` */
  async find<Args = unknown, Result = unknown>(
    id: string,
  ): Promise<JobRecord<Args, Result> | undefined> {
    const jobId = parseJobId(id)
    const queueId = await locateJob(this.#store, jobId, this.#tx)
    const row = queueId && (await getJob(this.#store, queueId, jobId, this.#tx))
    return row ? toJobRecord<Args, Result>(row) : undefined
  }

  /**
   * A page of a queue's jobs, in the order of their ids or from the newest on. With filters that few
   * jobs pass it reads many for one that it answers.
   */
  async list<Args = unknown, Result = unknown>(
    queueName: string,
    options?: ListOptions,
  ): Promise<JobRecord<Args, Result>[]> {
    const request = resolveListOptions(options)
    const queue = await this.#find(queueName)
    if (queue === undefined) return []
    const rows = await listJobs(this.#store, { ...request, queueId: queue.id }, this.#tx)
    return rows.map((row) => toJobRecord<Args, Result>(row))
  }

  /** A page of what the job's runs wrote by `context.log`, as `JobQueue.logs` answers it. @throws MillraceError `INVALID_JOB_ID`, `INVALID_OPTION` */
  async logs(queueName: string, id: string, options?: LogsOptions): Promise<JobLogLine[]> {
    const request = { jobId: parseJobId(id), ...resolveLogsOptions(options) }
    const queue = await this.#find(queueName)
    if (queue === undefined) return []
    return readLogs(this.#store, { ...request, queueId: queue.id }, this.#tx)
  }

  /** The ids of a queue's jobs, in their order: for who goes through many of them. */
  async listIds(queueName: string, options?: ListIdsOptions): Promise<string[]> {
    const request = resolveListIdsOptions(options)
    const queue = await this.#find(queueName)
    if (queue === undefined) return []
    return listJobIds(this.#store, { ...request, queueId: queue.id }, this.#tx)
  }

  /** How many jobs of a queue are in each status: exactly, or at the same cost for any size. */
  async counts(queueName: string, options?: CountsOptions): Promise<JobCounts> {
    const { estimate: isEstimate } = resolveCountsOptions(options)
    if (isEstimate) return (await this.#estimate(queueName)).counts
    const queue = await this.#find(queueName)
    return queue === undefined ? NO_JOBS : countJobs(this.#store, queue.id, this.#tx)
  }

  /** What a queue holds at a glance, at the same cost for any size. */
  async glance(queueName: string): Promise<QueueGlance> {
    const { counts, isExact } = await this.#estimate(queueName)
    const queue = await this.#find(queueName)
    const longestWaitMs =
      queue === undefined ? null : await longestWait(this.#store, queue.id, this.#tx)
    return { counts, isExact, longestWaitMs }
  }

  /** What happened to a queue, and what waits in it, as `JobQueue.stats` says. @throws MillraceError `INVALID_OPTION` */
  async stats(queueName: string, options?: StatsOptions): Promise<QueueStats> {
    const request = resolveStatsOptions(options)
    const queue = await this.#find(queueName)
    return readStats(this.#store, queue?.id, request, this.#tx)
  }

  /**
   * Changes a job that waits, as `JobQueue.edit` does. In a transaction it holds the job until that ends, and if it is
   * due the queue's row as well, on which jobs that are given back wait: so commit soon.
   *
   * @throws MillraceError `INVALID_JOB_ID`, `INVALID_OPTION`, `INVALID_ARGS`, `ARGS_TOO_LARGE`
   */
  async edit<Args = unknown, Result = unknown>(
    queueName: string,
    id: string,
    changes: JobChanges<Args>,
  ): Promise<JobRecord<Args, Result> | undefined> {
    const jobId = parseJobId(id)
    const resolved = resolveJobChanges(changes, { fifo: false, maxArgsBytes: DEFAULT_MAX_BYTES })
    const queue = await this.#find(queueName)
    return queue && editJob(this.#engine, queue.id, jobId, resolved, this.#tx)
  }

  /**
   * Cancels a job that waits, or asks the process that runs it, as `JobQueue.cancel` does; in a transaction it is asked
   * when that commits. Answers whether it was either. @throws MillraceError `INVALID_JOB_ID`
   */
  cancel(queueName: string, id: string): Promise<boolean> {
    return this.#steer(queueName, id, (queue, jobId) =>
      cancelOne(this.#engine, queue, jobId, this.#tx),
    )
  }

  /** Makes a failed or cancelled job available again. Answers whether it did. @throws MillraceError `INVALID_JOB_ID` */
  retry(queueName: string, id: string): Promise<boolean> {
    return this.#steer(queueName, id, (queue, jobId) =>
      retryJob(this.#store, queue.id, jobId, this.#tx),
    )
  }

  /** Deletes a job in any status but running. Answers whether it did. @throws MillraceError `INVALID_JOB_ID` */
  delete(queueName: string, id: string): Promise<boolean> {
    return this.#steer(queueName, id, (queue, jobId) =>
      deleteJob(this.#store, queue.id, jobId, this.#tx),
    )
  }

  /** Cancels those of these jobs that wait or run in the queue, as `cancel` does. Answers which, in two statements or three. @throws MillraceError `INVALID_JOB_ID` */
  cancelMany(queueName: string, ids: readonly string[]): Promise<string[]> {
    return this.#steerMany(queueName, ids, (queue, jobIds) =>
      cancelMany(this.#engine, queue, jobIds, this.#tx),
    )
  }

  /** Makes those of these jobs available again that failed or were cancelled in the queue. Answers which. @throws MillraceError `INVALID_JOB_ID` */
  retryMany(queueName: string, ids: readonly string[]): Promise<string[]> {
    return this.#steerMany(queueName, ids, (queue, jobIds) =>
      retryJobs(this.#store, queue.id, jobIds, this.#tx),
    )
  }

  /** Deletes those of these jobs that are in the queue and not running. Answers which. @throws MillraceError `INVALID_JOB_ID` */
  deleteMany(queueName: string, ids: readonly string[]): Promise<string[]> {
    return this.#steerMany(queueName, ids, (queue, jobIds) =>
      deleteJobs(this.#store, queue.id, jobIds, this.#tx),
    )
  }

  /**
   * Sends those of these jobs back that wait in a dead-letter queue, as `JobQueue.redriveMany` does. Answers which.
   *
   * @throws MillraceError `INVALID_JOB_ID`, `INVALID_OPTION`, `INVALID_ARGS`, `ARGS_TOO_LARGE`
   */
  async redriveMany<Args = unknown>(
    queueName: string,
    ids: readonly string[],
    options?: RedriveManyOptions<Args>,
  ): Promise<string[]> {
    const rewrite = resolveRedriveMany(options, { maxArgsBytes: DEFAULT_MAX_BYTES })
    return this.#steerMany(queueName, ids, (queue, jobIds) =>
      redriveMany(this.#engine, queue.id, jobIds, rewrite, this.#tx),
    )
  }

  /**
   * Cancels the waiting jobs that a filter chooses, of one queue or of all, as `JobQueue.cancelWhere` does. In a
   * transaction everything that it changes is held until that ends: so set a `limit`, and commit soon.
   *
   * @throws MillraceError `INVALID_OPTION`, before anything is written
   */
  cancelWhere<DryRun extends boolean = false>(
    filter: QuerierSelection,
    options?: WhereOptions<DryRun>,
  ): Promise<WhereAnswer<DryRun>> {
    return this.#where('cancel', filter, options)
  }

  /** Makes the failed or cancelled jobs available again that a filter chooses, as `JobQueue.retryWhere` does. As `cancelWhere`. */
  retryWhere<DryRun extends boolean = false>(
    filter: QuerierSelection,
    options?: WhereOptions<DryRun>,
  ): Promise<WhereAnswer<DryRun>> {
    return this.#where('retry', filter, options)
  }

  /** Deletes the jobs that a filter chooses, in any status but running. As `cancelWhere`. */
  deleteWhere<DryRun extends boolean = false>(
    filter: QuerierSelection,
    options?: WhereOptions<DryRun>,
  ): Promise<WhereAnswer<DryRun>> {
    return this.#where('delete', filter, options)
  }

  /** Sends the waiting dead letters back that a filter chooses, as `JobQueue.redriveWhere` does. As `cancelWhere`. */
  redriveWhere<Args = unknown, DryRun extends boolean = false>(
    filter: QuerierSelection,
    options?: RedriveWhereOptions<Args, DryRun>,
  ): Promise<WhereAnswer<DryRun, Args>> {
    return this.#where('redrive', filter, options)
  }

  /** All queues, in the order of their names. */
  async queues(): Promise<QueueInfo[]> {
    return toQueueInfos(await listQueues(this.#store, this.#tx))
  }

  /**
   * Pauses a queue, as `JobQueue.pause` does. Answers whether it was there and not paused. In a transaction it takes
   * effect when that commits, and jobs that are given back wait for it: so commit soon.
   *
   * @throws MillraceError `INVALID_OPTION`
   */
  async pause(queueName: string, options?: PauseOptions): Promise<boolean> {
    const note = resolvePauseOptions(options)
    return this.#change(queueName, (queue) => pauseQueue(this.#store, queue.id, note, this.#tx))
  }

  /** Resumes a queue, as `JobQueue.resume` does. Answers whether it was paused. In a transaction: as `pause`. */
  async resume(queueName: string): Promise<boolean> {
    return this.#change(queueName, (queue) => resumeQueue(this.#store, queue.id, this.#tx))
  }

  get #store(): Store {
    return this.#engine.store
  }

  async #estimate(queueName: string): Promise<Estimate> {
    const queue = await this.#find(queueName)
    if (queue === undefined) return { counts: NO_JOBS, isExact: true }
    return estimateJobs(this.#store, queue.id, this.#tx)
  }

  async #find(queueName: string): Promise<QueueRow | undefined> {
    return findQueue(this.#store, checkQueueName('queueName', queueName), this.#tx)
  }

  async #where<DryRun extends boolean, Args>(
    deed: Deed,
    filter: QuerierSelection,
    options: WhereOptions<DryRun> | undefined,
  ): Promise<WhereAnswer<DryRun, Args>> {
    const rules = { isOfAnyQueue: true, maxArgsBytes: DEFAULT_MAX_BYTES }
    const request = resolveWhere(deed, filter, options, rules)
    const queues = await queuesOf(this.#store, request, this.#tx)
    return doWhere<DryRun, Args, unknown>(this.#engine, queues, request, this.#tx)
  }

  async #steer(
    queueName: string,
    id: string,
    steer: (queue: QueueRow, jobId: string) => Promise<number | undefined>,
  ): Promise<boolean> {
    const jobId = parseJobId(id)
    const queue = await this.#find(queueName)
    const place = queue && (await steer(queue, jobId))
    if (place === undefined) return false
    if (this.#tx === undefined) this.#engine.wake(place)
    return true
  }

  async #change(
    queueName: string,
    change: (queue: QueueRow) => Promise<boolean>,
  ): Promise<boolean> {
    const queue = await this.#find(queueName)
    if (queue === undefined || !(await change(queue))) return false
    if (this.#tx === undefined) this.#engine.wake(queue.id)
    return true
  }

  async #steerMany(
    queueName: string,
    ids: readonly string[],
    steer: (queue: QueueRow, jobIds: string[]) => Promise<string[]>,
  ): Promise<string[]> {
    const jobIds = checkIds(ids)
    const queue = await this.#find(queueName)
    if (queue === undefined || jobIds.length === 0) return []
    const changed = await steer(queue, jobIds)
    if (this.#tx === undefined && changed.length > 0) this.#engine.wake(queue.id)
    return changed
  }
}
