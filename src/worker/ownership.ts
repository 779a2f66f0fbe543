import type { EventBus } from '../core/event-bus.ts'
import { notify } from '../store/poll.ts'
import { disownQueue } from '../store/queues.ts'
import type { Store } from '../store/store.ts'
import { Backoff } from './backoff.ts'
import { pause } from './bell.ts'
import type { Registration } from './registration.ts'

/**
 * A receiver's hold on its FIFO queue. A claim takes it, as the claims say themselves; this sees to
 * it that it ends when the receiver has stopped and its last handler has returned, and not before:
 * a worker that says it stopped and still owns a queue would keep it for ever.
 */
export class Ownership {
  readonly #store: Store
  readonly #events: EventBus
  readonly #queueId: number
  readonly #ended: AbortSignal
  readonly #listeners = new Set<() => void>()
  /** Under which the queue may be owned; undefined: it is not. */
  #registration: Registration | undefined
  #isEnding = false

  /** Tries to end it until `ended` aborts; then it ends with the worker's lease. */
  constructor(store: Store, events: EventBus, queueId: number, ended: AbortSignal) {
    this.#store = store
    this.#events = events
    this.#queueId = queueId
    this.#ended = ended
  }

  /** Whether this receiver does not own the queue any more. */
  get isOver(): boolean {
    return this.#registration === undefined
  }

  /** From now on claims under `registration` may own the queue. */
  begin(registration: Registration): void {
    this.#registration = registration
  }

  /** Calls back once when it is over. */
  onOver(listener: () => void): void {
    if (this.isOver) listener()
    else this.#listeners.add(listener)
  }

  /** Gives the queue up and calls the others. Never rejects. */
  async end(): Promise<void> {
    if (this.#isEnding || this.#registration === undefined) return
    this.#isEnding = true
    const backoff = new Backoff()
    const { id, lost } = this.#registration
    while (!lost.aborted && !this.#ended.aborted) {
      try {
        await disownQueue(this.#store, this.#queueId, id)
        await notify(this.#store, String(this.#queueId))
        break
      } catch (error) {
        this.#events.emit({ type: 'maintenance.failed', chore: 'disown queue', error })
        await pause(backoff.failed(), this.#ended)
      }
    }
    this.#registration = undefined
    for (const listener of this.#listeners) listener()
  }
}
