import { Discard } from './discard.ts'
import { delayBeforeRetry, type RetryDelays, type RetryPolicyName } from './retry.ts'
import { Snooze } from './snooze.ts'
import { describeThrown, type ErrorRecord } from './thrown.ts'

/** What the judge must know of a job that ran. */
export interface Attempted {
  /** Which run it was, counting those that counted: 1 is the first. */
  readonly attempt: number
  readonly maxRetries: number
  readonly retryPolicy: RetryPolicyName
}

/** How a run ended. */
export type Outcome =
  /** The worker returned; `result` is JSON text. */
  | { readonly kind: 'returned'; readonly result: string | undefined }
  /** The worker threw, or ran longer than its timeout. */
  | { readonly kind: 'threw'; readonly error: ErrorRecord }
  /** The worker threw a `Discard`. */
  | { readonly kind: 'discarded'; readonly error: ErrorRecord }
  /** The worker threw a `Snooze`. */
  | { readonly kind: 'snoozed'; readonly afterMs: number }
  /** We stopped the run, for a shutdown. */
  | { readonly kind: 'interrupted' }
  /** Somebody asked to cancel the job, the worker heard of it, and threw. */
  | { readonly kind: 'cancelled' }
  /** The process died under the run; `ranAlone`: no other job was running in it. */
  | { readonly kind: 'crashed'; readonly error: ErrorRecord; readonly ranAlone: boolean }

/** What a queue says about the jobs that do not finish. */
export interface JudgePolicy extends RetryDelays {
  /** Whether jobs that failed for good go to a dead-letter queue. */
  readonly hasDlq: boolean
  /** A number from 0 to 1, for the jitter. @default Math.random */
  readonly random?: () => number
}

/** Where a job goes after a run. */
export type Verdict =
  | { readonly to: 'finished'; readonly result: string | undefined }
  | {
      readonly to: 'available'
      /** How long after the end of the run it is due, by the database's clock. */
      readonly afterMs: number
      /** Whether the run is one of the job's attempts, or is taken back. */
      readonly countsAsAttempt: boolean
      /** What to add to the job's errors. */
      readonly error?: ErrorRecord
      /** True: from now on the job runs alone in its process. Absent: as before. */
      readonly suspect?: true
    }
  | { readonly to: 'cancelled' }
  | { readonly to: 'failed'; readonly error: ErrorRecord }
  | { readonly to: 'dead-letter'; readonly error: ErrorRecord }

/** Where a job goes after a run. Pure: the whole policy of the library is in these lines. */
export function judge(run: Attempted, outcome: Outcome, policy: JudgePolicy): Verdict {
  switch (outcome.kind) {
    case 'returned':
      return { to: 'finished', result: outcome.result }
    case 'threw':
      return judgeFailure(run, outcome.error, policy)
    case 'discarded':
      return bury(outcome.error, policy)
    case 'snoozed':
      return { to: 'available', afterMs: outcome.afterMs, countsAsAttempt: false }
    case 'interrupted':
      return { to: 'available', afterMs: 0, countsAsAttempt: false } // we stopped it; it did not fail
    case 'cancelled':
      return { to: 'cancelled' }
    case 'crashed':
      return judgeCrash(run, outcome, policy)
  }
}

function judgeFailure(run: Attempted, error: ErrorRecord, policy: JudgePolicy): Verdict {
  const retriesMade = run.attempt - 1
  if (retriesMade >= run.maxRetries) return bury(error, policy)
  const afterMs = delayBeforeRetry(run.retryPolicy, retriesMade, policy, policy.random)
  return { to: 'available', afterMs, countsAsAttempt: true, error }
}

/**
 * A crash is not the job's fault until it ran alone. Beside others it costs nothing, but the job must
 * prove itself alone; and who crashed alone goes on alone, so that it takes nobody along again.
 */
function judgeCrash(
  run: Attempted,
  { error, ranAlone }: Extract<Outcome, { kind: 'crashed' }>,
  policy: JudgePolicy,
): Verdict {
  if (!ranAlone) {
    return { to: 'available', afterMs: 0, countsAsAttempt: false, error, suspect: true }
  }
  const verdict = judgeFailure(run, error, policy)
  return verdict.to === 'available' ? { ...verdict, suspect: true } : verdict
}

function bury(error: ErrorRecord, policy: JudgePolicy): Verdict {
  return { to: policy.hasDlq ? 'dead-letter' : 'failed', error }
}

/** How a run ended whose worker threw. Never throws itself. */
export function outcomeOfThrown(thrown: unknown): Outcome {
  try {
    if (thrown instanceof Snooze) return { kind: 'snoozed', afterMs: thrown.delayMs }
    if (thrown instanceof Discard) return { kind: 'discarded', error: describeThrown(thrown) }
  } catch {
    // A proxy whose prototype cannot be read: neither of ours.
  }
  return { kind: 'threw', error: describeThrown(thrown) }
}
