import type { DBTX } from '../drivers/driver.ts'
import {
  CONDITION_PARAMETERS,
  conditionValues,
  LIVE_FILTER,
  PAST_FILTER,
  type JobCondition,
} from './filter.ts'
import { readArray } from './numerals.ts'
import { statement } from './statement.ts'
import type { Store } from './store.ts'

/*
 * Going through all jobs of a queue that meet a condition, slice by slice in the order of their ids. A slice is so
 * many jobs, whether they meet it or not: so each statement is short, however few of a long queue do.
 */

/** So many jobs are looked at by one statement. */
const SLICE = 5_000

/** What a slice says of itself, and which of its jobs meet the condition. */
const ANSWER = `
select
  max(looked.id)::text as "lastId",
  count(*)::int4 as "seen",
  coalesce(array_agg(looked.id order by looked.id) filter (where looked.is_match), '{}')::text as "ids",
  coalesce(array_agg(looked.size order by looked.id) filter (where looked.is_match), '{}')::text as "sizes"`

/** `$2` is the last id of the slice before, `$3` how many jobs a slice has, `$10` that only dead letters count. */
export const MATCH_LIVE_JOBS = statement({
  name: 'match_live_jobs',
  parameters: ['int4', 'int8', 'int4', ...CONDITION_PARAMETERS, 'bool'],
  indexes: ['jobs_by_id', 'job_errors_in_order'],
  sql: `${ANSWER}
from (
  -- The offset keeps this apart, or the condition would be worked out for each column.
  select
    jobs.id,
    jobs.size,
    ((not $10::bool or jobs.origin_queue_id is not null) ${LIVE_FILTER}) as is_match
  from (
    select
      jobs.id, jobs.claimed_by, jobs.created_at, jobs.error_count, jobs.origin_queue_id, jobs.metadata, jobs.tags,
      pg_column_size(jobs.args) + pg_column_size(jobs.metadata) as size
    from {schema}.jobs
    where jobs.queue_id = $1::int4 and jobs.id > $2::int8
    order by jobs.queue_id, jobs.id
    limit $3::int4
  ) as jobs
  offset 0
) as looked`,
})

/** The same in history. */
export const MATCH_PAST_JOBS = statement({
  name: 'match_past_jobs',
  parameters: ['int4', 'int8', 'int4', ...CONDITION_PARAMETERS],
  indexes: ['history_of_job'],
  sql: `${ANSWER}
from (
  select history.id, history.size, (true ${PAST_FILTER}) as is_match
  from (
    select
      history.id, history.outcome, history.created_at, history.metadata, history.tags, history.errors,
      pg_column_size(history.args) + pg_column_size(history.metadata) as size
    from {schema}.history
    where history.queue_id = $1::int4 and history.id > $2::int8
    order by history.queue_id, history.id, history.expires_at
    limit $3::int4
  ) as history
  offset 0
) as looked`,
})

/** Which jobs of a queue are looked for, and where. */
export interface MatchRequest extends JobCondition {
  readonly queueId: number
  readonly place: 'live' | 'past'
  /** Only jobs that came from another queue. */
  readonly onlyDeadLetters: boolean
}

/** A job that meets the condition. */
export interface MatchedJob {
  readonly id: string
  /** Of its arguments and metadata, in bytes, as they are stored. */
  readonly size: number
}

/** The jobs that meet the condition, a slice at a time; a slice may have none. */
export async function* matchJobs(
  store: Store,
  request: MatchRequest,
  tx?: DBTX,
): AsyncGenerator<readonly MatchedJob[]> {
  const { queueId, place, onlyDeadLetters } = request
  const condition = conditionValues(request)
  let lastId: string | null = '0'
  while (lastId !== null) {
    const from: unknown[] = [queueId, lastId, SLICE, ...condition]
    const rows: SliceRow[] =
      place === 'live'
        ? await store.run<SliceRow>(MATCH_LIVE_JOBS, [...from, onlyDeadLetters], tx)
        : await store.run<SliceRow>(MATCH_PAST_JOBS, from, tx)
    const [slice] = rows
    if (slice === undefined) return
    yield jobsOf(slice)
    lastId = slice.seen < SLICE ? null : slice.lastId
  }
}

interface SliceRow {
  lastId: string | null
  seen: number
  /** Arrays of PostgreSQL's as text. */
  ids: string
  sizes: string
}

function jobsOf({ ids, sizes }: SliceRow): MatchedJob[] {
  const bytes = readArray(sizes)
  return readArray(ids).map((id, index) => ({ id, size: Number(bytes[index]) }))
}
