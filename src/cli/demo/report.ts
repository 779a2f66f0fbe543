import path from 'node:path'
import type { JobRecord } from '../../index.ts'
import type { Paint } from '../terminal/paint.ts'
import { printable } from '../terminal/printable.ts'
import type { Terminal } from '../terminal/terminal.ts'
import { nearest, shorten, showBytes, showCount, showNumber, showTime } from '../terminal/words.ts'
import { showBar } from './bar.ts'
import { DEAD_LETTERS, type FileJob } from './indexing.ts'
import type { DemoRequest } from './request.ts'
import type { FileRow, KindRow, Summary } from './summary.ts'

/** The code of the demo, as it comes with the package. */
const SOURCE = path.join(import.meta.dirname, '../../../src/cli/demo/indexing.ts')

const PATH_WIDTH = 46
const KIND_WIDTH = 14
const BAR_WIDTH = 12

/** What this process did for the run: that is not in the database. */
export interface Effort {
  readonly tookMs: number
  /** Jobs that ended. */
  readonly jobs: number
  readonly runs: number
  readonly isEmbedded: boolean
}

/** Writes the end of the story: what was found, what failed, what it cost, what to try next. */
export function report(
  out: Terminal,
  summary: Summary,
  effort: Effort,
  request: DemoRequest,
): void {
  const { paint } = out
  const sections = [
    headline(summary, effort, paint),
    kinds(summary, paint),
    largest(summary, paint),
    deadLetters(summary, paint),
    cost(summary, effort, paint),
    next(effort, request, paint),
  ]
  for (const lines of sections) {
    if (lines.length > 0) out.write(`\n${lines.map((line) => `  ${line}\n`).join('')}`)
  }
  out.write('\n')
}

function headline({ kinds, deadLetterCount }: Summary, effort: Effort, paint: Paint): string[] {
  const files = sum(kinds.map((kind) => kind.files))
  const lines = sum(kinds.map((kind) => kind.lines ?? 0))
  const bytes = sum(kinds.map((kind) => kind.bytes))
  const perSecond = (effort.jobs * 1_000) / Math.max(1, effort.tookMs)
  const indexed = paint('title', `${showCount(files, 'file')} indexed`)
  const here =
    effort.jobs < files + deadLetterCount ? `, ${showNumber(effort.jobs)} of them here` : ''
  const speed = `${here} in ${showTime(effort.tookMs)}, ${showNumber(Math.round(perSecond))} jobs a second`
  const failed = deadLetterCount > 0 ? paint('bad', `, ${showNumber(deadLetterCount)} failed`) : ''
  return [
    `${paint('good', '✓')} ${indexed}${speed}${failed}`,
    paint('quiet', `  ${showBytes(bytes)}, ${showCount(lines, 'line')} of text`),
  ]
}

function kinds({ kinds, copies }: Summary, paint: Paint): string[] {
  if (kinds.length === 0) return []
  const head = `${'files'.padStart(7)}${'size'.padStart(11)}${'gzipped'.padStart(11)}   shrinks to`
  const lines = [`${paint('title', 'By kind'.padEnd(KIND_WIDTH))}${paint('quiet', head)}`]
  for (const kind of kinds) lines.push(kindLine(kind, paint))
  if (copies.files > 0) {
    const size = showBytes(copies.bytes)
    const text = `${showCount(copies.files, 'file')} with the SHA-256 of another one: ${size} twice`
    lines.push(paint('quiet', text))
  }
  return lines
}

function kindLine({ kind, files, bytes, gzipBytes }: KindRow, paint: Paint): string {
  const share = bytes === 0 ? 1 : gzipBytes / bytes
  const figures = [
    showNumber(files).padStart(7),
    showBytes(bytes).padStart(11),
    showBytes(gzipBytes).padStart(11),
  ].join('')
  const bar = paint('bar', showBar(share, BAR_WIDTH))
  return `${kind.padEnd(KIND_WIDTH)}${figures}   ${bar} ${showNumber(Math.round(share * 100)).padStart(3)} %`
}

