import { pause } from './bell.ts'

/** How fast the past is forgotten: after so long a third of it counts. */
const MEMORY_MS = 50
/** From so many jobs a second on, looking for the next ones beats being called for each. */
const STREAM_PER_SECOND = 200
/** However fast it was, it is forgotten after some eighty milliseconds. */
const MOST_PER_SECOND = 1_000
const NAP_MS = 3

/**
 * How fast jobs come in, to tell a stream from single jobs.
 *
 * A receiver that is done with each job before the next one comes would fall asleep and be called hundreds of times a
 * second, and PostgreSQL takes one global lock for every commit that calls (store/wake.ts). So in a stream it naps: it
 * looks again by itself a moment later and finds several, while enqueues call nobody.
 */
export class Stream {
  #perSecond = 0
  #seenAt = 0

  /** A claim found so many jobs. */
  found(count: number): void {
    const now = performance.now()
    const perSecond = this.#perSecondAt(now) + (count * 1_000) / MEMORY_MS
    this.#perSecond = Math.min(MOST_PER_SECOND, perSecond)
    this.#seenAt = now
  }

  /** Naps, if it is a stream. Answers whether it did; if not, it is time to sleep until called. */
  async nap(signal: AbortSignal): Promise<boolean> {
    if (this.#perSecondAt(performance.now()) < STREAM_PER_SECOND) return false
    await pause(NAP_MS, signal)
    return true
  }

  #perSecondAt(now: number): number {
    return this.#perSecond * Math.exp((this.#seenAt - now) / MEMORY_MS)
  }
}
