import { createDashboard } from '../../../src/dashboard/index.ts'
import type { Database } from '../../../src/drivers/database.ts'
import { apiOf, type Api } from '../arrange.ts'
import { visitorOf } from './arrange.ts'
import { decode } from './look-at.ts'

/** A dashboard for an administrator: its API and its pages, which see at once what the API changed. */
export function openDashboard(
  db: Database,
  schema: string,
): { api: Api; visit: ReturnType<typeof visitorOf> } {
  const dashboard = createDashboard(db, { auth: () => ({ role: 'admin', name: 'ada' }), schema })
  return { api: apiOf(dashboard), visit: visitorOf(dashboard) }
}

/** The addresses of the page's links. */
export function linksOf(html: string): string[] {
  return [...html.matchAll(/href="([^"]*)"/g)].map(([, address = '']) => decode(address))
}

/** What the charts of the page draw, by their titles. */
export function chartsOf(html: string): Map<string, Chart> {
  const charts = [...html.matchAll(/data-chart="([^"]*)"/g)].map(
    ([, json = '']) => JSON.parse(decode(json)) as Chart,
  )
  return new Map(charts.map((chart) => [chart.title, chart]))
}

export interface Chart {
  readonly title: string
  readonly times: readonly number[]
  readonly span: readonly [number, number]
  readonly series: readonly { readonly name: string; readonly values: readonly (number | null)[] }[]
}
