import { parseDuration, type Duration } from './core/duration.ts'
import type { JobStatus } from './core/job.ts'
import { encodeMetadata } from './core/json.ts'
import type { Metadata } from './core/metadata.ts'
import { checkTags } from './core/tags.ts'
import { invalidOption } from './core/validate.ts'
import type { JobCondition } from './store/filter.ts'

const MAX_ERROR_TEXT = 1_000
/** Every status. */
export const STATUSES: readonly JobStatus[] = [
  'available',
  'running',
  'finished',
  'failed',
  'cancelled',
]

/** The names of `JobFilter`. */
export const FILTERS = [
  'status',
  'olderThan',
  'newerThan',
  'errorText',
  'metadata',
  'tags',
] as const

/**
 * Which jobs are meant. Filters that are given together must all be met. None of them has an index: the jobs of a
 * queue are looked at in the order of their ids, so what few jobs pass costs as much as the many that are passed over.
 */
export interface JobFilter {
  /** Only jobs in this status. @default all */
  status?: JobStatus | undefined
  /** Only jobs that were enqueued at least so long ago, by the database's clock. @default any */
  olderThan?: Duration | undefined
  /** Only jobs that were enqueued less than so long ago, by the database's clock. @default any */
  newerThan?: Duration | undefined
  /** Only jobs with a failed run whose `name: message` contains this, in capitals or not. @default any */
  errorText?: string | undefined
  /** Only jobs whose metadata contain these keys with these values; of a value that is an object or an array, what it holds is enough. @default any */
  metadata?: Metadata | undefined
  /** Only jobs that have all of these tags. @default any */
  tags?: readonly string[] | undefined
}

/** Checks what was read of a filter. Throws `INVALID_OPTION`. */
export function resolveFilter(
  given: Partial<Record<(typeof FILTERS)[number], unknown>>,
): JobCondition {
  const { status, olderThan, newerThan, errorText, metadata, tags } = given
  return {
    status: status === undefined ? null : checkStatus(status, STATUSES),
    olderThanMs: olderThan === undefined ? null : parseDuration(olderThan, 'olderThan'),
    newerThanMs: newerThan === undefined ? null : parseDuration(newerThan, 'newerThan'),
    errorText: errorText === undefined ? null : checkErrorText(errorText),
    metadataJson: metadata === undefined ? null : encodeContained(metadata),
    tags: tags === undefined ? null : checkWantedTags(tags),
  }
}

/** A filter by status that is one of these. Throws `INVALID_OPTION`. */
export function checkStatus(value: unknown, statuses: readonly JobStatus[]): JobStatus {
  const status = statuses.find((one) => one === value)
  if (status !== undefined) return status
  throw invalidOption('status', value, `it is one of ${statuses.join(', ')}`)
}

function checkErrorText(value: unknown): string {
  const isText = typeof value === 'string' && value !== '' && value.length <= MAX_ERROR_TEXT
  if (isText && !value.includes('\u0000') && !/\p{Surrogate}/u.test(value)) return value
  throw invalidOption('errorText', value, 'it takes a text of 1 to 1,000 characters')
}

/** As with metadata, none would be no filter. */
function checkWantedTags(value: unknown): readonly string[] {
  const tags = checkTags('tags', value)
  if (tags.length > 0) return tags
  throw invalidOption('tags', value, 'it takes at least one tag')
}

/** Everything contains nothing: an empty object would be no filter, and is one by mistake. */
function encodeContained(value: unknown): string {
  const json = encodeMetadata(value)
  if (json !== '{}') return json
  throw invalidOption('metadata', value, 'it takes at least one key with its value')
}
