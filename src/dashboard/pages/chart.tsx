import { showNumber } from './figures.ts'
import type { Markup } from './page.ts'

/** One line of a chart, or one layer of bars. */
export interface Series {
  readonly name: string
  /** A colour of the style sheet: `--good` and so on. */
  readonly colour: 'good' | 'bad' | 'calm' | 'busy' | 'quiet'
  /** A value for each instant; null is a gap. */
  readonly values: readonly (number | null)[]
}

/** Lines over time. The script draws them with uPlot; for those who listen it is a sentence. */
export function Chart(props: {
  title: string
  /** Seconds since 1970, ascending. */
  times: readonly number[]
  series: readonly Series[]
  unit: 'jobs/s' | 'ms' | 'share' | 'jobs'
  /** From and to, in seconds since 1970: also where nothing is. */
  span: readonly [from: number, to: number]
}): Markup {
  const { title, series, unit } = props
  const latest = series.map(({ name, values }) => {
    const last = values.findLast((value) => value !== null)
    return `${name} ${last === undefined || last === null ? 'none' : showNumber(last)}`
  })
  return (
    <figure class="chart">
      <figcaption>{title}</figcaption>
      <div
        data-chart={JSON.stringify(props)}
        role="img"
        aria-label={`${title}, in ${unit}. Last: ${latest.join(', ')}.`}
      ></div>
    </figure>
  )
}

const WIDTH = 96
const HEIGHT = 24

/** A small line without axes: how something went lately. */
export function Sparkline({ values, label }: { values: readonly number[]; label: string }): Markup {
  const most = Math.max(...values, 0)
  const step = values.length > 1 ? WIDTH / (values.length - 1) : WIDTH
  const points = values.map((value, at) => {
    const y = most === 0 ? HEIGHT - 1 : HEIGHT - 1 - (value / most) * (HEIGHT - 2)
    return `${(at * step).toFixed(1)},${y.toFixed(1)}`
  })
  return (
    <svg
      class="sparkline"
      viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
      width={WIDTH}
      height={HEIGHT}
      role="img"
      aria-label={label}
      preserveAspectRatio="none"
    >
      <polygon points={`0,${HEIGHT} ${points.join(' ')} ${WIDTH},${HEIGHT}`} />
      <polyline points={points.join(' ')} />
    </svg>
  )
}
