import { InvalidArgumentError, Option } from 'commander'
import { parseDuration, type Duration } from '../core/duration.ts'
import type { JobStatus } from '../core/job.ts'
import { parseJobId } from '../core/job-id.ts'
import type { Metadata } from '../core/metadata.ts'
import { resolveFilter, type JobFilter } from '../job-filter.ts'

/** An integer of PostgreSQL. */
const MAX_LIMIT = 2_147_483_647

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

/** `--status <status>` */
export function statusOption(statuses: readonly JobStatus[] = STATUSES): Option {
  return new Option('-s, --status <status>', 'only jobs in this status').choices([...statuses])
}

/** The options that choose jobs, but for the queue, the status and the page. */
export function filterOptions(): Option[] {
  return [
    new Option('--older-than <duration>', 'only jobs enqueued at least so long ago').argParser(
      readDuration,
    ),
    new Option('--newer-than <duration>', 'only jobs enqueued less than so long ago').argParser(
      readDuration,
    ),
    new Option('--error <text>', 'only jobs with an error that contains this text').argParser(
      readErrorText,
    ),
    new Option(
      '--metadata <json>',
      'only jobs whose metadata contain this object, such as {"tenant":7}',
    ).argParser(readMetadata),
    tagOption('only jobs with this tag; again: with all of these'),
  ]
}

/** `--tag <tag>`, once or several times. */
export function tagOption(meaning: string): Option {
  return new Option('--tag <tag>', meaning).argParser(readTag)
}

function readTag(tag: string, before: readonly string[] | undefined): string[] {
  const tags = [...(before ?? []), tag]
  return checked(() => {
    resolveFilter({ tags })
    return tags
  }, 'It takes a tag of 1 to 100 characters without white space at its ends, each once, and at most 10.')
}

/** `--limit <count>`, of what takes all without it. */
export function limitOption(meaning: string): Option {
  return new Option('-n, --limit <count>', meaning).argParser(readInteger(1, MAX_LIMIT))
}

function readErrorText(text: string): string {
  if (text !== '' && text.length <= 1_000) return text
  throw new InvalidArgumentError('It takes a text of 1 to 1,000 characters.')
}

function readMetadata(text: string): Metadata {
  return checked(() => {
    const metadata = JSON.parse(text) as Metadata
    resolveFilter({ metadata })
    return metadata
  }, 'It takes an object as JSON with at least one key, such as {"tenant":7}.')
}

/** What `filterOptions`, `statusOption` and `queueOption` read. */
export interface FilterValues {
  readonly queue?: string
  readonly status?: JobStatus
  readonly olderThan?: Duration
  readonly newerThan?: Duration
  readonly error?: string
  readonly metadata?: Metadata
  readonly tag?: readonly string[]
}

/** The filter that was given, as the library takes it. */
export function filterOf(values: FilterValues): JobFilter {
  const { status, olderThan, newerThan, error, metadata, tag } = values
  return { status, olderThan, newerThan, errorText: error, metadata, tags: tag }
}

/** Whether the filter names anything. */
export function isFiltered(values: FilterValues): boolean {
  return Object.values(filterOf(values)).some((filter) => filter !== undefined)
}

function checked<T>(read: () => T, remedy: string): T {
  try {
    return read()
  } catch {
    throw new InvalidArgumentError(remedy)
  }
}
