import type { Cli } from '../cli.ts'
import type { LinesRequest } from './command.ts'
import { explain } from '../explain.ts'
import { EXIT, Failure, type ExitCode } from '../failure.ts'
import type { LineInput } from './line-input.ts'
import type { Span } from './line-sender.ts'
import { SHOWN, type Refusals } from './refusals.ts'
import type { Target } from '../target.ts'
import type { TargetQueue } from './target-queue.ts'
import { printable } from '../terminal/printable.ts'
import { showCount, showNumber, showTime } from '../terminal/words.ts'

/** How far an import came. */
export interface Standing {
  /** Every line was read and is done with. */
  readonly isDone: boolean
  /** Jobs that were stored; with `--atomic` only if it is done and none was refused. */
  readonly jobs: number
  readonly refused: number
  readonly blank: number
  readonly fromLine: number
  /** The first line that is not done with. */
  readonly nextLine: number
  /** Sent, and the answer was lost. */
  readonly unknown: Span | undefined
  readonly failure: { readonly error: unknown } | undefined
}

/** An import that has ended. */
export interface Ended {
  readonly request: LinesRequest
  readonly cli: Cli
  readonly input: LineInput
  readonly target: Target
  readonly into: TargetQueue
  readonly refusals: Refusals
  readonly standing: Standing
  readonly tookMs: number
}

/** Says what went in and what did not, and how to go on; throws what ended it early. */
export function report(ended: Ended): void {
  const { cli, standing, into } = ended
  const stored = storedJobs(ended)
  if (cli.isJson) cli.json(summary(ended, stored))
  else sayInWords(ended, stored)
  const isMade = into.isNew && stored > 0
  if (isMade)
    cli.note(`Made the queue ${printable(ended.request.queueName)}${into.fifo ? ', as FIFO' : ''}.`)
  cli.exitCode = exitCode(ended, stored)
  if (standing.failure !== undefined) throw failure(ended)
}

/** With `--atomic` nothing is in before all is. */
function storedJobs({ request, standing }: Ended): number {
  const isWhole = standing.isDone && standing.refused === 0
  return request.isAtomic && !isWhole ? 0 : standing.jobs
}

function exitCode({ cli, standing }: Ended, stored: number): ExitCode {
  if (!standing.isDone) return cli.stoppedWith ?? EXIT.failed
  if (standing.refused === 0) return EXIT.done
  return stored > 0 ? EXIT.partly : EXIT.failed
}

function sayInWords(ended: Ended, stored: number): void {
  const { cli, standing, tookMs, request, refusals, input } = ended
  const { refused, isDone } = standing
  if (refused > SHOWN) {
    const where =
      request.errorsFile === undefined
        ? 'pass --errors <path> to have them all written'
        : `all of them are in ${printable(request.errorsFile)}`
    cli.note(`… and ${showCount(refused - refusals.first.length, 'more line')}; ${where}.`)
  }
  if (isDone && refused === 0 && standing.jobs === 0) {
    return cli.print(
      `Nothing to enqueue: there is no job in ${input.name}${standing.fromLine > 1 ? ` from line ${standing.fromLine} on` : ''}.`,
    )
  }
  const perSecond = Math.round((stored * 1_000) / Math.max(1, tookMs))
  const speed = stored >= 1_000 ? ` in ${showTime(tookMs)} (${showNumber(perSecond)} jobs/s)` : ''
  const bad =
    refused === 0 ? '' : `; ${showCount(refused, 'line')} ${refused === 1 ? 'was' : 'were'} refused`
  const none = request.isAtomic && stored === 0 ? ', as --atomic wants all or none' : ''
  cli.print(
    `Enqueued ${showCount(stored, 'job')} into ${printable(request.queueName)}${speed}${bad}${none}.`,
  )
  if (!isDone && standing.failure === undefined) cli.note(`Stopped. ${howToGoOn(ended)}`)
}

function summary(
  { request, into, standing, tookMs, refusals, cli }: Ended,
  stored: number,
): object {
  const { isDone, refused, blank, nextLine, unknown } = standing
  return {
    queueName: request.queueName,
    isNewQueue: into.isNew && stored > 0,
    isDone,
    enqueued: stored,
    refused,
    blank,
    ...(isDone ? {} : { nextLine: request.isAtomic ? request.fromLine : nextLine }),
    ...(unknown === undefined ? {} : { unknown }),
    ...(cli.stoppedWith === undefined ? {} : { stopped: true }),
    tookMs: Math.round(tookMs),
    errors: refusals.first,
  }
}

/** What ended it early, and what is known of each line. */
function failure(ended: Ended): Failure {
  const { standing, target } = ended
  const error = standing.failure?.error
  const isUnknown = standing.unknown !== undefined
  const what = isUnknown
    ? 'The connection was lost before the answer came (OUTCOME_UNKNOWN).'
    : (explain(error, target.place, target.schema)?.message ?? sentence(error))
  return new Failure(`${what} ${howToGoOn(ended)}`, { cause: error })
}

function sentence(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error)
  return `${printable(message).replace(/\.$/, '')}.`
}

function howToGoOn({ request, standing }: Ended): string {
  const { unknown, nextLine, fromLine } = standing
  if (request.isAtomic) {
    if (unknown === undefined) return 'Nothing went in.'
    return `Either all ${showCount(unknown.jobs, 'job')} are in or none: see millrace queues before you try again.`
  }
  const before = nextLine > fromLine ? `Lines ${fromLine} to ${nextLine - 1} are done with. ` : ''
  if (unknown === undefined) return `${before}Go on with --from-line ${nextLine}.`
  return (
    `${before}Lines ${unknown.from} to ${unknown.to} (${showCount(unknown.jobs, 'job')}) are either all in or not at all: ` +
    `look at the newest jobs of the queue, and go on with --from-line ${unknown.to + 1} if they are there, otherwise with --from-line ${unknown.from}.`
  )
}
