/** What of a page can change, as HTML by the names of its live parts. */
export type LiveParts = ReadonlyMap<string, string>

/** A page's parts are made anew so long after they were made. */
const PACE_MS = 2_000
/** Making them is at most this share of the time: a page that takes long is made less often. */
const MOST_SHARE = 0.1
/** A word now and then, so that nobody in between takes the stream for dead. */
const SIGN_OF_LIFE_MS = 15_000
/** A stream ends after this, and the browser opens another one: who may no longer look stops looking. */
const LONGEST_STREAM_MS = 5 * 60_000
/** A tab that has not taken so many events gets no more until it has. */
const MOST_UNREAD = 16
/** So many streams at most; who comes later asks now and then instead. */
const MOST_STREAMS = 200

/** What is sent when a page cannot be made, for people. */
const TROUBLE = { message: 'Not live: the database does not answer as it should. Trying again.' }

/**
 * The pages that somebody looks at, kept true by server-sent events
 * (https://html.spec.whatwg.org/multipage/server-sent-events.html). All tabs that show the same to the same role are one
 * topic, whose parts are made once for all of them; a part is sent when it has changed.
 */
export class Live {
  readonly #topics = new Map<string, Topic>()
  #streams = 0

  /** Undefined where there are too many streams already. */
  open(key: string, make: () => Promise<LiveParts>): ReadableStream<Uint8Array> | undefined {
    if (this.#streams >= MOST_STREAMS) return undefined
    const topic = this.#topics.get(key) ?? new Topic(make, () => this.#topics.delete(key))
    this.#topics.set(key, topic)
    this.#streams++
    let subscriber: Subscriber | undefined
    const leave = (): void => {
      if (subscriber === undefined) return
      topic.leave(subscriber)
      subscriber = undefined
      this.#streams--
    }
    return new ReadableStream<Uint8Array>(
      {
        start(controller) {
          subscriber = new Subscriber(controller, leave)
          topic.join(subscriber)
        },
        cancel: leave,
      },
      new CountQueuingStrategy({ highWaterMark: MOST_UNREAD }),
    )
  }

  /** Something was changed here: everybody is shown at once. */
  refresh(): void {
    for (const topic of this.#topics.values()) topic.refresh()
  }

  /** Ends all streams. */
  close(): void {
    for (const topic of [...this.#topics.values()]) topic.close()
  }
}

class Topic {
  readonly #make: () => Promise<LiveParts>
  readonly #onEmpty: () => void
  readonly #subscribers = new Set<Subscriber>()
  #parts: LiveParts | undefined
  #timer: NodeJS.Timeout | undefined
  #isMaking = false
  #isStale = false

  constructor(make: () => Promise<LiveParts>, onEmpty: () => void) {
    this.#make = make
    this.#onEmpty = onEmpty
  }

  join(subscriber: Subscriber): void {
    this.#subscribers.add(subscriber)
    if (this.#parts !== undefined) subscriber.show(this.#parts)
    if (this.#subscribers.size === 1) this.refresh()
  }

  leave(subscriber: Subscriber): void {
    this.#subscribers.delete(subscriber)
    subscriber.end()
    if (this.#subscribers.size > 0) return
    clearTimeout(this.#timer)
    this.#onEmpty()
  }

  refresh(): void {
    clearTimeout(this.#timer)
    if (this.#isMaking) this.#isStale = true
    else void this.#makeAndShow()
  }

  close(): void {
    for (const subscriber of [...this.#subscribers]) subscriber.leave()
  }

  async #makeAndShow(): Promise<void> {
    this.#isMaking = true
    this.#isStale = false
    const startedAt = performance.now()
    try {
      this.#parts = await this.#make()
      for (const subscriber of this.#subscribers) subscriber.show(this.#parts)
    } catch {
      // Whoever opens the page is told what it is, and the log as well.
      for (const subscriber of this.#subscribers) subscriber.send('trouble', TROUBLE)
    }
    this.#isMaking = false
    if (this.#subscribers.size === 0) return
    const tookMs = performance.now() - startedAt
    const restMs = this.#isStale ? 0 : Math.max(PACE_MS, tookMs / MOST_SHARE)
    this.#timer = setTimeout(() => void this.#makeAndShow(), restMs).unref()
  }
}

const encoder = new TextEncoder()

/** One tab. What it could not take in time it gets with what comes next. */
class Subscriber {
  readonly leave: () => void
  readonly #controller: ReadableStreamDefaultController<Uint8Array>
  readonly #shown = new Map<string, string>()
  readonly #signs: NodeJS.Timeout
  readonly #end: NodeJS.Timeout

  constructor(controller: ReadableStreamDefaultController<Uint8Array>, leave: () => void) {
    this.#controller = controller
    this.leave = leave
    this.#signs = setInterval(() => this.#write(': \n\n'), SIGN_OF_LIFE_MS).unref()
    this.#end = setTimeout(leave, LONGEST_STREAM_MS).unref()
    this.#write('retry: 2000\n\n')
  }

  show(parts: LiveParts): void {
    if (this.#isFull()) return
    const changed: Record<string, string> = {}
    for (const [name, html] of parts) {
      if (this.#shown.get(name) !== html) changed[name] = html
      this.#shown.set(name, html)
    }
    this.send('parts', changed) // also when it is empty: the page is known to be true
  }

  send(event: string, data: object): void {
    if (!this.#isFull()) this.#write(`event: ${event}\ndata: ${JSON.stringify(data)}\n\n`)
  }

  end(): void {
    clearInterval(this.#signs)
    clearTimeout(this.#end)
    try {
      this.#controller.close()
    } catch {
      // It was cancelled from the other side.
    }
  }

  #isFull(): boolean {
    return (this.#controller.desiredSize ?? 0) <= 0
  }

  #write(text: string): void {
    try {
      this.#controller.enqueue(encoder.encode(text))
    } catch {
      // It was cancelled from the other side.
    }
  }
}
