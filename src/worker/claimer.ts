import { claimFifo, claimJobs, type ClaimRequest, type LaneFloor } from '../store/claim.ts'
import type { ClaimAnswer } from '../store/claim-answer.ts'
import { compareNumerals } from '../store/numerals.ts'
import type { PolledQueue } from '../store/poll.ts'
import { ownQueue } from '../store/queues.ts'
import type { Store } from '../store/store.ts'
import { Floors } from './floors.ts'
import { Ladder } from './ladder.ts'
import type { Settlement } from './settlement.ts'

/** An insert that overlapped the last look committed behind its floor; this is how far back it can be. */
const OVERLAP_MS = 200
const FRONT = '0'

type FailedRun = Pick<Settlement, 'priority' | 'startedAt' | 'runMs'>

/** Where a receiver's jobs come from. One kind for each mode of queue. */
export interface Claimer {
  /** Claims jobs, in the order in which they are to start. */
  claim(request: ClaimRequest): Promise<ClaimAnswer>
  /** Whether an empty claim means that nothing is due; if not, claim again. */
  readonly isSure: boolean
  /** The next claim follows a notification: somebody committed something. */
  expect(): void
  /** A job became due in this process. */
  include(priority: number, runAt: string): void
  /** A run failed, and its job is due again at the time when that was written down. */
  retried(run: FailedRun): void
  /** Nothing that was learnt holds any more: another registration claims now. */
  forget(): void
  /** From where a poll looks for due jobs. */
  pollFloors(): LaneFloor[]
  /** A poll from there found this, in `tookMs`. Answers whether a claim may find something. */
  looked(found: PolledQueue, tookMs: number): boolean
}

/** Claims from the lanes of a queue, from the floors on. */
export class LaneClaimer implements Claimer {
  readonly #store: Store
  #floors = new Floors()
  #ladder = new Ladder(performance.now())
  #expectsMore = false
  #wasEmpty = false
  #isSure = true
  /** How far the poll looked that is under way, or that found something. */
  #polledBackMs = 0
  #claimBackMs = 0
  /** What was included while a claim was under way, which may have begun before it was committed. */
  #included: { readonly priority: number; readonly runAt: string }[] = []

  constructor(store: Store) {
    this.#store = store
  }

  get isSure(): boolean {
    return this.#isSure
  }

  expect(): void {
    this.#expectsMore = true
  }

  include(priority: number, runAt: string): void {
    this.#floors.include(priority, runAt)
    this.#included.push({ priority, runAt })
  }

  retried({ priority, startedAt, runMs }: FailedRun): void {
    // Reckoned by this process's clock, it may be a little late.
    const failedAt = Math.floor(startedAt + runMs * 1_000)
    this.include(priority, String(failedAt - OVERLAP_MS * 1_000))
  }

  forget(): void {
    this.#floors = new Floors()
    this.#ladder = new Ladder(performance.now())
    this.#wasEmpty = false
  }

  pollFloors(): LaneFloor[] {
    this.#polledBackMs = Math.max(OVERLAP_MS, this.#ladder.backMs(performance.now()))
    return this.#floors.lowered(this.#polledBackMs)
  }

  looked(found: PolledQueue, tookMs: number): boolean {
    if (found.isPaused) return false // and it has not looked for jobs
    this.#ladder.taken(this.#polledBackMs, performance.now(), tookMs)
    // The claim that follows has to look as deep as the poll that found something.
    if (found.isDue) this.#claimBackMs = Math.max(this.#claimBackMs, this.#polledBackMs)
    return found.isDue || this.#floors.isOutdated(found.rewind)
  }

