import { Option, type Command } from 'commander'
import { JobQueue } from '../job-queue.ts'
import { Querier } from '../querier.ts'
import type { Cli } from './cli.ts'
import { readInteger } from './command-parts.ts'
import { requireQueue } from './known-queue.ts'
import type { GlobalOptions } from './place.ts'
import { withTarget } from './target.ts'
import { printable } from './terminal/printable.ts'
import { showCount } from './terminal/words.ts'

interface RedriveOptions extends GlobalOptions {
  readonly limit?: number
}

/** `millrace redrive <dlq>` */
export function addRedrive(program: Command, cli: Cli): void {
  program
    .command('redrive')
    .description(
      'send the jobs of a dead-letter queue back to where they came from, the oldest first',
    )
    .argument('<dlq>', 'the dead-letter queue')
    .addOption(
      new Option('-n, --limit <count>', 'how many at most (default: all)').argParser(
        readInteger(1, Number.MAX_SAFE_INTEGER),
      ),
    )
    .addHelpText('after', EXAMPLES)
    .action(async (dlq: string, _options: unknown, command: Command) => {
      await redrive(dlq, command.optsWithGlobals<RedriveOptions>(), cli)
    })
}

const EXAMPLES = `
Examples:
  $ millrace redrive emails-dead --limit 1    (try one first)
  $ millrace redrive emails-dead
`

async function redrive(dlq: string, options: RedriveOptions, cli: Cli): Promise<void> {
  await withTarget(options, cli, {}, async ({ db, schema }) => {
    await requireQueue(new Querier(db, { schema }), dlq)
    const queue = new JobQueue(db, { queueName: dlq, schema })
    const redriven = await queue.redrive({ limit: options.limit })
    if (cli.isJson) return cli.json({ queue: dlq, redriven })
    if (redriven === 0)
      return cli.print(`No job waits in ${printable(dlq)} that came from another queue.`)
    cli.print(`${showCount(redriven, 'job')} of ${printable(dlq)} went back.`)
  })
}
