import type { JobLogLine, JobRecord } from '../../core/job.ts'
import type { Querier } from '../../querier.ts'
import type { Cli } from '../cli.ts'
import { printable } from '../terminal/printable.ts'
import { showExactly } from '../terminal/times.ts'
import { showCount } from '../terminal/words.ts'

/** The last lines of a job's log, the oldest first. */
export async function lastLines(
  querier: Querier,
  { queueName, id }: JobRecord,
  limit: number,
): Promise<JobLogLine[]> {
  return (await querier.logs(queueName, id, { order: 'newest', limit })).toReversed()
}

/** Each line in one of a terminal's, and where some were not kept, that. */
export function* showLines(
  lines: readonly JobLogLine[],
  { out: { paint } }: Cli,
  before = (lines[0]?.number ?? 1) - 1,
): Generator<string> {
  let last = before
  for (const { number, attempt, at, message, fields } of lines) {
    const left = number - last - 1
    if (left > 0) yield paint('quiet', `… ${showCount(left, 'line')} not kept`)
    const rest =
      fields === undefined ? '' : `  ${paint('quiet', printable(JSON.stringify(fields)))}`
    yield `${paint('quiet', `${showExactly(at)}  run ${attempt}`)}  ${printable(message)}${rest}`
    last = number
  }
}
