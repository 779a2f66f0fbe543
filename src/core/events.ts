import type { ErrorRecord } from './thrown.ts'

/** The fields of an event about one run of a job. */
interface OfRun {
  readonly jobId: string
  readonly queueName: string
  /** Which run of the job it is or was; 1 is the first. */
  readonly attempt: number
}

/** What happens to single jobs. Nothing is said of their arguments. */
export type JobEvent =
  /** A job is stored; inside a caller's transaction: will be, if that commits. */
  | { readonly type: 'job.enqueued'; readonly jobId: string; readonly queueName: string }
  /** A worker was given the job. */
  | ({ readonly type: 'job.started' } & OfRun)
  /** The run succeeded and that is stored; `ms` from start to end of the run. */
  | ({ readonly type: 'job.finished'; readonly ms: number } & OfRun)
  /** The run failed; another one follows in `retryInMs`. */
  | ({
      readonly type: 'job.retried'
      readonly error: ErrorRecord
      readonly retryInMs: number
    } & OfRun)
  /** The last run failed, or the worker discarded the job, and it stays as failed. */
  | ({ readonly type: 'job.failed'; readonly error: ErrorRecord } & OfRun)
  /** The last run failed, or the worker discarded the job, and it went to the queue `dlq`. */
  | ({
      readonly type: 'job.dead_lettered'
      readonly error: ErrorRecord
      readonly dlq: string
    } & OfRun)
  /** The worker put the job off by `afterMs`; the run is taken back. */
  | ({ readonly type: 'job.snoozed'; readonly afterMs: number } & OfRun)
  /** Somebody asked to cancel the job; its signal aborted, and what its worker does now is respected. */
  | ({ readonly type: 'job.cancel_requested' } & OfRun)
  /** The job was to be cancelled and did not finish: it ends as cancelled. */
  | ({ readonly type: 'job.cancelled' } & OfRun)
  /** A claimed job is available again without a run: it was not started, or a stop interrupted it. */
  | ({ readonly type: 'job.given_back'; readonly wasRunning: boolean } & OfRun)
  /** The worker that ran the job died. `ranAlone`: the crash counts against the job. */
  | ({
      readonly type: 'job.rescued'
      readonly workerId: number
      readonly ranAlone: boolean
    } & OfRun)
  /** What this worker says about the job no longer counts: somebody else has it. */
  | ({ readonly type: 'job.lease_lost' } & OfRun)
  /** The run reached its timeout; its signal aborted. */
  | ({ readonly type: 'job.timed_out'; readonly timeoutMs: number } & OfRun)
  /** The handler went on after its run was over; what it does is ignored. */
  | ({
      readonly type: 'job.handler_outlived'
      readonly reason: 'timeout' | 'shutdown' | 'lease_lost'
    } & OfRun)
  /** The job is finished, without its result: JSON cannot carry it. */
  | ({ readonly type: 'result.not_stored'; readonly error: unknown } & OfRun)
  /** The handler threw after the transaction that completed its job had committed. Nothing changes. */
  | ({ readonly type: 'complete.error_after'; readonly error: ErrorRecord } & OfRun)

