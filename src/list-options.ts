import { parseJobId } from './core/job-id.ts'
import { checkInteger, invalidOption, readOptions } from './core/validate.ts'
import { FILTERS, resolveFilter, type JobFilter } from './job-filter.ts'
import type { ListRequest } from './store/list.ts'

const DEFAULT_PAGE = 100
const MAX_PAGE = 1_000
const DEFAULT_IDS = 1_000
const MAX_IDS = 10_000
const LIST_IDS_OPTIONS = [...FILTERS, 'after', 'limit'] as const

/** Which jobs `listIds` answers. Filters that are given together must all be met. */
export interface ListIdsOptions extends JobFilter {
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

type Page = Omit<ListRequest, 'queueId'>

/** Checks the options of `list`. Throws `INVALID_OPTION`, `INVALID_JOB_ID`. */
export function resolveListOptions(options: unknown): Page & { readonly isNewestFirst: boolean } {
  const given = readOptions(options, { of: 'list', known: [...LIST_IDS_OPTIONS, 'order'] })
  const { order = 'oldest' } = given
  if (order !== 'oldest' && order !== 'newest') {
    throw invalidOption('order', order, `it is 'oldest' or 'newest'`)
  }
  return { ...resolvePage(given, DEFAULT_PAGE, MAX_PAGE), isNewestFirst: order === 'newest' }
}

/** Checks the options of `listIds`. Throws `INVALID_OPTION`, `INVALID_JOB_ID`. */
export function resolveListIdsOptions(options: unknown): Page {
  const given = readOptions(options, { of: 'listIds', known: LIST_IDS_OPTIONS })
  return resolvePage(given, DEFAULT_IDS, MAX_IDS)
}

function resolvePage(
  given: Partial<Record<(typeof LIST_IDS_OPTIONS)[number], unknown>>,
  defaultLimit: number,
  maxLimit: number,
): Page {
  const { after, limit } = given
  return {
    ...resolveFilter(given),
    afterId: after === undefined ? null : parseJobId(after),
    limit: limit === undefined ? defaultLimit : checkInteger('limit', limit, 1, maxLimit),
  }
}
