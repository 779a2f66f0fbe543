const FIRST_MS = 50
const LONGEST_MS = 2_000

/** Growing pauses between tries to reach a database that is away: 50 ms, doubling, to 2 s. */
export class Backoff {
  #failures = 0

  /** How often it failed in a row. */
  get failures(): number {
    return this.#failures
  }

  /** It failed once more: how long to wait before the next try. Spread, so that processes do not come back as one. */
  failed(): number {
    const ms = Math.min(LONGEST_MS, FIRST_MS * 2 ** Math.min(this.#failures, 10))
    this.#failures += 1
    return ms * (0.75 + Math.random() / 2)
  }

  succeeded(): void {
    this.#failures = 0
  }
}
