/** The queues that the model and the real thing both know, one of each kind. */
export const QUEUE_NAMES = ['posts', 'dead posts', 'notes', 'line', 'dead line'] as const

export type QueueName = (typeof QUEUE_NAMES)[number]

export type RetryPolicyName = 'constant' | 'linear' | 'exponential'

export interface QueueRule {
  readonly isFifo: boolean
  readonly dlq: QueueName | null
  /** False: finished jobs are deleted at once. */
  readonly keepsFinished: boolean
  readonly baseRetryDelayMs: number
  readonly maxRetryDelayMs: number
}

export const RULES: Readonly<Record<QueueName, QueueRule>> = {
  posts: {
    isFifo: false,
    dlq: 'dead posts',
    keepsFinished: true,
    baseRetryDelayMs: 2_000,
    maxRetryDelayMs: 5_000,
  },
  'dead posts': {
    isFifo: false,
    dlq: null,
    keepsFinished: true,
    baseRetryDelayMs: 2_000,
    maxRetryDelayMs: 3_600_000,
  },
  notes: {
    isFifo: false,
    dlq: null,
    keepsFinished: false,
    baseRetryDelayMs: 0,
    maxRetryDelayMs: 3_600_000,
  },
  line: {
    isFifo: true,
    dlq: 'dead line',
    keepsFinished: true,
    baseRetryDelayMs: 500,
    maxRetryDelayMs: 3_600_000,
  },
  'dead line': {
    isFifo: true,
    dlq: null,
    keepsFinished: true,
    baseRetryDelayMs: 2_000,
    maxRetryDelayMs: 3_600_000,
  },
}

/** A process that was not heard of for this long may be declared dead. */
export const LEASE_MS = 30_000

/**
 * The delay before the next retry when so many were made. Written from api.md, not from the code
 * that it checks.
 */
export function retryDelay(rule: QueueRule, policy: RetryPolicyName, retriesMade: number): number {
  const base = rule.baseRetryDelayMs
  const grown = {
    constant: base,
    linear: base * (retriesMade + 1),
    exponential:
      base < 2_000 ? base * 2 ** retriesMade : 1_000 * (base / 1_000) ** (retriesMade + 1),
  }[policy]
  return Math.min(grown, rule.maxRetryDelayMs)
}
