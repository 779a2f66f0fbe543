interface Reading {
  readonly promise: Promise<unknown>
  readonly startedAt: number
}

/** How many readings are remembered; beyond, the oldest go. */
const MOST_READINGS = 500

/**
 * What was read from the database a moment ago, so that many tabs cost no more than one. Whoever asks while a reading is
 * under way waits for the same one. A change made here forgets all of it: who presses a button sees what became of it.
 */
export class Shared {
  readonly #readings = new Map<string, Reading>()

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
