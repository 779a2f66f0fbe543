import type { EventListener, EventType, MillraceEvent } from './events.ts'

interface Subscription {
  readonly listener: EventListener
  /** Undefined: all. */
  readonly types: ReadonlySet<EventType> | undefined
}

/**
 * Tells listeners what happens, at once and in the order in which they came. A listener that throws
 * disturbs nobody: the others are told of that as `listener.failed`.
 */
export class EventBus {
  /** Replaced, never changed, so that a listener may come and go while an event is told. */
  #subscriptions: readonly Subscription[] = []
  /** Who hears which event, found out when it is first asked and forgotten when listeners change. */
  readonly #listeners = new Map<EventType, readonly EventListener[]>()

  /** Whether anybody listens to this event: ask before making one for each job. */
  wants(type: EventType): boolean {
    return this.#listenersOf(type).length > 0
  }

  /** Calls `listener` with every event, or with those of the given types, until the returned function is called. */
  on(listener: EventListener, types?: readonly EventType[]): () => void {
    const subscription = { listener, types: types === undefined ? undefined : new Set(types) }
    this.#subscriptions = [...this.#subscriptions, subscription]
    this.#listeners.clear()
    return () => {
      this.#subscriptions = this.#subscriptions.filter((other) => other !== subscription)
      this.#listeners.clear()
    }
  }

  /** Tells everybody who listens to it. Never throws. */
  emit(event: MillraceEvent): void {
    for (const listener of this.#listenersOf(event.type)) {
      try {
        const answer: unknown = listener(event)
        // An async listener's rejection would end the process.
        if (answer instanceof Promise) answer.catch((error: unknown) => this.#report(event, error))
      } catch (error) {
        this.#report(event, error)
      }
    }
  }

  #listenersOf(type: EventType): readonly EventListener[] {
    let listeners = this.#listeners.get(type)
    if (listeners === undefined) {
      listeners = this.#subscriptions
        .filter(({ types }) => types === undefined || types.has(type))
        .map(({ listener }) => listener)
      this.#listeners.set(type, listeners)
    }
    return listeners
  }

  /** Says that a listener failed; not of one that fails on being told of just that, which would never end. */
  #report(event: MillraceEvent, error: unknown): void {
    if (event.type !== 'listener.failed') this.emit({ type: 'listener.failed', error })
  }
}
