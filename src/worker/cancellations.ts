import { findMarked } from '../store/cancel.ts'
import { compareNumerals } from '../store/numerals.ts'
import type { Appetite } from './appetite.ts'
import type { Backlog } from './backlog.ts'
import { Bell } from './bell.ts'
import type { ReceiverRules, SharedParts } from './parts.ts'
import type { Registration } from './registration.ts'
import type { JobInHand } from './run.ts'
import type { Runs } from './runs.ts'

/** Where no notifications arrive, it looks so often whether runs are to be cancelled. */
const LOOK_MS = 500
/** Then of runs that are at least so old: most are over before anybody could ask. */
const YOUNG_MS = 250

/**
 * Hears that somebody wants jobs to be cancelled that a receiver has in hand: it looks which of these are marked in the
 * database, aborts the signals of those that run, and ends those that wait.
 *
 * It looks when it is told: by a notification, by this process, or because the connection that listens was lost or is
 * another one. Where notifications do not arrive it looks by itself while something runs.
 */
export class Cancellations {
  readonly #shared: SharedParts
  readonly #queueId: number
  readonly #backlog: Backlog
  readonly #runs: Runs
  readonly #appetite: Appetite
  readonly #bell = new Bell()
  #isTold = false
  #toldAt = -Infinity

  constructor(
    shared: SharedParts,
    { queueId }: Pick<ReceiverRules, 'queueId'>,
    hands: { backlog: Backlog; runs: Runs; appetite: Appetite },
  ) {
    this.#shared = shared
    this.#queueId = queueId
    this.#backlog = hands.backlog
    this.#runs = hands.runs
    this.#appetite = hands.appetite
  }

  /** Jobs in hand may be marked. */
  told(): void {
    this.#toldAt = performance.now()
    this.#lookSoon()
  }

  /** What a claim brought that began at `began` is in hand: what was said meanwhile may have been about it. */
  took(began: number): void {
    if (began <= this.#toldAt) this.#lookSoon()
  }

  /** Looks until `signal` aborts. Never rejects. */
  async run(signal: AbortSignal): Promise<void> {
    const { waker } = this.#shared
    while (!signal.aborted) {
      if (this.#isTold || !waker.isHeard) await this.#look(signal)
      const mustLook = this.#isTold || !waker.isHeard
      await this.#bell.wait(mustLook ? LOOK_MS : Infinity, signal)
    }
  }

  #lookSoon(): void {
    this.#isTold = true
    this.#bell.ring()
  }

  async #look(signal: AbortSignal): Promise<void> {
    const wasTold = this.#isTold
    this.#isTold = false
    const running = this.#runs.runningFor(wasTold ? 0 : YOUNG_MS)
    const waiting = wasTold ? this.#backlog.jobs : []
    try {
      for (const [registration, held] of byRegistration([...running, ...waiting])) {
        if (registration.lost.aborted) continue
        await this.#cancelMarked(registration, held)
      }
    } catch (error) {
      if (signal.aborted) return
      this.#isTold ||= wasTold
      this.#shared.events.emit({ type: 'poll.failed', error })
    }
  }

  async #cancelMarked(registration: Registration, held: readonly JobInHand[]): Promise<void> {
    const holder = { queueId: this.#queueId, workerId: registration.id }
    const jobs = held
      .map(({ job, claimNo }) => ({ id: job.id, claimNo }))
      .sort((left, right) => compareNumerals(left.id, right.id))
    const marked = new Set(await findMarked(this.#shared.store, holder, jobs))
    if (marked.size === 0) return
    const waiting = this.#backlog.takeSome(marked)
    this.#appetite.forget(waiting.length)
    this.#runs.cancelWaiting(waiting)
    this.#runs.cancel(marked)
  }
}

function byRegistration(held: readonly JobInHand[]): Map<Registration, JobInHand[]> {
  const groups = new Map<Registration, JobInHand[]>()
  for (const inHand of held) {
    const group = groups.get(inHand.registration) ?? []
    group.push(inHand)
    groups.set(inHand.registration, group)
  }
  return groups
}
