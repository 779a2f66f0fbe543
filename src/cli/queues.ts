import { Option, type Command } from 'commander'
import { Querier } from '../querier.ts'
import type { QueueGlance, QueueInfo } from '../queue-info.ts'
import type { Cli } from './cli.ts'
import { STATUSES } from './command-parts.ts'
import { addPause } from './pause.ts'
import type { GlobalOptions } from './place.ts'
import { withTarget } from './target.ts'
import { printable } from './terminal/printable.ts'
import type { Column } from './terminal/table.ts'
import { showExactly } from './terminal/times.ts'
import { showNumber, showTime } from './terminal/words.ts'

interface QueuesOptions extends GlobalOptions {
  readonly exact?: boolean
}

/** A queue with what it holds. */
export interface QueueState extends QueueInfo, QueueGlance {}

/** `millrace queues`, `millrace queues pause|resume` */
export function addQueues(program: Command, cli: Cli): void {
  const command = program
    .command('queues')
    .summary('list the queues, and what is in them; pause and resume one')
    .description('list the queues: how many jobs stand where, and how long the oldest has been due')
    .addOption(new Option('--exact', 'count large queues too, where ≈ marks an estimate otherwise'))
    .addHelpText('after', EXAMPLES)
    .action(async (_options: unknown, command: Command) => {
      await queues(command.optsWithGlobals<QueuesOptions>(), cli)
    })
  addPause(command, cli)
}

const EXAMPLES = `
Examples:
  $ millrace queues
  $ millrace queues pause emails --reason 'the provider is down'
  $ millrace queues --json | jq '.queues[] | select(.longestWaitMs > 60000) | .name'
`

async function queues(options: QueuesOptions, cli: Cli): Promise<void> {
  await withTarget(options, cli, {}, async ({ db, schema }) => {
    const states = await readQueues(new Querier(db, { schema }), {
      isExact: options.exact === true,
    })
    if (cli.isJson) return cli.json({ queues: states })
    if (states.length === 0) {
      return cli.note('There are no queues yet: the first enqueue or receive makes one.')
    }
    cli.table(QUEUE_COLUMNS, states)
    for (const state of states) notePause(state, cli)
  })
}

/** Who paused it, when and why. */
function notePause({ name, paused }: QueueInfo, cli: Cli): void {
  if (paused === null) return
  const by = paused.by === null ? '' : ` by ${paused.by}`
  const reason = paused.reason === null ? '' : `: ${paused.reason}`
  cli.note(printable(`${name} was paused at ${showExactly(paused.at)}${by}${reason}`))
}

/** All queues with what they hold, in the order of their names. */
export async function readQueues(
  querier: Querier,
  { isExact = false, only }: { isExact?: boolean; only?: string } = {},
): Promise<QueueState[]> {
  const infos = await querier.queues()
  const states: QueueState[] = []
  for (const info of infos.filter(({ name }) => only === undefined || name === only)) {
    const glance = await querier.glance(info.name)
    const mustCount = isExact && !glance.isExact
    const counts = mustCount ? await querier.counts(info.name) : glance.counts
    states.push({ ...info, ...glance, counts, isExact: glance.isExact || mustCount })
  }
  return states
}

/** The columns of a table of queues. */
export const QUEUE_COLUMNS: readonly Column<QueueState>[] = [
  { title: 'queue', text: ({ name }) => name, look: () => 'title', isElastic: true },
  {
    title: 'mode',
    text: ({ fifo, paused }) => `${modeOf(fifo)}${paused === null ? '' : ', paused'}`,
    look: ({ paused }) => (paused === null ? undefined : 'bad'),
  },
  ...STATUSES.map((status): Column<QueueState> => {
    return {
      title: status,
      align: 'right',
      text: ({ counts, isExact }) => showCounted(counts[status], isExact),
      look: ({ counts }) =>
        counts[status] === 0 ? 'quiet' : status === 'failed' ? 'bad' : undefined,
    }
  }),
  {
    title: 'oldest due',
    align: 'right',
    text: ({ longestWaitMs }) => (longestWaitMs === null ? '–' : showTime(longestWaitMs)),
    look: ({ longestWaitMs }) => (longestWaitMs === null ? 'quiet' : undefined),
  },
  {
    title: 'dead letters',
    text: ({ dlq }) => dlq ?? '–',
    look: ({ dlq }) => (dlq === null ? 'quiet' : undefined),
    isElastic: true,
  },
]

/** Of nothing an estimate is exact enough. */
export function showCounted(count: number, isExact: boolean): string {
  return `${isExact || count === 0 ? '' : '≈'}${showNumber(count)}`
}

function modeOf(fifo: boolean | null): string {
  if (fifo === null) return 'not opened'
  return fifo ? 'fifo' : 'concurrent'
}
