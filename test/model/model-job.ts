import type { QueueName, RetryPolicyName } from './queue-rules.ts'

/** What somebody enqueues. */
export interface JobSpec {
  readonly priority: number
  readonly delayMs: number
  readonly maxRetries: number
  readonly retryPolicy: RetryPolicyName
}

/** What somebody changes of a job that waits; undefined leaves it as it is. */
export interface JobEdit {
  readonly maxRetries: number
  readonly priority: number | undefined
  readonly delayMs: number | undefined
}

/** By which claim of which worker a job is held: the fence. */
export interface Grip {
  readonly worker: number
  readonly claimNo: number
}

/** Where a job is. Waiting suspects are parked: only a run alone may take them. */
export type JobState =
  | { readonly kind: 'waiting' }
  | ({ readonly kind: 'held'; readonly isStarted: boolean } & Grip)
  | {
      readonly kind: 'ended'
      readonly outcome: 'finished' | 'failed' | 'cancelled'
      readonly by: Grip | null
    }

/** A job as the model sees it. It is in exactly one queue and one state. */
export interface ModelJob {
  readonly id: number
  readonly retryPolicy: RetryPolicyName
  maxRetries: number
  queue: QueueName
  state: JobState
  priority: number
  /** Nothing may start before. */
  runAt: number
  /** Runs that counted. */
  attempt: number
  /** The run of each failure, in order; a fresh set of attempts keeps the old errors. */
  errors: { readonly attempt: number; readonly name: string }[]
  isSuspect: boolean
  /** Somebody asked to cancel it while it was held: it can only finish, or end as cancelled. */
  isMarked: boolean
  /** In a dead-letter queue: where it came from. */
  origin: QueueName | null
  /** When it last became visible to claims: the step, and the time of the processes. */
  visible: { step: number; at: number }
  /** Raised by every change. */
  version: number
}

/** What stays in a queue that a job left for another: where it went, and by whose hand. */
export interface Pointer {
  readonly to: QueueName
  readonly attempt: number
  readonly errorCount: number
  readonly by: Grip
}

export interface ModelWorker {
  readonly id: number
  status: 'alive' | 'stopped' | 'dead' | 'rescued'
  /** Its claims only ever get higher numbers. */
  lastClaimNo: number
  /** When its heartbeat was last written. */
  beatAt: number
  diedAt: number
  isLookedAt: boolean
}

/** What a run comes to. */
export type ModelOutcome =
  | { readonly kind: 'returned' }
  | { readonly kind: 'threw' }
  | { readonly kind: 'discarded' }
  | { readonly kind: 'snoozed'; readonly ms: number }
  | { readonly kind: 'interrupted' }

/** The order in which jobs of a queue without strict order are claimed. */
export function byUrgency(left: ModelJob, right: ModelJob): number {
  return left.priority - right.priority || left.runAt - right.runAt || left.id - right.id
}

export function byId(left: { readonly id: number }, right: { readonly id: number }): number {
  return left.id - right.id
}

/** The model and the real thing differ, or the real thing broke a rule. */
export class Violation extends Error {
  override readonly name = 'Violation'
}

export function demand(isTrue: boolean, rule: string): asserts isTrue {
  if (!isTrue) throw new Violation(rule)
}
