import { cpus } from 'node:os'
import { readFindings, type Finding } from './findings.ts'
import { writeSection } from '../support/generated-section.mjs'

/** Writes what the runs found into docs/reliability.md, once all are over: a `globalSetup` of vitest. */
export default function setup(): () => void {
  return () => {
    const findings = readFindings()
    if (findings.length > 0) writeSection('docs/reliability.md', 'faults', table(findings))
  }
}

function table(findings: readonly Finding[]): string {
  const day = new Date().toISOString().slice(0, 10)
  return [
    `Run on ${day}: Node ${process.versions.node}, ${cpus().length} cores that other work shares.`,
    '',
    '| what happens | jobs | faults | lost | run again | refused | work went on after | interrupted jobs ran again after |',
    '|---|--:|--:|--:|--:|--:|--:|--:|',
    ...findings.map(row),
    '',
    ...findings.flatMap(explanation),
  ].join('\n')
}

function row(finding: Finding): string {
  const { title, jobs, faults, lost, repeated, refused, wentOnAfterMs, ranAgainAfterMs } = finding
  const cells = [
    title,
    ...[jobs, faults, lost, repeated, refused].map((value) => value.toLocaleString('en-US')),
    seconds(wentOnAfterMs),
    seconds(repeated === 0 ? undefined : ranAgainAfterMs),
  ]
  return `| ${cells.join(' | ')} |`
}

function explanation({ title, promise, repeats }: Finding): string[] {
  return [`- **${title}.** ${promise}${repeats === undefined ? '' : ` ${repeats}`}`]
}

function seconds(ms: number | undefined): string {
  return ms === undefined ? '–' : `${(ms / 1_000).toFixed(1)} s`
}
