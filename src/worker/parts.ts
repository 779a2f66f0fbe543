import type { EventBus } from '../core/event-bus.ts'
import type { JudgePolicy } from '../core/judge.ts'
import type { Tallies } from '../core/tally.ts'
import type { Store } from '../store/store.ts'
import type { Exclusivity } from './exclusivity.ts'
import type { Journal } from './journal.ts'
import type { Membership } from './membership.ts'
import type { SettlingRules } from './settlement.ts'
import type { Waker } from './waker.ts'

/** What the receivers of one process share. */
export interface SharedParts {
  readonly store: Store
  readonly events: EventBus
  readonly tallies: Tallies
  readonly membership: Membership
  readonly waker: Waker
  readonly exclusivity: Exclusivity
  readonly journal: Journal
  /** Resolves when what the dead held who were known at the start is free, or that failed. */
  readonly looked: Promise<void>
  /** Aborts when nothing works in this process any more: then nobody waits for the database. */
  readonly ended: AbortSignal
}

export interface ReceiverRules extends SettlingRules {
  readonly isFifo: boolean
  readonly judgePolicy: JudgePolicy
  readonly pollIntervalMs: number
  readonly concurrency: number
  readonly shutdownTimeoutMs: number
  /** Ends by itself when nothing is due, or after so many jobs; undefined receives until told to stop. */
  readonly drainLimit: number | undefined
}
