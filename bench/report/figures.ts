import {
  METRICS,
  type BenchmarkContext,
  type ContenderFacts,
  type Measurement,
  type Metric,
  type ScenarioName,
} from '../results.ts'
import { groupRuns, isFlawed, summaryOf, type Results } from './statistics.ts'

/** What targets, tables and charts are made of. */
export interface Figures {
  readonly results: Results
  readonly context: BenchmarkContext
}

/** A figure to compare, and whose it is. */
export interface Reading {
  readonly value: number
  readonly contender: string
  /** Something was wrong in a run behind it. */
  readonly isFlawed: boolean
}

export type Choice = (contender: ContenderFacts) => boolean

export function figuresOf(
  measurements: readonly Measurement[],
  context: BenchmarkContext,
): Figures {
  return { results: groupRuns(measurements), context }
}

/** The figure of one contender; undefined where it is missing. */
export function readingOf(
  { results }: Figures,
  contender: string,
  scenario: ScenarioName,
  metric: Metric,
): Reading | undefined {
  const result = results.get(scenario)?.get(contender)
  const summary = summaryOf(result, metric)
  return summary && { value: summary.median, contender, isFlawed: isFlawed(result) }
}

/** The best figure of all contenders that are meant. */
export function bestReading(
  figures: Figures,
  choice: Choice,
  scenario: ScenarioName,
  metric: Metric,
): Reading | undefined {
  const readings = figures.context.contenders
    .filter(choice)
    .flatMap(({ name }) => readingOf(figures, name, scenario, metric) ?? [])
    .toSorted((one, other) => one.value - other.value)
  return METRICS[metric].better === 'more' ? readings.at(-1) : readings[0]
}

/** Bare SQL: what is possible, not a queue that anybody can pick. */
export function isCeiling({ name }: Pick<ContenderFacts, 'name'>): boolean {
  return name.startsWith('ceiling')
}

/** Another library than ours, on whichever database. */
export function isPeer({ name, library }: ContenderFacts): boolean {
  return library !== 'millrace' && !isCeiling({ name })
}

export function isPostgresPeer(contender: ContenderFacts): boolean {
  return isPeer(contender) && contender.backend === 'postgres'
}
