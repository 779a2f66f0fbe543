import { readFileSync } from 'node:fs'
import path from 'node:path'
import { Store } from '../../src/store/store.ts'
import { driverFor } from '../../src/drivers/recognise.ts'
import { readMetrics } from '../../src/metrics/prometheus.ts'
import { parseExposition } from '../metrics/parse-exposition.ts'
import { expect, test } from '../support/fixtures.ts'
import { readPage, root } from './markdown.ts'

interface Panel {
  readonly title: string
  readonly targets: readonly { readonly expr: string }[]
}

interface Board {
  readonly panels: readonly Panel[]
  readonly templating: { readonly list: readonly { readonly definition?: string }[] }
}

const alerts = readFileSync(path.join(root, 'docs/monitoring/alerts.yml'), 'utf8')
const board = JSON.parse(
  readFileSync(path.join(root, 'docs/monitoring/grafana.json'), 'utf8'),
) as Board

/** The metrics that a text speaks of. */
function metricsIn(text: string): string[] {
  return [...new Set(text.match(/\bmillrace_\w+/g))].sort()
}

test('alerts, board and page name the metrics that there are, and no others', async ({
  db,
  schema,
  openQueue,
  rows,
}) => {
  const queue = openQueue<string, unknown>(() => undefined)
  await queue.enqueue('x')
  await queue.drain()
  await rows(
    `insert into {schema}.workers (token, host, pid, version, lease_ms, in_flight, rss_bytes, event_loop_lag_ms)
     values ('token', 'host', 1, '0', 30000, 1, 1, 1)`,
  )
  const { text } = await readMetrics(new Store(driverFor(db), schema))
  const metrics = parseExposition(text)
  const series = new Set(
    [...metrics].flatMap(([name, { samples }]) => [name, ...samples.map((sample) => sample.name)]),
  )
  const { panels, templating } = board
  const queries = panels.flatMap(({ targets }) => targets.map(({ expr }) => expr))
  const variables = templating.list.flatMap(({ definition }) => definition ?? [])
  const page = readPage('docs/monitoring.md')
  for (const used of [alerts, queries.join('\n'), variables.join('\n'), page].map(metricsIn)) {
    expect(used.length).toBeGreaterThan(0)
    expect(used.filter((name) => !series.has(name))).toEqual([])
  }
  const told = metricsIn(page)
  expect([...metrics.keys()].filter((name) => !told.includes(name))).toEqual([])
})

test('a rule has a name of its own, an expression, a severity and what to say', () => {
  const rules = alerts.split(/^ {6}- alert: /m).slice(1)
  expect(rules.length).toBeGreaterThan(5)
  const names = rules.map((rule) => rule.split('\n')[0])
  expect(new Set(names).size).toBe(rules.length)
  for (const rule of rules) {
    expect(rule).toMatch(/\n {8}expr: \S/)
    expect(rule).toMatch(/\n {10}severity: (warning|critical)\n/)
    expect(rule).toMatch(/\n {10}summary: \S.*\n {10}description: \S/)
    expect(balanceOf(rule)).toBe(0)
  }
  expect(alerts).not.toContain('\t')
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

function balanceOf(text: string): number {
  return text.split('(').length - text.split(')').length
}