  async claim(request: ClaimRequest): Promise<ClaimAnswer> {
    const began = performance.now()
    const wasExpected = this.#expectsMore
    this.#expectsMore = false
    this.#included = []
    const backMs = this.#backMs(wasExpected, began)
    const answer = await claimJobs(this.#store, request, this.#floors.lowered(backMs), null)
    if (answer.isPaused) return this.#notLooked(answer, wasExpected, backMs)
    this.#ladder.taken(backMs, performance.now(), performance.now() - began)
    const isEmpty = answer.jobs.length === 0
    // Notified, looked just below the floor, found nothing: what was committed lies deeper.
    const looksDeeper = wasExpected && isEmpty && backMs !== Infinity
    this.#isSure = this.#floors.learn(answer, request.limit) && !looksDeeper
    for (const { priority, runAt } of this.#included) this.#floors.include(priority, runAt)
    this.#wasEmpty = isEmpty
    if (looksDeeper) this.#ladder.hurry()
    return answer
  }

  /** A paused queue was not looked into: the floors stay, and the next claim looks as deep as this one was to. */
  #notLooked(answer: ClaimAnswer, wasExpected: boolean, backMs: number): ClaimAnswer {
    this.#expectsMore ||= wasExpected
    this.#claimBackMs = Math.max(this.#claimBackMs, backMs)
    this.#isSure = true
    return answer
  }

  #backMs(wasExpected: boolean, now: number): number {
    const overlap = wasExpected || this.#wasEmpty ? OVERLAP_MS : 0
    const polled = this.#claimBackMs
    this.#claimBackMs = 0
    return Math.max(overlap, polled, this.#ladder.backMs(now))
  }
}

/** A look through a whole FIFO queue that takes longer than this met dead entries that vacuum may not remove. */
const SLOW_LOOK_MS = 50
/** A machine may be slow for a moment; so many slow looks in a row mean something. */
const SLOW_LOOKS = 3
/** Then a look through the whole queue may take one part in so many of the time. */
const LOOK_SHARE = 20

/**
 * Claims from the head of a FIFO queue, as long as this worker owns it. Each claim looks from the
 * front, because a job with a lower id may have been committed late; unless that has become slow.
 */
export class FifoClaimer implements Claimer {
  readonly isSure = true
  readonly #store: Store
  /** Jobs that run, or ran and are not settled yet. */
  readonly #inHand: () => readonly string[]
  /** Nothing was left at or below this id. */
  #floorId = FRONT
  #slowLooks = 0
  #nextFrontLookAt = 0

  constructor(store: Store, inHand: () => readonly string[]) {
    this.#store = store
    this.#inHand = inHand
  }

  expect(): void {
    this.#nextFrontLookAt = 0
  }

  include(): void {}

  retried(): void {}

  forget(): void {
    this.#floorId = FRONT
    this.#nextFrontLookAt = 0
  }

  pollFloors(): LaneFloor[] {
    return new Floors().lowered(Infinity)
  }

  looked(found: PolledQueue): boolean {
    return found.isDue
  }

  async claim(request: ClaimRequest): Promise<ClaimAnswer> {
    const began = performance.now()
    const looksFromFront = began >= this.#nextFrontLookAt
    const floorId = looksFromFront ? FRONT : this.#floorId
    const inHand = this.#inHand()
    let answer = await claimFifo(this.#store, request, floorId, inHand)
    if (looksFromFront) this.#learnCost(performance.now(), performance.now() - began)
    const mayOwn = !answer.isOwner && !answer.isPaused
    if (mayOwn && (await ownQueue(this.#store, request.queueId, request.workerId))) {
      answer = await claimFifo(this.#store, request, FRONT, inHand)
    }
    const lowest = [...inHand, ...answer.jobs.map((job) => job.id)].sort(compareNumerals)[0]
    if (lowest !== undefined) this.#floorId = String(BigInt(lowest) - 1n)
    return answer
  }

  #learnCost(now: number, tookMs: number): void {
    this.#slowLooks = tookMs > SLOW_LOOK_MS ? this.#slowLooks + 1 : 0
    this.#nextFrontLookAt = this.#slowLooks < SLOW_LOOKS ? 0 : now + tookMs * LOOK_SHARE
  }
}
