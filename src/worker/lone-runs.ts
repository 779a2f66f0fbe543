import { claimSuspect, startAlone } from '../store/claim.ts'
import type { Store } from '../store/store.ts'
import { pause } from './bell.ts'
import type { Cancellations } from './cancellations.ts'
import type { LostClaims } from './lost-claims.ts'
import type { Registration } from './registration.ts'
import type { ReceiverRules, SharedParts } from './parts.ts'
import type { JobInHand } from './run.ts'

/** How long the first wait for an empty process takes at most; each wait in vain doubles it. */
const FIRST_PATIENCE_MS = 500
const LONGEST_PATIENCE_MS = 10_000
/** After a wait in vain the others have so many times as long. */
const REST_AFTER_VAIN = 9
/** Several short suspects run in one turn, so that the others do not stop and start for each. */
const TURN_MS = 1_000
/** Nothing to run alone was found: others were quicker. */
const EMPTY_PAUSE_MS = 500

/**
 * Runs suspects, one at a time and alone in this process. The others have at least as much time
 * between two turns as a turn took, so that they are never held up for long.
 */
export class LoneRuns {
  readonly #shared: SharedParts
  readonly #store: Store
  readonly #rules: ReceiverRules
  readonly #lostClaims: LostClaims
  readonly #cancellations: Cancellations
  /** Resolves when what became of the run is written down. */
  readonly #run: (inHand: JobInHand) => Promise<void>
  readonly #giveBack: (inHand: JobInHand) => void
  #patienceMs = FIRST_PATIENCE_MS
  /** Until then the others have the process, if there are any. */
  #restUntil = 0
  #foundNothingAt = -Infinity
  #isBusy = false
  #claiming: Promise<unknown> = Promise.resolve()

  constructor(
    shared: SharedParts,
    store: Store,
    rules: ReceiverRules,
    { lostClaims, cancellations }: { lostClaims: LostClaims; cancellations: Cancellations },
    runs: {
      runToEnd(inHand: JobInHand): Promise<void>
      giveBack(jobs: readonly JobInHand[]): void
    },
  ) {
    this.#shared = shared
    this.#store = store
    this.#rules = rules
    this.#lostClaims = lostClaims
    this.#cancellations = cancellations
    this.#run = (inHand) => runs.runToEnd(inHand)
    this.#giveBack = (inHand) => runs.giveBack([inHand])
  }

  /** Whether a turn is under way. */
  get isBusy(): boolean {
    return this.#isBusy
  }

  /** Takes a turn, if it is time. Answers whether there may be more to run alone. Never rejects. */
  async tryAlone(registration: Registration, signal: AbortSignal): Promise<boolean> {
    const { exclusivity } = this.#shared
    if (this.#isBusy || !exclusivity.isOpen) return true
    this.#isBusy = true
    try {
      const began = performance.now()
      const restMs = this.#restMs(began)
      if (restMs > 0) {
        await pause(restMs, signal)
        return true
      }
      let ran = 0
      const wasAlone = await exclusivity.alone(
        async () => {
          ran = await this.#takeTurn(registration, signal)
        },
        this.#patienceMs,
        signal,
      )
      this.#plan(wasAlone, ran, performance.now() - began)
      return !wasAlone || ran > 0
    } finally {
      this.#isBusy = false
    }
  }

  /** Resolves when no claim is under way, and what the last one got is started or given back. */
  async finishClaiming(): Promise<void> {
    await this.#claiming
    await new Promise((resolve) => setImmediate(resolve))
  }

  /** How long to let the others go first. With nobody else at work there is no need to. */
  #restMs(now: number): number {
    const isAnybodyElse = this.#shared.exclusivity.running > 0
    return (
      Math.max(this.#foundNothingAt + EMPTY_PAUSE_MS, isAnybodyElse ? this.#restUntil : 0) - now
    )
  }

  #plan(wasAlone: boolean, ran: number, tookMs: number): void {
    const now = performance.now()
    this.#patienceMs = wasAlone
      ? FIRST_PATIENCE_MS
      : Math.min(LONGEST_PATIENCE_MS, this.#patienceMs * 2)
    this.#restUntil = now + tookMs * (wasAlone ? 1 : REST_AFTER_VAIN)
    if (wasAlone && ran === 0) this.#foundNothingAt = now
  }

  async #takeTurn(registration: Registration, signal: AbortSignal): Promise<number> {
    const deadline = performance.now() + TURN_MS
    let ran = 0
    while (performance.now() < deadline && this.#mayClaim(registration, signal)) {
      const began = performance.now()
      const claim = this.#claimToStart(registration, signal)
      this.#claiming = claim
      const inHand = await claim
      if (inHand === undefined) break
      // Until it is written down, a crash would be blamed on it: nothing else may cause one.
      const ended = this.#run(inHand)
      this.#cancellations.took(began)
      await ended
      ran += 1
      if (this.#rules.isFifo) break // its place in the queue is settled first
    }
    return ran
  }

  /** A handler that outlived its run is still there, and would be a witness with no alibi. */
  #mayClaim(registration: Registration, signal: AbortSignal): boolean {
    if (signal.aborted || this.#shared.exclusivity.running > 0) return false
    return registration.isFresh(performance.now())
  }

  /** Claims a suspect that starts now; what may not start after all is given back. */
  async #claimToStart(
    registration: Registration,
    signal: AbortSignal,
  ): Promise<JobInHand | undefined> {
    const inHand = await this.#claim(registration)
    if (inHand === undefined) return undefined
    const isBegun = this.#mayClaim(registration, signal) && (await this.#begin(inHand))
    if (isBegun && this.#mayClaim(registration, signal)) return inHand
    this.#giveBack(inHand)
    return undefined
  }

  /** Whether the job is still in this hand: its start is said in the database, where a rescuer looks. */
  async #begin({ job, claimNo, registration, queueId }: JobInHand): Promise<boolean> {
    const claim = { queueId, workerId: registration.id, claimNo: Number(claimNo) }
    try {
      return await startAlone(this.#store, claim, job.id)
    } catch (error) {
      this.#failed(error)
      return false
    }
  }

  async #claim(registration: Registration): Promise<JobInHand | undefined> {
    const { queueId, isFifo } = this.#rules
    const claimNo = registration.nextClaimNo()
    try {
      const request = { queueId, workerId: registration.id, claimNo }
      const answer = await claimSuspect(this.#store, request, isFifo)
      const [job] = answer.jobs
      return job && { job, claimNo: String(claimNo), registration, queueId }
    } catch (error) {
      if (this.#shared.store.driver.outcomeIsUnknown(error))
        void this.#lostClaims.add(registration, claimNo)
      this.#failed(error)
      return undefined
    }
  }

  #failed(error: unknown): void {
    const { queueName } = this.#rules
    const retryInMs = EMPTY_PAUSE_MS
    this.#shared.events.emit({ type: 'claim.failed', queueName, error, retryInMs })
  }
}