/** What the engine does and meets. */
export type EngineEvent =
  /** A claim was answered, perhaps with nothing. */
  | {
      readonly type: 'claim.made'
      readonly queueName: string
      readonly count: number
      readonly ms: number
    }
  /** A claim or what goes with it failed; it is tried again. */
  | {
      readonly type: 'claim.failed'
      readonly queueName: string
      readonly error: unknown
      readonly retryInMs: number
    }
  /** A claim had committed although its answer was lost; its jobs were found and given back. */
  | { readonly type: 'claim.recovered'; readonly queueName: string; readonly count: number }
  /** This process has found the queue paused: nothing of it starts here. */
  | { readonly type: 'queue.paused'; readonly queueName: string }
  /** This process has found that the queue is paused no more. */
  | { readonly type: 'queue.resumed'; readonly queueName: string }
  /** Storing outcomes failed; it is tried again as long as the lease holds. */
  | {
      readonly type: 'settle.failed'
      readonly queueName: string
      readonly error: unknown
      readonly retryInMs: number
    }
  /** What runs say of themselves could not be stored; it is tried again, and told once until that succeeds. */
  | {
      readonly type: 'progress.not_stored'
      readonly queueName: string
      readonly error: unknown
    }
  /** A look into the queues that sleep failed; the next one comes soon. */
  | { readonly type: 'poll.failed'; readonly error: unknown }
  /** The outcomes of `count` runs were stored by one statement. */
  | {
      readonly type: 'settle.made'
      readonly queueName: string
      readonly count: number
      readonly ms: number
    }
  /** This process can be given jobs, under the number `workerId`. */
  | { readonly type: 'worker.registered'; readonly workerId: number; readonly leaseMs: number }
  /** This process stopped cleanly and holds nothing. */
  | { readonly type: 'worker.stopped'; readonly workerId: number }
  /** Others took this process for dead; its runs are aborted and it registers again. */
  | { readonly type: 'worker.lease_lost'; readonly workerId: number; readonly runs: number }
  /** This process saw no heartbeat of another one for a whole lease. */
  | { readonly type: 'worker.died'; readonly workerId: number; readonly silentMs: number }
  /** The jobs of a dead worker are free again. */
  | { readonly type: 'worker.rescued'; readonly workerId: number; readonly count: number }
  /** The database cannot be reached; the `attempt`th try in a row failed. */
  | {
      readonly type: 'database.unavailable'
      readonly error: unknown
      readonly attempt: number
      readonly retryInMs: number
    }
  /** The database answers again. */
  | { readonly type: 'database.restored'; readonly afterMs: number }
  /** Notifications do not arrive here (a transaction pooler, or a client without LISTEN); polling goes on. */
  | { readonly type: 'listen.unavailable'; readonly pollIntervalMs: number }
  /** The connection that listens broke; another one is opened. */
  | { readonly type: 'listen.lost'; readonly error: unknown }
  /** An enqueue waits for a connection of a pool that its own handlers have exhausted. */
  | { readonly type: 'pool.exhausted'; readonly queueName: string; readonly waitedMs: number }
  /** History has room for what expires on `day` (an ISO date). */
  | { readonly type: 'history.partition_added'; readonly day: string }
  /** What expired on `day` (an ISO date) is gone. */
  | { readonly type: 'history.partition_dropped'; readonly day: string }
  /** A chore of maintenance failed; it is tried again later. */
  | { readonly type: 'maintenance.failed'; readonly chore: string; readonly error: unknown }
  /** The schema has migrations that this release does not know, and says that this release still fits. */
  | {
      readonly type: 'schema.unknown'
      readonly schema: string
      readonly version: number
      readonly known: number
    }
  /** A request to the dashboard failed in a way that nobody expected; its answer named `id` and nothing else. */
  | {
      readonly type: 'dashboard.failed'
      readonly id: string
      readonly method: string
      readonly path: string
      readonly error: unknown
    }
  /** What became of a request could not be written into the audit, whose entry says `started` still. */
  | {
      readonly type: 'audit.failed'
      readonly entryId: string
      readonly outcome: string
      readonly error: unknown
    }
  /** A listener of these events threw. */
  | { readonly type: 'listener.failed'; readonly error: unknown }

/** Everything that can be observed of Millrace: one seam for logs, metrics, traces and tests. */
export type MillraceEvent = JobEvent | EngineEvent

/** The name of an event. */
export type EventType = MillraceEvent['type']

/** The event of that name. */
export type EventOf<Type extends EventType> = Extract<MillraceEvent, { readonly type: Type }>

/** Is told of events as they happen. */
export type EventListener = (event: MillraceEvent) => void
