import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import type { BenchmarkContext, Measurement } from '../results.ts'
import { drawCharts, type Chart } from './charts/index.ts'
import { figuresOf } from './figures.ts'
import { EMPTY_PAGE, replaceMeasured, type ChartLink } from './markdown.ts'
import { renderMeasured } from './page.ts'

/**
 * Writes `benchmarks.md`, the charts and the raw figures into the context's folder, and answers with the page's path.
 * What somebody wrote on the page, outside of its markers, stays.
 */
export function writeReport(
  measurements: readonly Measurement[],
  context: BenchmarkContext,
): string {
  const figures = figuresOf(measurements, context)
  const charts = drawCharts(figures)
  const page = path.join(context.folder, 'benchmarks.md')
  const old = existsSync(page) ? readFileSync(page, 'utf8') : EMPTY_PAGE
  const text = replaceMeasured(old, renderMeasured(figures, linksByScenario(charts)))
  const folder = path.join(context.folder, 'benchmarks')
  mkdirSync(folder, { recursive: true })
  writeCharts(folder, charts)
  // The folder says nothing to a reader and is a path of the machine.
  const { folder: _, ...facts } = context
  const raw = JSON.stringify({ context: facts, measurements }, null, 1)
  writeFileSync(path.join(folder, 'results.json'), `${raw}\n`)
  writeFileSync(page, text)
  return page
}

/** The charts of an earlier report must not stand beside these. */
function writeCharts(folder: string, charts: readonly Chart[]): void {
  for (const name of readdirSync(folder)) {
    if (name.endsWith('.svg')) rmSync(path.join(folder, name))
  }
  for (const { name, svg } of charts) writeFileSync(path.join(folder, `${name}.svg`), svg)
}

function linksByScenario(charts: readonly Chart[]): Map<string, ChartLink[]> {
  const links = new Map<string, ChartLink[]>()
  for (const { scenario, name, alternative } of charts) {
    const link = { file: `benchmarks/${name}.svg`, alternative }
    links.set(scenario, [...(links.get(scenario) ?? []), link])
  }
  return links
}
