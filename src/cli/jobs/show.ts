import { Argument, type Command } from 'commander'
import type { JobError, JobLogLine, JobRecord } from '../../core/job.ts'
import { Querier } from '../../querier.ts'
import type { Cli } from '../cli.ts'
import { queueOption, readJobId } from '../command-parts.ts'
import { Failure } from '../failure.ts'
import { requireQueue } from '../known-queue.ts'
import type { GlobalOptions } from '../place.ts'
import { showCommand } from '../show-command.ts'
import { withTarget } from '../target.ts'
import { printable, printableLines } from '../terminal/printable.ts'
import { showExactly } from '../terminal/times.ts'
import { showCount, showTime } from '../terminal/words.ts'
import { STATUS_LOOKS } from './list.ts'
import { lastLines, showLines } from './log-lines.ts'

/** More of the log is in `jobs logs`. */
const SHOWN_LINES = 10

interface ShowOptions extends GlobalOptions {
  readonly queue?: string
}

/** `millrace jobs show <id>` */
export function addShow(jobs: Command, cli: Cli): void {
  jobs
    .command('show')
    .summary('show everything that is known of a job')
    .description(
      'show everything that is known of a job: what happened when, arguments, progress, result, errors, the end of its log',
    )
    .addArgument(new Argument('<id>', 'the job').argParser(readJobId))
    .addOption(queueOption('the queue in which it is or was (default: look into all)'))
    .addHelpText('after', EXAMPLES)
    .action(async (id: string, _options: unknown, command: Command) => {
      await show(id, command.optsWithGlobals<ShowOptions>(), cli)
    })
}

const EXAMPLES = `
Examples:
  $ millrace jobs show 42
  $ millrace jobs show 42 --json | jq .errors
`

async function show(id: string, options: ShowOptions, cli: Cli): Promise<void> {
  await withTarget(options, cli, {}, async ({ db, schema }) => {
    const querier = new Querier(db, { schema })
    const job = await findJob(querier, id, options.queue)
    if (job === undefined) throw new Failure(noSuchJob(id, options.queue))
    if (cli.isJson) return cli.json(job)
    for (const line of linesOf(job, cli)) cli.print(line)
    const lines = await lastLines(querier, job, SHOWN_LINES)
    for (const line of logOf(job, lines, cli)) cli.print(line)
  })
}

/** The job in the queue that was named, or in whichever it is. */
export async function findJob(
  querier: Querier,
  id: string,
  queue: string | undefined,
): Promise<JobRecord | undefined> {
  if (queue === undefined) return querier.find(id)
  await requireQueue(querier, queue)
  return querier.get(queue, id)
}

/** Whoever ended and expired is not there either. */
export function noSuchJob(id: string, queue: string | undefined): string {
  const where = queue === undefined ? '' : ` in the queue ${printable(queue)}`
  return `There is no job ${id}${where}: it never was, was deleted, or ended so long ago that it is not kept.`
}

function* linesOf(job: JobRecord, { out }: Cli): Generator<string> {
  const { paint } = out
  const look = STATUS_LOOKS[job.status] ?? 'title'
  yield `${paint('title', `Job ${job.id}`)} · ${paint(look, job.status)}`
  yield ''
  yield* facts(job)
  yield ''
  yield paint('title', 'What happened')
  yield* timeline(job)
  yield* section('Arguments', job.args, paint)
  if (Object.keys(job.metadata).length > 0) yield* section('Metadata', job.metadata, paint)
  if (job.progressAt !== null) {
    yield* section(`Progress, ${showExactly(job.progressAt)}`, job.progress, paint)
  }
  if (job.result !== undefined) yield* section('Result', job.result, paint)
  if (job.errors.length > 0) yield* errorsOf(job, paint)
}

