import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import path from 'node:path'
import type { Pool } from 'pg'
import { describe } from 'vitest'
import { Store } from '../../src/store/store.ts'
import { driverFor } from '../../src/drivers/recognise.ts'
import { readMetrics } from '../../src/metrics/prometheus.ts'
import { parseExposition } from '../metrics/parse-exposition.ts'
import { expect, test, type Fixtures, type OpenQueue } from '../support/fixtures.ts'
import { findProgram } from '../support/programs.ts'
import { readPage, root } from './markdown.ts'

interface Panel {
  readonly title: string
  readonly targets: readonly { readonly expr: string; readonly legendFormat: string }[]
}

interface Board {
  readonly panels: readonly Panel[]
  readonly templating: { readonly list: readonly { readonly definition?: string }[] }
}

const folder = path.join(root, 'docs/monitoring')
const read = (name: string): string => readFileSync(path.join(folder, name), 'utf8')
const alerts = read('alerts.yml')
const rules = alerts.split(/^ {6}- alert: /m).slice(1)
const cases = read('alerts.test.yml')
  .split(/^ {2}- name: /m)
  .slice(1)
const board = JSON.parse(read('grafana.json')) as Board

/** The metrics that a text speaks of. */
function metricsIn(text: string): string[] {
  return [...new Set(text.match(/\bmillrace_\w+/g))].sort()
}

/** The labels by which an expression, a rule or a legend tells values apart. */
function labelsIn(text: string): string[] {
  const compared = [...text.matchAll(/(\w+)\s*(?:=~|!~|!=|=)\s*"/g)].map(([, label]) => label)
  const grouped = [...text.matchAll(/\b(?:by|without|on|ignoring)\s*\(([^)]*)\)/g)]
  const listed = grouped.flatMap(([, labels]) => labels?.split(',').map((label) => label.trim()))
  const shown = [...text.matchAll(/\{\{\s*(?:\$labels\.)?(\w+)\b/g)].map(([, label]) => label)
  const values = [...text.matchAll(/\blabel_values\(\w+, (\w+)\)/g)].map(([, label]) => label)
  return [...compared, ...listed, ...shown, ...values].filter((label) => label !== undefined)
}

/** What `/metrics` says of a queue that did something: the labels of each series, by its name. */
async function exposed(openQueue: OpenQueue, db: Pool, rows: Fixtures['rows'], schema: string) {
  const queue = openQueue<string, unknown>(() => undefined)
  await queue.enqueue('x')
  await queue.drain()
  await rows(
    `insert into {schema}.workers (token, host, pid, version, lease_ms, in_flight, rss_bytes, event_loop_lag_ms)
     values ('token', 'host', 1, '0', 30000, 1, 1, 1)`,
  )
  const { text } = await readMetrics(new Store(driverFor(db), schema))
  const metrics = parseExposition(text)
  const samples = [...metrics.values()].flatMap((metric) => metric.samples)
  const labels = new Map(samples.map((sample) => [sample.name, Object.keys(sample.labels)]))
  return { metrics: [...metrics.keys()], labels }
}

test('alerts, board and page name the metrics that there are, and no others', async ({
  db,
  schema,
  openQueue,
  rows,
}) => {
  const { metrics, labels } = await exposed(openQueue, db, rows, schema)
  const series = new Set([...metrics, ...labels.keys()])
  const { panels, templating } = board
  const queries = panels.flatMap(({ targets }) => targets.map(({ expr }) => expr))
  const variables = templating.list.flatMap(({ definition }) => definition ?? [])
  const page = readPage('docs/monitoring.md')
  const texts = [alerts, cases.join('\n'), queries.join('\n'), variables.join('\n'), page]
  for (const used of texts.map(metricsIn)) {
    expect(used.length).toBeGreaterThan(0)
    expect(used.filter((name) => !series.has(name))).toEqual([])
  }
  const told = metricsIn(page)
  expect(metrics.filter((name) => !told.includes(name))).toEqual([])
})

test('rules and panels tell values apart by labels that their metrics have', async ({
  db,
  schema,
  openQueue,
  rows,
}) => {
  const { labels } = await exposed(openQueue, db, rows, schema)
  const { panels, templating } = board
  const queries = panels.flatMap(({ targets }) =>
    targets.map(({ expr, legendFormat }) => `${expr} ${legendFormat}`),
  )
  const variables = templating.list.flatMap(({ definition }) => definition ?? [])
  const texts = [...rules, ...queries, ...variables].map((text) => text.split('description:')[0])
  for (const text of texts) {
    const unknown = metricsIn(text ?? '').flatMap((metric) =>
      labelsIn(text ?? '')
        .filter((label) => !labels.get(metric)?.includes(label))
        .map((label) => `${metric} has no ${label}: ${text}`),
    )
    expect(unknown).toEqual([])
  }
  expect(texts.flatMap((text) => labelsIn(text ?? '')).length).toBeGreaterThan(texts.length)
})

test('a rule has a name of its own, an expression, a severity and what to say', () => {
  expect(rules.length).toBeGreaterThan(5)
  expect(new Set(rules.map(nameOf)).size).toBe(rules.length)
  for (const rule of rules) {
    expect(rule).toMatch(/\n {8}expr: \S/)
    expect(rule).toMatch(/\n {10}severity: (warning|critical)\n/)
    expect(rule).toMatch(/\n {10}summary: \S.*\n {10}description: \S/)
    expect(balanceOf(rule)).toBe(0)
  }
  expect(alerts).not.toContain('\t')
})

test('each rule has a case in which it fires, and one in which it must not', () => {
  const expected = cases.flatMap((text) =>
    [...text.matchAll(/alertname: (\w+),?\s+eval_time: \w+,?\s+exp_alerts:( \[\])?/g)].map(
      ([, name, nothing]) => `${name} ${nothing === undefined ? 'fires' : 'must not'}`,
    ),
  )
  const all = rules.flatMap((rule) => [`${nameOf(rule)} fires`, `${nameOf(rule)} must not`])
  expect(all.filter((each) => !expected.includes(each))).toEqual([])
})

const promtool = findProgram('promtool')
if (promtool === undefined) {
  console.warn('Skipped: promtool is not installed (Debian: apt-get install prometheus).')
}

describe.skipIf(promtool === undefined)('Prometheus itself', () => {
  const run = (...args: string[]): { status: number | null; output: string } => {
    const options = { cwd: folder, encoding: 'utf8', timeout: 20_000 } as const
    const { status, stdout, stderr } = spawnSync(promtool ?? '', args, options)
    return { status, output: `${stdout}${stderr}` }
  }

  test('reads the rules', () => {
    const { status, output } = run('check', 'rules', 'alerts.yml')
    expect(output).toContain(`${rules.length} rules found`)
    expect(status).toBe(0)
  })

  test('lets each fire when it should, and not else', () => {
    const { status, output } = run('test', 'rules', 'alerts.test.yml')
    expect(output).toContain('SUCCESS')
    expect(status).toBe(0)
  })
})

test('the panels of the board stand beside each other, and have queries', () => {
  const { panels } = board
  expect(panels.length).toBeGreaterThan(5)
  expect(new Set(panels.map(({ title }) => title)).size).toBe(panels.length)
  for (const { targets } of panels) {
    expect(targets.length).toBeGreaterThan(0)
    for (const { expr } of targets) expect(balanceOf(expr)).toBe(0)
  }
})

function nameOf(rule: string): string {
  return rule.split('\n')[0] ?? ''
}

function balanceOf(text: string): number {
  return text.split('(').length - text.split(')').length
}
