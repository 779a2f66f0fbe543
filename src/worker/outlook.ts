import type { ClaimAnswer } from '../store/claim-answer.ts'

/** What a receiver expects of its queue: what the last claim saw, and what it was told since. */
export class Outlook {
  #isDry = false
  /** Somebody woke it since the last claim began, so that this claim's emptiness means nothing. */
  #isWoken = false
  #hasNews = true
  #isOwner = false
  #isPaused = false
  /** Jobs wait to be run alone. */
  hasSuspects = false

  /** Nothing is due. */
  get isDry(): boolean {
    return this.#isDry
  }

  /** FIFO: this worker owns the queue. */
  get isOwner(): boolean {
    return this.#isOwner
  }

  /** Nothing of it may start. */
  get isPaused(): boolean {
    return this.#isPaused
  }

  beginClaim(): void {
    this.#isWoken = false
  }

  /** A claim was answered; `sawAll`: what it did not find was not due when it began. */
  learn({ jobs, hasSuspects, isOwner, isPaused }: ClaimAnswer, sawAll: boolean): void {
    this.#isDry = sawAll && !this.#isWoken
    this.#hasNews ||= jobs.length > 0
    this.#isOwner = isOwner
    this.#isPaused = isPaused
    this.hasSuspects = hasSuspects
  }

  /** There is something to claim, even if a claim that is under way comes back without it. */
  expectMore(): void {
    this.#isWoken = true
    this.#isDry = false
  }

  /** There may be something to claim. */
  claimAgain(): void {
    this.#isDry = false
  }

  /** It was told of something: perhaps of a job that is due later, and the next look finds out when. */
  hear(): void {
    this.#hasNews = true
  }

  /** Whether it has found something since it last slept, or was told of something. */
  takeNews(): boolean {
    const hadNews = this.#hasNews
    this.#hasNews = false
    return hadNews
  }
}
