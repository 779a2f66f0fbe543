import { setTimeout as sleep } from 'node:timers/promises'
import { Argument, Option, type Command } from 'commander'
import type { JobLogLine, JobRecord } from '../../core/job.ts'
import { Querier } from '../../querier.ts'
import type { Cli } from '../cli.ts'
import { queueOption, readInteger, readJobId } from '../command-parts.ts'
import { Failure } from '../failure.ts'
import type { GlobalOptions } from '../place.ts'
import { withTarget } from '../target.ts'
import { lastLines, showLines } from './log-lines.ts'
import { findJob, noSuchJob } from './show.ts'

/** As many as are kept of a job. */
const MOST = 1_000
const EVERY_MS = 500

interface LogsFlags extends GlobalOptions {
  readonly queue?: string
  readonly limit: number
  readonly follow?: boolean
}

/** `millrace jobs logs <id>` */
export function addLogs(jobs: Command, cli: Cli): void {
  jobs
    .command('logs')
    .summary('show what the runs of a job wrote to its log')
    .description('show what the runs of a job wrote by context.log, the oldest line first')
    .addArgument(new Argument('<id>', 'the job').argParser(readJobId))
    .addOption(queueOption('the queue in which it is or was (default: look into all)'))
    .addOption(
      new Option('-n, --limit <count>', 'only the last so many lines, up to 1000')
        .argParser(readInteger(1, MOST))
        .default(MOST),
    )
    .addOption(new Option('-f, --follow', 'go on with new lines until the job ends, or Ctrl-C'))
    .addHelpText('after', EXAMPLES)
    .action(async (id: string, _options: unknown, command: Command) => {
      await logs(id, command.optsWithGlobals<LogsFlags>(), cli)
    })
}

const EXAMPLES = `
Examples:
  $ millrace jobs logs 42
  $ millrace jobs logs 42 --follow --limit 10
  $ millrace jobs logs 42 --json | jq '.lines[].message'
`

async function logs(id: string, flags: LogsFlags, cli: Cli): Promise<void> {
  await withTarget(flags, cli, {}, async ({ db, schema }) => {
    const querier = new Querier(db, { schema })
    const job = await findJob(querier, id, flags.queue)
    if (job === undefined) throw new Failure(noSuchJob(id, flags.queue))
    const lines = await lastLines(querier, job, flags.limit)
    if (flags.follow === true) return follow(querier, job, lines, cli)
    if (cli.isJson) return cli.json({ lines })
    if (lines.length === 0) return cli.note(`Job ${id} has written nothing to its log.`)
    for (const line of showLines(lines, cli)) cli.print(line)
  })
}

/** Prints what is there and what comes, until the job has ended. */
async function follow(
  querier: Querier,
  job: JobRecord,
  first: readonly JobLogLine[],
  cli: Cli,
): Promise<void> {
  const { stop } = cli
  let lines = first
  let last = (first[0]?.number ?? 1) - 1
  let isOver = false
  while (!stop.aborted) {
    if (cli.isJson) lines.forEach((line) => cli.jsonLine(line))
    else for (const line of showLines(lines, cli, last)) cli.print(line)
    last = lines.at(-1)?.number ?? last
    if (isOver && lines.length === 0) return
    if (!isOver && lines.length === 0) {
      await sleep(EVERY_MS, undefined, { signal: stop }).catch(() => {}) // aborted: the loop ends
    }
    // Looked at before the lines, so that none comes after the last look.
    const now = await querier.get(job.queueName, job.id)
    isOver = now === undefined || now.finishedAt !== null
    lines = await querier.logs(job.queueName, job.id, { after: last, limit: MOST })
  }
}
