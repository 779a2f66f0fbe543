import { Option, type Command } from 'commander'
import { resolveReceiveOptions, type ReceiveOptions } from '../../core/receive-options.ts'
import { receiveAll } from '../../receive-all.ts'
import type { Cli } from '../cli.ts'
import { readDuration, readInteger } from '../command-parts.ts'
import { checkFlags } from '../flags.ts'
import { printable } from '../terminal/printable.ts'
import { showCount, showTime } from '../terminal/words.ts'
import { endSoon } from './end-soon.ts'
import { logEvents, type Watched } from './log-events.ts'
import { withQueues, type OpenQueues, type QueueFlags } from './open-queues.ts'

interface WorkFlags extends QueueFlags, Pick<ReceiveOptions, 'shutdownTimeout' | 'leaseTimeout'> {
  readonly concurrency?: number
  readonly verbose?: true
}

/** `millrace work <module>` */
export function addWork(program: Command, cli: Cli): void {
  program
    .command('work')
    .description('run the jobs of queues until you stop it')
    .argument('<module>', 'exports a JobQueue, an array of them, or a worker function')
    .addOption(
      new Option('-q, --queue <name>', "the worker function's queue, or one of those exported"),
    )
    .addOption(
      new Option(
        '--concurrency <number>',
        'jobs of each queue that run at once (default: 10)',
      ).argParser(readInteger(1, 10_000)),
    )
    .addOption(
      new Option(
        '--shutdown-timeout <duration>',
        'how long running jobs may go on after a stop (default: 25s)',
      ).argParser(readDuration),
    )
    .addOption(
      new Option(
        '--lease-timeout <duration>',
        'a process not heard of for so long is dead (default: 30s)',
      ).argParser(readDuration),
    )
    .addOption(new Option('-v, --verbose', 'log each job, too'))
    .addHelpText('after', AFTER_HELP)
    .action(async (specifier: string, _own: unknown, command: Command) => {
      await work(specifier, command.optsWithGlobals<WorkFlags>(), cli).finally(() => endSoon(cli))
    })
}

const AFTER_HELP = `
SIGTERM or Ctrl-C: takes no more jobs, lets the running ones finish, and exits with 0. A second one ends at once.
The queues that a module exports have their own database; a worker function works on the one that is named here.

Examples:
  $ millrace work ./queues.js --concurrency 20
  $ millrace work ./send-email.js --queue emails
`

async function work(specifier: string, flags: WorkFlags, cli: Cli): Promise<void> {
  const { concurrency, shutdownTimeout, leaseTimeout } = flags
  const options = { signal: cli.stop, concurrency, shutdownTimeout, leaseTimeout }
  const { shutdownTimeoutMs } = checkFlags(() => resolveReceiveOptions(options))
  await withQueues(specifier, flags, cli, async (opened) => {
    const { queues, areTheirOwn } = opened
    sayStart(opened, flags, cli)
    const watched = logEvents(queues, cli, {
      isVerbose: flags.verbose === true,
      warnThemselves: areTheirOwn,
    })
    const say = (): void => sayStopping(watched, shutdownTimeoutMs, cli)
    cli.stop.addEventListener('abort', say, { once: true })
    try {
      await receiveAll(queues, options)
    } finally {
      cli.stop.removeEventListener('abort', say)
    }
    cli.note('Stopped.')
  })
}

function sayStart({ queues, database }: OpenQueues, flags: WorkFlags, cli: Cli): void {
  const names = queues.map(({ queueName }) => queueName)
  const concurrency = flags.concurrency ?? 10
  if (cli.isJson) {
    const time = new Date().toISOString()
    const message = 'Working.'
    return cli.jsonLine({
      time,
      level: 'info',
      message,
      event: 'work.started',
      queues: names,
      concurrency,
      database,
      pid: process.pid,
    })
  }
  const each = queues.length === 1 ? '' : ' each'
  cli.note(
    `Queue${names.length === 1 ? ' ' : 's'}    ${printable(names.join(', '))} (${showCount(concurrency, 'job')} at once${each})`,
  )
  cli.note(`Database  ${database}`)
  cli.note(`Working as process ${process.pid}; Ctrl-C stops it.`)
}

function sayStopping({ running }: Watched, shutdownTimeoutMs: number, cli: Cli): void {
  const isIdle = running.size === 0
  const wait = `up to ${showTime(shutdownTimeoutMs)}`
  const what = isIdle
    ? 'no job is running'
    : `waiting ${wait} for ${showCount(running.size, 'running job')}`
  const message = `Stopping: ${what}. Once more ends it at once.`
  if (!cli.isJson) return cli.note(message)
  const time = new Date().toISOString()
  cli.jsonLine({ time, level: 'info', message, event: 'work.stopping', running: running.size })
}
