import type { WorkContext } from './contexts.ts'
import type { Metadata } from './metadata.ts'

/** Where a job stands. */
export type JobStatus = 'available' | 'running' | 'finished' | 'failed' | 'cancelled'

/** A unit of work: what a worker is given, and what `enqueue` answers. */
export interface Job<Args = unknown> {
  /** A decimal string, unique over all queues of a schema. */
  readonly id: string
  /** The queue in which the job is now; a job that failed for good is in its dead-letter queue. */
  readonly queueName: string
  /** What was enqueued, as it came back through JSON: a `Date` is a string here. */
  readonly args: Args
  /** The metadata that was enqueued, with what the middlewares added. */
  readonly metadata: Metadata
  /** Runs started so far: 0 before the first, 1 during it. */
  readonly attempt: number
  /** How many runs may follow the first one. */
  readonly maxRetries: number
  /** When the job was enqueued, by the database's clock. */
  readonly createdAt: Date
  /** When the job is due or was due: `runAt`, the end of its `delay`, or its next retry. */
  readonly scheduledAt: Date
}

/** A run that failed. */
export interface JobError {
  /** Which run it was; 1 is the first. */
  readonly attempt: number
  /**
   * When it started, by the database's clock; of a run whose process died, when that was about to start it. Null where
   * nobody noted it: in runs that failed before the schema had version 6, or in a process of an older release.
   */
  readonly startedAt: Date | null
  /** When it failed, by the database's clock. */
  readonly at: Date
  /** The name of the error; `NonError` when something else was thrown, `WorkerCrashed` when the process died. */
  readonly name: string
  /** The error's message, cut at 2 KB. */
  readonly message: string
  /** The error's stack, cut at 8 KB; null when it had none. */
  readonly stack: string | null
}

/** Everything that is known of a job, as `queue.get(id)` answers it. */
export interface JobRecord<Args = unknown, Result = unknown> extends Job<Args> {
  /** Where the job stands. */
  readonly status: JobStatus
  /** Which of the due jobs run first: from 0 (first) to 9 (last); without meaning in a FIFO queue. */
  readonly priority: number
  /** How long each of its runs may take, in milliseconds; null: as long as it wants. */
  readonly timeoutMs: number | null
  /** The words by which it is found. */
  readonly tags: readonly string[]
  /** When its latest run started; null before the first, and while a process has claimed but not yet started it. */
  readonly startedAt: Date | null
  /** When it finished, failed for good or was cancelled; null before. */
  readonly finishedAt: Date | null
  /** Its failed runs, oldest first: the first 20 and the last 20. */
  readonly errors: readonly JobError[]
  /** How many runs failed, also those that `errors` left out. */
  readonly errorCount: number
  /** What its worker returned or passed to `complete`; undefined when it returned nothing, or nothing that JSON can carry. */
  readonly result: Result | undefined
  /** In a dead-letter queue: the queue that the job came from; null elsewhere. */
  readonly originQueue: string | null
  /** When somebody asked to cancel it while it ran; null when nobody did, or it has ended. */
  readonly cancelRequestedAt: Date | null
  /** What its worker reported last by `context.progress`, also in an earlier run; undefined when nothing yet. */
  readonly progress: unknown
  /** When that was stored, by the database's clock; null when nothing was. */
  readonly progressAt: Date | null
}

/** A line that a worker wrote by `context.log`. */
export interface JobLogLine {
  /** Which line of the job it is, over all of its runs; 1 is the first. A gap: lines between were not kept. */
  readonly number: number
  /** Which run wrote it; 1 is the first. */
  readonly attempt: number
  /** When, by the database's clock. */
  readonly at: Date
  /** The text, cut at 2,000 characters. */
  readonly message: string
  /** What was passed with it; undefined when nothing was. Over 8 KiB of JSON: `truncated` with its beginning, `start`. */
  readonly fields: Readonly<Record<string, unknown>> | undefined
}

/** How many jobs of a queue stand where. */
export type JobCounts = Readonly<Record<JobStatus, number>>

/** Does the work of a queue. An object with this method, or the method alone as a `WorkFunction`. */
export interface Worker<Args = unknown, Result = unknown> {
  /**
   * Does one job. Returning means that it is finished, with what is returned as its result; throwing
   * means that the run failed, and the job is retried. Stop when `context.signal` aborts.
   */
  work(job: Job<Args>, context: WorkContext<Args, Result>): Result | Promise<Result>
}

/** A `Worker` that is just its function. */
export type WorkFunction<Args = unknown, Result = unknown> = (
  job: Job<Args>,
  context: WorkContext<Args, Result>,
) => Result | Promise<Result>
