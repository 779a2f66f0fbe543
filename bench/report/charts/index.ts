import { METRICS, type Metric, type ScenarioFacts } from '../../results.ts'
import type { Figures } from '../figures.ts'
import { formatCount, formatMetric } from '../numbers.ts'
import { resultsIn } from '../scenario-sections.ts'
import { seriesOf, summaryOf, type Result } from '../statistics.ts'
import { lineChart, type Curve } from './lines.ts'
import { barChart, rangeChart, type Row } from './rows.ts'
import { colourOf } from './theme.ts'

/** A chart and the scenario below which it stands. */
export interface Chart {
  readonly scenario: string
  /** Of the file, without its ending. */
  readonly name: string
  readonly alternative: string
  readonly svg: string
}

const DEPTHS = ['depth-0', 'depth-100k', 'depth-1m', 'depth-5m', 'history-5m'] as const
/** These have one chart together, or one of their own kind. */
const WITHOUT_BARS: ReadonlySet<string> = new Set([...DEPTHS, 'held-snapshot'])

/** Every chart for which there are figures. */
export function drawCharts(figures: Figures): Chart[] {
  return [
    ...figures.context.scenarios
      .filter(({ name }) => !WITHOUT_BARS.has(name))
      .flatMap((scenario) => chartOfScenario(figures, scenario) ?? []),
    ...(depthChart(figures) ?? []),
    ...(snapshotChart(figures) ?? []),
  ]
}

/** Bars of the metric that stands for the scenario; a scenario of waiting times has them from p50 to p99. */
function chartOfScenario(figures: Figures, scenario: ScenarioFacts): Chart | undefined {
  const { name, title, headline } = scenario
  const results = resultsIn(figures, name)
  if (results.every((result) => summaryOf(result, headline) === undefined)) return undefined
  const isLatency = headline.startsWith('p')
  const rows = results
    .map((result) => rowOf(figures, result, headline, isLatency))
    .toSorted((one, other) => compareRows(one, other, headline))
  const subtitle = isLatency
    ? 'ms, from the median (full dot) to the 99th percentile (open dot) · less is better'
    : `${METRICS[headline].title} · ${METRICS[headline].better} is better`
  const description = rows.map(({ label, printed }) => `${label}: ${printed}`).join('; ')
  const draw = isLatency ? rangeChart : barChart
  const svg = draw({ title, subtitle, description }, rows)
  return {
    scenario: name,
    name,
    alternative: `${title}, ${METRICS[headline].title}. ${description}`,
    svg,
  }
}

function rowOf(figures: Figures, result: Result, headline: Metric, isLatency: boolean): Row {
  const { contender } = result
  const facts = figures.context.contenders.find(({ name }) => name === contender)
  const isMain = contender === 'millrace'
  const row = { label: contender, colour: colourOf(facts, contender), isMain }
  const summary = summaryOf(result, isLatency ? 'p50Ms' : headline)
  if (summary === undefined) {
    return { ...row, value: undefined, range: undefined, printed: 'did not finish' }
  }
  const { median, min, max } = summary
  if (!isLatency)
    return { ...row, value: median, range: [min, max], printed: formatMetric(median, headline) }
  const high = summaryOf(result, 'p99Ms')?.median ?? median
  const printed = `${formatMetric(median, 'p50Ms')} – ${formatMetric(high, 'p99Ms')}`
  return { ...row, value: median, range: [median, high], printed }
}

/** Best first; whoever has no figure comes last. */
function compareRows(one: Row, other: Row, headline: Metric): number {
  if (one.value === undefined || other.value === undefined) {
    return Number(one.value === undefined) - Number(other.value === undefined)
  }
  return METRICS[headline].better === 'more' ? other.value - one.value : one.value - other.value
}

function depthChart(figures: Figures): Chart[] | undefined {
  const scenarios = DEPTHS.flatMap(
    (name) => figures.context.scenarios.find((scenario) => scenario.name === name) ?? [],
  )
  const curves = curvesOf(
    figures,
    scenarios.map(({ name }) => name),
    (contender) =>
      scenarios.flatMap(({ name }, index): [number, number][] => {
        const summary = summaryOf(figures.results.get(name)?.get(contender), 'jobsPerSecond')
        return summary === undefined ? [] : [[index, summary.median]]
      }),
  )
  const last = scenarios.at(-1)
  if (last === undefined || curves.length === 0) return undefined
  const title = 'Drain rate against what is in the table'
  const places = scenarios.map((scenario, index): [number, string] => [index, depthName(scenario)])
  const description = describeCurves(curves)
  const svg = lineChart({ title, subtitle: 'jobs/s · more is better', description }, curves, {
    title: 'other jobs in the table',
    places,
    apart: scenarios.findIndex(({ name }) => name === 'history-5m'),
  })
  return [{ scenario: last.name, name: 'depth', alternative: `${title}. ${description}`, svg }]
}

/** What is in the table beside the jobs that are drained. */
function depthName({ name, sizes }: ScenarioFacts): string {
  if (name === 'depth-0') return 'none'
  const others = sizes.waiting ?? sizes.finished ?? sizes.history
  const kind = name === 'history-5m' ? 'finished' : 'waiting'
  return others === undefined ? name : `${formatCount(others)} ${kind}`
}

function snapshotChart(figures: Figures): Chart[] | undefined {
  const name = 'held-snapshot'
  const curves = curvesOf(figures, [name], (contender) =>
    seriesOf(figures.results.get(name)?.get(contender), 'jobsPerSecond'),
  )
  if (curves.length === 0) return undefined
  const title = 'Full load while another transaction holds a snapshot'
  const xs = [...new Set(curves.flatMap(({ points }) => points.map(([x]) => x)))]
  const places = xs
    .toSorted((one, other) => one - other)
    .map((x): [number, string] => [x, formatCount(Math.round(x))])
  const description = describeCurves(curves)
  const svg = lineChart(
    { title, subtitle: 'jobs/s in each window · more is better', description },
    curves,
    { title: 'seconds since the snapshot was taken', places },
  )
  return [{ scenario: name, name, alternative: `${title}. ${description}`, svg }]
}

function curvesOf(
  figures: Figures,
  scenarios: readonly string[],
  pointsOf: (contender: string) => Curve['points'],
): Curve[] {
  const names = new Set(
    scenarios.flatMap((name) => resultsIn(figures, name).map(({ contender }) => contender)),
  )
  return [...names].flatMap((contender) => {
    const facts = figures.context.contenders.find(({ name }) => name === contender)
    const points = pointsOf(contender)
    if (points.length === 0) return []
    // The same library may be there twice, at its best and at its defaults.
    const isMain = contender === 'millrace'
    const isDashed = facts?.library === 'millrace' ? !isMain : facts?.tuning === 'defaults'
    return [{ label: contender, colour: colourOf(facts, contender), isDashed, isMain, points }]
  })
}

function describeCurves(curves: readonly Curve[]): string {
  const ends = curves.map(({ label, points }) => {
    const rates = [points[0], points.at(-1)].map((point) =>
      formatMetric(point?.[1] ?? 0, 'jobsPerSecond'),
    )
    return `${label}: ${rates.join(' → ')}`
  })
  return ends.join('; ')
}
