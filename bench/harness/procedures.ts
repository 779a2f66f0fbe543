import type { QueueNeeds } from '../contender.ts'
import type { Percentiles } from './percentiles.ts'
import type { HandlerKind, Progress } from './tally.ts'

export interface Opening {
  readonly contender: string
  readonly url: string
  readonly needs: QueueNeeds
}

/** The jobs from `from` up to `from + count`. */
export interface Jobs {
  readonly from: number
  readonly count: number
}

export interface Calls extends Jobs {
  /** Each awaits its call before it makes the next. */
  readonly callers: number
  /** No call begins after so long. */
  readonly limitMs: number
}

export interface Called {
  /** Jobs that were enqueued: the first of those asked for. */
  readonly done: number
  readonly elapsedMs: number
  /** How long the calls took. */
  readonly waits: Percentiles | undefined
}

export interface Offer extends Jobs {
  /** Jobs a second. */
  readonly rate: number
  /** Undefined: in bulk, all that came due in one call. */
  readonly callers: number | undefined
}

export interface Offered {
  readonly done: number
  /** When each job came due to be enqueued, by the shared clock, from `from` on. */
  readonly dueAt: Float64Array
}

export interface Reception {
  readonly kind: HandlerKind
  /** The jobs are numbered below this. */
  readonly capacity: number
  readonly handlerMs?: number
}

export interface RoleUsage {
  readonly cpuSeconds: number
  readonly memoryPeakMb: number
}

/** What one process of a run can be asked for. Everything that goes to and fro can be sent between processes. */
export interface Procedures {
  open(opening: Opening): void
  prepare(): void
  /** One by one, by one or many callers. */
  enqueue(calls: Calls & { priorities?: boolean }): Called
  enqueueMany(jobs: Jobs & { priority?: number }): { elapsedMs: number }
  /** In transactions of the callers', one job each. */
  enqueueInTransactions(calls: Calls): Called
  /** At a given rate, whatever the queue makes of it. */
  offer(offer: Offer): Offered
  /** In bulk, as fast as it goes, never more than `ahead` jobs before what `ranUpTo` told. */
  press(press: Jobs & { ahead: number; limitMs: number }): { done: number }
  /** Tells `press` how many jobs have run. */
  ranUpTo(done: number): void
  /** Enqueues job `n`; answers when the call began and ended, by the shared clock. */
  enqueueOne(n: number): { began: number; ended: number }
  receive(reception: Reception): void
  /** From nothing: loads the contender, opens it, receives; answers how long it took until job 0 had started. */
  startUp(opening: Opening): { startMs: number }
  progress(): Progress
  untilDone(n: number): void
  /** How often each job ran. */
  runs(): Uint8Array
  /** Jobs that began after a job with a higher number had. */
  outOfOrder(): number
  /** When each job's handler first began. */
  startedAt(): Float64Array
  stopReceiving(): void
  fillHistory(count: number): void
  unfinished(): number
  /** Undefined when the contender cannot tell. */
  finished(): number | undefined
  usage(): RoleUsage
  close(): void
}

export type ProcedureName = keyof Procedures

export interface Call {
  readonly id: number
  readonly name: ProcedureName
  readonly argument: unknown
}

export type Answer =
  | { readonly id: number; readonly result: unknown }
  | { readonly id: number; readonly error: string }
