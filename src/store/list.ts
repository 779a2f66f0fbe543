import type { DBTX } from '../drivers/driver.ts'
import {
  CONDITION_PARAMETERS,
  conditionValues,
  LIVE_FILTER,
  PAST_FILTER,
  type JobCondition,
} from './filter.ts'
import {
  LIVE_JOB_COLUMNS,
  LIVE_JOB_SOURCE,
  PAST_JOB_COLUMNS,
  PAST_JOB_SOURCE,
  type JobRow,
} from './job-row.ts'
import { compareNumerals } from './numerals.ts'
import { statement, type Statement } from './statement.ts'
import type { Store } from './store.ts'

/*
 * Pages of a queue's jobs, by their ids: `$2` is the last id of the page before, `$3` how many. Each filter is
 * a parameter that may be null. The queue's jobs are read in the order of the index until the page is
 * full: so a page costs as many rows as it has, and with a filter that few jobs pass, as many as are passed over.
 */

const LIST_PARAMETERS = ['int4', 'int8', 'int4', ...CONDITION_PARAMETERS] as const

export const LIST_LIVE_JOBS = statement({
  name: 'list_live_jobs',
  parameters: LIST_PARAMETERS,
  indexes: ['jobs_by_id', 'job_errors_in_order'],
  sql: `
select ${LIVE_JOB_COLUMNS}
from ${LIVE_JOB_SOURCE}
where jobs.queue_id = $1::int4
  and jobs.id > $2::int8
  ${LIVE_FILTER}
order by jobs.queue_id, jobs.id
limit $3::int4`,
})

export const LIST_PAST_JOBS = statement({
  name: 'list_past_jobs',
  parameters: LIST_PARAMETERS,
  indexes: ['history_of_job'],
  sql: `
select ${PAST_JOB_COLUMNS}
from ${PAST_JOB_SOURCE}
where history.queue_id = $1::int4
  and history.id > $2::int8
  ${PAST_FILTER}
order by history.queue_id, history.id, history.expires_at
limit $3::int4`,
})

/** The same from the newest on. */
export const LIST_NEWEST_LIVE_JOBS = statement({
  name: 'list_newest_live_jobs',
  parameters: LIST_PARAMETERS,
  indexes: ['jobs_by_id', 'job_errors_in_order'],
  sql: `
select ${LIVE_JOB_COLUMNS}
from ${LIVE_JOB_SOURCE}
where jobs.queue_id = $1::int4
  and jobs.id < $2::int8
  ${LIVE_FILTER}
order by jobs.queue_id desc, jobs.id desc
limit $3::int4`,
})

export const LIST_NEWEST_PAST_JOBS = statement({
  name: 'list_newest_past_jobs',
  parameters: LIST_PARAMETERS,
  indexes: ['history_of_job'],
  sql: `
select ${PAST_JOB_COLUMNS}
from ${PAST_JOB_SOURCE}
where history.queue_id = $1::int4
  and history.id < $2::int8
  ${PAST_FILTER}
order by history.queue_id desc, history.id desc, history.expires_at
limit $3::int4`,
})

/** Only the ids, for who goes through many jobs. */
export const LIST_LIVE_IDS = statement({
  name: 'list_live_ids',
  parameters: LIST_PARAMETERS,
  indexes: ['jobs_by_id', 'job_errors_in_order'],
  sql: `
select jobs.id::text as "id"
from {schema}.jobs
where jobs.queue_id = $1::int4
  and jobs.id > $2::int8
  ${LIVE_FILTER}
order by jobs.queue_id, jobs.id
limit $3::int4`,
})

export const LIST_PAST_IDS = statement({
  name: 'list_past_ids',
  parameters: LIST_PARAMETERS,
  indexes: ['history_of_job'],
  sql: `
select history.id::text as "id"
from {schema}.history
where history.queue_id = $1::int4
  and history.id > $2::int8
  ${PAST_FILTER}
order by history.queue_id, history.id, history.expires_at
limit $3::int4`,
})

/** Which jobs of a queue are asked for. */
export interface ListRequest extends JobCondition {
  readonly queueId: number
  /** The last id of the page before; null: from the first, or the newest. */
  readonly afterId: string | null
  readonly limit: number
}

/** Behind every id. */
const LAST_ID = '9223372036854775807'

/** A page of jobs in the order of their ids, or the other way round. */
export async function listJobs(
  store: Store,
  request: ListRequest & { readonly isNewestFirst: boolean },
  tx?: DBTX,
): Promise<JobRow[]> {
  if (!request.isNewestFirst) return list(store, LIST_LIVE_JOBS, LIST_PAST_JOBS, request, tx)
  const fromEnd = { ...request, afterId: request.afterId ?? LAST_ID }
  return list(store, LIST_NEWEST_LIVE_JOBS, LIST_NEWEST_PAST_JOBS, fromEnd, tx, -1)
}

/** A page of the ids of jobs. */
export async function listJobIds(store: Store, request: ListRequest, tx?: DBTX): Promise<string[]> {
  const rows = await list<Pick<JobRow, 'id'>>(store, LIST_LIVE_IDS, LIST_PAST_IDS, request, tx)
  return rows.map((row) => row.id)
}

async function list<Row extends Pick<JobRow, 'id'>>(
  store: Store,
  ofLive: Statement,
  ofPast: Statement,
  request: ListRequest,
  tx: DBTX | undefined,
  direction: 1 | -1 = 1,
): Promise<Row[]> {
  const { queueId, afterId, limit, status } = request
  const isLive = status === 'available' || status === 'running'
  const isPast = status !== null && !isLive
  const values = [queueId, afterId ?? '0', limit, ...conditionValues(request)]
  // One after the other: a transaction runs one statement at a time.
  const live = isPast ? [] : await store.run<Row>(ofLive, values, tx)
  const past = isLive ? [] : await store.run<Row>(ofPast, values, tx)
  return [...live, ...past]
    .sort((left, right) => direction * compareNumerals(left.id, right.id))
    .slice(0, limit)
}
