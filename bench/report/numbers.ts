import { METRICS, type Metric } from '../results.ts'

/** Counts, of which each one matters. */
const EXACT: ReadonlySet<Metric> = new Set(['connections', 'duplicates'])

/** A figure as it is printed: three digits that mean something, with separators of thousands. */
export function formatMetric(value: number, metric: Metric): string {
  if (EXACT.has(metric)) return formatCount(value)
  return round(value, METRICS[metric].digits)
}

/** A ratio, as `3.42 ×`; against nothing it is `∞ ×`, and that of nothing to nothing is none. */
export function formatRatio(ratio: number): string {
  if (Number.isNaN(ratio)) return '–'
  if (!Number.isFinite(ratio)) return '∞ ×'
  return `${round(ratio, 3)} ×`
}

/** A size or a count, with all its digits. */
export function formatCount(count: number): string {
  return count.toLocaleString('en-US', { maximumFractionDigits: 3 })
}

/** As short as it fits beside an axis: `1M`, `20k`, `0.5`. */
export function formatTick(value: number): string {
  if (value >= 1_000_000) return `${Number((value / 1_000_000).toPrecision(3))}M`
  if (value >= 10_000) return `${Number((value / 1_000).toPrecision(3))}k`
  return formatCount(value)
}

/**
 * Three significant digits, but at most so many behind the point. What is too small for these keeps two significant
 * digits: a claim of 2,000 jobs is 0.0005 statements for each, and a job every two seconds is not none.
 */
function round(value: number, digits: number): string {
  if (value === 0) return '0'
  const magnitude = Math.floor(Math.log10(Math.abs(value)))
  if (magnitude < -digits) return value.toLocaleString('en-US', { maximumSignificantDigits: 2 })
  const behindPoint = Math.max(0, Math.min(digits, 2 - magnitude))
  return Number(value.toPrecision(3)).toLocaleString('en-US', {
    minimumFractionDigits: behindPoint,
    maximumFractionDigits: behindPoint,
  })
}
