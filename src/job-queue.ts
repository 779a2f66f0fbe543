import { cancelOne } from './cancelling.ts'
import {
  resolveCountsOptions,
  resolveRedriveOptions,
  type CountsOptions,
  type RedriveOptions,
} from './core/call-options.ts'
import {
  resolveEnqueueCall,
  resolveEnqueueOptions,
  type EnqueueItem,
  type EnqueueOptions,
  type EnqueueCallOptions,
} from './core/enqueue-options.ts'
import { EventBus } from './core/event-bus.ts'
import type { EventListener } from './core/events.ts'
import { logEvents } from './core/logger.ts'
import { MillraceError } from './core/errors.ts'
import type { Job, JobCounts, JobLogLine, JobRecord, Worker, WorkFunction } from './core/job.ts'
import { resolveJobChanges, type JobChanges } from './core/job-changes.ts'
import { parseJobId } from './core/job-id.ts'
import { encodeArgs } from './core/json.ts'
import { resolvePauseOptions, type PauseOptions } from './core/pause-options.ts'
import {
  resolveQueueOptions,
  type QueueOptions,
  type ResolvedQueueOptions,
} from './core/queue-options.ts'
import {
  resolveDrainOptions,
  resolveReceiveOptions,
  type DrainOptions,
  type ReceiveOptions,
} from './core/receive-options.ts'
import { resolveStatsOptions, type StatsOptions } from './core/stats-options.ts'
import { checkFunction } from './core/validate.ts'
import { tellApart } from './constructor-arguments.ts'
import type { Database } from './drivers/database.ts'
import { driverFor, executorFor } from './drivers/recognise.ts'
import { editJob } from './edit-job.ts'
import { engineFor, type Engine } from './engine.ts'
import { EnqueuePassage } from './enqueue-passage.ts'
import { Enqueuer, readyJobs, type ReadyJob } from './enqueuer.ts'
import { readLogs, resolveLogsOptions, type LogsOptions } from './job-logs.ts'
import { toJobRecord } from './job-record.ts'
import { throughTogether } from './many.ts'
import { readStats, type QueueStats } from './metrics/stats.ts'
import { QueueAccess } from './queue-access.ts'
import { Reception, type DrainResult } from './reception.ts'
import {
  checkIds,
  redriveMany,
  redriveOldest,
  resolveRedriveMany,
  type RedriveManyOptions,
} from './redrive-many.ts'
import { countJobs, estimateJobs, getJob } from './store/jobs.ts'
import { pauseQueue, resumeQueue } from './store/pause.ts'
import { deleteJob, retryJob } from './store/steer.ts'
import {
  resolveWhere,
  type Deed,
  type JobSelection,
  type RedriveWhereOptions,
  type WhereAnswer,
  type WhereOptions,
} from './where-options.ts'
import { doWhere } from './where.ts'
import { performer } from './worker/handler.ts'

const NO_JOBS: JobCounts = { available: 0, running: 0, finished: 0, failed: 0, cancelled: 0 }

/**
 * A queue of jobs in PostgreSQL: `Args` is what a job carries, `Result` what its worker returns.
 * Construction does no I/O; the queue's row is made, and its mode checked against what is stored,
 * at the first `enqueue` or `receive`.
 *
 * @example
 * const emails = new JobQueue<{ to: string }>(db, async (job) => deliver(job.args.to))
 * await emails.enqueue({ to: 'ada@example.org' })
 */
export class JobQueue<Args = unknown, Result = unknown> {
  readonly #options: ResolvedQueueOptions
  /** The worker within its middlewares; undefined in a process that only enqueues. */
  readonly #performer: ReturnType<typeof performer> | undefined
  readonly #engine: Engine
  readonly #events = new EventBus()
  readonly #access: QueueAccess
  readonly #passage: EnqueuePassage
  readonly #enqueuer: Enqueuer

