import type { DBTX } from '../drivers/driver.ts'
import {
  CONDITION_PARAMETERS,
  conditionValues,
  LIVE_FILTER,
  PAST_FILTER,
  type JobCondition,
} from './filter.ts'
import { toMicros, type Micros } from './instants.ts'
import { LIVE_STATE, liveJobSource, progressOf, type JobRow } from './job-row.ts'
import { compareNumerals } from './numerals.ts'
import { statement, type Statement } from './statement.ts'
import type { Store } from './store.ts'

/*
 * Pages of a queue's jobs for who looks through many: what a page costs is bounded, whatever the filter and however large
 * the jobs. A page looks at a slice of the queue, so many jobs in the order of ids, and answers those that meet the
 * condition; the next page goes on behind the slice. Arguments, metadata and progress that are stored in more than a few
 * kB stay behind, and of the errors only the last one comes.
 */

/** So many jobs are looked at for one page, in `jobs` and in `history` each. */
const SLICE = 2_000
/** Arguments, metadata and progress that are stored in more bytes than this are left out. */
const MAX_STORED_BYTES = 4_096

const BROWSE_PARAMETERS = ['int4', 'int8', 'int4', ...CONDITION_PARAMETERS, 'int4', 'int4'] as const

/** `$10` is how many jobs are looked at, `$11` how large arguments, metadata and progress may be. */
function small(column: string): string {
  return `case when pg_column_size(${column}) <= $11::int4 then ${column}::text end`
}

interface Direction {
  readonly after: '<' | '>'
  readonly order: 'asc' | 'desc'
  readonly end: 'max' | 'min'
}

const OLDEST_FIRST: Direction = { after: '>', order: 'asc', end: 'max' }
const NEWEST_FIRST: Direction = { after: '<', order: 'desc', end: 'min' }

const LIVE_COLUMNS = `
  jobs.id::text as "id",
  queues.name as "queueName",
  case when jobs.claimed_by > 0 then 'running' else 'available' end as "status",
  ${small('jobs.args')} as "args",
  ${small('jobs.metadata')} as "metadata",
${LIVE_STATE},
  (
    select jsonb_build_object('name', job_errors.name, 'message', job_errors.message)::text
    from {schema}.job_errors
    where job_errors.job_id = jobs.id
    order by job_errors.number desc
    limit 1
  ) as "lastError",
  origins.name as "originQueue",
  ${toMicros('jobs.cancel_requested_at')} as "cancelRequestedAt",
  to_jsonb(jobs.tags)::text as "tags",${progressOf('jobs.id', small)}`

const browseLiveJobs = (name: string, { after, order }: Direction): Statement =>
  statement({
    name,
    parameters: BROWSE_PARAMETERS,
    indexes: ['jobs_by_id', 'job_errors_in_order', 'progress_of_job'],
    sql: `
select ${LIVE_COLUMNS}
from ${liveJobSource(`(
  select
    jobs.id, jobs.queue_id, jobs.claimed_by, jobs.claim_no, jobs.priority, jobs.attempt, jobs.max_retries,
    jobs.created_at, jobs.run_at, jobs.started_at, jobs.error_count, jobs.origin_queue_id, jobs.args, jobs.metadata,
    jobs.tags, jobs.cancel_requested_at
  from {schema}.jobs
  where jobs.queue_id = $1::int4 and jobs.id ${after} $2::int8
  order by jobs.queue_id ${order}, jobs.id ${order}
  limit $10::int4
) as jobs`)}
where true ${LIVE_FILTER}
order by jobs.id ${order}
limit $3::int4`,
  })

const browsePastJobs = (name: string, { after, order }: Direction): Statement =>
  statement({
    name,
    parameters: BROWSE_PARAMETERS,
    indexes: ['history_of_job', 'progress_of_job'],
    sql: `
select
  history.id::text as "id",
  queues.name as "queueName",
  history.outcome::text as "status",
  ${small('history.args')} as "args",
  ${small('history.metadata')} as "metadata",
  history.attempt as "attempt",
  history.max_retries::int4 as "maxRetries",
  ${toMicros('history.created_at')} as "createdAt",
  ${toMicros('history.run_at')} as "runAt",
  ${toMicros('history.started_at')} as "startedAt",
  ${toMicros('history.finished_at')} as "finishedAt",
  history.error_count as "errorCount",
  (history.errors -> -1)::text as "lastError",
  origins.name as "originQueue",
  null::text as "cancelRequestedAt",
  to_jsonb(history.tags)::text as "tags",${progressOf('history.id', small)}
from (
  select
    history.id, history.queue_id, history.outcome, history.attempt, history.max_retries, history.created_at,
    history.run_at, history.started_at, history.finished_at, history.expires_at, history.error_count,
    history.origin_queue_id, history.args, history.metadata, history.tags, history.errors
  from {schema}.history
  where history.queue_id = $1::int4 and history.id ${after} $2::int8
  order by history.queue_id ${order}, history.id ${order}, history.expires_at
  limit $10::int4
) as history
join {schema}.queues on queues.id = history.queue_id
left join {schema}.queues as origins on origins.id = history.origin_queue_id
where true ${PAST_FILTER}
order by history.id ${order}, history.expires_at
limit $3::int4`,
  })

