import { writeFileSync } from 'node:fs'
import path from 'node:path'
import { lineChart } from '../../bench/report/charts/lines.ts'
import type { Colour } from '../../bench/report/charts/theme.ts'
import { writeSection } from '../support/generated-section.mjs'
import type { Verdict } from './verdict.ts'

/** What was measured at the end of a minute. */
export interface Minute {
  readonly minute: number
  readonly jobsPerSecond: number
  readonly jobsMb: number
  readonly historyMb: number
  readonly connections: number
  /** Bytes, after a collection. */
  readonly workerHeap: number
  readonly producerHeap: number
}

const FOLDER = path.resolve(import.meta.dirname, '../../docs/reliability')

/** Writes the table of a long run, and its charts, into docs/reliability.md. */
export function writeEndurance(minutes: readonly Minute[], verdict: Verdict): void {
  const { jobs, faults, repeated, lost, unexplained } = verdict
  const shown = minutes.filter(({ minute }) => minute % 5 === 0 || minute === 1)
  draw('throughput.svg', 'Jobs a second', minutes, [
    ['jobs/s', 'millrace', ({ jobsPerSecond }) => jobsPerSecond],
  ])
  draw('memory.svg', 'Heap after a collection, MB', minutes, [
    ['worker', 'millrace', ({ workerHeap }) => workerHeap / 1e6],
    ['producer', 'graphile', ({ producerHeap }) => producerHeap / 1e6],
  ])
  draw('size.svg', 'Tables with their indexes, MB', minutes, [
    ['jobs', 'millrace', ({ jobsMb }) => jobsMb],
    ['history', 'graphile', ({ historyMb }) => historyMb],
  ])
  writeSection(
    'docs/reliability.md',
    'endurance',
    [
      `${minutes.length} minutes on ${new Date().toISOString().slice(0, 10)}: ${jobs.toLocaleString('en-US')} jobs, ${faults} workers killed, ${lost.length} jobs lost, ${repeated.toLocaleString('en-US')} runs repeated, ${unexplained.length} of them without a reason.`,
      '',
      '| minute | jobs/s | jobs, MB | history, MB | connections | worker’s heap, MB | producer’s heap, MB |',
      '|--:|--:|--:|--:|--:|--:|--:|',
      ...shown.map(row),
      '',
      '![Throughput](reliability/throughput.svg)',
      '',
      '![Memory](reliability/memory.svg)',
      '',
      '![Sizes](reliability/size.svg)',
    ].join('\n'),
  )
}

function row({ minute, ...of }: Minute): string {
  const cells = [
    String(minute),
    of.jobsPerSecond.toFixed(0),
    of.jobsMb.toFixed(1),
    of.historyMb.toFixed(1),
    String(of.connections),
    (of.workerHeap / 1e6).toFixed(1),
    (of.producerHeap / 1e6).toFixed(1),
  ]
  return `| ${cells.join(' | ')} |`
}

function draw(
  file: string,
  title: string,
  minutes: readonly Minute[],
  curves: readonly (readonly [string, Colour, (minute: Minute) => number])[],
): void {
  const svg = lineChart(
    {
      title,
      subtitle: 'at the end of each minute',
      description: `${title}, minute by minute: ${curves.map(([label, , read]) => `${label} ${minutes.map((minute) => read(minute).toFixed(1)).join(', ')}`).join('; ')}`,
    },
    curves.map(([label, colour, read]) => ({
      ...{ label, colour, isDashed: false, isMain: colour === 'millrace' },
      points: minutes.map((minute) => [minute.minute, read(minute)] as const),
    })),
    {
      title: 'minutes',
      places: minutes
        .filter(({ minute }) => minute % 5 === 0)
        .map(({ minute }) => [minute, String(minute)] as const),
    },
  )
  writeFileSync(path.join(FOLDER, file), svg)
}
