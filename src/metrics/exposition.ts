/*
 * The text format of Prometheus, version 0.0.4, which every scraper reads:
 * https://prometheus.io/docs/instrumenting/exposition_formats/#text-based-format
 */

/** What a response with this text says of itself. */
export const CONTENT_TYPE = 'text/plain; version=0.0.4; charset=utf-8'

/** A metric: its name, what it is, and its values. */
export interface Metric {
  readonly name: string
  readonly type: 'counter' | 'gauge' | 'histogram'
  readonly help: string
  readonly samples: readonly Sample[]
}

/** One value. */
export interface Sample {
  /** What stands behind the metric's name: `_bucket`, `_sum`, `_count` of a histogram. */
  readonly suffix?: string
  readonly labels: Readonly<Record<string, string>>
  readonly value: number
}

/** Metrics as text; those without a value are left out. */
export function renderMetrics(metrics: readonly Metric[]): string {
  return metrics
    .filter(({ samples }) => samples.length > 0)
    .map(renderMetric)
    .join('')
}

function renderMetric({ name, type, help, samples }: Metric): string {
  const lines = [`# HELP ${name} ${escapeHelp(help)}`, `# TYPE ${name} ${type}`]
  for (const { suffix = '', labels, value } of samples) {
    lines.push(`${name}${suffix}${renderLabels(labels)} ${renderValue(value)}`)
  }
  return `${lines.join('\n')}\n`
}

function renderLabels(labels: Readonly<Record<string, string>>): string {
  const pairs = Object.entries(labels).map(([name, value]) => `${name}="${escapeLabel(value)}"`)
  return pairs.length === 0 ? '' : `{${pairs.join(',')}}`
}

/** Line feeds, quotes and backslashes end lines and values; half a surrogate pair would be no UTF-8. */
function escapeLabel(value: string): string {
  if (!/[\\"\n\p{Surrogate}]/u.test(value)) return value // thousands of values have the same label
  return value
    .replaceAll('\\', '\\\\')
    .replaceAll('"', '\\"')
    .replaceAll('\n', '\\n')
    .replaceAll(/\p{Surrogate}/gu, '\u{fffd}')
}

function escapeHelp(text: string): string {
  return text.replaceAll('\\', '\\\\').replaceAll('\n', '\\n')
}

function renderValue(value: number): string {
  if (value === Infinity) return '+Inf'
  if (value === -Infinity) return '-Inf'
  return String(value)
}
