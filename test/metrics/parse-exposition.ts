/** A value of a metric, as a scraper reads it. */
export interface ParsedSample {
  readonly name: string
  readonly labels: Readonly<Record<string, string>>
  readonly value: number
}

/** A metric with its HELP and TYPE lines. */
export interface ParsedMetric {
  readonly help: string
  readonly type: string
  readonly samples: ParsedSample[]
}

const NAME = '[a-zA-Z_:][a-zA-Z0-9_:]*'
const LABEL = /([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\["\\n])*)"(,|$)/y
const SAMPLE = new RegExp(`^(${NAME})(?:\\{(.*)\\})? (\\+Inf|-?[0-9.e+-]+)$`, 's')
const SUFFIXES = ['', '_bucket', '_sum', '_count']

/** Reads the text format of Prometheus, more strictly than a scraper does. Throws at the first line that is not right. */
export function parseExposition(text: string): Map<string, ParsedMetric> {
  if (!text.endsWith('\n')) throw new Error('the last line does not end')
  const metrics = new Map<string, ParsedMetric>()
  let current: { name: string; metric: ParsedMetric } | undefined
  const lines = text.slice(0, -1).split('\n')
  for (let at = 0; at < lines.length; at++) {
    const line = lines[at] ?? ''
    const [, helped, help] = new RegExp(`^# HELP (${NAME}) (.+)$`).exec(line) ?? []
    if (helped !== undefined && help !== undefined) {
      const [, typed, type] =
        new RegExp(`^# TYPE (${NAME}) (\\w+)$`).exec(lines[at + 1] ?? '') ?? []
      if (typed !== helped || type === undefined) throw new Error(`no TYPE after: ${line}`)
      if (metrics.has(helped)) throw new Error(`twice: ${line}`)
      current = { name: helped, metric: { help, type, samples: [] } }
      metrics.set(helped, current.metric)
      at += 1
      continue
    }
    const [, name, labels = '', value] = SAMPLE.exec(line) ?? []
    if (name === undefined || current === undefined) throw new Error(`no sample: ${line}`)
    const suffix = name.slice(current.name.length)
    const mayHave = current.metric.type === 'histogram' ? SUFFIXES.slice(1) : ['']
    if (!name.startsWith(current.name) || !mayHave.includes(suffix)) {
      throw new Error(`not of ${current.name}: ${line}`)
    }
    const number = value === '+Inf' ? Infinity : Number(value)
    if (Number.isNaN(number)) throw new Error(`no number: ${line}`)
    current.metric.samples.push({ name, labels: parseLabels(labels), value: number })
  }
  return metrics
}

function parseLabels(text: string): Record<string, string> {
  const labels: Record<string, string> = {}
  LABEL.lastIndex = 0
  while (LABEL.lastIndex < text.length) {
    const [, name, value] = LABEL.exec(text) ?? []
    if (name === undefined || value === undefined) throw new Error(`no labels: ${text}`)
    if (Object.hasOwn(labels, name)) throw new Error(`a label twice: ${text}`)
    labels[name] = value.replaceAll(/\\(.)/g, (_, escaped: string) =>
      escaped === 'n' ? '\n' : escaped,
    )
  }
  return labels
}
