import type { MillraceEvent } from '../../core/events.ts'
import { describeEvent, type LogLevel, type LogLine } from '../../core/log-wording.ts'
import type { Cli } from '../cli.ts'
import type { Look } from '../terminal/paint.ts'
import { printable } from '../terminal/printable.ts'
import type { AnyQueue } from './find-queues.ts'

const LOOKS: Readonly<Record<LogLevel, Look>> = {
  debug: 'quiet',
  info: 'quiet',
  warn: 'warning',
  error: 'bad',
}

/** What is logged. */
export interface LogOptions {
  /** Each job, too. */
  readonly isVerbose: boolean
  /** The queues log their warnings themselves, so that people need not read them twice. */
  readonly warnThemselves: boolean
}

/** What the queues of this process are at. */
export interface Watched {
  /** Jobs that run now. */
  readonly running: ReadonlySet<string>
}

/** Logs what happens to queues: a line each for people, JSON Lines for machines. */
export function logEvents(queues: readonly AnyQueue[], cli: Cli, options: LogOptions): Watched {
  const running = new Set<string>()
  // What concerns the whole process comes once for each queue.
  const seen = new WeakSet<MillraceEvent>()
  const hear = (event: MillraceEvent): void => {
    if (seen.has(event)) return
    seen.add(event)
    count(event, running)
    const line = describe(event)
    if (isWanted(line.level, cli, options)) write(line, cli)
  }
  for (const queue of queues) queue.observe(hear)
  return { running }
}

function count(event: MillraceEvent, running: Set<string>): void {
  if (!('jobId' in event)) return
  if (event.type === 'job.started') running.add(event.jobId)
  else if (ENDS.has(event.type)) running.delete(event.jobId)
}

const ENDS: ReadonlySet<MillraceEvent['type']> = new Set([
  'job.finished',
  'job.retried',
  'job.failed',
  'job.dead_lettered',
  'job.snoozed',
  'job.given_back',
  'job.lease_lost',
])

/** A queue of another release may know events that this one has no words for. */
function describe(event: MillraceEvent): LogLine {
  try {
    return describeEvent(event)
  } catch {
    const { type, ...fields } = event
    return { level: 'info', message: `${type}.`, fields: { event: type, ...fields } }
  }
}

function isWanted(level: LogLevel, { isJson }: Cli, options: LogOptions): boolean {
  if (level === 'debug') return options.isVerbose
  return level === 'info' || isJson || !options.warnThemselves
}

function write({ level, message, fields }: LogLine, cli: Cli): void {
  const time = new Date().toISOString()
  if (cli.isJson)
    return cli.jsonLine({ time, level, message: cli.withoutSecrets(message), ...fields })
  const stamp = cli.err.paint('quiet', time.slice(11, 19))
  cli.note(`${stamp} ${cli.err.paint(LOOKS[level], printable(cli.withoutSecrets(message)))}`)
}
