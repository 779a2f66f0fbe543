import { Argument, Option, type Command } from 'commander'
import { Querier } from '../../querier.ts'
import type { QuerierSelection } from '../../where-options.ts'
import type { Cli } from '../cli.ts'
import {
  filterOf,
  filterOptions,
  isFiltered,
  limitOption,
  queueOption,
  readJobIds,
  statusOption,
} from '../command-parts.ts'
import { EXIT, usageFailure } from '../failure.ts'
import { requireQueue } from '../known-queue.ts'
import { quote, showCommand } from '../show-command.ts'
import { withTarget } from '../target.ts'
import { showCount, showNumber } from '../terminal/words.ts'
import type { Deed, SteerOptions } from './deed.ts'
import { findJob } from './show.ts'
import { exitCodeOf, noteRefusals, SAMPLE, showSample, type Tally } from './tally.ts'

const DEEDS: readonly Deed[] = [
  {
    verb: 'cancel',
    done: 'cancelled',
    summary: 'cancel jobs that wait or run',
    description:
      'cancel jobs that wait; of a running job the signal aborts, and it ends as cancelled unless it finishes',
    statuses: ['available', 'running'],
    act: (querier, queue, id) => querier.cancel(queue, id),
    actWhere: (querier, filter, options) => querier.cancelWhere(filter, options),
  },
  {
    verb: 'retry',
    done: 'made available again',
    summary: 'make failed or cancelled jobs available again',
    description: 'make failed or cancelled jobs available again, with a fresh set of attempts',
    statuses: ['failed', 'cancelled'],
    act: (querier, queue, id) => querier.retry(queue, id),
    actWhere: (querier, filter, options) => querier.retryWhere(filter, options),
  },
  {
    verb: 'delete',
    done: 'deleted',
    summary: 'delete jobs, and all that is known of them',
    description: 'delete jobs in any status but running, and all that is known of them',
    statuses: ['available', 'finished', 'failed', 'cancelled'],
    act: (querier, queue, id) => querier.delete(queue, id),
    actWhere: (querier, filter, options) => querier.deleteWhere(filter, options),
  },
]

/** `millrace jobs cancel|retry|delete` */
export function addSteer(jobs: Command, cli: Cli): void {
  for (const deed of DEEDS) addDeed(jobs, deed, cli)
}

function addDeed(jobs: Command, deed: Deed, cli: Cli): void {
  const { verb, summary, description } = deed
  const command = jobs
    .command(verb)
    .summary(summary)
    .description(description)
    .addArgument(new Argument('[ids...]', 'the jobs; or none, and filters').argParser(readJobIds))
    .addOption(queueOption())
    .addOption(statusOption(deed.statuses))
  for (const option of filterOptions()) command.addOption(option)
  command
    .addOption(limitOption('with filters: how many at most (default: all)'))
    .addOption(new Option('--dry-run', 'only say how many jobs that would be, and show the first'))
    .addOption(new Option('-y, --yes', 'with filters: do not ask'))
    .addHelpText('after', examplesOf(verb))
    .action(async (ids: string[] | undefined, _options: unknown, command: Command) => {
      const options = command.optsWithGlobals<SteerOptions>()
      if (ids !== undefined && ids.length > 0) await steerIds(deed, ids, options, cli)
      else await steerFiltered(deed, options, cli)
    })
}

function examplesOf(verb: string): string {
  const filters = verb === 'retry' ? '--error timeout --newer-than 1d' : '--older-than 7d'
  return `
Examples:
  $ millrace jobs ${verb} 42 43
  $ millrace jobs ${verb} --queue emails ${filters} --dry-run
  $ millrace jobs ${verb} --metadata '{"tenant":7}' --limit 100 --yes
`
}

async function steerIds(
  deed: Deed,
  ids: readonly string[],
  options: SteerOptions,
  cli: Cli,
): Promise<void> {
  if (isFiltered(options) || options.limit !== undefined) {
    throw usageFailure('Pass ids or filters, not both: a job that is named needs no filter.')
  }
  await withTarget(options, cli, {}, async ({ db, schema }) => {
    const querier = new Querier(db, { schema })
    const tally: Tally = { done: 0, isExact: true, refused: [], sample: [] }
    for (const id of new Set(ids)) {
      const reason = await steerOne(deed, querier, id, options, tally)
      if (reason === undefined) tally.done += 1
      else tally.refused.push({ id, reason })
    }
    report(deed, tally, options, cli)
  })
}

