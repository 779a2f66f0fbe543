import { invalidOption } from './validate.ts'

/** How the delay before a retry grows from one retry to the next. */
export const RetryPolicy = {
  /** The base delay each time. */
  Constant: 'constant',
  /** The base delay, then twice, three times as long … */
  Linear: 'linear',
  /** With a base of 2 s: 2 s, 4 s, 8 s … */
  Exponential: 'exponential',
} as const

/** The name of a retry policy, as it is stored and as it may be given instead of `RetryPolicy`. */
export type RetryPolicyName = (typeof RetryPolicy)[keyof typeof RetryPolicy]

/** A value of `RetryPolicy`. */
export type RetryPolicy = RetryPolicyName

/** What a queue says about the delays before its retries. */
export interface RetryDelays {
  /** The delay from which all others are calculated, in milliseconds. */
  readonly baseRetryDelayMs: number
  /** No delay is longer than this many milliseconds. */
  readonly maxRetryDelayMs: number
  /** By what share (0 to 1) a delay is shortened or lengthened at random. */
  readonly retryJitter: number
}

/** Below this base, the powers of exponential growth would shrink or stand still. */
const SMALLEST_POWER_BASE_MS = 2_000

/**
 * How long to wait before a retry, in milliseconds, when `retriesMade` were made already (0 before
 * the first one). The formulas:
 *
 * - constant: base
 * - linear: base × (n + 1)
 * - exponential: base^(n+1) with the base in seconds; below 2 s base × 2^n, the same at 2 s
 *
 * Never more than the maximum, also with jitter.
 */
export function delayBeforeRetry(
  policy: RetryPolicyName,
  retriesMade: number,
  { baseRetryDelayMs, maxRetryDelayMs, retryJitter }: RetryDelays,
  random: () => number = Math.random,
): number {
  const delayMs = Math.min(growDelay(policy, retriesMade, baseRetryDelayMs), maxRetryDelayMs)
  if (retryJitter === 0) return delayMs
  return Math.min(delayMs * (1 + retryJitter * (2 * random() - 1)), maxRetryDelayMs)
}

/** May be infinite: the maximum bounds it. */
function growDelay(policy: RetryPolicyName, retriesMade: number, baseMs: number): number {
  if (baseMs === 0) return 0 // and not 0 × Infinity
  switch (policy) {
    case 'constant':
      return baseMs
    case 'linear':
      return baseMs * (retriesMade + 1)
    case 'exponential':
      if (baseMs < SMALLEST_POWER_BASE_MS) return baseMs * 2 ** retriesMade
      return (baseMs / 1_000) ** (retriesMade + 1) * 1_000
  }
}

/** Checks the name of a retry policy. */
export function checkRetryPolicy(option: string, value: unknown): RetryPolicyName {
  const policy = Object.values(RetryPolicy).find((name) => name === value)
  if (policy !== undefined) return policy
  throw invalidOption(option, value, `it takes 'constant', 'linear' or 'exponential'`)
}
