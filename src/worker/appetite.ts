import type { Pace } from './pace.ts'
import type { ReceiverRules } from './parts.ts'

/** A FIFO claim older than this is made again before its next job starts: a lower id may have been committed. */
export const FIFO_FRESH_MS = 5

/** Runs that are decided and not written down yet; with more of them nothing is claimed. */
const MAX_UNSETTLED = 5_000

/** What a receiver has to do already. */
export interface WorkInHand {
  /** Runs that take a slot. */
  readonly running: number
  /** Handlers that have not returned, also those that take no slot any more. */
  readonly handlers: number
  /** Jobs that were claimed and wait for a slot. */
  readonly waiting: number
  /** Jobs that run or are not written down yet. */
  readonly unsettled: number
}

/** How much a receiver claims next, and whether a drain with a limit has had enough. */
export class Appetite {
  readonly #pace: Pace
  readonly #rules: Pick<ReceiverRules, 'concurrency' | 'isFifo' | 'drainLimit'>
  #taken = 0
  #isShallow = true

  constructor(pace: Pace, rules: Pick<ReceiverRules, 'concurrency' | 'isFifo' | 'drainLimit'>) {
    this.#pace = pace
    this.#rules = rules
  }

  /** The last claim found less than it asked for. */
  get isShallow(): boolean {
    return this.#isShallow
  }

  /** A drain has taken as many jobs as it may. */
  get isSated(): boolean {
    return this.#rest <= 0
  }

  /** A claim of `limit` found so many. */
  found(count: number, limit: number): void {
    this.#isShallow = count < limit
    this.#taken += count
  }

  /** So many of what was found count no more: they were given back, or found a second time. */
  forget(count: number): void {
    this.#taken -= count
  }

  /** How many jobs to claim now; 0 for none. */
  next(hand: WorkInHand): number {
    if (hand.unsettled > MAX_UNSETTLED) return 0
    return Math.min(this.#rules.isFifo ? this.#fifoSize(hand) : this.#size(hand), this.#rest)
  }

  /** Whether all jobs of a claim start as soon as it answers. */
  startsAtOnce(limit: number, { running }: WorkInHand): boolean {
    const { isFifo, concurrency } = this.#rules
    return isFifo || limit <= this.#pace.startingAtOnce(concurrency - running)
  }

  get #rest(): number {
    return (this.#rules.drainLimit ?? Infinity) - this.#taken
  }

  #size({ running, waiting }: WorkInHand): number {
    const free = this.#rules.concurrency - running
    const size = this.#pace.claimSize(free, waiting)
    // Where little waits, what is found starts at once, without the round trip for a mark.
    return this.#isShallow ? Math.min(size, this.#pace.startingAtOnce(free)) : size
  }

  #fifoSize({ handlers, waiting }: WorkInHand): number {
    return handlers > 0 || waiting > 0 ? 0 : this.#pace.startingIn(FIFO_FRESH_MS)
  }
}