/** Why not, or undefined when it was done. */
async function steerOne(
  { verb, statuses, act }: Deed,
  querier: Querier,
  id: string,
  { queue, dryRun }: SteerOptions,
  tally: Tally,
): Promise<string | undefined> {
  const { sample } = tally
  const job = await findJob(querier, id, queue)
  if (job === undefined) return 'is not there'
  const isDone =
    dryRun === true ? statuses.includes(job.status) : await act(querier, job.queueName, id)
  if (isDone && sample.length < SAMPLE) sample.push(job)
  if (isDone && job.status === 'running') tally.asked = (tally.asked ?? 0) + 1
  if (isDone) return undefined
  return verb === 'retry' && job.originQueue !== null && job.status === 'available'
    ? `waits in a dead-letter queue, from which "${showCommand(`redrive ${quote(job.queueName)} --id ${id}`)}" sends it back`
    : `is ${job.status}`
}

async function steerFiltered(deed: Deed, options: SteerOptions, cli: Cli): Promise<void> {
  const { verb, actWhere } = deed
  const { queue, limit, dryRun, yes } = options
  if (queue === undefined && !isFiltered(options)) {
    throw usageFailure(
      `Which jobs? Pass ids, or a filter such as --queue. Try: millrace jobs ${verb} --help`,
    )
  }
  await withTarget(options, cli, {}, async ({ db, schema }) => {
    const querier = new Querier(db, { schema })
    if (queue !== undefined) await requireQueue(querier, queue)
    const filter = { ...filterOf(options), queueName: queue, all: true }
    const { count, isExact, sample } = await actWhere(querier, filter, { dryRun: true, limit })
    const tally: Tally = { done: count, isExact, refused: [], sample: [...sample] }
    if (dryRun === true || count === 0) return report(deed, tally, options, cli)
    const number = `${isExact ? '' : 'at least '}${showCount(count, 'job')}`
    const question = `${verb.charAt(0).toUpperCase()}${verb.slice(1)} ${number}?`
    if (yes !== true && !(await cli.confirm(question))) {
      cli.exitCode = EXIT.failed
      return cli.note('Nothing was changed.')
    }
    report(deed, await steerAll(deed, querier, filter, tally, options, cli), options, cli)
  })
}

/** Does it to as many as were counted, until the signal to stop. */
async function steerAll(
  { actWhere }: Deed,
  querier: Querier,
  filter: QuerierSelection,
  { done: count, isExact }: Tally,
  { limit }: SteerOptions,
  cli: Cli,
): Promise<Tally> {
  const tally: Tally = { done: 0, isExact: true, refused: [], sample: [] }
  const progress = cli.progress()
  try {
    await actWhere(querier, filter, {
      limit: isExact ? count : limit,
      signal: cli.stop,
      onBatch: ({ changed, refused }) => {
        tally.done += changed.length
        for (const id of refused) tally.refused.push({ id, reason: 'has changed meanwhile' })
        const seen = tally.done + tally.refused.length
        const all = `${showNumber(count)}${isExact ? '' : ' or more'} jobs`
        if (!cli.isJson) progress.show(`${showNumber(seen)} of ${all}`, Math.min(1, seen / count))
      },
    })
  } finally {
    progress.end()
  }
  if (filter.status === 'running') tally.asked = tally.done
  return tally
}

function report(deed: Deed, tally: Tally, { dryRun }: SteerOptions, cli: Cli): void {
  const { done, asked = 0, isExact, refused, sample } = tally
  cli.exitCode = exitCodeOf(tally, cli)
  const isDryRun = dryRun === true
  const ofCancel = deed.verb === 'cancel' && !isDryRun ? { asked } : {}
  const answer = { action: deed.verb, dryRun: isDryRun, done, ...ofCancel, refused }
  if (cli.isJson) return cli.json(isDryRun ? { ...answer, isExact, sample } : answer)
  noteRefusals(tally, `cannot be ${deed.done}`, cli)
  if (!isDryRun) {
    const ended = done - asked
    if (ended > 0 || asked === 0)
      cli.print(`${showCount(ended, 'job')} ${ended === 1 ? 'was' : 'were'} ${deed.done}.`)
    if (asked > 0)
      cli.print(`${showCount(asked, 'running job')} ${asked === 1 ? 'was' : 'were'} asked to end.`)
    return
  }
  cli.print(`${isExact ? '' : 'At least '}${showCount(done, 'job')} would be ${deed.done}.`)
  showSample(tally, cli)
}
