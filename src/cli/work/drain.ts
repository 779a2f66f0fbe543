import { Option, type Command } from 'commander'
import { resolveDrainOptions } from '../../core/receive-options.ts'
import type { Duration } from '../../core/duration.ts'
import type { DrainResult } from '../../reception.ts'
import type { Cli } from '../cli.ts'
import { readDuration, readInteger } from '../command-parts.ts'
import { checkFlags } from '../flags.ts'
import { printable } from '../terminal/printable.ts'
import { showCount, showNumber } from '../terminal/words.ts'
import { endSoon } from './end-soon.ts'
import type { AnyQueue } from './find-queues.ts'
import { logEvents } from './log-events.ts'
import { withQueues, type QueueFlags } from './open-queues.ts'

const MAX_LIMIT = 2_147_483_647

interface DrainFlags extends QueueFlags {
  readonly limit?: number
  readonly timeout?: Duration
  readonly concurrency?: number
  readonly verbose?: true
}

/** What one queue's drain came to. */
interface Drained extends DrainResult {
  readonly queueName: string
}

/** `millrace drain <module>` */
export function addDrain(program: Command, cli: Cli): void {
  program
    .command('drain')
    .description('run the jobs that are due now, then end')
    .argument('<module>', 'exports a JobQueue, an array of them, or a worker function')
    .addOption(
      new Option('-q, --queue <name>', "the worker function's queue, or one of those exported"),
    )
    .addOption(
      new Option('--limit <number>', 'at most so many runs over all queues').argParser(
        readInteger(1, MAX_LIMIT),
      ),
    )
    .addOption(
      new Option('--timeout <duration>', 'start no job after this time').argParser(readDuration),
    )
    .addOption(
      new Option('--concurrency <number>', 'jobs that run at once (default: 10)').argParser(
        readInteger(1, 10_000),
      ),
    )
    .addOption(new Option('-v, --verbose', 'log each job, too'))
    .addHelpText('after', AFTER_HELP)
    .action(async (specifier: string, _own: unknown, command: Command) => {
      await drain(specifier, command.optsWithGlobals<DrainFlags>(), cli).finally(() => endSoon(cli))
    })
}

const AFTER_HELP = `
Several queues are drained one after the other, in the order in which they are exported. Jobs that failed are in
the answer and in the database, and do not change the exit code: the drain itself did what it should.

Examples:
  $ millrace drain ./queues.js --timeout 50s
  $ millrace drain ./send-email.js --queue emails --json
`

async function drain(specifier: string, flags: DrainFlags, cli: Cli): Promise<void> {
  const { limit, timeout, concurrency } = flags
  const { timeoutMs } = checkFlags(() => resolveDrainOptions({ limit, timeout, concurrency }))
  await withQueues(specifier, flags, cli, async ({ queues, areTheirOwn }) => {
    if (!cli.isJson) {
      logEvents(queues, cli, { isVerbose: flags.verbose === true, warnThemselves: areTheirOwn })
    }
    answer(await drainAll(queues, { limit, timeoutMs, concurrency }, cli), cli)
    cli.exitCode = cli.stoppedWith ?? cli.exitCode
  })
}

interface Bounds {
  readonly limit: number | undefined
  readonly timeoutMs: number | undefined
  readonly concurrency: number | undefined
}

/** One after the other, within the bounds of all of them together. */
async function drainAll(
  queues: readonly AnyQueue[],
  { limit, timeoutMs, concurrency }: Bounds,
  { stop }: Cli,
): Promise<Drained[]> {
  const endsAt = performance.now() + (timeoutMs ?? Infinity)
  const drained: Drained[] = []
  let runs = 0
  for (const queue of queues) {
    const leftMs = Math.floor(endsAt - performance.now())
    const left = limit === undefined ? undefined : limit - runs
    if (stop.aborted || leftMs < 1 || left === 0) break
    const timeout = timeoutMs === undefined ? undefined : leftMs
    const result = await queue.drain({ signal: stop, limit: left, timeout, concurrency })
    runs += result.finished + result.failed + result.retried
    drained.push({ queueName: queue.queueName, ...result })
  }
  return drained
}

function answer(drained: readonly Drained[], cli: Cli): void {
  if (cli.isJson) return cli.json(drained)
  for (const { queueName, finished, failed, retried } of drained) {
    const parts = [
      `${showCount(finished, 'job')} finished`,
      cli.out.paint(failed > 0 ? 'bad' : 'quiet', `${showNumber(failed)} failed`),
      cli.out.paint(retried > 0 ? 'warning' : 'quiet', `${showNumber(retried)} to be retried`),
    ]
    cli.print(`${printable(queueName)}: ${parts.join(', ')}`)
  }
}
