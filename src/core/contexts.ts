import type { Metadata } from './metadata.ts'
import { lineNote, progressNote, type RunNote } from './notes.ts'
import type { TransactionLike } from './transaction.ts'

/** What an enqueue middleware sees of a job that is about to be enqueued. */
export interface JobEnqueueContext<Args = unknown> {
  /** The queue that the job goes to. */
  readonly queueName: string
  /** The arguments, as they will be stored. */
  readonly args: Args
  /** What is stored as the job's metadata. Middlewares may change its contents. */
  readonly metadata: Metadata
  /** The job's tags. Middlewares may change the contents of this array; they are checked again. */
  readonly tags: string[]
  /** Aborts when the caller of `enqueue` gives up. */
  readonly signal: AbortSignal
  /** A copy whose signal replaces this one for everything further in. Combine them by `AbortSignal.any`. */
  withContext(signal: AbortSignal): JobEnqueueContext<Args>
}

/** What a process middleware sees of a job's run. */
export interface JobProcessContext<Args = unknown> {
  readonly jobId: string
  readonly queueName: string
  readonly args: Args
  /** The job's metadata. */
  readonly metadata: Metadata
  /** Which run this is; 1 is the first. */
  readonly attempt: number
  /**
   * Aborts when the run should end: `TIMEOUT`, `SHUTDOWN`, `LEASE_LOST` or `CANCELLED`, as a
   * `MillraceError` in `signal.reason`.
   */
  readonly signal: AbortSignal
  /** A copy whose signal replaces this one for everything further in. Combine them by `AbortSignal.any`. */
  withContext(signal: AbortSignal): JobProcessContext<Args>
}

/** What a worker is given beside the job. */
export interface WorkContext<Args = unknown, Result = unknown> extends JobProcessContext<Args> {
  /**
   * Settles the job as finished inside the worker's own transaction, so that its effects in this
   * database happen exactly once. Rejects with `LEASE_LOST` when the job is no longer this worker's;
   * let that error roll the transaction back.
   */
  readonly complete: (tx: TransactionLike, result?: Result) => Promise<void>
  /**
   * Reports how far the run is, for `get` and `list` in any process: a number from 0 to 100 by convention, or any other
   * JSON value up to 16 KiB. It returns at once and may be called as often as you like: the latest value is stored
   * within a second, and the last one before the job is settled. That it cannot be stored never fails the run.
   *
   * @throws MillraceError `INVALID_OPTION` for what JSON cannot carry, or is too large
   */
  readonly progress: (value: unknown) => void
  /**
   * Adds a line to the job's log, for `queue.logs`. It returns at once; lines are stored half a second later at most,
   * and the last ones before the job is settled. Of each job the newest 1,000 lines are kept, and of lines that come
   * faster than they can be stored the newest; the gap shows in their numbers. A message is cut at 2,000 characters;
   * fields over 8 KiB of JSON are cut too, and say so.
   *
   * @throws MillraceError `INVALID_OPTION` when the message is no text, or the fields are no object that JSON can carry
   */
  readonly log: (message: string, fields?: Readonly<Record<string, unknown>>) => void
  withContext(signal: AbortSignal): WorkContext<Args, Result>
}

/** A copy of a context with another signal; everything else, the metadata object too, is shared. */
function withSignal<Context extends object>(this: Context, signal: AbortSignal): Context {
  return { ...this, signal }
}

/** Makes what enqueue middlewares are given. Without a signal of the caller's there is one that never aborts. */
export function createEnqueueContext<Args>(
  job: Pick<JobEnqueueContext<Args>, 'queueName' | 'args' | 'metadata'> & {
    readonly tags?: readonly string[]
  },
  signal: AbortSignal = new AbortController().signal,
): JobEnqueueContext<Args> {
  const { queueName, args, metadata, tags = [] } = job
  return { queueName, args, metadata, tags: [...tags], signal, withContext: withSignal }
}

/** What a context says of its job. A `Job` has it all. */
export interface RunFacts<Args> {
  readonly id: string
  readonly queueName: string
  readonly args: Args
  readonly metadata: Metadata
  readonly attempt: number
}

/** Makes what process middlewares are given. */
export function createProcessContext<Args>(
  job: RunFacts<Args>,
  signal: AbortSignal,
): JobProcessContext<Args> {
  const { id: jobId, queueName, args, metadata, attempt } = job
  return { jobId, queueName, args, metadata, attempt, signal, withContext: withSignal }
}

/** Has a signal, perhaps only made when it is asked for: an `AbortController`, or another context. */
export interface SignalSource {
  readonly signal: AbortSignal
}

/**
 * Makes what a worker is given. `source` is the run's `AbortController`, or the context that came
 * through the middlewares, whose signal may be another one.
 */
export function createWorkContext<Args, Result>(
  job: RunFacts<Args>,
  source: SignalSource,
  complete: WorkContext<Args, Result>['complete'],
  taker: NoteTaker,
): WorkContext<Args, Result> {
  return new RunContext(job, source, complete, taker)
}

/** Takes down what a run says of itself. */
export interface NoteTaker {
  note(note: RunNote): void
}

/**
 * A class, because a signal costs 3 µs to be made, more than all else that a small job costs, and
 * most handlers never ask for it; an accessor in an object literal costs 0.7 µs.
 */
class RunContext<Args, Result> implements WorkContext<Args, Result> {
  readonly jobId: string
  readonly queueName: string
  readonly args: Args
  readonly metadata: Metadata
  readonly attempt: number
  readonly complete: WorkContext<Args, Result>['complete']
  readonly #job: RunFacts<Args>
  readonly #source: SignalSource
  readonly #taker: NoteTaker

  constructor(
    job: RunFacts<Args>,
    source: SignalSource,
    complete: WorkContext<Args, Result>['complete'],
    taker: NoteTaker,
  ) {
    this.jobId = job.id
    this.queueName = job.queueName
    this.args = job.args
    this.metadata = job.metadata
    this.attempt = job.attempt
    this.complete = complete
    this.#job = job
    this.#source = source
    this.#taker = taker
  }

  get signal(): AbortSignal {
    return this.#source.signal
  }

  // Made when they are asked for, as most handlers never do; and functions of their own, as handlers take contexts apart.
  get progress(): WorkContext<Args, Result>['progress'] {
    const taker = this.#taker
    return (value) => taker.note(progressNote(value))
  }

  get log(): WorkContext<Args, Result>['log'] {
    const taker = this.#taker
    return (message, fields) => taker.note(lineNote(message, fields))
  }

  withContext(signal: AbortSignal): WorkContext<Args, Result> {
    return new RunContext(this.#job, { signal }, this.complete, this.#taker)
  }
}
