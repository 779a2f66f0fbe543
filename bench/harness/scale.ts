import type { ScaleName } from '../results.ts'

/** Jobs that may run at once in one process, in every scenario and for every contender that does not say otherwise. */
export const CONCURRENCY = 100

export interface Scale {
  readonly name: ScaleName
  readonly repetitions: number
  /** A measured phase ends here, and its rate is what was done by then. */
  readonly phaseMs: number
  /** A run that takes longer than this in all is given up. */
  readonly runMs: number
  /** Runs under way at a time: more than one only where nobody looks at the figures. */
  readonly atOnce: number
}

export const SCALES: Readonly<Record<ScaleName, Scale>> = {
  full: { name: 'full', repetitions: 3, phaseMs: 6_000, runMs: 600_000, atOnce: 1 },
  quick: { name: 'quick', repetitions: 1, phaseMs: 1_500, runMs: 60_000, atOnce: 1 },
  smoke: { name: 'smoke', repetitions: 1, phaseMs: 2_000, runMs: 60_000, atOnce: 2 },
}
