import { randomUUID } from 'node:crypto'
import type { EventBus } from '../core/event-bus.ts'
import { MillraceError, type MillraceErrorCode } from '../core/errors.ts'
import { sqlState, type Store } from '../store/store.ts'
import { Refusal } from './refusal.ts'

/** What every answer looks like that is not what was asked for. */
export interface ErrorBody {
  readonly error: {
    readonly code: string
    readonly message: string
    readonly field?: string | undefined
    readonly value?: unknown
    readonly remedy?: string | undefined
    /** Of what nobody expected: the log has it with everything else. */
    readonly id?: string | undefined
  }
}

/** A failure as it is answered. */
export interface AnsweredFailure {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: ErrorBody
}

const STATUSES: Partial<Record<MillraceErrorCode, number>> = {
  INVALID_OPTION: 400,
  INVALID_ARGS: 400,
  INVALID_JOB_ID: 400,
  ARGS_TOO_LARGE: 413,
  QUEUE_MODE_MISMATCH: 409,
  SCHEMA_MISSING: 503,
  SCHEMA_OUTDATED: 503,
  SCHEMA_TOO_NEW: 503,
  OUTCOME_UNKNOWN: 503,
}

const QUERY_CANCELED = '57014'
const LOCK_NOT_AVAILABLE = '55P03'

/** What failures are looked at with. */
interface FailureParts {
  readonly store: Store
  readonly events: EventBus
  readonly isRedacting: boolean
}

/** What is answered to a request that failed with this. What nobody expected is logged, and leaves by its id alone. */
export function answerFailure(
  error: unknown,
  request: Request,
  parts: FailureParts,
): AnsweredFailure {
  if (error instanceof Refusal) return answerRefusal(error, parts)
  if (error instanceof MillraceError) {
    const status = STATUSES[error.code]
    if (status !== undefined) return answerKnown(error, status, parts)
  }
  if (request.signal.aborted) {
    const message = 'Nobody waits for the answer any more.' // nor reads this one
    return { status: 400, headers: {}, body: { error: { code: 'ABORTED', message } } }
  }
  const state = sqlState(error)
  if (state === QUERY_CANCELED || state === LOCK_NOT_AVAILABLE) {
    const message = 'The database took too long for this; what was under way was given up.'
    const remedy = 'ask for less at once, or later'
    return { status: 503, headers: {}, body: { error: { code: 'TIMED_OUT', message, remedy } } }
  }
  return answerUnexpected(error, request, parts)
}

function answerRefusal(refusal: Refusal, { isRedacting }: FailureParts): AnsweredFailure {
  const { status, code, headers, details } = refusal
  const { field, value, remedy } = details
  if (isRedacting && value !== undefined && mayBeSecret(field)) {
    const message = `The field "${field}" is not valid${remedy === undefined ? '' : `; ${remedy}`}.`
    return { status, headers, body: { error: { code, message, field, remedy } } }
  }
  const { message } = refusal
  return { status, headers, body: { error: { code, message, field, value, remedy } } }
}

/** An error of the library: its message is a sentence for whoever made the mistake. */
function answerKnown(
  { code, message, details }: MillraceError,
  status: number,
  { isRedacting }: FailureParts,
): AnsweredFailure {
  const named = details['option'] ?? details['path']
  const option = typeof named === 'string' ? named : undefined
  const field = option === 'queueName' ? 'queue' : option
  const error =
    isRedacting && mayBeSecret(field)
      ? { code, message: `The field "${field}" is not valid (${code}).`, field }
      : { code, message, field, value: details['value'] }
  return { status, headers: {}, body: { error } }
}

/** Whether the field is what a job carries. */
function mayBeSecret(field: string | undefined): boolean {
  return field === undefined || /\b(args|metadata|tags)\b/.test(field)
}

function answerUnexpected(
  error: unknown,
  request: Request,
  { store, events }: FailureParts,
): AnsweredFailure {
  const id = randomUUID()
  const { pathname } = new URL(request.url)
  events.emit({ type: 'dashboard.failed', id, method: request.method, path: pathname, error })
  const isAway = store.driver.isConnectionError(error)
  const message = isAway ? 'The database cannot be reached.' : 'Something went wrong.'
  const code = isAway ? 'DATABASE_UNAVAILABLE' : 'INTERNAL'
  const remedy = `look for ${id} in the log of the process that answers`
  return {
    status: isAway ? 503 : 500,
    headers: {},
    body: { error: { code, message, remedy, id } },
  }
}
