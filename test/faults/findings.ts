import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import type { Fault } from './fault-test.ts'
import type { Verdict } from './verdict.ts'

const FOLDER = path.resolve(import.meta.dirname, '../../build/faults')

/** What a fault run found, as it is kept until the report is written. */
export interface Finding {
  readonly title: string
  readonly promise: string
  readonly repeats: string | undefined
  readonly jobs: number
  readonly faults: number
  readonly lost: number
  readonly repeated: number
  readonly unexplained: number
  readonly refused: number
  readonly wentOnAfterMs: number | undefined
  readonly ranAgainAfterMs: number | undefined
}

/** Keeps what a run found. */
export function record(fault: Fault, verdict: Verdict, refused: number): void {
  const { title, promise, repeats } = fault
  const { jobs, faults, lost, repeated, unexplained, wentOnAfterMs, ranAgainAfterMs } = verdict
  keep({
    ...{ title, promise, repeats, jobs, faults, repeated, refused, wentOnAfterMs, ranAgainAfterMs },
    ...{ lost: lost.length, unexplained: unexplained.length },
  })
}

export function keep(finding: Finding): void {
  mkdirSync(FOLDER, { recursive: true })
  const name = finding.title.toLowerCase().replaceAll(/[^a-z0-9]+/g, '-')
  writeFileSync(path.join(FOLDER, `${name}.json`), JSON.stringify(finding, undefined, 2))
}

/** All that was kept, by title. */
export function readFindings(): Finding[] {
  mkdirSync(FOLDER, { recursive: true })
  return readdirSync(FOLDER)
    .filter((name) => name.endsWith('.json'))
    .sort()
    .map((name) => JSON.parse(readFileSync(path.join(FOLDER, name), 'utf8')) as Finding)
}
