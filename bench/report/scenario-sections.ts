import { METRICS, type Metric, type ScenarioFacts } from '../results.ts'
import { isCeiling, type Figures } from './figures.ts'
import { blocks, list, plain, table, type ChartLink } from './markdown.ts'
import { formatCount, formatMetric } from './numbers.ts'
import {
  isFlawed,
  isWithoutFigures,
  metricsOf,
  summaryOf,
  type Result,
  type Summary,
} from './statistics.ts'

/** A heading, a table, the chart and what was wrong, for each scenario in its order. */
export function scenarioSections(
  figures: Figures,
  charts: ReadonlyMap<string, readonly ChartLink[]>,
): string[] {
  return scenariosOf(figures).map((scenario) => {
    const results = resultsIn(figures, scenario.name)
    const sizes = Object.entries(scenario.sizes).map(
      ([name, size]) => `${plain(name)} ${formatCount(size)}`,
    )
    return blocks([
      `### ${plain(scenario.title)}`,
      [scenario.text, sizes.length === 0 ? '' : `(${sizes.join(', ')})`].join(' ').trim(),
      results.length === 0 ? 'Not measured.' : resultsTable(results),
      list(remarks(figures, results)),
      ...(charts.get(scenario.name) ?? []).map(
        ({ file, alternative }) => `![${plain(alternative, 1000)}](${file})`,
      ),
    ])
  })
}

/** Those of the context, then those that only the measurements know. */
function scenariosOf({
  context,
  results,
}: Figures): (Omit<ScenarioFacts, 'name'> & { name: string })[] {
  const known = new Set<string>(context.scenarios.map(({ name }) => name))
  const others = [...results.keys()].filter((name) => !known.has(name))
  return [
    ...context.scenarios,
    ...others.map((name) => ({
      name,
      title: name,
      text: '',
      sizes: {},
      headline: 'jobsPerSecond' as const,
    })),
  ]
}

/** What there is of a scenario, in the order of the contenders; those that only the measurements know come last. */
export function resultsIn({ context, results }: Figures, scenario: string): Result[] {
  const byContender = results.get(scenario) ?? new Map<string, Result>()
  const names = new Set([...context.contenders.map(({ name }) => name), ...byContender.keys()])
  return [...names].flatMap((name) => byContender.get(name) ?? [])
}

function resultsTable(results: readonly Result[]): string {
  const metrics = metricsOf(results)
  const rows = results.map((result) => {
    const name = isFlawed(result) ? `${result.contender} ⚠` : result.contender
    if (isWithoutFigures(result)) {
      const [first, ...others] = metrics
      return [name, ...(first === undefined ? [] : [whyNot(result)]), ...others.map(() => '')]
    }
    return [name, ...metrics.map((metric) => cell(result, metric, results))]
  })
  return table(
    [['contender', 'left'], ...metrics.map((metric) => [METRICS[metric].title, 'right'] as const)],
    rows,
  )
}

function whyNot({ runs }: Result): string {
  const [problem = 'no figures'] = runs.flatMap(({ problems }) => problems)
  return `did not finish: ${plain(problem, 60)}`
}

function cell(result: Result, metric: Metric, results: readonly Result[]): string {
  const summary = summaryOf(result, metric)
  if (summary === undefined) return '–'
  const median = formatMetric(summary.median, metric)
  const isBest = !isCeiling({ name: result.contender }) && median === bestOf(results, metric)
  return `${isBest ? `**${median}**` : median}${spread(summary, metric)}`
}

function spread({ min, max, runs }: Summary, metric: Metric): string {
  const [least, most] = [formatMetric(min, metric), formatMetric(max, metric)]
  return runs === 1 || least === most ? '' : `<br><sub>${least} – ${most}</sub>`
}

/** As it is printed, so that two that look alike are both the best. Nobody is best where nobody is worse. */
function bestOf(results: readonly Result[], metric: Metric): string | undefined {
  const medians = results
    .filter((result) => !isCeiling({ name: result.contender }) && !isFlawed(result))
    .flatMap((result) => summaryOf(result, metric)?.median ?? [])
  const best = METRICS[metric].better === 'more' ? Math.max(...medians) : Math.min(...medians)
  const printed = new Set(medians.map((median) => formatMetric(median, metric)))
  return printed.size < 2 ? undefined : formatMetric(best, metric)
}

/** Whatever was wrong or is missing. */
function remarks({ context }: Figures, results: readonly Result[]): string[] {
  const most = Math.max(0, ...results.map(({ runs }) => runs.length))
  const wrong = results.flatMap((result) => [
    ...result.runs.flatMap((run) => {
      const verb = Object.keys(run.values).length === 0 ? 'did not finish: ' : ''
      return run.problems.map(
        (problem) => `⚠ ${result.contender}, run ${run.repetition}: ${verb}${plain(problem)}`,
      )
    }),
    ...duplicatesOf(result),
    ...(result.runs.length < most
      ? [`${result.contender}: ${result.runs.length} of ${most} runs`]
      : []),
  ])
  const present = new Set(results.map(({ contender }) => contender))
  const absent = context.contenders.filter(({ name }) => !present.has(name)).map(({ name }) => name)
  const isWorthSaying = results.length > 0 && absent.length > 0
  return [...wrong, ...(isWorthSaying ? [`Not run here: ${absent.join(', ')}.`] : [])]
}

function duplicatesOf(result: Result): string[] {
  const counts = result.runs.map(({ values }) => values.duplicates ?? 0)
  if (counts.every((count) => count === 0)) return []
  return [
    `⚠ ${result.contender}: jobs that ran more often than they should, by run: ${counts.map(formatCount).join(', ')}`,
  ]
}