function largest({ largest }: Summary, paint: Paint): string[] {
  if (largest.length === 0) return []
  return [paint('title', 'Largest'), ...largest.map((file) => fileLine(file, paint))]
}

function fileLine({ path, bytes, lines }: FileRow, paint: Paint): string {
  const name = shorten(printable(path), PATH_WIDTH).padEnd(PATH_WIDTH)
  const length = lines === null ? 'not text' : showCount(lines, 'line')
  return `${name}  ${showBytes(bytes).padStart(9)}  ${paint('quiet', length.padStart(14))}`
}

function deadLetters(summary: Summary, paint: Paint): string[] {
  const { deadLetters, deadLetterCount } = summary
  if (deadLetterCount === 0) return []
  const isOnlyOurs = deadLetterCount === 1
  const title = isOnlyOurs ? 'The dead letter' : `${showNumber(deadLetterCount)} dead letters`
  const more = deadLetterCount - deadLetters.length
  const lines = [paint('title', title), ...deadLetters.map((job) => deadLetterLine(job, paint))]
  if (more > 0) lines.push(paint('quiet', `  and ${showNumber(more)} more`))
  if (isOnlyOurs) {
    lines.push(
      paint(
        'quiet',
        '  It was there when its job was enqueued; the demo took it away, to show this.',
      ),
    )
  }
  lines.push(
    paint('quiet', `  In the queue ${DEAD_LETTERS} until somebody looks; redrive() sends it back.`),
  )
  return lines
}

function deadLetterLine(job: JobRecord<FileJob>, paint: Paint): string {
  const [first, last] = [job.errors[0], job.errors.at(-1)]
  const tookMs = first && last ? last.at.getTime() - first.at.getTime() : 0
  const runs = `${showCount(job.errorCount, 'run')} in ${showTime(tookMs)}`
  const what = printable(last?.message ?? job.args.path)
  return `${paint('bad', '✗')} ${what} ${paint('quiet', `job ${job.id}, ${runs}`)}`
}

function cost({ times, databaseBytes }: Summary, effort: Effort, paint: Paint): string[] {
  const { user, system } = process.cpuUsage()
  const { maxRSS } = process.resourceUsage()
  const lines = [
    paint('title', 'What it cost'),
    `${showCount(effort.runs, 'run')} for ${showCount(effort.jobs, 'job')}; each row and the end of its job in one transaction`,
    `${showTime((user + system) / 1_000)} of processor, ${showBytes(maxRSS * 1_024)} of memory, ${showBytes(databaseBytes)} of database`,
  ]
  if (times !== undefined) {
    const slowest = `${showTime(times.slowestMs)} (${shorten(printable(times.slowestPath), 24)})`
    lines.push(`A file took ${showTime(times.medianMs)} at the median, ${slowest} at most`)
  }
  if (effort.isEmbedded) lines.push('No server, no Redis: one process')
  return lines
}

function next({ isEmbedded }: Effort, request: DemoRequest, paint: Paint): string[] {
  const { command, commandWithArguments } = request
  const ways: [command: string, what: string][] = [
    [`${commandWithArguments} ../your-project`, 'a folder of yours'],
    [command, 'again: Ctrl-C or kill -9 it, then go on'],
    isEmbedded
      ? [`DATABASE_URL=… ${command}`, 'on a server; two at once share the work']
      : [command, 'in two terminals at once: they share the work'],
    [nearest(SOURCE), 'the code: a queue and its worker'],
    [`${commandWithArguments} --sql "select path, lines from millrace_demo.files limit 9"`, ''],
  ]
  return [
    paint('title', 'Try next'),
    ...ways.map(([command, what]) => `${command.padEnd(34)} ${paint('quiet', what)}`.trimEnd()),
  ]
}

function sum(figures: readonly number[]): number {
  return figures.reduce((total, figure) => total + figure, 0)
}
