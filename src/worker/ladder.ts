/**
 * When to look how far below the floors, for jobs whose transaction committed long after it
 * inserted them. Each step looks ten times as far back as the one before and is taken more rarely;
 * the last looks at everything. A look that was expensive (dead entries that vacuum may not remove)
 * is repeated so rarely that all looks together take a few percent of the time, whatever they cost.
 */
const STEPS = [
  { backMs: 200, everyMs: 200 },
  { backMs: 2_000, everyMs: 500 },
  { backMs: 20_000, everyMs: 1_000 },
  { backMs: 200_000, everyMs: 2_000 },
  { backMs: Infinity, everyMs: 5_000 },
] as const

/** A look may take one part in so many of the time. */
const SHARE = 50

interface Step {
  readonly backMs: number
  readonly everyMs: number
  dueAt: number
  /** Its cost forbids it until then, however much it is wanted. */
  notBefore: number
}

export class Ladder {
  readonly #steps: Step[]

  constructor(nowMs: number) {
    this.#steps = STEPS.map((step) => ({ ...step, dueAt: nowMs + step.everyMs, notBefore: nowMs }))
  }

  /** How far the next claim should look back, in milliseconds; 0 for not at all. */
  backMs(nowMs: number): number {
    return this.#steps.findLast((step) => step.dueAt <= nowMs)?.backMs ?? 0
  }

  /**
   * Somebody said that there is something, and it was not near the floor: every step that its cost
   * does not forbid is due now, and the deepest of them is taken.
   */
  hurry(): void {
    for (const step of this.#steps) step.dueAt = Math.min(step.dueAt, step.notBefore)
  }

  /** A look back has been taken, in `tookMs`; lesser looks are part of it. */
  taken(backMs: number, nowMs: number, tookMs: number): void {
    for (const step of this.#steps) {
      if (step.backMs > backMs) continue
      const costs = step.backMs === backMs ? tookMs * SHARE : 0
      step.notBefore = Math.max(step.notBefore, nowMs + costs)
      step.dueAt = Math.max(nowMs + step.everyMs, step.notBefore)
    }
  }
}
