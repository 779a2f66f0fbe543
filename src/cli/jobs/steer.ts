import { Argument, Option, type Command } from 'commander'
import { Querier } from '../../querier.ts'
import type { Cli } from '../cli.ts'
import { filterOptions, queueOption, readInteger, readJobIds } from '../command-parts.ts'
import { EXIT, usageFailure } from '../failure.ts'
import { quote, showCommand } from '../show-command.ts'
import { withTarget } from '../target.ts'
import { printable } from '../terminal/printable.ts'
import { showCount } from '../terminal/words.ts'
import { countMatches, hasFilter, matches, steerMatches } from './matches.ts'
import { findJob } from './show.ts'
import type { Deed, SteerOptions, Tally } from './deed.ts'

const DEEDS: readonly Deed[] = [
  {
    verb: 'cancel',
    done: 'cancelled',
    description: 'cancel jobs that wait; a running job is left alone',
    statuses: ['available'],
    byDefault: ['available'],
    act: (querier, queue, id) => querier.cancel(queue, id),
    actOnMany: (querier, queue, ids) => querier.cancelMany(queue, ids),
  },
  {
    verb: 'retry',
    done: 'made available again',
    description: 'make failed or cancelled jobs available again, with a fresh set of attempts',
    statuses: ['failed', 'cancelled'],
    byDefault: ['failed'],
    act: (querier, queue, id) => querier.retry(queue, id),
    actOnMany: (querier, queue, ids) => querier.retryMany(queue, ids),
  },
  {
    verb: 'delete',
    done: 'deleted',
    description: 'delete jobs in any status but running, and all that is known of them',
    statuses: ['available', 'finished', 'failed', 'cancelled'],
    byDefault: ['available', 'finished', 'failed', 'cancelled'],
    act: (querier, queue, id) => querier.delete(queue, id),
    actOnMany: (querier, queue, ids) => querier.deleteMany(queue, ids),
  },
]

/** `millrace jobs cancel|retry|delete` */
export function addSteer(jobs: Command, cli: Cli): void {
  for (const deed of DEEDS) addDeed(jobs, deed, cli)
}

function addDeed(jobs: Command, deed: Deed, cli: Cli): void {
  const { verb, description } = deed
  const command = jobs
    .command(verb)
    .description(description)
    .addArgument(new Argument('[ids...]', 'the jobs; or none, and filters').argParser(readJobIds))
    .addOption(queueOption())
  for (const option of filterOptions(deed.statuses)) command.addOption(option)
  command
    .addOption(
      new Option('-n, --limit <count>', 'with filters: how many at most (default: all)').argParser(
        readInteger(1, Number.MAX_SAFE_INTEGER),
      ),
    )
    .addOption(new Option('--dry-run', 'only say how many jobs that would be'))
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
`
}

async function steerIds(
  deed: Deed,
  ids: readonly string[],
  options: SteerOptions,
  cli: Cli,
): Promise<void> {
  const { status, olderThan, newerThan, error, limit } = options
  if ([status, olderThan, newerThan, error, limit].some((filter) => filter !== undefined)) {
    throw usageFailure('Pass ids or filters, not both: a job that is named needs no filter.')
  }
  await withTarget(options, cli, {}, async ({ db, schema }) => {
    const querier = new Querier(db, { schema })
    const tally: Tally = { done: 0, refused: [] }
    for (const id of new Set(ids)) {
      const reason = await steerOne(deed, querier, id, options)
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
): Promise<string | undefined> {
  const job = await findJob(querier, id, queue)
  if (job === undefined) return 'is not there'
  const isDone =
    dryRun === true ? statuses.includes(job.status) : await act(querier, job.queueName, id)
  if (isDone) return undefined
  return verb === 'retry' && job.originQueue !== null && job.status === 'available'
    ? `waits in a dead-letter queue, from which "${showCommand(`redrive ${quote(job.queueName)}`)}" sends it back`
    : `is ${job.status}`
}

async function steerFiltered(deed: Deed, options: SteerOptions, cli: Cli): Promise<void> {
  const { verb } = deed
  if (!hasFilter(options)) {
    throw usageFailure(
      `Which jobs? Pass ids, or a filter such as --queue. Try: millrace jobs ${verb} --help`,
    )
  }
  await withTarget(options, cli, {}, async ({ db, schema }) => {
    const querier = new Querier(db, { schema })
    const wanted = await matches(querier, deed, options)
    const count = await countMatches(querier, wanted, options)
    const tally: Tally = { done: 0, refused: [] }
    if (options.dryRun === true || count === 0) {
      tally.done = count
      return report(deed, tally, options, cli)
    }
    const question = `${verb.charAt(0).toUpperCase()}${verb.slice(1)} ${showCount(count, 'job')}?`
    if (options.yes !== true && !(await cli.confirm(question))) {
      cli.exitCode = EXIT.failed
      return cli.note('Nothing was changed.')
    }
    await steerMatches(querier, deed, wanted, count, tally, cli)
    report(deed, tally, options, cli)
  })
}

function report(deed: Deed, tally: Tally, { dryRun }: SteerOptions, cli: Cli): void {
  const { done, refused } = tally
  cli.exitCode = exitCodeOf(tally, cli)
  const isDryRun = dryRun === true
  if (cli.isJson) return cli.json({ action: deed.verb, dryRun: isDryRun, done, refused })
  for (const { id, reason } of refused) {
    cli.note(
      `${cli.err.paint('warning', '!')} Job ${id} ${printable(reason)}; it cannot be ${deed.done}.`,
    )
  }
  if (isDryRun) cli.print(`${showCount(done, 'job')} would be ${deed.done}.`)
  else cli.print(`${showCount(done, 'job')} ${done === 1 ? 'was' : 'were'} ${deed.done}.`)
}

function exitCodeOf({ done, refused }: Tally, cli: Cli): Cli['exitCode'] {
  if (cli.stoppedWith !== undefined) return cli.stoppedWith
  if (refused.length === 0) return EXIT.done
  return done === 0 ? EXIT.failed : EXIT.partly
}
