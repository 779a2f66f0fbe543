import { AsyncResource } from 'node:async_hooks'
import type { EventBus } from '../core/event-bus.ts'
import type { Tallies } from '../core/tally.ts'
import { writeTallies } from '../store/statistics.ts'
import type { Store } from '../store/store.ts'

/** How long after something was counted it is written down, with all that came in between. */
const WRITE_AFTER_MS = 10_000
const RETRY_AFTER_MS = 60_000

/**
 * Writes down what this process counted: one statement at most every ten seconds, and none while nothing happens. A
 * process that dies loses what it counted since the last one. Each row holds all that was counted for it, so that one
 * which is written again, because the answer was lost, is as it was.
 */
export class TallyWriter {
  readonly #store: Store
  readonly #events: EventBus
  readonly #tallies: Tallies
  /** A timer belongs to nobody's transaction, though it may be set in one. */
  readonly #outside = new AsyncResource('millrace.TallyWriter')
  #timer: NodeJS.Timeout | undefined
  #writing: Promise<void> = Promise.resolve()

  constructor(store: Store, events: EventBus, tallies: Tallies) {
    this.#store = store
    this.#events = events
    this.#tallies = tallies
  }

  /** Something was counted. Over a single client nothing is written: it may be in the middle of the user's transaction. */
  writeSoon(afterMs = WRITE_AFTER_MS): void {
    if (this.#timer !== undefined || this.#store.driver.name === 'pg.Client') return
    this.#outside.runInAsyncScope(() => {
      this.#timer = setTimeout(() => void this.write(), afterMs).unref()
    })
  }

  /** Writes what has changed, now. Never rejects: what could not be written is tried again in a minute. */
  write(signal?: AbortSignal): Promise<void> {
    clearTimeout(this.#timer)
    this.#timer = undefined
    this.#writing = this.#writing.then(() => this.#write(signal))
    return this.#writing
  }

  async #write(signal: AbortSignal | undefined): Promise<void> {
    const rows = this.#tallies.take()
    if (rows.length === 0) return
    try {
      await writeTallies(signal === undefined ? this.#store : this.#store.until(signal), rows)
      this.#tallies.written()
    } catch (error) {
      this.writeSoon(RETRY_AFTER_MS)
      this.#tallies.putBack(rows)
      if (signal?.aborted === true) return // a stop gave it up
      this.#events.emit({ type: 'maintenance.failed', chore: 'write statistics', error })
    }
  }
}
