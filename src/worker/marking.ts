import type { EventBus } from '../core/event-bus.ts'
import { clearMarks, raiseMark, type Mark } from '../store/marks.ts'
import type { Store } from '../store/store.ts'
import { Backoff } from './backoff.ts'
import type { Backlog } from './backlog.ts'
import { pause } from './bell.ts'

const CLEAR_EVERY_MS = 5_000

/**
 * The marks of one receiver: raised before jobs of a large claim start, forgotten when nothing of
 * that claim is left. Only its own: another receiver of this process may work on the same queue.
 */
export class Marking {
  readonly #store: Store
  readonly #events: EventBus
  readonly #queue: { readonly queueId: number; readonly queueName: string }
  readonly #backoff = new Backoff()
  /** Claims that have marks, by their numbers, each with the worker that made it. */
  readonly #marked = new Map<string, number>()
  #isRaising = false
  #raising: Promise<unknown> = Promise.resolve()
  #clearedAt = 0

  constructor(
    store: Store,
    events: EventBus,
    queue: { readonly queueId: number; readonly queueName: string },
  ) {
    this.#store = store
    this.#events = events
    this.#queue = queue
  }

  /**
   * Lets about `count` more jobs of the backlog start. Answers whether it is worth while to look
   * what may start now. Never rejects: what is wrong with the database the next claim says too.
   */
  async allowMore(backlog: Backlog, count: number, signal: AbortSignal): Promise<boolean> {
    if (this.#isRaising || signal.aborted) return false
    this.#isRaising = true
    try {
      const raising = backlog.allowMore(count, (mark) => this.#raise(mark))
      this.#raising = raising.catch(() => undefined)
      const isMore = await raising
      this.#backoff.succeeded()
      return isMore
    } catch (error) {
      if (signal.aborted) return false
      const retryInMs = this.#backoff.failed()
      const { queueName } = this.#queue
      this.#events.emit({ type: 'claim.failed', queueName, error, retryInMs })
      await pause(retryInMs, signal)
      return true
    } finally {
      this.#isRaising = false
    }
  }

  /** Another registration claims now; the marks of the lost one are its rescuer's. */
  forget(): void {
    this.#marked.clear()
  }

  /** Clears the marks of claims that are not open any more, if that was not done just now. */
  clearNowAndThen(open: () => ReadonlySet<string>): void {
    if (this.#marked.size === 0 || performance.now() - this.#clearedAt < CLEAR_EVERY_MS) return
    void this.clear(open())
  }

  /** Clears the marks of claims that are not open any more. Never rejects. */
  async clear(open: ReadonlySet<string>): Promise<void> {
    this.#clearedAt = performance.now()
    const over = [...this.#marked].filter(([claimNo]) => !open.has(claimNo))
    const workerId = over[0]?.[1]
    if (workerId === undefined) return
    for (const [claimNo] of over) this.#marked.delete(claimNo)
    const claimNos = over.map(([claimNo]) => claimNo)
    try {
      await clearMarks(this.#store, workerId, this.#queue.queueId, claimNos)
    } catch (error) {
      for (const [claimNo] of over) this.#marked.set(claimNo, workerId)
      this.#events.emit({ type: 'maintenance.failed', chore: 'clear marks', error })
    }
  }

  /** Clears what there is at the end, also of a mark that is being written now. */
  async finish(open: () => ReadonlySet<string>): Promise<void> {
    await this.#raising
    await this.clear(open())
  }

  async #raise(mark: Mark): Promise<void> {
    this.#marked.set(mark.claimNo, mark.workerId)
    await raiseMark(this.#store, mark)
  }
}