function* facts(job: JobRecord): Generator<string> {
  const origin = job.originQueue === null ? '' : `, a dead letter of ${printable(job.originQueue)}`
  yield `  queue   ${printable(job.queueName)}${origin}`
  const failed = job.errorCount === 0 ? '' : `, ${showCount(job.errorCount, 'failed run')} in all`
  yield `  runs    ${job.attempt} of at most ${job.maxRetries + 1}${failed}`
  if (job.tags.length > 0) yield `  tags    ${printable(job.tags.join(', '))}`
  if (job.status === 'available') yield `  due     ${showExactly(job.scheduledAt)}`
}

/** In the order of time; within a millisecond in the order of a job's life. */
function* timeline(job: JobRecord): Generator<string> {
  const moments: [at: Date, stage: number, what: string][] = [[job.createdAt, 0, 'enqueued']]
  for (const error of job.errors) {
    if (error.startedAt !== null) {
      moments.push([error.startedAt, 1, `run ${error.attempt} started`])
    }
    moments.push([error.at, 2, `run ${error.attempt} failed: ${headOf(error)}`])
  }
  if (job.startedAt !== null && !hasFailedSince(job.startedAt, job)) {
    moments.push([job.startedAt, 1, `run ${job.attempt} started`])
  }
  if (job.cancelRequestedAt !== null)
    moments.push([job.cancelRequestedAt, 2, 'somebody asked to cancel it'])
  if (job.finishedAt !== null) moments.push([job.finishedAt, 3, endOf(job)])
  moments.sort(([left, stage], [right, other]) => left.getTime() - right.getTime() || stage - other)
  for (const [at, , what] of moments) yield `  ${showExactly(at)}  ${what}`
}

/** Whether the run that started then is among those that failed. */
function hasFailedSince(startedAt: Date, { errors }: JobRecord): boolean {
  return errors.some((error) => error.startedAt?.getTime() === startedAt.getTime())
}

function endOf({ status, startedAt, finishedAt }: JobRecord): string {
  if (status !== 'finished' || startedAt === null || finishedAt === null) return status
  return `finished after ${showTime(finishedAt.getTime() - startedAt.getTime())}`
}

type Paint = Cli['out']['paint']

function* section(title: string, value: unknown, paint: Paint): Generator<string> {
  yield ''
  yield paint('title', title)
  yield indent(JSON.stringify(value, undefined, 2))
}

function* errorsOf({ errors, errorCount }: JobRecord, paint: Paint): Generator<string> {
  yield ''
  const left = errorCount - errors.length
  const omitted = left > 0 ? ` (${showCount(left, 'error')} in the middle not kept)` : ''
  yield `${paint('title', 'Errors')}${omitted}`
  for (const error of errors) {
    yield `  ${paint('quiet', `run ${error.attempt}, ${showExactly(error.at)}`)}  ${paint('bad', headOf(error))}`
    const stack = stackOf(error)
    if (stack !== '') yield paint('quiet', indent(stack, 4))
  }
}

/** The end of the log. */
function* logOf({ id }: JobRecord, lines: readonly JobLogLine[], cli: Cli): Generator<string> {
  const [first] = lines
  if (first === undefined) return
  yield ''
  const all = first.number > 1 ? ` (all of it: ${showCommand(`jobs logs ${id}`)})` : ''
  yield `${cli.out.paint('title', 'Log')}${all}`
  for (const line of showLines(lines, cli)) yield `  ${line}`
}

function headOf({ name, message }: JobError): string {
  return printable(`${name}: ${message}`)
}

/** The stack without its first lines, which repeat name and message. */
function stackOf({ stack }: JobError): string {
  const lines = (stack ?? '').split('\n')
  const first = lines.findIndex((line) => /^\s+at /.test(line))
  return first === -1
    ? ''
    : lines
        .slice(first)
        .map((line) => line.trim())
        .join('\n')
}

function indent(text: string, by = 2): string {
  return printableLines(text).replaceAll(/^/gm, ' '.repeat(by))
}
