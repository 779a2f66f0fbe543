import type { LaneFloor } from '../store/claim.ts'
import type { ClaimAnswer } from '../store/claim-answer.ts'
import { compareNumerals } from '../store/numerals.ts'

/*
 * Where the dead end.
 *
 * Under a transaction that holds back vacuum (an analyst, a backup, a forgotten `begin`) the index
 * entries of settled jobs stay, and a claim that starts at the front of the queue crawls through
 * all of them: 59,000 jobs/s became 9,000 in 15 rounds. So a receiver remembers for each priority,
 * a lane, behind which pair (run_at, id) there can be something new, and scans from there.
 *
 * A floor is right as long as nothing free lies at or below it. Three things can put something
 * there: what we know of (jobs given back, rescued, redriven) raises `queues.rewind`, which every
 * claim returns, and the floors are reset; what overlapped the last claim is found by starting a
 * little lower after a wake-up or an empty claim; and transactions that commit long after their
 * insert (or roll back a claim whose locked rows were skipped) are found by the looks back of ladder.ts.
 */

const LANES = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9] as const
const FRONT = '0'

interface Floor {
  runAt: string
  id: string
}

export class Floors {
  #lanes: Floor[] = []
  #rewind: string | undefined

  constructor() {
    this.reset()
  }

  /** Back to the front of every lane. */
  reset(): void {
    this.#lanes = LANES.map(() => ({ runAt: FRONT, id: FRONT }))
  }

  /** The floors for a claim that looks `backMs` below them; Infinity looks from the front. */
  lowered(backMs: number): LaneFloor[] {
    return LANES.map((priority) => {
      const { runAt, id } = this.#lane(priority)
      if (backMs === 0) return { priority, runAt, id }
      const lowered = backMs === Infinity ? 0 : Math.max(0, Number(runAt) - backMs * 1000)
      return { priority, runAt: String(Math.floor(lowered)), id: FRONT }
    })
  }

  /** A job of this process became due at `runAt` in a lane: its floor must not be above it. */
  include(priority: number, runAt: string): void {
    const lane = this.#lane(priority)
    if (compareNumerals(runAt, lane.runAt) > 0) return
    this.#lanes[priority] = { runAt: String(BigInt(runAt) - 1n), id: FRONT }
  }

  /** Whether jobs came back behind the floors since the last claim. */
  isOutdated(rewind: string): boolean {
    return this.#rewind !== undefined && this.#rewind !== rewind
  }

  /**
   * Learns from a claim. Lanes that were scanned to their end get the claim's own time; the lane in
   * which the limit was reached gets its last job; lanes behind it were not looked at.
   * Answers false when the floors had to be reset, so that the claim's emptiness means nothing.
   */
  learn(answer: ClaimAnswer, limit: number): boolean {
    const isKnown = !this.isOutdated(answer.rewind)
    this.#rewind = answer.rewind
    if (!isKnown || this.#isAhead(answer.now)) {
      this.reset()
      return false
    }
    const last = answer.jobs.length < limit ? undefined : answer.jobs.at(-1)
    for (const priority of LANES) {
      if (last === undefined || priority < last.priority) {
        this.#lanes[priority] = { runAt: answer.now, id: FRONT }
      } else if (priority === last.priority) {
        this.#lanes[priority] = { runAt: last.runAt, id: last.id }
      }
    }
    return true
  }

  /** Whether the database's clock has gone back behind a floor. */
  #isAhead(now: string): boolean {
    return this.#lanes.some((lane) => compareNumerals(lane.runAt, now) > 0)
  }

  #lane(priority: number): Floor {
    return this.#lanes[priority] ?? { runAt: FRONT, id: FRONT }
  }
}
