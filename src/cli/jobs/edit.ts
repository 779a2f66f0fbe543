import { Argument, Option, type Command } from 'commander'
import { resolveJobChanges, type JobChanges } from '../../core/job-changes.ts'
import type { JobRecord } from '../../core/job.ts'
import { DEFAULT_MAX_BYTES } from '../../core/json.ts'
import { RetryPolicy } from '../../core/retry.ts'
import { Querier } from '../../querier.ts'
import type { Cli } from '../cli.ts'
import { queueOption, readJobId, tagOption } from '../command-parts.ts'
import { Failure, usageFailure } from '../failure.ts'
import { checkFlags } from '../flags.ts'
import { readArgs, readJobOptions, type JobFlags } from '../job-flags.ts'
import type { GlobalOptions } from '../place.ts'
import { withTarget } from '../target.ts'
import { printable } from '../terminal/printable.ts'
import { showExactly } from '../terminal/times.ts'
import { findJob, noSuchJob } from './show.ts'

interface EditFlags extends GlobalOptions, JobFlags {
  readonly queue?: string
  readonly args?: string
}

/** `millrace jobs edit <id>` */
export function addEdit(jobs: Command, cli: Cli): void {
  jobs
    .command('edit')
    .summary('change a job that waits')
    .description('change a job that waits; a job that a worker has in hand is left alone')
    .addArgument(new Argument('<id>', 'the job').argParser(readJobId))
    .addOption(queueOption('the queue in which it is or was (default: look into all)'))
    .addOption(new Option('--args <json>', 'other arguments; - reads them from standard input'))
    .addOption(new Option('--priority <number>', '0 (first) to 9 (last)'))
    .addOption(
      new Option('--delay <duration>', 'not before that time has passed from now on; 0s is now'),
    )
    .addOption(new Option('--run-at <instant>', 'not before then, such as 2027-01-31T08:00:00Z'))
    .addOption(new Option('--max-retries <number>', 'runs after the first; those made count'))
    .addOption(
      new Option('--retry-policy <name>', 'how delays grow').choices(Object.values(RetryPolicy)),
    )
    .addOption(new Option('--timeout <duration>', 'how long a run may take, or none'))
    .addOption(
      new Option(
        '--metadata <json>',
        'other metadata, all of them; an object such as {"tenant":7}',
      ),
    )
    .addOption(tagOption('other tags, all of them; again: one more'))
    .addHelpText('after', EXAMPLES)
    .action(async (id: string, _options: unknown, command: Command) => {
      await edit(id, command.optsWithGlobals<EditFlags>(), cli)
    })
}

const EXAMPLES = `
Examples:
  $ millrace jobs edit 42 --priority 0 --delay 0s    (now, before all others)
  $ millrace jobs edit 42 --run-at 2027-01-31T08:00:00Z
  $ millrace jobs show 42 --json | jq '.args + {to: "ada@example.org"}' | millrace jobs edit 42 --args -
`

async function edit(id: string, flags: EditFlags, cli: Cli): Promise<void> {
  const changes = await readChanges(flags, cli)
  const names = Object.keys(changes)
  if (names.length === 0) {
    throw usageFailure(
      'Change what? Pass --args, --priority, --delay or another option. Try --help.',
    )
  }
  const check = (fifo: boolean): unknown =>
    checkFlags(() => resolveJobChanges(changes, { fifo, maxArgsBytes: DEFAULT_MAX_BYTES }))
  check(false)
  await withTarget(flags, cli, {}, async ({ db, schema }) => {
    const querier = new Querier(db, { schema })
    const job = await findJob(querier, id, flags.queue)
    if (job === undefined) throw new Failure(noSuchJob(id, flags.queue))
    const { queueName, status } = job
    const queue = (await querier.queues()).find(({ name }) => name === queueName)
    check(queue?.fifo === true)
    const edited = await querier.edit(queueName, id, changes)
    if (edited === undefined) throw new Failure(whyNot(id, status))
    report(edited, changes, cli)
  })
}

/** Only what was given. */
async function readChanges(flags: EditFlags, cli: Cli): Promise<JobChanges> {
  const { args, timeout } = flags
  const options = Object.entries(readJobOptions({ ...flags, timeout: undefined })).filter(
    ([, value]) => value !== undefined,
  )
  return {
    ...Object.fromEntries(options),
    ...(args === undefined ? {} : { args: await readArgs(args, cli) }),
    ...(timeout === undefined ? {} : { timeout: readTimeout(timeout) }),
  }
}

/** The library checks it. */
function readTimeout(text: string): JobChanges['timeout'] {
  return text === 'none' ? null : (text as JobChanges['timeout'])
}

/** It may have been waiting a moment ago. */
function whyNot(id: string, status: JobRecord['status']): string {
  const isGone = status === 'available'
  return `Job ${id} ${isGone ? 'no longer waits' : `is ${status}`}; only a job that waits can be changed.`
}

function report(job: JobRecord, changes: JobChanges, cli: Cli): void {
  if (cli.isJson) return cli.json(job)
  const { id, queueName, scheduledAt } = job
  const names = Object.keys(changes).map((name) => WORDS[name] ?? name)
  cli.print(`Changed in job ${id} of ${printable(queueName)}: ${[...new Set(names)].join(', ')}.`)
  cli.print(`It is due at ${showExactly(scheduledAt)}.`)
}

/** What stands for a change where its name would not do. */
const WORDS: Readonly<Record<string, string>> = {
  args: 'arguments',
  runAt: 'time',
  delay: 'time',
  maxRetries: 'retries',
  retryPolicy: 'retry policy',
}
