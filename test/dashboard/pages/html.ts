import { createDashboard } from '../../../src/dashboard/index.ts'
import type { Database } from '../../../src/drivers/database.ts'
import { apiOf, type Api } from '../arrange.ts'
import { visitorOf } from './arrange.ts'

/** A dashboard for an administrator: its API and its pages, which see at once what the API changed. */
export function openDashboard(
  db: Database,
  schema: string,
): { api: Api; visit: ReturnType<typeof visitorOf> } {
  const dashboard = createDashboard(db, { auth: () => ({ role: 'admin', name: 'ada' }), schema })
  return { api: apiOf(dashboard), visit: visitorOf(dashboard) }
}

const NAMED: Readonly<Record<string, string>> = {
  '&lt;': '<',
  '&gt;': '>',
  '&quot;': '"',
  '&#39;': `'`,
  '&amp;': '&',
}

/** What is read of HTML: its text with single spaces. */
export function textOf(html: string): string {
  const text = html.replaceAll(/<[^>]*>/g, ' ')
  return plain(text).replaceAll(/\s+/g, ' ').trim()
}

/** The actions of the page's buttons, by what stands on them. */
export function actionsOf(html: string): Map<string, Record<string, unknown>> {
  const buttons = html.matchAll(/<button[^>]*data-action="([^"]*)"[^>]*>([^<]*)</g)
  return new Map(
    [...buttons].map(([, json = '', words = '']) => [
      words,
      JSON.parse(plain(json)) as Record<string, unknown>,
    ]),
  )
}

/** The addresses of the page's links. */
export function linksOf(html: string): string[] {
  return [...html.matchAll(/href="([^"]*)"/g)].map(([, address = '']) => plain(address))
}

/** What the charts of the page draw, by their titles. */
export function chartsOf(html: string): Map<string, Chart> {
  const charts = [...html.matchAll(/data-chart="([^"]*)"/g)].map(
    ([, json = '']) => JSON.parse(plain(json)) as Chart,
  )
  return new Map(charts.map((chart) => [chart.title, chart]))
}

export interface Chart {
  readonly title: string
  readonly times: readonly number[]
  readonly span: readonly [number, number]
  readonly series: readonly { readonly name: string; readonly values: readonly (number | null)[] }[]
}

function plain(escaped: string): string {
  return escaped.replaceAll(/&(lt|gt|quot|amp|#39);/g, (entity) => NAMED[entity] ?? entity)
}
