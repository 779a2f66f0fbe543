import type { EventBus } from '../core/event-bus.ts'
import { readHeldSlice, type SliceKey } from '../store/rescue.ts'
import { giveBackOrCancel } from '../store/cancel.ts'
import type { Store } from '../store/store.ts'
import { compareNumerals } from '../store/numerals.ts'
import { pause } from './bell.ts'
import type { Registration } from './registration.ts'
import type { SettlingRules } from './settlement.ts'

/** A claim whose answer was lost may still be under way on the server, for a minute at most: it is looked for several times. */
const LOOKS_AFTER_MS = [0, 2_000, 20_000, 60_000]
const SLICE = 20_000

/**
 * Claims whose answer never came. If such a claim committed, its jobs are held by a living worker
 * that does not know them, and nobody would ever free them. So the worker looks for what bears one
 * of these numbers and gives it back. That goes on after a stop, as long as the process works on
 * another queue; what was not found when it ends is freed when the worker's lease has run out.
 */
export class LostClaims {
  readonly #store: Store
  readonly #events: EventBus
  readonly #rules: Pick<SettlingRules, 'queueId' | 'queueName' | 'keepFailedMs'>
  readonly #ended: AbortSignal
  #unresolved = 0

  /** Searches until `ended` aborts. */
  constructor(
    store: Store,
    events: EventBus,
    rules: Pick<SettlingRules, 'queueId' | 'queueName' | 'keepFailedMs'>,
    ended: AbortSignal,
  ) {
    this.#store = store
    this.#events = events
    this.#rules = rules
    this.#ended = ended
  }

  /** Whether every lost claim has been looked for often enough. */
  get isEmpty(): boolean {
    return this.#unresolved === 0
  }

  /** Begins to look for a claim. Resolves when that has been done once, or is of no use any more. */
  add(registration: Registration, claimNo: number): Promise<void> {
    this.#unresolved += 1
    return new Promise((looked) => void this.#search(registration, String(claimNo), looked))
  }

  async #search(registration: Registration, claimNo: string, looked: () => void): Promise<void> {
    for (const ms of LOOKS_AFTER_MS) {
      await this.#pause(ms)
      if (registration.lost.aborted) break // a rescue finds them
      if (this.#ended.aborted) return looked()
      await this.#untilDone(() => this.#look(registration, claimNo))
      looked()
    }
    looked()
    this.#unresolved -= 1
  }

  /** One look through the queue. */
  async #look(registration: Registration, claimNo: string): Promise<void> {
    const { queueId, queueName, keepFailedMs } = this.#rules
    let key: SliceKey | undefined
    do {
      const slice = await readHeldSlice(this.#store, queueId, [registration.id], SLICE, key)
      const jobs = slice.orphans
        .filter((orphan) => orphan.claimNo === claimNo)
        .sort((left, right) => compareNumerals(left.id, right.id))
        .map(({ id, claimNo }) => ({ id, claimNo, startedAt: 0 }))
      if (jobs.length > 0) {
        const holder = { queueId, workerId: registration.id }
        const freed = await giveBackOrCancel(this.#store, holder, jobs, false, keepFailedMs)
        this.#events.emit({ type: 'claim.recovered', queueName, count: freed.length })
      }
      key = slice.next
    } while (key !== undefined && !this.#ended.aborted)
  }

  async #untilDone(look: () => Promise<void>): Promise<void> {
    while (!this.#ended.aborted) {
      try {
        return await look()
      } catch {
        await this.#pause(500) // the database is away, which its own event says
      }
    }
  }

  async #pause(ms: number): Promise<void> {
    await pause(ms, this.#ended)
  }
}
