import { MillraceError } from '../core/errors.ts'
import { sqlState } from '../store/store.ts'

/** SQLSTATE classes that waiting does not mend: a missing table or right, a missing schema. */
const HOPELESS_CLASSES = new Set(['42', '3F', '3D'])
/** Somebody else made a day of history at the same time. */
const DUPLICATE_TABLE = '42P07'

/**
 * Whether an error is a mistake in the set-up rather than a database that is away, full or busy.
 * `receive` rejects with the first kind and goes on after the second.
 */
export function isHopeless(error: unknown): boolean {
  if (error instanceof MillraceError) {
    return /^(SCHEMA_|INVALID_|QUEUE_MODE_MISMATCH)/.test(error.code)
  }
  const state = sqlState(error)
  if (state === DUPLICATE_TABLE) return false
  return HOPELESS_CLASSES.has(state?.slice(0, 2) ?? '')
}

/** Whether an error says that the values of a statement cannot be stored, so that others should not suffer with them. */
export function isDataError(error: unknown): boolean {
  const state = sqlState(error)?.slice(0, 2)
  return state === '22' || state === '23' || state === '54'
}
