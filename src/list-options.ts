import { parseDuration, type Duration } from './core/duration.ts'
import { parseJobId } from './core/job-id.ts'
import type { JobStatus } from './core/job.ts'
import { checkInteger, invalidOption, readOptions } from './core/validate.ts'
import type { ListRequest } from './store/list.ts'

const DEFAULT_PAGE = 100
const MAX_PAGE = 1_000
const DEFAULT_IDS = 1_000
const MAX_IDS = 10_000
const MAX_ERROR_TEXT = 1_000
const STATUSES: readonly unknown[] = ['available', 'running', 'finished', 'failed', 'cancelled']
const FILTERS = ['status', 'olderThan', 'newerThan', 'errorText', 'after', 'limit'] as const

/** Which jobs `listIds` answers. Filters that are given together must all be met. */
export interface ListIdsOptions {
  /** Only jobs in this status. @default all */
  status?: JobStatus | undefined
  /** Only jobs that were enqueued at least so long ago, by the database's clock. @default any */
  olderThan?: Duration | undefined
  /** Only jobs that were enqueued less than so long ago, by the database's clock. @default any */
  newerThan?: Duration | undefined
  /** Only jobs with a failed run whose `name: message` contains this, in capitals or not. @default any */
  errorText?: string | undefined
  /** Only jobs that come after the one with this id: pass the last one of the page before. @default from the first */
  after?: string | undefined
  /** How many at most. From 1 to 10,000. @default 1000 */
  limit?: number | undefined
}

/** Which jobs `list` answers, and in which order. Filters that are given together must all be met. */
export interface ListOptions extends Omit<ListIdsOptions, 'limit'> {
  /** In the order of the ids, or the other way round. @default 'oldest' */
  order?: 'oldest' | 'newest' | undefined
  /** How many at most. From 1 to 1,000. @default 100 */
  limit?: number | undefined
}

type Filters = Omit<ListRequest, 'queueId'>

/** Checks the options of `list`. Throws `INVALID_OPTION`, `INVALID_JOB_ID`. */
export function resolveListOptions(
  options: unknown,
): Filters & { readonly isNewestFirst: boolean } {
  const given = readOptions(options, { of: 'list', known: [...FILTERS, 'order'] })
  const { order = 'oldest' } = given
  if (order !== 'oldest' && order !== 'newest') {
    throw invalidOption('order', order, `it is 'oldest' or 'newest'`)
  }
  return { ...readFilters(given, DEFAULT_PAGE, MAX_PAGE), isNewestFirst: order === 'newest' }
}

/** Checks the options of `listIds`. Throws `INVALID_OPTION`, `INVALID_JOB_ID`. */
export function resolveListIdsOptions(options: unknown): Filters {
  return readFilters(readOptions(options, { of: 'listIds', known: FILTERS }), DEFAULT_IDS, MAX_IDS)
}

function readFilters(
  given: Partial<Record<(typeof FILTERS)[number], unknown>>,
  defaultLimit: number,
  maxLimit: number,
): Filters {
  const { status, olderThan, newerThan, errorText, after, limit } = given
  if (status !== undefined && !STATUSES.includes(status)) {
    throw invalidOption('status', status, `it is one of ${STATUSES.join(', ')}`)
  }
  return {
    status: (status as JobStatus | undefined) ?? null,
    olderThanMs: olderThan === undefined ? null : parseDuration(olderThan, 'olderThan'),
    newerThanMs: newerThan === undefined ? null : parseDuration(newerThan, 'newerThan'),
    errorText: errorText === undefined ? null : checkErrorText(errorText),
    afterId: after === undefined ? null : parseJobId(after),
    limit: limit === undefined ? defaultLimit : checkInteger('limit', limit, 1, maxLimit),
  }
}

function checkErrorText(value: unknown): string {
  const isText = typeof value === 'string' && value !== '' && value.length <= MAX_ERROR_TEXT
  if (isText && !value.includes('\u0000') && !/\p{Surrogate}/u.test(value)) return value
  throw invalidOption('errorText', value, 'it takes a text of 1 to 1,000 characters')
}
