import type { Series, SeriesStep } from '../../metrics/series.ts'
import type { StatsCounts, StatsTimes } from '../../metrics/sums.ts'
import { Chart, type Series as ChartSeries } from './chart.tsx'
import type { Markup } from './page.ts'

/** Spans by name: how long, and how long a point of a chart is. None has more than some 170 points. */
export const SPANS = {
  '1h': { name: '1 hour', spanMs: 3_600_000, stepMs: 60_000, maxAgeMs: 5_000 },
  '24h': { name: '24 hours', spanMs: 86_400_000, stepMs: 600_000, maxAgeMs: 30_000 },
  '7d': { name: '7 days', spanMs: 604_800_000, stepMs: 3_600_000, maxAgeMs: 60_000 },
} as const

export type Span = keyof typeof SPANS

type Values = readonly (number | null)[]

/** How a queue went. */
export function QueueCharts({ series }: { series: Series }): Markup {
  const { from, to, steps } = series
  const shared = {
    times: steps.map(({ at }) => at / 1_000),
    span: [from / 1_000, to / 1_000],
  } as const
  const share = steps.map(({ failureRate }) => fine(failureRate))
  return (
    <div class="charts">
      <Chart {...shared} title="Throughput" unit="jobs/s" series={throughput(steps)} />
      <Chart
        {...shared}
        title="Failed runs"
        unit="share"
        series={[{ name: 'failed', colour: 'bad', values: share }]}
      />
      <Chart
        {...shared}
        title="Waiting"
        unit="ms"
        series={percentiles(steps.map(({ wait }) => wait))}
      />
      <Chart
        {...shared}
        title="Running"
        unit="ms"
        series={percentiles(steps.map(({ run }) => run))}
      />
    </div>
  )
}

function throughput(steps: readonly SeriesStep[]): ChartSeries[] {
  const perSecond = (count: (counts: StatsCounts) => number): Values =>
    steps.map(({ counts, ms }) => fine((count(counts) / ms) * 1_000))
  return [
    { name: 'finished', colour: 'good', values: perSecond(({ finished }) => finished) },
    {
      name: 'failed',
      colour: 'bad',
      values: perSecond(({ failed, deadLettered }) => failed + deadLettered),
    },
    { name: 'retried', colour: 'busy', values: perSecond(({ retried }) => retried) },
  ]
}

function percentiles(times: readonly StatsTimes[]): ChartSeries[] {
  return [
    { name: 'p50', colour: 'calm', values: times.map(({ p50Ms }) => fine(p50Ms)) },
    { name: 'p95', colour: 'busy', values: times.map(({ p95Ms }) => fine(p95Ms)) },
  ]
}

/** Four digits: a chart shows no more, and they are sent. */
function fine(value: number | null): number | null {
  return value === null ? null : Number(value.toPrecision(4))
}
