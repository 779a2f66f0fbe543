import { METRICS, type Measurement, type Metric } from '../results.ts'

/** What repetitions of one figure amount to. */
export interface Summary {
  readonly median: number
  readonly min: number
  readonly max: number
  /** How many runs gave the figure. */
  readonly runs: number
}

/** All runs of one contender in one scenario, in their order. */
export interface Result {
  readonly scenario: string
  readonly contender: string
  readonly runs: readonly Measurement[]
}

/** Results by scenario, then by contender. */
export type Results = ReadonlyMap<string, ReadonlyMap<string, Result>>

/** Sorts measurements by scenario and contender. None is left out. */
export function groupRuns(measurements: readonly Measurement[]): Results {
  const results = new Map<string, Map<string, Result>>()
  for (const [scenario, ofScenario] of groupBy(measurements, (run) => run.scenario)) {
    const byContender = new Map<string, Result>()
    for (const [contender, runs] of groupBy(ofScenario, (run) => run.contender)) {
      const inOrder = runs.toSorted((one, other) => one.repetition - other.repetition)
      byContender.set(contender, { scenario, contender, runs: inOrder })
    }
    results.set(scenario, byContender)
  }
  return results
}

/** Median, least and most of what there is; undefined where there is nothing. */
export function summarise(values: readonly number[]): Summary | undefined {
  const sorted = values.filter(Number.isFinite).toSorted((one, other) => one - other)
  const [min] = sorted
  const max = sorted.at(-1)
  const upper = sorted[Math.floor(sorted.length / 2)]
  const lower = sorted[Math.floor((sorted.length - 1) / 2)]
  if (min === undefined || max === undefined || upper === undefined || lower === undefined) {
    return undefined
  }
  return { median: (lower + upper) / 2, min, max, runs: sorted.length }
}

/**
 * A metric over the repetitions. A run with problems counts as long as it gave the figure: leaving it out would
 * flatter whoever is compared with it. It is marked wherever it is shown, and Millrace reaches no target with one.
 */
export function summaryOf(result: Result | undefined, metric: Metric): Summary | undefined {
  return summarise((result?.runs ?? []).flatMap(({ values }) => values[metric] ?? []))
}

/** Whether something was wrong in any of the runs. */
export function isFlawed(result: Result | undefined): boolean {
  return (result?.runs ?? []).some(
    ({ problems, values }) => problems.length > 0 || (values.duplicates ?? 0) > 0,
  )
}

/** Whether no run gave any figure. */
export function isWithoutFigures(result: Result): boolean {
  return metricsOf([result]).length === 0
}

/** The metrics for which there is a figure, in the order of `METRICS`. */
export function metricsOf(results: readonly Result[]): Metric[] {
  const all = Object.keys(METRICS) as Metric[]
  return all.filter((metric) => results.some((result) => summaryOf(result, metric) !== undefined))
}

/** The median series of the repetitions: at each x, the median of the y that there are. */
export function seriesOf(result: Result | undefined, name: string): [x: number, y: number][] {
  const points = (result?.runs ?? []).flatMap(({ series }) => series?.[name] ?? [])
  return [...groupBy(points, ([x]) => x)]
    .flatMap(([x, atX]): [number, number][] => {
      const summary = summarise(atX.map(([, y]) => y))
      return summary === undefined ? [] : [[x, summary.median]]
    })
    .toSorted(([one], [other]) => one - other)
}

/** `Map.groupBy`, which Node 20 has not. */
function groupBy<Item, Key>(items: readonly Item[], keyOf: (item: Item) => Key): Map<Key, Item[]> {
  const groups = new Map<Key, Item[]>()
  for (const item of items) {
    const group = groups.get(keyOf(item))
    if (group === undefined) groups.set(keyOf(item), [item])
    else group.push(item)
  }
  return groups
}
