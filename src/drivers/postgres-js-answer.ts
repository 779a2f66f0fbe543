import { MillraceError } from '../core/errors.ts'
import { markWithoutEffect } from './connection-errors.ts'
import type { RunOptions } from './driver.ts'
import { onAbort } from './on-abort.ts'
import type { PostgresQuery } from './postgres-js-shapes.ts'

/** After so long a wait for a free connection, `onWait` is called. */
export const NOTICE_MS = 5_000

/** Sends a statement and waits for its answer, or until the signal aborts. */
export function answerTo(query: PostgresQuery, { onWait, signal }: RunOptions): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const startedAt = performance.now()
    const notice = setTimeout(() => {
      if (!isSent(query)) onWait?.(Math.round(performance.now() - startedAt))
    }, NOTICE_MS)
    const forget = onAbort(signal, () => reject(giveUp(query, signal)))
    const stop = (): void => {
      clearTimeout(notice)
      forget()
    }
    query.then(
      (answer) => (stop(), resolve(answer)),
      (error: unknown) => (stop(), reject(isSent(query) ? error : markWithoutEffect(error))),
    )
  })
}

type Answer = Awaited<PostgresQuery>

/** A release of postgres.js that does not show it is taken to have sent everything. */
function isSent(query: PostgresQuery): boolean {
  return query.state !== null
}

/** What is still queued becomes a statement that does nothing: taking it out of the queue can cost postgres.js a connection. */
function giveUp(query: PostgresQuery, signal: AbortSignal | undefined): unknown {
  if (!isSent(query) && Array.isArray(query.strings) && query.options !== undefined) {
    query.strings = ['select 1']
    query.args = []
    query.options.simple = true
    return markWithoutEffect(signal?.reason)
  }
  return waitEnded(signal)
}

/** Nobody waits for the answer any more. */
export function waitEnded(signal: AbortSignal | undefined): MillraceError {
  return new MillraceError(
    'OUTCOME_UNKNOWN',
    {},
    {
      message: 'The wait for the answer was ended; the statement may have been carried out.',
      cause: signal?.reason,
    },
  )
}
