const WINDOW_MS = 3_000
/** A rate over less than this says nothing. */
const SHORTEST_MS = 500

/** How fast something goes, from what was counted in the last seconds. */
export class Speed {
  #counts: { readonly at: number; readonly count: number }[] = []

  /** So many are done by now. */
  counted(count: number, at = performance.now()): void {
    this.#counts = this.#counts.filter((earlier) => at - earlier.at <= WINDOW_MS)
    this.#counts.push({ at, count })
  }

  /** How many are done in a second; 0 as long as nobody knows. */
  get perSecond(): number {
    const [first, last] = [this.#counts[0], this.#counts.at(-1)]
    if (first === undefined || last === undefined || last.at - first.at < SHORTEST_MS) return 0
    return ((last.count - first.count) * 1_000) / (last.at - first.at)
  }
}
