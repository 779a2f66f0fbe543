/**
 * Lets each of several jobs pass its own chain of middlewares and stores them in one go: a job that
 * reached the inside of its chain waits there until all others have come, and then one insert
 * serves all. A chain that fails before its inside fails them all, as all or none are stored.
 */
export async function throughTogether<Item, Ready, Stored>(
  items: readonly Item[],
  enter: (item: Item, inside: (ready: Ready) => Promise<void>) => Promise<void>,
  store: (ready: readonly Ready[]) => Promise<Stored[]>,
): Promise<Stored[]> {
  const gate = new Gate<Ready, Stored>(items.length, store)
  const chains = items.map(async (item, index) => {
    try {
      await enter(item, (ready) => gate.arrive(index, ready))
    } catch (error) {
      gate.fail(error)
      throw error
    }
  })
  await Promise.all(chains)
  return gate.stored
}

class Gate<Ready, Stored> {
  stored: Stored[] = []
  readonly #ready: Ready[] = []
  readonly #opened: Promise<void>
  readonly #store: (ready: readonly Ready[]) => Promise<Stored[]>
  #missing: number
  #hasFailed = false
  #resolve!: () => void
  #reject!: (error: unknown) => void

  constructor(count: number, store: (ready: readonly Ready[]) => Promise<Stored[]>) {
    this.#missing = count
    this.#store = store
    this.#opened = new Promise((resolve, reject) => {
      this.#resolve = resolve
      this.#reject = reject
    })
    this.#opened.catch(() => {}) // each chain that waits here hears of it
  }

  async arrive(index: number, ready: Ready): Promise<void> {
    this.#ready[index] = ready
    this.#missing -= 1
    // A middleware that did not wait for its `next` may fail while it is in here.
    if (this.#missing === 0 && !this.#hasFailed) await this.#open()
    await this.#opened
  }

  fail(error: unknown): void {
    this.#hasFailed = true
    this.#reject(error)
  }

  async #open(): Promise<void> {
    try {
      this.stored = await this.#store(this.#ready)
      this.#resolve()
    } catch (error) {
      this.#reject(error)
    }
  }
}
