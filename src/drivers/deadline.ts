import { onAbort } from './on-abort.ts'

/** A timer that fires later than this was held up by this process, not by the other side. */
const LATE_MS = 500

/** How long an answer is waited for. */
export interface Patience {
  /** Milliseconds; `Infinity` for as long as it takes. */
  ms: number
  /** Ends the wait when it aborts. */
  signal?: AbortSignal | undefined
}

/**
 * Waits for `answer` as long as the patience lasts; then the promise rejects with what `giveUp` returns.
 *
 * A process that was busy or stopped for longer than `ms` finds its timer due before it has read the
 * answers that came meanwhile. So a late timer only starts a second, short wait, in which they are read.
 */
export function answerWithin<T>(
  answer: Promise<T>,
  { ms, signal }: Patience,
  giveUp: (why: 'silence' | 'abort') => Error = noAnswer,
): Promise<T> {
  return new Promise((resolve, reject) => {
    let dueAt = 0
    let timer: NodeJS.Timeout | undefined
    const arm = (delay: number): void => {
      dueAt = performance.now() + delay
      timer = setTimeout(check, delay)
    }
    const check = (): void => {
      if (performance.now() - dueAt > LATE_MS) arm(LATE_MS)
      else reject(giveUp('silence'))
    }
    const stop = (): void => reject(giveUp('abort'))
    if (ms !== Infinity) arm(ms)
    const forget = onAbort(signal, stop)
    answer.then(resolve, reject).finally(() => {
      clearTimeout(timer)
      forget()
    })
  })
}

function noAnswer(): Error {
  return new Error('No answer came in time.')
}
