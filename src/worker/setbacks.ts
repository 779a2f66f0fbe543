import type { EventBus } from '../core/event-bus.ts'
import { Backoff } from './backoff.ts'
import { pause } from './bell.ts'
import { isHopeless } from './outage.ts'

/** What a receiver does about claims that fail, and what goes with them. */
export class Setbacks {
  readonly #events: EventBus
  readonly #queueName: string
  readonly #stopping: AbortSignal
  readonly #backoff = new Backoff()

  constructor(events: EventBus, queueName: string, stopping: AbortSignal) {
    this.#events = events
    this.#queueName = queueName
    this.#stopping = stopping
  }

  succeeded(): void {
    this.#backoff.succeeded()
  }

  /** Rethrows what no waiting mends; else says so and waits a little longer each time. */
  async survive(error: unknown): Promise<void> {
    if (isHopeless(error)) throw error
    if (this.#stopping.aborted) return // the stop gave it up
    const retryInMs = this.#backoff.failed()
    const queueName = this.#queueName
    this.#events.emit({ type: 'claim.failed', queueName, error, retryInMs })
    await pause(retryInMs, this.#stopping)
  }
}
