import { showNumber } from './show.ts'
import { invalidOption, readOptions } from './validate.ts'

/** Who pauses a queue, and why: for those who find it paused. */
export interface PauseOptions {
  /** Who pauses it, 1 to 200 characters. @default none */
  by?: string | undefined
  /** Why, 1 to 1,000 characters. @default none */
  reason?: string | undefined
}

/** That a queue is paused. */
export interface QueuePause {
  /** Since when, by the database's clock. */
  readonly at: Date
  /** Who paused it, where that was said. */
  readonly by: string | null
  /** Why, where that was said. */
  readonly reason: string | null
}

/** Checks the options of `pause`. Throws `INVALID_OPTION`. */
export function resolvePauseOptions(options?: unknown): Omit<QueuePause, 'at'> {
  const { by, reason } = readOptions(options, { of: 'pause', known: ['by', 'reason'] })
  return { by: checkNote('by', by, 200), reason: checkNote('reason', reason, 1_000) }
}

function checkNote(option: string, value: unknown, longest: number): string | null {
  if (value === undefined) return null
  const isStorable =
    typeof value === 'string' && !value.includes('\u0000') && !/\p{Surrogate}/u.test(value)
  if (isStorable && value !== '' && value.length <= longest) return value
  throw invalidOption(
    option,
    value,
    `it takes a text of 1 to ${showNumber(longest)} characters, without \\u0000 and halves of surrogate pairs`,
  )
}
