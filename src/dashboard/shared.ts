interface Reading {
  readonly promise: Promise<unknown>
  readonly startedAt: number
}

/** What took long to read, and is shown until it has been read again. */
interface LateReading {
  readonly value: unknown
  readonly askedAt: number
  readonly isUnderWay: boolean
}

/** How many readings are remembered; beyond, the oldest go. */
const MOST_READINGS = 500

/**
 * What was read from the database a moment ago, so that many tabs cost no more than one. Whoever asks while a reading is
 * under way waits for the same one. A change made here forgets all of it: who presses a button sees what became of it.
 */
export class Shared {
  readonly #readings = new Map<string, Reading>()
  readonly #lateReadings = new Map<string, LateReading>()

  /** What `load` answers, or answered at most `maxAgeMs` ago under the same key. A failure is not remembered. */
  async read<T>(key: string, load: () => Promise<T>, maxAgeMs = 1_000): Promise<T> {
    const known = this.#readings.get(key)
    if (known !== undefined && performance.now() - known.startedAt < maxAgeMs) {
      return known.promise as Promise<T>
    }
    const promise = load()
    const reading = { promise, startedAt: performance.now() }
    this.#readings.delete(key)
    this.#readings.set(key, reading)
    this.#forgetOldest()
    try {
      return await promise
    } catch (error) {
      if (this.#readings.get(key) === reading) this.#readings.delete(key)
      throw error
    }
  }

  /**
   * What `load` answered last, without waiting for it; undefined until it has answered once. It is begun at most every
   * `intervalMs`, when somebody asks, and must not reject. No change makes it be forgotten.
   */
  lately<T>(key: string, load: () => Promise<T>, intervalMs: number): T | undefined {
    const known = this.#lateReadings.get(key)
    const isFresh = known !== undefined && performance.now() - known.askedAt < intervalMs
    if (!isFresh && known?.isUnderWay !== true) void this.#readLate(key, load, known?.value)
    return known?.value as T | undefined
  }

  async #readLate(key: string, load: () => Promise<unknown>, before: unknown): Promise<void> {
    const askedAt = performance.now()
    this.#lateReadings.set(key, { value: before, askedAt, isUnderWay: true })
    const value = await load()
    this.#lateReadings.set(key, { value, askedAt, isUnderWay: false })
  }

  forget(): void {
    this.#readings.clear()
  }

  #forgetOldest(): void {
    for (const key of this.#readings.keys()) {
      if (this.#readings.size <= MOST_READINGS) return
      this.#readings.delete(key)
    }
  }
}
