import { userInfo } from 'node:os'
import { Option, type Command } from 'commander'
import { resolvePauseOptions } from '../core/pause-options.ts'
import { Querier } from '../querier.ts'
import type { Cli } from './cli.ts'
import { checkFlags } from './flags.ts'
import { requireQueue } from './known-queue.ts'
import type { GlobalOptions } from './place.ts'
import { withTarget } from './target.ts'
import { printable } from './terminal/printable.ts'

interface PauseFlags extends GlobalOptions {
  readonly by?: string
  readonly reason?: string
}

/** `millrace queues pause|resume <queue>` */
export function addPause(queues: Command, cli: Cli): void {
  queues
    .command('pause')
    .summary('let nothing of a queue start, in any process')
    .description('let nothing of a queue start, in any process; what runs goes on to its end')
    .argument('<queue>', 'the queue')
    .addOption(new Option('--reason <text>', 'why, for those who find it paused'))
    .addOption(new Option('--by <name>', 'who pauses it (default: the user of this shell)'))
    .addHelpText('after', EXAMPLES)
    .action(async (name: string, _options: unknown, command: Command) => {
      await pause(name, command.optsWithGlobals<PauseFlags>(), cli)
    })
  queues
    .command('resume')
    .summary('let a paused queue go on')
    .description('let a paused queue go on: what is due starts at once')
    .argument('<queue>', 'the queue')
    .action(async (name: string, _options: unknown, command: Command) => {
      await resume(name, command.optsWithGlobals<GlobalOptions>(), cli)
    })
}

const EXAMPLES = `
Examples:
  $ millrace queues pause emails --reason 'the provider is down'
  $ millrace queues resume emails
`

async function pause(
  name: string,
  { by = whoIsThis(), ...flags }: PauseFlags,
  cli: Cli,
): Promise<void> {
  const note = { by, reason: flags.reason }
  checkFlags(() => resolvePauseOptions(note))
  await change('pause', name, flags, cli, (querier) => querier.pause(name, note))
}

async function resume(name: string, options: GlobalOptions, cli: Cli): Promise<void> {
  await change('resume', name, options, cli, (querier) => querier.resume(name))
}

async function change(
  action: 'pause' | 'resume',
  name: string,
  options: GlobalOptions,
  cli: Cli,
  act: (querier: Querier) => Promise<boolean>,
): Promise<void> {
  await withTarget(options, cli, {}, async ({ db, schema }) => {
    const querier = new Querier(db, { schema })
    await requireQueue(querier, name)
    const isChanged = await act(querier)
    if (cli.isJson) return cli.json({ action, queue: name, isChanged })
    const state = action === 'pause' ? 'paused' : 'resumed'
    const already = action === 'pause' ? 'was paused already' : 'was not paused'
    cli.print(printable(`${name} ${isChanged ? `is ${state}` : already}.`))
  })
}

/** Undefined where the system has no name for its user, as in some containers. */
function whoIsThis(): string | undefined {
  try {
    return userInfo().username || undefined
  } catch {
    return undefined
  }
}
