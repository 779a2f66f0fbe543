import { InvalidArgumentError, Option } from 'commander'
import { parseDuration, type Duration } from '../core/duration.ts'
import type { JobStatus } from '../core/job.ts'
import { parseJobId } from '../core/job-id.ts'

/** The statuses, in the order in which people think of them. */
export const STATUSES: readonly JobStatus[] = [
  'available',
  'running',
  'finished',
  'failed',
  'cancelled',
]

/** An argument or option that takes a duration: `90s`, `1h`, `7d`. Checked before anything is connected. */
export function readDuration(text: string): Duration {
  return checked(() => {
    parseDuration(text, 'duration')
    return text as Duration
  }, 'It takes a duration such as 250ms, 90s, 30m, 24h or 7d.')
}

/** An argument or option that takes a whole number from `min` to `max`. */
export function readInteger(min: number, max: number): (text: string) => number {
  return (text) => {
    const value = Number(text)
    if (/^\d+$/.test(text) && value >= min && value <= max) return value
    throw new InvalidArgumentError(`It takes a whole number from ${min} to ${max}.`)
  }
}

/** An argument that takes job ids. */
export function readJobIds(text: string, before: string[] | undefined): string[] {
  return [...(before ?? []), readJobId(text)]
}

/** An argument or option that takes a job's id. */
export function readJobId(text: string): string {
  return checked(() => parseJobId(text), 'A job id is a whole number such as 42.')
}

/** `--queue <name>` */
export function queueOption(meaning = 'only jobs of this queue'): Option {
  return new Option('-q, --queue <name>', meaning)
}

/** The options that choose jobs, but for the queue and the page. */
export function filterOptions(statuses: readonly JobStatus[] = STATUSES): Option[] {
  return [
    new Option('-s, --status <status>', 'only jobs in this status').choices([...statuses]),
    new Option('--older-than <duration>', 'only jobs enqueued at least so long ago').argParser(
      readDuration,
    ),
    new Option('--newer-than <duration>', 'only jobs enqueued less than so long ago').argParser(
      readDuration,
    ),
    new Option('--error <text>', 'only jobs with an error that contains this text').argParser(
      readErrorText,
    ),
  ]
}

function readErrorText(text: string): string {
  if (text !== '' && text.length <= 1_000) return text
  throw new InvalidArgumentError('It takes a text of 1 to 1,000 characters.')
}

/** What `filterOptions` and `queueOption` read. */
export interface FilterValues {
  readonly queue?: string
  readonly status?: JobStatus
  readonly olderThan?: Duration
  readonly newerThan?: Duration
  readonly error?: string
}

function checked<T>(read: () => T, remedy: string): T {
  try {
    return read()
  } catch {
    throw new InvalidArgumentError(remedy)
  }
}
