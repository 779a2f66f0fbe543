import { Option, type Command } from 'commander'
import type { JobRecord, JobStatus } from '../../core/job.ts'
import type { ListOptions } from '../../list-options.ts'
import { Querier } from '../../querier.ts'
import type { Cli } from '../cli.ts'
import {
  filterOf,
  filterOptions,
  queueOption,
  readInteger,
  readJobId,
  statusOption,
  type FilterValues,
} from '../command-parts.ts'
import { requireQueue } from '../known-queue.ts'
import type { GlobalOptions } from '../place.ts'
import { withTarget } from '../target.ts'
import type { Look } from '../terminal/paint.ts'
import type { Column } from '../terminal/table.ts'
import { showInstant } from '../terminal/times.ts'

const PAGE = 50
/** More of the arguments is in `jobs show`. */
const SHOWN_CHARACTERS = 100

interface JobsOptions extends GlobalOptions, FilterValues {
  readonly limit: number
  readonly after?: string
  readonly newest?: boolean
}

/** `millrace jobs list` */
export function addList(jobs: Command, cli: Cli): void {
  const list = jobs
    .command('list')
    .summary('list jobs')
    .description('list jobs, in the order in which they were enqueued')
    .addOption(queueOption('only jobs of this queue (default: all queues)'))
    .addOption(statusOption())
  for (const option of filterOptions()) list.addOption(option)
  list
    .addOption(
      new Option('-n, --limit <count>', 'how many at most, up to 1000')
        .argParser(readInteger(1, 1_000))
        .default(PAGE),
    )
    .addOption(
      new Option(
        '--after <id>',
        'the page behind this job: pass the last one of the page before',
      ).argParser(readJobId),
    )
    .addOption(new Option('--newest', 'the newest first'))
    .addHelpText('after', EXAMPLES)
    .action(async (_options: unknown, command: Command) => {
      await listJobs(command.optsWithGlobals<JobsOptions>(), cli)
    })
}

const EXAMPLES = `
Examples:
  $ millrace jobs list --status failed --newest
  $ millrace jobs list --queue emails --error timeout --newer-than 1h
  $ millrace jobs list --metadata '{"tenant":7}'
  $ millrace jobs list --tag import --tag customer:42
  $ millrace jobs list --json --limit 1000 | jq '.jobs[].args'
`

async function listJobs(options: JobsOptions, cli: Cli): Promise<void> {
  await withTarget(options, cli, {}, async ({ db, schema }) => {
    const querier = new Querier(db, { schema })
    const jobs = await readPage(querier, options)
    const isFull = jobs.length === options.limit
    const next = isFull ? (jobs.at(-1)?.id ?? null) : null
    if (cli.isJson) return cli.json({ jobs, next })
    if (jobs.length === 0) return cli.note('There are no such jobs.')
    cli.table(JOB_COLUMNS, jobs)
    if (next !== null) cli.note(cli.err.paint('quiet', `There may be more: --after ${next}`))
  })
}

/** A page of one queue, or of all of them together: ids are unique over all queues. */
async function readPage(querier: Querier, options: JobsOptions): Promise<JobRecord[]> {
  const { queue, limit } = options
  if (queue !== undefined) {
    await requireQueue(querier, queue)
    return querier.list(queue, listOptionsOf(options))
  }
  let page: JobRecord[] = []
  for (const { name } of await querier.queues()) {
    const more = await querier.list(name, listOptionsOf(options))
    page = [...page, ...more].sort((left, right) => compareIds(left.id, right.id)).slice(0, limit)
  }
  return page

  function compareIds(left: string, right: string): number {
    const order = left.length - right.length || (left < right ? -1 : 1)
    return options.newest === true ? -order : order
  }
}

function listOptionsOf(options: JobsOptions): ListOptions {
  const { after, limit, newest } = options
  return { ...filterOf(options), after, limit, order: newest === true ? 'newest' : 'oldest' }
}

/** How each status looks, everywhere. */
export const STATUS_LOOKS: Readonly<Record<JobStatus, Look | undefined>> = {
  available: undefined,
  running: 'bar',
  finished: 'good',
  failed: 'bad',
  cancelled: 'quiet',
}

/** A job in one line. */
export const JOB_COLUMNS: readonly Column<JobRecord>[] = [
  { title: 'id', text: ({ id }) => id, align: 'right', look: () => 'title' },
  { title: 'queue', text: ({ queueName }) => queueName, isElastic: true },
  { title: 'status', text: ({ status }) => status, look: ({ status }) => STATUS_LOOKS[status] },
  { title: 'run', text: ({ attempt, maxRetries }) => `${attempt} of ${maxRetries + 1}` },
  { title: 'enqueued', text: ({ createdAt }) => showInstant(createdAt), look: () => 'quiet' },
  {
    title: 'arguments',
    text: ({ args }) => JSON.stringify(args).slice(0, SHOWN_CHARACTERS),
    isElastic: true,
  },
  { title: 'last error', text: lastError, look: () => 'bad', isElastic: true },
]

function lastError({ errors }: JobRecord): string {
  const last = errors.at(-1)
  return last === undefined ? '' : `${last.name}: ${last.message}`.slice(0, SHOWN_CHARACTERS)
}
