import { setTimeout as sleep } from 'node:timers/promises'
import { nowMs } from '../harness/clock.ts'
import type { Role } from '../harness/role.ts'

/** So far may the producer be before the worker: enough that the worker never waits, little enough to count as steady. */
const AHEAD = 20_000
const TELL_MS = 20

/** How much a worker had done at a moment. */
export interface Sample {
  readonly at: number
  readonly done: number
}

/**
 * Producer and worker go as fast as they can for a time, the producer never far ahead. Answers how many jobs it
 * enqueued, and what the worker had done when.
 */
export async function pressFor(
  { producer, worker }: { producer: Role; worker: Role },
  { count, limitMs }: { count: number; limitMs: number },
): Promise<{ done: number; samples: readonly Sample[] }> {
  const over = new AbortController()
  const pressing = producer
    .call('press', { from: 0, count, ahead: AHEAD, limitMs })
    .finally(() => over.abort())
  const samples: Sample[] = []
  const telling = async (): Promise<void> => {
    while (!over.signal.aborted) {
      const { done } = await worker.call('progress')
      samples.push({ at: nowMs(), done })
      await producer.call('ranUpTo', done)
      await sleep(TELL_MS)
    }
  }
  const [{ done }] = await Promise.all([pressing, telling()])
  return { done, samples }
}
