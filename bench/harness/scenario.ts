import type { Ability } from '../contender.ts'
import type { Measurement, Metric, ScaleName, ScenarioName } from '../results.ts'
import type { Trial } from './trial.ts'

/** What a run of a scenario found out. What went wrong is told to the trial. */
export type Findings = Pick<Measurement, 'values' | 'series'>

/** One thing that is measured for every contender that can do it. */
export interface Scenario {
  readonly name: ScenarioName
  /** A heading. */
  readonly title: string
  /** What is done and what is measured, in whole sentences. */
  readonly text: string
  /** What stands for it in a comparison. */
  readonly headline: Metric
  /** What a contender must be able to do. */
  readonly needs: readonly Ability[]
  /** Only contenders at their defaults. */
  readonly onlyDefaults?: boolean
  /** Peers only at their best settings, as it takes long. */
  readonly onlyBest?: boolean
  /** Runs once at every scale, as it takes long. */
  readonly runsOnce?: boolean
  /** Whether the statements are counted, in a short run of its own. */
  readonly countsStatements?: boolean
  /** Only Millrace on PostgreSQL: for depths that would take the others too long. */
  readonly onlyMillrace?: boolean
  /** In a quick run only Millrace and the ceiling are measured. */
  readonly isExtra?: boolean
  readonly sizes: Readonly<Record<ScaleName, Readonly<Record<string, number>>>>
  run(trial: Trial): Promise<Findings>
}
