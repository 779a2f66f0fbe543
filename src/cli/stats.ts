import { Argument, Option, type Command } from 'commander'
import type { Duration } from '../core/duration.ts'
import { Querier } from '../querier.ts'
import type { Backlog, QueueStats, StatsPoint } from '../metrics/stats.ts'
import type { StatsFigures } from '../metrics/sums.ts'
import type { Cli } from './cli.ts'
import { readDuration } from './command-parts.ts'
import { requireQueue } from './known-queue.ts'
import type { GlobalOptions } from './place.ts'
import { showCounted } from './queues.ts'
import { withTarget } from './target.ts'
import type { Column } from './terminal/table.ts'
import { showNumber, showTime } from './terminal/words.ts'

interface StatsCommandOptions extends GlobalOptions {
  readonly since: Duration
  readonly until?: Duration
  readonly by: 'minute' | 'hour'
}

/** `millrace stats` */
export function addStats(program: Command, cli: Cli): void {
  program
    .command('stats')
    .summary('say how quickly queues are worked off')
    .description(
      'say what happened in the queues, how long jobs waited and ran, and when what waits will be done',
    )
    .addArgument(new Argument('[queue]', 'one queue, by the minute; without it, all of them'))
    .addOption(
      new Option('--since <duration>', 'from so long ago').argParser(readDuration).default('1h'),
    )
    .addOption(new Option('--until <duration>', 'to so long ago').argParser(readDuration))
    .addOption(
      new Option('--by <step>', 'how long a line of the table is')
        .choices(['minute', 'hour'])
        .default('minute'),
    )
    .addHelpText('after', EXAMPLES)
    .action(async (queue: string | undefined, _options: unknown, command: Command) => {
      await stats(queue, command.optsWithGlobals<StatsCommandOptions>(), cli)
    })
}

const EXAMPLES = `
What is older than a day is known by the hour, for eight days. The last ten
seconds are not in it yet.

Examples:
  $ millrace stats
  $ millrace stats emails --since 15m
  $ millrace stats emails --since 7d --by hour
  $ millrace stats --json | jq '.queues[] | {queue, drainMs: .backlog.drainMs}'
`

async function stats(
  queueName: string | undefined,
  options: StatsCommandOptions,
  cli: Cli,
): Promise<void> {
  const { since, until, by } = options
  await withTarget(options, cli, {}, async ({ db, schema }) => {
    const querier = new Querier(db, { schema })
    if (queueName !== undefined) {
      await requireQueue(querier, queueName)
      const read = await querier.stats(queueName, { since, until, by })
      return cli.isJson ? cli.json({ queue: queueName, ...read }) : showOne(read, cli)
    }
    const all: NamedStats[] = []
    for (const { name } of await querier.queues()) {
      all.push({ queue: name, ...(await querier.stats(name, { since, until, by })) })
    }
    if (cli.isJson) return cli.json({ queues: all })
    if (all.length === 0) {
      return cli.note('There are no queues yet: the first enqueue or receive makes one.')
    }
    cli.table(QUEUE_COLUMNS, all)
  })
}

type NamedStats = { readonly queue: string } & QueueStats

function showOne({ series, total, backlog }: QueueStats, cli: Cli): void {
  cli.print(sentenceOf(backlog))
  if (series.length === 0) return cli.note('Nothing happened in this time.')
  cli.print()
  cli.table(POINT_COLUMNS, [...series.map(lineOf), { when: 'all', figures: total }])
}

/** "12 jobs are ready, the oldest for 4.2 s; at 3.1 jobs/s they take 3.9 s." */
function sentenceOf({ ready, isExact, oldestReadyMs, perSecond, drainMs }: Backlog): string {
  if (ready === 0) return 'No job is ready.'
  const jobs = ready === 1 ? 'job is' : 'jobs are'
  const oldest = oldestReadyMs === null ? '' : `, the oldest for ${showTime(oldestReadyMs)}`
  const pace =
    drainMs === null
      ? 'none ended in the last five minutes'
      : `at ${showPace(perSecond)} jobs/s they take ${showTime(drainMs)}`
  return `${showCounted(ready, isExact)} ${jobs} ready${oldest}; ${pace}.`
}

interface Line {
  readonly when: string
  readonly figures: StatsFigures
}

function lineOf(point: StatsPoint): Line {
  return { when: point.at.toISOString().slice(0, 16).replace('T', ' '), figures: point }
}

const POINT_COLUMNS: readonly Column<Line>[] = [
  { title: 'UTC', text: ({ when }) => when, look: () => 'title' },
  ...figureColumns<Line>(({ figures }) => figures),
]

const QUEUE_COLUMNS: readonly Column<NamedStats>[] = [
  { title: 'queue', text: ({ queue }) => queue, look: () => 'title', isElastic: true },
  {
    title: 'ready',
    align: 'right',
    text: ({ backlog }) => showCounted(backlog.ready, backlog.isExact),
  },
  { title: 'oldest', align: 'right', text: ({ backlog }) => showOptional(backlog.oldestReadyMs) },
  {
    title: 'done in',
    align: 'right',
    text: ({ backlog }) => (backlog.ready === 0 ? '–' : showOptional(backlog.drainMs)),
  },
  ...figureColumns<NamedStats>(({ total }) => total),
]

function figureColumns<Row>(of: (row: Row) => StatsFigures): Column<Row>[] {
  const column = (title: string, text: (figures: StatsFigures) => string): Column<Row> => {
    return { title, align: 'right', text: (row) => text(of(row)) }
  }
  return [
    column('enqueued', ({ counts }) => showNumber(counts.enqueued)),
    column('finished', ({ counts }) => showNumber(counts.finished)),
    {
      ...column('failed runs', ({ failureRate }) => showShare(failureRate)),
      look: (row) => ((of(row).failureRate ?? 0) > 0 ? 'bad' : 'quiet'),
    },
    column('jobs/s', ({ perSecond }) => showPace(perSecond)),
    column('wait p50', ({ wait }) => showOptional(wait.p50Ms)),
    column('p95', ({ wait }) => showOptional(wait.p95Ms)),
    column('run p50', ({ run }) => showOptional(run.p50Ms)),
    column('p95', ({ run }) => showOptional(run.p95Ms)),
  ]
}

function showOptional(ms: number | null): string {
  return ms === null ? '–' : showTime(ms)
}

function showPace(perSecond: number): string {
  return perSecond >= 100 ? showNumber(Math.round(perSecond)) : perSecond.toFixed(1)
}

function showShare(share: number | null): string {
  return share === null ? '–' : `${(share * 100).toFixed(1)} %`
}
