import type { Series, SeriesStep } from '../../metrics/series.ts'
import { Chart } from './chart.tsx'
import type { Markup } from './page.ts'

/** Spans by name: how long, and how long a point of a chart is. None has more than some 170 points. */
export const SPANS = {
  '1h': { name: '1 hour', spanMs: 3_600_000, stepMs: 60_000, maxAgeMs: 5_000 },
  '24h': { name: '24 hours', spanMs: 86_400_000, stepMs: 600_000, maxAgeMs: 30_000 },
  '7d': { name: '7 days', spanMs: 604_800_000, stepMs: 3_600_000, maxAgeMs: 60_000 },
} as const

export type Span = keyof typeof SPANS

/** How a queue went. */
export function QueueCharts({ series }: { series: Series }): Markup {
  const { from, to, steps } = series
  const shared = {
    times: steps.map(({ at }) => at / 1_000),
    span: [from / 1_000, to / 1_000],
  } as const
  const perSecond = (count: (step: SeriesStep) => number): number[] =>
    steps.map((step) => fine((count(step) / step.ms) * 1_000))
  const values = (value: (step: SeriesStep) => number | null): (number | null)[] =>
    steps.map((step) => {
      const read = value(step)
      return read === null ? null : fine(read)
    })
  return (
    <div class="charts">
      <Chart
        {...shared}
        title="Throughput"
        unit="jobs/s"
        series={[
          { name: 'finished', colour: 'good', values: perSecond(({ counts }) => counts.finished) },
          {
            name: 'failed',
            colour: 'bad',
            values: perSecond(({ counts }) => counts.failed + counts.deadLettered),
          },
          { name: 'retried', colour: 'busy', values: perSecond(({ counts }) => counts.retried) },
        ]}
      />
      <Chart
        {...shared}
        title="Failed runs"
        unit="share"
        series={[
          {
            name: 'failed',
            colour: 'bad',
            values: values(({ failureRate }) => failureRate),
          },
        ]}
      />
      <Chart
        {...shared}
        title="Waiting"
        unit="ms"
        series={[
          { name: 'p50', colour: 'calm', values: values(({ wait }) => wait.p50Ms) },
          { name: 'p95', colour: 'busy', values: values(({ wait }) => wait.p95Ms) },
        ]}
      />
      <Chart
        {...shared}
        title="Running"
        unit="ms"
        series={[
          { name: 'p50', colour: 'calm', values: values(({ run }) => run.p50Ms) },
          { name: 'p95', colour: 'busy', values: values(({ run }) => run.p95Ms) },
        ]}
      />
    </div>
  )
}

/** Four digits: a chart shows no more, and they are sent. */
function fine(value: number): number {
  return Number(value.toPrecision(4))
}
