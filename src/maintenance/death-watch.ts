import type { LivingWorker } from '../store/workers.ts'

interface Sighting {
  readonly beat: string
  /** How long it was seen to stand still, by this process's monotonic clock. */
  stillMs: number
}

/** One gap between two reads counts as no more than this share of a lease. */
const MOST_OF_A_GAP = 1 / 2

/**
 * Finds out which workers have died. A worker is silent when this observer saw the very same
 * heartbeat over a whole lease of its own monotonic clock, while its own reads went on: clocks of
 * two machines are never compared, and an outage of the database, a failover, a clock that steps or
 * a pause of this process starts the watch anew instead of killing anybody.
 *
 * A read that only took long says little: whatever held it up (a stalled database, a machine that was
 * frozen as a whole) may have held up the heartbeats too. So no single gap makes a lease.
 */
export class DeathWatch {
  readonly #sightings = new Map<number, Sighting>()
  readonly #longestGapMs: number
  #readAt: number | undefined

  /** A gap between two reads of more than `longestGapMs` voids what was seen before. */
  constructor(longestGapMs: number) {
    this.#longestGapMs = longestGapMs
  }

  /** A read failed: nothing that was seen before counts. */
  interrupted(): void {
    this.#readAt = undefined
  }

  /** A read at `now` found these workers. Answers those who were silent for a whole lease. */
  observe(workers: readonly LivingWorker[], now: number): LivingWorker[] {
    const gapMs = this.#readAt === undefined ? Infinity : now - this.#readAt
    this.#readAt = now
    if (gapMs > this.#longestGapMs) this.#sightings.clear()
    const known = new Set(workers.map((worker) => worker.id))
    for (const id of this.#sightings.keys()) if (!known.has(id)) this.#sightings.delete(id)
    return workers.filter((worker) => this.#isSilent(worker, gapMs))
  }

  #isSilent(worker: LivingWorker, gapMs: number): boolean {
    const leaseMs = Number(worker.leaseMs)
    const sighting = this.#sightings.get(worker.id)
    if (sighting === undefined || sighting.beat !== worker.beat) {
      this.#sightings.set(worker.id, { beat: worker.beat, stillMs: 0 })
      return false
    }
    sighting.stillMs += Math.min(gapMs, leaseMs * MOST_OF_A_GAP)
    return sighting.stillMs >= leaseMs
  }
}
