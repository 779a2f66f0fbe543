import { SpanStatusCode, type Span } from '@opentelemetry/api'
import { MillraceError } from '../core/errors.ts'
import { outcomeOfThrown, type Outcome } from '../core/judge.ts'
import { describeThrown } from '../core/thrown.ts'
import { ERROR_TYPE, OUTCOME } from './attributes.ts'

/** Records what an operation failed with: an event with its stack, the status, and `error.type`. */
export function recordError(span: Span, thrown: unknown): void {
  const { name, message, stack } = describeThrown(thrown)
  span.recordException({ name, message, ...(stack === null ? {} : { stack }) })
  span.setStatus({ code: SpanStatusCode.ERROR, message })
  span.setAttribute(ERROR_TYPE, errorTypeOf(thrown))
}

/** What kind of error it is: its code, or its name. */
export function errorTypeOf(thrown: unknown): string {
  return codeOf(thrown) ?? describeThrown(thrown).name
}

/** The same of a run that failed although its handler returned, as its timeout was over; undefined of one that did not. */
export function errorTypeOfReturn(signal: AbortSignal): string | undefined {
  const timeout = timeoutOf(signal)
  return timeout === undefined ? undefined : errorTypeOf(timeout)
}

/** The same of a run whose handler threw; undefined when that is no failure. */
export function errorTypeOfThrow(signal: AbortSignal, thrown: unknown): string | undefined {
  const timeout = timeoutOf(signal)
  if (timeout !== undefined) return errorTypeOf(timeout)
  const kind = kindOf(signal, thrown)
  return kind === 'threw' || kind === 'discarded' ? errorTypeOf(thrown) : undefined
}

/** Records that the handler returned, which is a failed run if its timeout was over by then. */
export function recordReturn(span: Span, signal: AbortSignal): void {
  const timeout = timeoutOf(signal)
  span.setAttribute(OUTCOME, (timeout === undefined ? 'returned' : 'threw') satisfies Kind)
  if (timeout !== undefined) recordError(span, timeout)
}

/**
 * Records what the handler threw. A snooze is no error, and neither is what a handler throws because
 * a shutdown, a lost lease or a cancellation stopped it.
 */
export function recordThrow(span: Span, signal: AbortSignal, thrown: unknown): void {
  const timeout = timeoutOf(signal)
  const kind = timeout === undefined ? kindOf(signal, thrown) : 'threw'
  span.setAttribute(OUTCOME, kind)
  if (kind === 'threw' || kind === 'discarded') recordError(span, timeout ?? thrown)
}

type Kind = Outcome['kind']

function kindOf(signal: AbortSignal, thrown: unknown): Kind {
  return reasonOf(signal) === undefined ? outcomeOfThrown(thrown).kind : 'interrupted'
}

function timeoutOf(signal: AbortSignal): MillraceError | undefined {
  const reason = reasonOf(signal)
  return reason?.code === 'TIMEOUT' ? reason : undefined
}

/** Why Millrace wants the run to end. A signal that another middleware put in may have other reasons. */
function reasonOf(signal: AbortSignal): MillraceError | undefined {
  const reason: unknown = signal.reason
  return reason instanceof MillraceError ? reason : undefined
}

/** Says more than a name: `TIMEOUT`, `23505`, `ECONNREFUSED`. */
function codeOf(thrown: unknown): string | undefined {
  try {
    const { code } = thrown as { code?: unknown }
    return typeof code === 'string' && code !== '' ? code : undefined
  } catch {
    return undefined // null, undefined, or a getter that throws
  }
}
