/**
 * Bounds how many handlers run at once in this process, for a library that hands over whole batches and leaves it to
 * the handler how many of a batch it works on at a time.
 */
export class Slots {
  readonly count: number
  #free: number
  readonly #waiting: (() => void)[] = []

  constructor(count: number) {
    this.count = count
    this.#free = count
  }

  /** Works on every item, as many at a time as there are free slots. `work` must not throw. */
  async forEach<T>(items: readonly T[], work: (item: T) => Promise<void> | void): Promise<void> {
    let next = 0
    const lane = async (): Promise<void> => {
      for (let item = items[next++]; item !== undefined; item = items[next++]) {
        if (this.#free === 0) await new Promise<void>((resolve) => this.#waiting.push(resolve))
        else this.#free -= 1
        await work(item)
        this.#giveBack()
      }
    }
    await Promise.all(Array.from({ length: Math.min(this.count, items.length) }, lane))
  }

  /** A slot goes straight to whoever waits the longest. */
  #giveBack(): void {
    const next = this.#waiting.shift()
    if (next === undefined) this.#free += 1
    else next()
  }
}
