import type { JobQueue } from './job-queue.ts'
import { resolveReceiveOptions, type ReceiveOptions } from './core/receive-options.ts'
import { invalidOption } from './core/validate.ts'

/** The part of a queue that `receiveAll` uses, whatever its arguments and results are. */
type Receivable = Pick<JobQueue, 'receive' | 'queueName'>

/**
 * Receives several queues until the signal aborts, each with its own `concurrency`. Queues on the
 * same database object share one worker row, one heartbeat, one listening connection, one poll and
 * one maintenance loop. When one of them cannot be received at all (a queue without a worker, a mode
 * mismatch), the others are stopped gracefully and the error comes through.
 *
 * @throws as `JobQueue.receive`
 */
export async function receiveAll(
  queues: readonly Receivable[],
  options: ReceiveOptions,
): Promise<void> {
  const { signal } = resolveReceiveOptions(options)
  const isList: boolean = Array.isArray(queues) && queues.length > 0
  if (!isList) {
    throw invalidOption('queues', queues, 'pass an array with at least one JobQueue')
  }
  queues.forEach(checkQueue)
  const stop = new AbortController()
  const end = (): void => stop.abort(signal.reason)
  signal.addEventListener('abort', end, { once: true })
  if (signal.aborted) end()
  try {
    const receptions = queues.map(async (queue) => {
      try {
        await queue.receive({ ...options, signal: stop.signal })
      } catch (error) {
        stop.abort(error)
        throw error
      }
    })
    await Promise.allSettled(receptions)
    await Promise.all(receptions) // rejects with the first error, now that all have stopped
  } finally {
    signal.removeEventListener('abort', end)
  }
}

/** Before any of them starts; by what it can do, as a queue may come from another copy of the package. */
function checkQueue(queue: unknown, index: number): void {
  const isQueue = typeof (queue as Partial<Receivable> | null | undefined)?.receive === 'function'
  if (!isQueue) throw invalidOption(`queues[${index}]`, queue, 'pass a JobQueue')
}