  /**
   * @param db A `pg.Pool`, a `pg.Client`, the `sql` of postgres.js, a PGlite, an embedded database, or any `DB`.
   * @param worker What runs the jobs; without it the queue can only enqueue and be looked at.
   * @throws MillraceError `INVALID_DATABASE`, `INVALID_OPTION`
   */
  constructor(
    db: Database,
    worker: Worker<Args, Result> | WorkFunction<Args, Result>,
    options?: QueueOptions,
  )
  constructor(db: Database, options?: QueueOptions)
  constructor(
    db: Database,
    second?: Worker<Args, Result> | WorkFunction<Args, Result> | QueueOptions,
    third?: QueueOptions,
  ) {
    const [worker, given] = tellApart(second, third)
    const options = resolveQueueOptions(given)
    const { queueName, middlewares } = options
    this.#options = options
    this.#performer = worker && performer(queueName, worker, middlewares)
    this.#engine = engineFor(driverFor(db), options.schema)
    logEvents(this.#events, options.logger)
    this.#passage = new EnqueuePassage(queueName, middlewares)
    this.#access = new QueueAccess(this.#engine.store, this.#events, options, worker !== undefined)
    this.#enqueuer = new Enqueuer(this.#engine, this.#events, queueName)
  }

  /** The queue's name. */
  get queueName(): string {
    return this.#options.queueName
  }

  /**
   * Stores a job. When it resolves, the job is committed (or, with `tx`, written in that
   * transaction) and will run at least once.
   *
   * @throws MillraceError `INVALID_ARGS`, `ARGS_TOO_LARGE`, `INVALID_OPTION`, `ENQUEUE_SKIPPED`,
   * `QUEUE_MODE_MISMATCH`, `SCHEMA_MISSING`, `OUTCOME_UNKNOWN`; before anything is written but for the last.
   */
  async enqueue(args: Args, options?: EnqueueOptions): Promise<Job<Args>> {
    const resolved = resolveEnqueueOptions(options, { fifo: this.#options.fifo })
    const { signal } = resolved
    const tx = resolved.tx === undefined ? undefined : executorFor(resolved.tx)
    signal?.throwIfAborted()
    if (tx === undefined) this.#engine.store.driver.refuseInsideTransaction()
    const argsJson = encodeArgs(args, { maxBytes: this.#options.maxArgsBytes })
    return this.#passage.take(argsJson, resolved, signal, async (ready) => {
      const queue = await this.#access.open(tx)
      ready.signal?.throwIfAborted()
      if (tx === undefined) return this.#enqueuer.one<Args>(queue, ready)
      const [job] = await this.#enqueuer.many<Args>(queue, [ready], tx)
      return job as Job<Args>
    })
  }

  /** Stores many jobs, all or none. Answers them in the order given. @throws as `enqueue` */
  async enqueueMany(
    items: readonly EnqueueItem<Args>[],
    options?: EnqueueCallOptions,
  ): Promise<Job<Args>[]> {
    const call = resolveEnqueueCall(options)
    const { signal } = call
    const tx = call.tx === undefined ? undefined : executorFor(call.tx)
    signal?.throwIfAborted()
    if (tx === undefined) this.#engine.store.driver.refuseInsideTransaction()
    const { maxArgsBytes, fifo } = this.#options
    const jobs = readyJobs(items, { fifo, maxArgsBytes }, signal)
    if (jobs.length === 0) return []
    const store = async (ready: readonly ReadyJob[]): Promise<Job<Args>[]> => {
      const queue = await this.#access.open(tx)
      return this.#enqueuer.many<Args>(queue, ready, tx)
    }
    if (this.#options.middlewares.length === 0) return store(jobs)
    return throughTogether(
      jobs,
      (job, inside) => this.#passage.take(job.argsJson, job.options, signal, inside),
      store,
    )
  }

  /**
   * Runs the queue's jobs until `signal` aborts, and resolves after a graceful stop. It goes on
   * through failed jobs and outages of the database.
   *
   * @throws MillraceError `NO_WORKER`, `INVALID_OPTION`, `INVALID_DATABASE`, `QUEUE_MODE_MISMATCH`,
   * `SCHEMA_MISSING`, `SCHEMA_OUTDATED`, `SCHEMA_TOO_NEW`
   */
  async receive(options: ReceiveOptions): Promise<void> {
    await this.#reception().receive(resolveReceiveOptions(options))
  }

  /**
   * Runs what is due now and resolves with what became of it: for serverless functions, cron jobs
   * and tests. Jobs that become due while it works are run too.
   *
   * @throws as `receive`, and the database's own error when it cannot be reached
   */
  async drain(options?: DrainOptions): Promise<DrainResult> {
    return this.#reception().drain(resolveDrainOptions(options))
  }

  /** The job with that id, wherever it is by now; undefined when there is none. @throws MillraceError `INVALID_JOB_ID` */
  async get(id: string): Promise<JobRecord<Args, Result> | undefined> {
    const jobId = parseJobId(id)
    const queue = await this.#access.find()
    const row = queue && (await getJob(this.#engine.store, queue.id, jobId))
    return row && toJobRecord<Args, Result>(row)
  }

  /**
   * A page of what the job's runs wrote by `context.log`; empty when they wrote nothing, or there is no such job.
   *
   * @throws MillraceError `INVALID_JOB_ID`, `INVALID_OPTION`
   */
  async logs(id: string, options?: LogsOptions): Promise<JobLogLine[]> {
    const request = { jobId: parseJobId(id), ...resolveLogsOptions(options) }
    const queue = await this.#access.find()
    if (queue === undefined) return []
    return readLogs(this.#engine.store, { ...request, queueId: queue.id })
  }

  /**
   * How many jobs are in each status. Exact, which takes longer the more there are; with
   * `estimate` it takes the same time for any size, and is exact for small ones.
   */
  async counts(options?: CountsOptions): Promise<JobCounts> {
    const { estimate: isEstimate } = resolveCountsOptions(options)
    const queue = await this.#access.find()
    if (queue === undefined) return NO_JOBS
    if (!isEstimate) return countJobs(this.#engine.store, queue.id)
    return (await estimateJobs(this.#engine.store, queue.id)).counts
  }

  /**
   * What happened to the queue in all processes, minute by minute, with percentiles of waiting and running; and what
   * waits now. The last ten seconds are not in it yet.
   *
   * @throws MillraceError `INVALID_OPTION`
   */
  async stats(options?: StatsOptions): Promise<QueueStats> {
    const request = resolveStatsOptions(options)
    const queue = await this.#access.find()
    return readStats(this.#engine.store, queue?.id, request)
  }

  /**
   * Changes a job that waits: its arguments, its time, its priority, and how it is run. What is not given stays as it
   * is; middlewares do not see it. Answers the job as it is then, or undefined when it does not wait, having changed
   * nothing: a job in a worker's hands is left alone.
   *
   * @throws MillraceError `INVALID_JOB_ID`, `INVALID_OPTION` (in a FIFO queue for what would move the job),
   * `INVALID_ARGS`, `ARGS_TOO_LARGE`; before anything is written
   */
  async edit(id: string, changes: JobChanges<Args>): Promise<JobRecord<Args, Result> | undefined> {
    const jobId = parseJobId(id)
    const resolved = resolveJobChanges(changes, this.#options)
    const queue = await this.#access.find()
    return queue && editJob(this.#engine, queue.id, jobId, resolved)
  }

  /**
   * Cancels a job that waits; of one that runs, in whatever process, the signal aborts with `CANCELLED` within a second.
   * If its worker then returns, the job is finished; else it is cancelled, with no retry and no dead letter. Answers
   * whether it was cancelled or its process asked: false when it has ended. @throws MillraceError `INVALID_JOB_ID`
   */
  async cancel(id: string): Promise<boolean> {
    const jobId = parseJobId(id)
    const queue = await this.#access.find()
    const { queueName: name, keepFailedMs } = this.#options
    const cancellable = queue && { id: queue.id, name, keepFailedMs }
    return this.#wakeUp(cancellable && (await cancelOne(this.#engine, cancellable, jobId)))
  }

  /** Makes a failed or cancelled job available again, with a fresh set of attempts. Answers whether it did. @throws MillraceError `INVALID_JOB_ID` */
  async retry(id: string): Promise<boolean> {
    const jobId = parseJobId(id)
    const queue = await this.#access.find()
    return this.#wakeUp(queue && (await retryJob(this.#engine.store, queue.id, jobId)))
  }

  /** Deletes a job in any status but running, and all that is known of it. Answers whether it did. @throws MillraceError `INVALID_JOB_ID` */
  async delete(id: string): Promise<boolean> {
    const jobId = parseJobId(id)
    const queue = await this.#access.find()
    return this.#wakeUp(queue && (await deleteJob(this.#engine.store, queue.id, jobId)))
  }

  /**
   * On a dead-letter queue: sends waiting jobs back to the queues that they came from, the oldest
   * first, with a fresh set of attempts. Answers how many went.
   */
  async redrive(options?: RedriveOptions): Promise<number> {
    const { limit = Infinity } = resolveRedriveOptions(options)
    const queue = await this.#access.find()
    return queue === undefined ? 0 : redriveOldest(this.#engine, queue.id, limit)
  }

  /**
   * On a dead-letter queue: sends those of these jobs back that wait, with other arguments if `edit` says so. Answers
   * the ids of those that went.
   *
   * @throws MillraceError `INVALID_JOB_ID`, `INVALID_OPTION`; and what `edit` throws, `INVALID_ARGS`, `ARGS_TOO_LARGE`,
   * before anything of the same 500 jobs is written
   */
  async redriveMany(ids: readonly string[], options?: RedriveManyOptions<Args>): Promise<string[]> {
    const jobIds = checkIds(ids)
    const rewrite = resolveRedriveMany(options, this.#options)
    const queue = await this.#access.find()
    return queue === undefined ? [] : redriveMany(this.#engine, queue.id, jobIds, rewrite)
  }

  /**
   * Cancels the waiting jobs that a filter chooses, or the running ones if it names that status, as `cancel` does, a
   * batch in each transaction; with `dryRun` it says which those are.
   * What a filter costs is said at `JobFilter`.
   *
   * @throws MillraceError `INVALID_OPTION`, before anything is written
   */
  cancelWhere<DryRun extends boolean = false>(
    filter: JobSelection,
    options?: WhereOptions<DryRun>,
  ): Promise<WhereAnswer<DryRun, Args, Result>> {
    return this.#where('cancel', filter, options)
  }

  /** Makes the failed jobs available again that a filter chooses, or the cancelled ones if it names that status. As `cancelWhere`. */
  retryWhere<DryRun extends boolean = false>(
    filter: JobSelection,
    options?: WhereOptions<DryRun>,
  ): Promise<WhereAnswer<DryRun, Args, Result>> {
    return this.#where('retry', filter, options)
  }

  /** Deletes the jobs that a filter chooses, in any status but running, and all that is known of them. As `cancelWhere`. */
  deleteWhere<DryRun extends boolean = false>(
    filter: JobSelection,
    options?: WhereOptions<DryRun>,
  ): Promise<WhereAnswer<DryRun, Args, Result>> {
    return this.#where('delete', filter, options)
  }

  /** On a dead-letter queue: sends the waiting jobs back that a filter chooses, with other arguments if `edit` says so. As `cancelWhere`. */
  redriveWhere<DryRun extends boolean = false>(
    filter: JobSelection,
    options?: RedriveWhereOptions<Args, DryRun>,
  ): Promise<WhereAnswer<DryRun, Args, Result>> {
    return this.#where('redrive', filter, options)
  }

  /**
   * Pauses the queue for every process: from when this resolves no claim takes a job of it, and what a process had
   * claimed ahead does not start a second later. Running jobs go on to their end; enqueueing works, and so does all that
   * steers. A `drain` finds nothing due. Answers whether it was not paused before; if it was, nothing changes.
   *
   * @throws MillraceError `INVALID_OPTION`; where the queue is not stored yet, as `enqueue`
   */
  async pause(options?: PauseOptions): Promise<boolean> {
    const note = resolvePauseOptions(options)
    const { id } = (await this.#access.find()) ?? (await this.#access.open())
    return this.#wakeUp((await pauseQueue(this.#engine.store, id, note)) ? id : undefined)
  }

  /** Resumes the queue for every process: what is due starts at once. Answers whether it was paused. */
  async resume(): Promise<boolean> {
    const queue = await this.#access.find()
    const isResumed = queue && (await resumeQueue(this.#engine.store, queue.id))
    return this.#wakeUp(isResumed ? queue.id : undefined)
  }

  /** Calls `listener` with everything that happens to this queue in this process, until the answer is called. */
  observe(listener: EventListener): () => void {
    checkFunction('listener', listener, 'each event')
    const forget = [this.#events.on(listener), this.#engine.events.on(listener)]
    return () => forget.forEach((end) => end())
  }

  #reception(): Reception {
    if (this.#performer === undefined)
      throw new MillraceError('NO_WORKER', { queueName: this.queueName })
    return new Reception(this.#engine, this.#events, this.#access, this.#options, this.#performer)
  }

  async #where<DryRun extends boolean>(
    deed: Deed,
    filter: JobSelection,
    options: WhereOptions<DryRun> | undefined,
  ): Promise<WhereAnswer<DryRun, Args, Result>> {
    const { maxArgsBytes } = this.#options
    const request = resolveWhere(deed, filter, options, { isOfAnyQueue: false, maxArgsBytes })
    const queue = await this.#access.find()
    const queues = queue === undefined ? [] : [queue]
    return doWhere<DryRun, Args, Result>(this.#engine, queues, request)
  }

  #wakeUp(queueId: number | undefined): boolean {
    if (queueId === undefined) return false
    this.#engine.wake(queueId)
    return true
  }
}
