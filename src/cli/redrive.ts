import { Option, type Command } from 'commander'
import type { JobRecord } from '../core/job.ts'
import { DEFAULT_MAX_BYTES, encodeArgs } from '../core/json.ts'
import { Querier } from '../querier.ts'
import type { Cli } from './cli.ts'
import {
  filterOf,
  filterOptions,
  isFiltered,
  limitOption,
  readJobIds,
  type FilterValues,
} from './command-parts.ts'
import { usageFailure } from './failure.ts'
import { readArgs } from './job-flags.ts'
import { exitCodeOf, noteRefusals, SAMPLE, showSample, type Tally } from './jobs/tally.ts'
import { requireQueue } from './known-queue.ts'
import type { GlobalOptions } from './place.ts'
import { withTarget } from './target.ts'
import { printable } from './terminal/printable.ts'
import { showCount } from './terminal/words.ts'

interface RedriveOptions extends GlobalOptions, FilterValues {
  readonly id?: readonly string[]
  readonly args?: string
  readonly limit?: number
  readonly dryRun?: boolean
}

/** `millrace redrive <dlq>` */
export function addRedrive(program: Command, cli: Cli): void {
  const redrive = program
    .command('redrive')
    .summary('send dead letters back to where they came from')
    .description(
      'send the jobs of a dead-letter queue back to where they came from, the oldest first',
    )
    .argument('<dlq>', 'the dead-letter queue')
    .addOption(
      new Option('--id <id>', 'only this job; may be given several times').argParser(readJobIds),
    )
    .addOption(
      new Option(
        '--args <json>',
        'with one --id: other arguments; - reads them from standard input',
      ),
    )
  for (const option of filterOptions()) redrive.addOption(option)
  redrive
    .addOption(limitOption('how many at most (default: all)'))
    .addOption(new Option('--dry-run', 'only say how many jobs that would be, and show the first'))
    .addHelpText('after', EXAMPLES)
    .action(async (dlq: string, _options: unknown, command: Command) => {
      await run(dlq, command.optsWithGlobals<RedriveOptions>(), cli)
    })
}

const EXAMPLES = `
Examples:
  $ millrace redrive emails-dead --dry-run
  $ millrace redrive emails-dead --limit 1    (try one first)
  $ millrace redrive emails-dead --error timeout --newer-than 1d
  $ millrace redrive emails-dead --id 42 --args '{"to":"ada@example.org"}'
`

async function run(dlq: string, options: RedriveOptions, cli: Cli): Promise<void> {
  const { id: ids, args, limit } = options
  if (ids !== undefined && (isFiltered(options) || limit !== undefined)) {
    throw usageFailure('Pass --id or filters, not both: a job that is named needs no filter.')
  }
  if (args !== undefined && ids?.length !== 1) {
    throw usageFailure('--args goes with one --id: they are the arguments of one job.')
  }
  const edited = args === undefined ? undefined : { args: await readArgs(args, cli) }
  if (edited !== undefined) encodeArgs(edited.args, { maxBytes: DEFAULT_MAX_BYTES })
  await withTarget(options, cli, {}, async ({ db, schema }) => {
    const querier = new Querier(db, { schema })
    await requireQueue(querier, dlq)
    const tally =
      ids === undefined
        ? await redriveFiltered(querier, dlq, options, cli)
        : await redriveNamed(querier, dlq, ids, edited, options)
    report(dlq, tally, options, cli)
  })
}

async function redriveFiltered(
  querier: Querier,
  dlq: string,
  options: RedriveOptions,
  cli: Cli,
): Promise<Tally> {
  const { limit, dryRun } = options
  const filter = { ...filterOf(options), queueName: dlq, all: true }
  if (dryRun === true) {
    const { count, isExact, sample } = await querier.redriveWhere(filter, { dryRun, limit })
    return { done: count, isExact, refused: [], sample: [...sample] }
  }
  const tally: Tally = { done: 0, isExact: true, refused: [], sample: [] }
  await querier.redriveWhere(filter, {
    limit,
    signal: cli.stop,
    onBatch: ({ changed, refused }) => {
      tally.done += changed.length
      for (const id of refused) tally.refused.push({ id, reason: 'has changed meanwhile' })
    },
  })
  return tally
}

async function redriveNamed(
  querier: Querier,
  dlq: string,
  ids: readonly string[],
  edited: { readonly args: unknown } | undefined,
  { dryRun }: RedriveOptions,
): Promise<Tally> {
  const tally: Tally = { done: 0, isExact: true, refused: [], sample: [] }
  const options = edited === undefined ? {} : { edit: () => edited.args }
  for (const id of new Set(ids)) {
    // Before it goes: afterwards it is found where it came from.
    const job = await querier.get(dlq, id)
    const reason = whyNot(job, dlq)
    const isDone =
      reason === undefined &&
      (dryRun === true || (await querier.redriveMany(dlq, [id], options)).length > 0)
    if (!isDone) tally.refused.push({ id, reason: reason ?? 'has changed meanwhile' })
    else if (job !== undefined) {
      tally.done += 1
      if (tally.sample.length < SAMPLE) tally.sample.push({ ...job, ...edited })
    }
  }
  return tally
}

/** Why the job cannot go back, as far as can be seen. */
function whyNot(job: JobRecord | undefined, dlq: string): string | undefined {
  if (job === undefined) return 'is not there'
  if (job.queueName !== dlq) return `is in the queue ${job.queueName}`
  if (job.status !== 'available') return `is ${job.status}`
  return job.originQueue === null ? 'did not come from another queue' : undefined
}

function report(dlq: string, tally: Tally, options: RedriveOptions, cli: Cli): void {
  const { done, isExact, refused, sample } = tally
  cli.exitCode = exitCodeOf(tally, cli)
  const dryRun = options.dryRun === true
  const answer = { queue: dlq, dryRun, redriven: done, refused }
  if (cli.isJson) return cli.json(dryRun ? { ...answer, isExact, sample } : answer)
  noteRefusals(tally, 'cannot go back', cli)
  const queue = printable(dlq)
  if (done === 0 && refused.length === 0) {
    const such = isFiltered(options) ? 'No such job' : 'No job'
    return cli.print(`${such} waits in ${queue} that came from another queue.`)
  }
  const number = `${isExact ? '' : 'At least '}${showCount(done, 'job')}`
  cli.print(`${number} of ${queue} ${dryRun ? 'would go' : 'went'} back.`)
  if (dryRun) showSample(tally, cli)
}
