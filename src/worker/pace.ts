/** Claimed ahead is what is expected to run in this time, never less than the free slots. */
const HORIZON_MS = 150
/**
 * Jobs that are expected to start in this time are said to be started without having started yet. After a crash each
 * of them is run alone, so these are few.
 */
const AT_ONCE_MS = 10
/** However short the runs. With 200, a mark for each tenth of a claim, half of the time went into waiting for marks. */
const MAX_AT_ONCE = 500
/** More than this in one statement brings nothing. */
const MAX_BATCH = 2_000
/** The most that is claimed ahead: with no more than a batch, each claim would find room for half of one. */
const MAX_AHEAD = 2 * MAX_BATCH
/** So much is claimed ahead at first: how many jobs this machine really starts in a millisecond is yet to be seen. */
const FIRST_AHEAD = 500
/** Arguments of at most so many bytes are claimed ahead. */
const MAX_BATCH_BYTES = 16 * 1024 * 1024
const WEIGHT_OF_LAST = 0.1
/** However short the runs, one event loop starts no more than this. */
const MAX_STARTS_PER_MS = 100

/** How much to claim, from how long the last runs took and how large their arguments were. */
export class Pace {
  readonly #slots: number
  #runMs: number | undefined
  #bytes = 0
  /** The most that is claimed ahead; grows while it is worked off quicker than it should be. */
  #mostAhead = FIRST_AHEAD
  /** Runs that ended since then, to see how quick that is. */
  #runs = 0
  #runsSince = 0

  constructor(slots: number) {
    this.#slots = slots
  }

  /** A run has ended after so many milliseconds. */
  ran(ms: number): void {
    this.#runs += 1
    this.#runMs = this.#runMs === undefined ? ms : mix(this.#runMs, ms)
  }

  /** A claim carried arguments of this size. */
  carried(bytes: number): void {
    this.#bytes = this.#bytes === 0 ? bytes : mix(this.#bytes, bytes)
  }

  /** Jobs should wait no longer than this between claim and start; then they are given back. */
  get patienceMs(): number {
    return 2 * HORIZON_MS
  }

  /**
   * What was claimed ahead did not start in time: claim nothing ahead until runs have been measured
   * again. With a milder answer jobs went to and fro, three times a second for as long as all slots were taken.
   */
  slowDown(): void {
    this.#runMs = Math.max(2 * HORIZON_MS * this.#slots, this.#runMs ?? 0)
    this.#mostAhead = FIRST_AHEAD
  }

  /** How many jobs to claim now, with so many slots free and so many jobs in hand; 0 for none. */
  claimSize(freeSlots: number, inHand: number, now: number = performance.now()): number {
    const expected = this.#expectedIn(HORIZON_MS)
    const ahead = Math.min(expected, this.#mostAhead)
    if (inHand >= freeSlots && inHand > ahead / 2) return 0
    if (expected > ahead) this.#grow(now)
    const byBytes = this.#bytes === 0 ? MAX_BATCH : Math.ceil(MAX_BATCH_BYTES / this.#bytes)
    const most = Math.max(freeSlots - inHand, Math.min(MAX_BATCH, byBytes))
    return Math.max(0, Math.min(freeSlots + ahead - inHand, most))
  }

  /** Once half of the most that is claimed ahead has run: was that quick enough for twice as much? */
  #grow(now: number): void {
    if (this.#runs < this.#mostAhead / 2) return
    const isQuick = now - this.#runsSince < HORIZON_MS / 2
    if (isQuick) this.#mostAhead = Math.min(MAX_AHEAD, this.#mostAhead * 2)
    this.#runs = 0
    this.#runsSince = now
  }

  /** How many jobs start within a moment: a claim of no more needs no mark. */
  startingAtOnce(freeSlots: number): number {
    return Math.max(freeSlots, Math.min(MAX_AT_ONCE, this.#expectedIn(AT_ONCE_MS)))
  }

  /** How many jobs are expected to start in this time, at least one. */
  startingIn(ms: number): number {
    return Math.max(1, this.#expectedIn(ms))
  }

  #expectedIn(ms: number): number {
    if (this.#runMs === undefined) return 0
    const perMs = Math.min(MAX_STARTS_PER_MS, this.#slots / Math.max(this.#runMs, 0.001))
    return Math.min(MAX_AHEAD, Math.floor(perMs * ms))
  }
}

function mix(before: number, last: number): number {
  return before * (1 - WEIGHT_OF_LAST) + last * WEIGHT_OF_LAST
}
