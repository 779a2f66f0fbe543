import { Argument, Option, type Command } from 'commander'
import { resolveEnqueueOptions, type JobOptions } from '../../core/enqueue-options.ts'
import { checkQueueName } from '../../core/queue-name.ts'
import { RetryPolicy } from '../../core/retry.ts'
import type { Cli } from '../cli.ts'
import { tagOption } from '../command-parts.ts'
import { usageFailure } from '../failure.ts'
import { checkFlags } from '../flags.ts'
import { readJobOptions, type JobFlags } from '../job-flags.ts'
import type { GlobalOptions } from '../place.ts'
import { enqueueLines } from './many.ts'
import { enqueueOne } from './one.ts'

/** The flags of `millrace enqueue`, as they were written. */
interface EnqueueFlags extends GlobalOptions, JobFlags {
  readonly file?: string
  readonly envelope?: true
  readonly atomic?: true
  readonly errors?: string
  readonly fromLine?: string
  readonly fifo?: true
  readonly create?: true
}

/** What `millrace enqueue` was asked to do. */
export interface EnqueueRequest {
  readonly globals: GlobalOptions
  readonly queueName: string
  /** For every job that says nothing else. */
  readonly jobOptions: JobOptions
  readonly isEnvelope: boolean
  /** `--fifo`: a queue that is made now is made so. */
  readonly fifo: boolean
  /** `--create`: make the queue, however much its name looks like another one's. */
  readonly create: boolean
}

/** And of a request for many lines. */
export interface LinesRequest extends EnqueueRequest {
  /** `-` is standard input. */
  readonly file: string
  readonly isAtomic: boolean
  readonly errorsFile: string | undefined
  readonly fromLine: number
}

/** `millrace enqueue <queue> [json]` */
export function addEnqueue(program: Command, cli: Cli): void {
  program
    .command('enqueue')
    .description('put one job or a file of jobs into a queue')
    .addArgument(new Argument('<queue>', "the queue's name; a new one is made"))
    .addArgument(new Argument('[json]', "a job's arguments, or - for JSON Lines on standard input"))
    .addOption(new Option('--file <path>', 'JSON Lines: the arguments of a job on each line'))
    .addOption(
      new Option('--envelope', 'a line is { "args": …, "delay"?: …, "priority"?: …, … } instead'),
    )
    .addOption(new Option('--atomic', 'all lines or none, in one transaction'))
    .addOption(new Option('--errors <path>', 'write every refused line there, as JSON Lines'))
    .addOption(new Option('--from-line <number>', 'go on where an earlier try ended'))
    .addOption(new Option('--max-retries <number>', 'runs after the first (default: 3)'))
    .addOption(
      new Option('--retry-policy <name>', 'how delays grow (default: exponential)').choices(
        Object.values(RetryPolicy),
      ),
    )
    .addOption(new Option('--priority <number>', '0 (first) to 9 (last) (default: 5)'))
    .addOption(
      new Option('--delay <duration>', 'not before that time has passed, such as 30s or 2h'),
    )
    .addOption(new Option('--run-at <instant>', 'not before then, such as 2027-01-31T08:00:00Z'))
    .addOption(new Option('--timeout <duration>', 'how long a run may take'))
    .addOption(new Option('--metadata <json>', 'an object of facts that are no arguments'))
    .addOption(tagOption('a word to find the job by; again: one more'))
    .addOption(
      new Option('--fifo', 'make a new queue as FIFO: strictly in order, one job at a time'),
    )
    .addOption(new Option('--create', 'make a new queue also where its name looks misspelt'))
    .addHelpText('after', EXAMPLES)
    .action(async (queueName: string, json: string | undefined, _own, command: Command) => {
      const flags = command.optsWithGlobals<EnqueueFlags>()
      const request = readRequest(queueName, flags)
      const file = sourceOf(json, flags)
      if (file === undefined) return enqueueOne(request, json ?? '', cli)
      await enqueueLines({ ...request, ...readLineFlags(flags), file }, cli)
    })
}

const EXAMPLES = `
Examples:
  $ millrace enqueue emails '{"to":"ada@example.org"}' --delay 10m
  $ millrace enqueue emails --file jobs.jsonl --errors refused.jsonl
  $ jq -c '.[]' jobs.json | millrace enqueue emails -
`

function readRequest(queueName: string, flags: EnqueueFlags): EnqueueRequest {
  checkFlags(() => checkQueueName('queue', queueName), { queue: 'The queue' })
  const fifo = flags.fifo === true
  const jobOptions = readJobOptions(flags)
  checkFlags(() => resolveEnqueueOptions(jobOptions, { fifo }))
  return {
    globals: flags,
    queueName,
    jobOptions,
    isEnvelope: flags.envelope === true,
    fifo,
    create: flags.create === true,
  }
}

/** Where the lines come from; undefined when there is one job and its arguments are on the command line. */
function sourceOf(json: string | undefined, flags: EnqueueFlags): string | undefined {
  const { file } = flags
  if (file !== undefined && json !== undefined) {
    throw usageFailure('Pass either the arguments of one job or --file, not both.')
  }
  if (file === '') throw usageFailure('--file takes the path of a file, or - for standard input.')
  if (file !== undefined || json === '-') return file ?? '-'
  if (json === undefined) {
    throw usageFailure(
      "Nothing to enqueue: pass a job's arguments as JSON, or --file jobs.jsonl, or - for standard input.",
    )
  }
  const given = (['atomic', 'errors', 'fromLine'] as const).find(
    (name) => flags[name] !== undefined,
  )
  if (given === undefined) return undefined
  const flag = given === 'fromLine' ? 'from-line' : given
  throw usageFailure(
    `--${flag} goes with many lines: pass --file jobs.jsonl, or - for standard input.`,
  )
}

function readLineFlags(
  flags: EnqueueFlags,
): Pick<LinesRequest, 'isAtomic' | 'errorsFile' | 'fromLine'> {
  const { atomic, errors, fromLine = '1' } = flags
  if (!/^[1-9]\d{0,14}$/.test(fromLine)) {
    throw usageFailure('--from-line takes the number of a line; 1 is the first.')
  }
  if (errors === '') throw usageFailure('--errors takes the path of a file.')
  return { isAtomic: atomic === true, errorsFile: errors, fromLine: Number(fromLine) }
}
