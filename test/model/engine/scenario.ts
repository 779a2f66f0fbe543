import fc from 'fast-check'
import type { Aim } from './faulty-database.ts'

/** What a handler does in one run. */
export type Behaviour =
  | { readonly kind: 'return' | 'throw' | 'discard'; readonly ms: number }
  | { readonly kind: 'snooze'; readonly ms: number }
  /** Settles the job in a transaction of its own, which commits or not. */
  | { readonly kind: 'complete'; readonly commits: boolean }
  /** Waits for its signal, and then throws what that says. */
  | { readonly kind: 'hang' }
  /** Does not hear its signal. */
  | { readonly kind: 'deaf'; readonly ms: number }
  /** Takes its process with it. */
  | { readonly kind: 'kill' }

export interface JobPlan {
  /** Run by run; after the last of them it returns. */
  readonly runs: readonly Behaviour[]
  readonly maxRetries: number
  readonly delayMs: number
  readonly priority: number
}

export type QueueKind = 'lanes' | 'line'

export interface Delivery {
  readonly at: number
  readonly queue: QueueKind
  readonly jobs: readonly JobPlan[]
  /** So many jobs more that just return, for processes to claim ahead. */
  readonly bulk: number
  /** By a healthy process, in a transaction that commits late or never, or by one of the actors. */
  readonly by: 'client' | 'late commit' | 'roll back' | 'actor'
}

export type Fault = { readonly at: number; readonly actor: number } & (
  | { readonly kind: 'kill' | 'stop' }
  | { readonly kind: 'pause' | 'away'; readonly ms: number }
  | { readonly kind: 'lose'; readonly aim: Aim; readonly count: number }
)

/** Somebody steers one of the jobs, at a time. */
export interface Steering {
  readonly at: number
  readonly kind: 'cancel' | 'retry' | 'redrive'
  readonly pick: number
}

export interface Scenario {
  /** Whether jobs that failed for good go to a dead-letter queue. */
  readonly hasDlq: boolean
  readonly concurrency: number
  /** 0: what failed is due again at once. */
  readonly baseRetryDelayMs: number
  readonly deliveries: readonly Delivery[]
  readonly faults: readonly Fault[]
  readonly steering: readonly Steering[]
}

export const ACTORS = 3

const at = fc.integer({ min: 0, max: 900 })
const shortly = fc.constantFrom(0, 1, 5, 20, 80, 200)

const behaviour: fc.Arbitrary<Behaviour> = fc.oneof(
  weigh(6, fc.record({ kind: fc.constant('return' as const), ms: shortly })),
  weigh(6, fc.record({ kind: fc.constant('throw' as const), ms: shortly })),
  weigh(1, fc.record({ kind: fc.constant('discard' as const), ms: shortly })),
  weigh(2, fc.record({ kind: fc.constant('snooze' as const), ms: fc.constantFrom(0, 10, 60) })),
  weigh(3, fc.record({ kind: fc.constant('complete' as const), commits: fc.boolean() })),
  weigh(1, fc.record({ kind: fc.constant('hang' as const) })),
  weigh(1, fc.record({ kind: fc.constant('deaf' as const), ms: fc.constantFrom(300, 1_500) })),
  weigh(2, fc.record({ kind: fc.constant('kill' as const) })),
)

const job: fc.Arbitrary<JobPlan> = fc.record({
  runs: fc.array(behaviour, { maxLength: 3, size: 'max' }),
  maxRetries: fc.constantFrom(0, 1, 1, 2),
  delayMs: fc.constantFrom(0, 0, 0, 30, 200),
  priority: fc.constantFrom(5, 5, 0, 9),
})

const delivery: fc.Arbitrary<Delivery> = fc.record({
  at,
  queue: fc.constantFrom('lanes', 'line'),
  jobs: fc.array(job, { minLength: 1, maxLength: 12, size: 'max' }),
  bulk: fc.constantFrom(0, 0, 0, 60),
  by: fc.constantFrom('client', 'client', 'client', 'late commit', 'roll back', 'actor', 'actor'),
})

const fault: fc.Arbitrary<Fault> = fc
  .tuple(
    fc.record({ at, actor: fc.nat({ max: ACTORS - 1 }) }),
    fc.oneof(
      weigh(3, fc.record({ kind: fc.constant('kill' as const) })),
      weigh(2, fc.record({ kind: fc.constant('stop' as const) })),
      weigh(3, fc.record({ kind: fc.constant('pause' as const), ms: fc.constantFrom(300, 2_500) })),
      weigh(2, fc.record({ kind: fc.constant('away' as const), ms: fc.constantFrom(150, 1_500) })),
      weigh(
        4,
        fc.record({
          kind: fc.constant('lose' as const),
          aim: fc.constantFrom('claim', 'settle', 'any'),
          count: fc.integer({ min: 1, max: 3 }),
        }),
      ),
    ),
  )
  .map(([when, what]) => ({ ...when, ...what }))

const steering: fc.Arbitrary<Steering> = fc.record({
  at,
  kind: fc.constantFrom('cancel', 'retry', 'redrive'),
  pick: fc.nat({ max: 20 }),
})

export const scenario: fc.Arbitrary<Scenario> = fc.record({
  hasDlq: fc.boolean(),
  concurrency: fc.constantFrom(1, 2, 3, 8),
  baseRetryDelayMs: fc.constantFrom(0, 20),
  deliveries: fc.array(delivery, { minLength: 1, maxLength: 6, size: 'max' }),
  faults: fc.array(fault, { maxLength: 6, size: 'max' }),
  steering: fc.array(steering, { maxLength: 3, size: 'max' }),
})

function weigh<T>(
  weight: number,
  arbitrary: fc.Arbitrary<T>,
): { weight: number; arbitrary: fc.Arbitrary<T> } {
  return { weight, arbitrary }
}