/** Where a slice ends, and how many jobs it has. */
const findSliceEnd = (
  name: string,
  table: 'jobs' | 'history',
  { after, order, end }: Direction,
): Statement =>
  statement({
    name,
    parameters: ['int4', 'int8', 'int4'],
    indexes: [table === 'jobs' ? 'jobs_by_id' : 'history_of_job'],
    sql: `
select ${end}(slice.id)::text as "lastId", count(*)::int4 as "seen"
from (
  select ${table}.id
  from {schema}.${table}
  where ${table}.queue_id = $1::int4 and ${table}.id ${after} $2::int8
  order by ${table}.queue_id ${order}, ${table}.id ${order}
  limit $3::int4
) as slice`,
  })

export const BROWSE_LIVE_JOBS = browseLiveJobs('browse_live_jobs', OLDEST_FIRST)
export const BROWSE_PAST_JOBS = browsePastJobs('browse_past_jobs', OLDEST_FIRST)
export const END_OF_LIVE_SLICE = findSliceEnd('end_of_live_slice', 'jobs', OLDEST_FIRST)
export const END_OF_PAST_SLICE = findSliceEnd('end_of_past_slice', 'history', OLDEST_FIRST)
export const BROWSE_NEWEST_LIVE_JOBS = browseLiveJobs('browse_newest_live_jobs', NEWEST_FIRST)
export const BROWSE_NEWEST_PAST_JOBS = browsePastJobs('browse_newest_past_jobs', NEWEST_FIRST)
export const END_OF_NEWEST_LIVE_SLICE = findSliceEnd(
  'end_of_newest_live_slice',
  'jobs',
  NEWEST_FIRST,
)
export const END_OF_NEWEST_PAST_SLICE = findSliceEnd(
  'end_of_newest_past_slice',
  'history',
  NEWEST_FIRST,
)

/** A job as a page shows it. */
export interface BrowsedJob extends Pick<
  JobRow,
  | 'id'
  | 'queueName'
  | 'status'
  | 'attempt'
  | 'maxRetries'
  | 'errorCount'
  | 'originQueue'
  | 'cancelRequestedAt'
  | 'tags'
  | 'progressAt'
> {
  createdAt: Micros
  runAt: Micros
  startedAt: Micros | null
  finishedAt: Micros | null
  /** JSON; null: left out, as they are large. */
  args: string | null
  metadata: string | null
  /** JSON; null: there is none, or with `progressAt`: left out. */
  progress: string | null
  /** JSON of an object with `name` and `message`, or null. */
  lastError: string | null
}

/** Which jobs of a queue a page shows. */
export interface BrowseRequest extends JobCondition {
  readonly queueId: number
  readonly isNewestFirst: boolean
  /** Where the page before ended; null: from the first, or the newest. */
  readonly afterId: string | null
  readonly limit: number
}

/** A page, and where the next one begins: null when there is none. */
export interface BrowsedPage {
  readonly jobs: readonly BrowsedJob[]
  readonly nextId: string | null
}

/** Before and behind every id. */
const ENDS = { first: '0', last: '9223372036854775807' }

/** A page of jobs by their ids. It may have fewer than `limit`, even none, and be followed by others. */
export async function browseJobs(
  store: Store,
  request: BrowseRequest,
  tx: DBTX,
): Promise<BrowsedPage> {
  const { isNewestFirst, limit, status } = request
  const isLive = status === 'available' || status === 'running'
  const isPast = status !== null && !isLive
  const statements: [Statement, Statement][] = isNewestFirst
    ? [
        [BROWSE_NEWEST_LIVE_JOBS, END_OF_NEWEST_LIVE_SLICE],
        [BROWSE_NEWEST_PAST_JOBS, END_OF_NEWEST_PAST_SLICE],
      ]
    : [
        [BROWSE_LIVE_JOBS, END_OF_LIVE_SLICE],
        [BROWSE_PAST_JOBS, END_OF_PAST_SLICE],
      ]
  const wanted = statements.filter((_, index) => !(index === 0 ? isPast : isLive))
  const slices: BrowsedPage[] = []
  for (const pair of wanted) slices.push(await browseSlice(store, pair, request, tx))
  const compare = (left: string, right: string): number =>
    compareNumerals(left, right) * (isNewestFirst ? -1 : 1)
  // What is behind the end of one slice has to wait: the other one may have jobs that come before it.
  const ends = slices.flatMap(({ nextId }) => (nextId === null ? [] : [nextId]))
  const end = ends.toSorted(compare)[0]
  const jobs = slices
    .flatMap((slice) => slice.jobs)
    .filter(({ id }) => end === undefined || compare(id, end) <= 0)
    .sort((left, right) => compare(left.id, right.id))
  if (jobs.length <= limit) return { jobs, nextId: end ?? null }
  const shown = jobs.slice(0, limit)
  return { jobs: shown, nextId: shown.at(-1)?.id ?? null }
}

async function browseSlice(
  store: Store,
  [ofJobs, ofEnd]: [Statement, Statement],
  request: BrowseRequest,
  tx: DBTX,
): Promise<BrowsedPage> {
  const { queueId, isNewestFirst, limit } = request
  const afterId = request.afterId ?? (isNewestFirst ? ENDS.last : ENDS.first)
  const values = [queueId, afterId, limit, ...conditionValues(request), SLICE, MAX_STORED_BYTES]
  const jobs = await store.run<BrowsedJob>(ofJobs, values, tx)
  if (jobs.length === limit) return { jobs, nextId: jobs.at(-1)?.id ?? null }
  type End = { lastId: string | null; seen: number }
  const [end] = await store.run<End>(ofEnd, [queueId, afterId, SLICE], tx)
  return { jobs, nextId: end === undefined || end.seen < SLICE ? null : end.lastId }
}
