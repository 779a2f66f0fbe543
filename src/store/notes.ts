import type { DBTX } from '../drivers/driver.ts'
import { FENCE, FENCE_PARAMETERS } from './fence.ts'
import { toMicros, type Micros } from './instants.ts'
import { whereverItIs } from './jobs.ts'
import { readArray } from './numerals.ts'
import { fenceValues, type HeldJob, type Holder } from './settle.ts'
import { SETTLED_IDS } from './settle-parts.ts'
import { statement } from './statement.ts'
import type { Store } from './store.ts'

/*
 * What runs say of themselves: the latest progress, one row for each job, and log lines. A job that says nothing has no
 * row, and no statement looks for one but those that read the job, move it or delete it.
 */

/** So many lines of a job are kept, the newest. */
export const KEPT_LINES = 1_000
/** How many jobs one statement of the review looks at. */
const REVIEWED_AT_ONCE = 500

/** What runs have said since the last time: JSON in `$5`, in the order of the ids. */
export const STORE_NOTES = statement({
  name: 'store_notes',
  parameters: [...FENCE_PARAMETERS, 'text'],
  indexes: ['jobs_by_id', 'job_logs_in_order'],
  sql: `
with settled as materialized (
  select
    jobs.id,
    (select $5::text::jsonb) -> (width_bucket(jobs.id, $3::int8[]) - 1) as note
  from {schema}.jobs
  where ${FENCE}
),
said as materialized (
  select
    settled.id,
    (settled.note ->> 'attempt')::int4 as attempt,
    settled.note -> 'value' as value,
    (settled.note ->> 'count')::int8 as line_count,
    settled.note -> 'lines' as lines
  from settled
),
noted as (
  insert into {schema}.job_progress (job_id, queue_id, attempt, value, at, line_count, review_at)
  select
    said.id,
    $1::int4,
    case when said.value is not null then said.attempt end,
    said.value,
    case when said.value is not null then statement_timestamp() end,
    said.line_count,
    statement_timestamp() + interval '1 hour'
  from said
  order by said.id
  on conflict (job_id) do update
  set
    attempt = coalesce(excluded.attempt, job_progress.attempt),
    value = coalesce(excluded.value, job_progress.value),
    at = coalesce(excluded.at, job_progress.at),
    line_count = job_progress.line_count + excluded.line_count
  returning job_id, line_count
),
numbered as materialized (
  -- Lines are numbered over all runs of a job; what was dropped on the way leaves a gap.
  select
    said.id, said.attempt, said.lines,
    noted.line_count as last_number,
    noted.line_count - said.line_count as number_before
  from said
  join noted on noted.job_id = said.id
  where said.line_count > 0
),
written as (
  insert into {schema}.job_logs (job_id, number, attempt, at, message, fields)
  select
    numbered.id,
    numbered.number_before + (line ->> 0)::int8,
    numbered.attempt,
    statement_timestamp() - (line ->> 1)::float8 * interval '1 millisecond',
    line ->> 2,
    line -> 3
  from numbered
  cross join lateral jsonb_array_elements(numbered.lines) as line
),
trimmed as (
  delete from {schema}.job_logs
  where (job_id, number) in (
    select numbered.id, old.number
    from numbered
    cross join lateral generate_series(
      greatest(numbered.number_before - ${KEPT_LINES}, 0) + 1,
      least(numbered.number_before, numbered.last_number - ${KEPT_LINES})
    ) as old (number)
  )
)
${SETTLED_IDS}`,
})

export const LIST_JOB_LOGS = statement({
  name: 'list_job_logs',
  parameters: ['int8', 'int8', 'int4'],
  indexes: ['job_logs_in_order'],
  sql: listLogs('job_logs.number > $2::int8', ''),
})

/** The same from the newest on. */
export const LIST_NEWEST_JOB_LOGS = statement({
  name: 'list_newest_job_logs',
  parameters: ['int8', 'int8', 'int4'],
  indexes: ['job_logs_in_order'],
  sql: listLogs('job_logs.number < $2::int8', 'desc'),
})

/** Lines of the job `$1` beside the number `$2`, at most `$3`. */
function listLogs(condition: string, direction: '' | 'desc'): string {
  return `
select
  job_logs.number::text as "number",
  job_logs.attempt as "attempt",
  ${toMicros('job_logs.at')} as "at",
  job_logs.message as "message",
  job_logs.fields::text as "fields"
from {schema}.job_logs
where job_logs.job_id = $1::int8 and ${condition}
order by job_logs.job_id ${direction}, job_logs.number ${direction}
limit $3::int4`
}

/** In which queue the job is of which a run has said something. */
export const FIND_NOTED = statement({
  name: 'find_noted',
  parameters: ['int8'],
  indexes: ['progress_of_job'],
  sql: `
select job_progress.queue_id as "queueId"
from {schema}.job_progress
where job_progress.job_id = $1::int8`,
})

/**
 * Looks after jobs that said something and whose time for that has come: of those that are gone everything is
 * forgotten, the others are looked at again, in a day while they live, and when they have ended once their day of
 * history is over.
 */
export const REVIEW_NOTES = statement({
  name: 'review_notes',
  parameters: ['int4', 'int4'],
  indexes: ['progress_to_review', 'jobs_by_id', 'history_of_job', 'job_logs_in_order'],
  sql: `
with due as materialized (
  select job_progress.job_id
  from {schema}.job_progress
  where job_progress.queue_id = $1::int4 and job_progress.review_at <= statement_timestamp()
  order by job_progress.queue_id, job_progress.review_at
  limit $2::int4
  for update skip locked
),
looked as materialized (
  select
    due.job_id,
    case when live.is_there then statement_timestamp() + interval '1 day'
      else (date_trunc('day', past.expires_at at time zone 'UTC') + interval '1 day') at time zone 'UTC'
    end as review_at
  from due
  left join lateral (
    select true as is_there
    from {schema}.jobs
    where jobs.queue_id = $1::int4 and jobs.id = due.job_id
    offset 0
  ) as live on true
  left join lateral (
    select max(history.expires_at) as expires_at
    from {schema}.history
    where history.queue_id = $1::int4 and history.id = due.job_id and history.outcome <> 'moved'
    offset 0
  ) as past on not coalesce(live.is_there, false)
),
kept as (
  update {schema}.job_progress
  set review_at = greatest(looked.review_at, statement_timestamp() + interval '1 hour')
  from looked
  where job_progress.job_id = looked.job_id and looked.review_at is not null
),
forgotten as (
  delete from {schema}.job_progress
  where job_id = any(array(select looked.job_id from looked where looked.review_at is null))
),
unlogged as (
  delete from {schema}.job_logs
  where job_id = any(array(select looked.job_id from looked where looked.review_at is null))
)
select count(*)::int4 as "seen" from looked`,
})

/** What a run has said since it was last stored. */
export interface Note extends HeldJob {
  readonly attempt: number
  /** JSON text; undefined: no news. */
  readonly progress: string | undefined
  /** How many lines were said, those among them that were dropped. */
  readonly lineCount: number
  readonly lines: readonly NotedLine[]
}

export interface NotedLine {
  /** Which of the lines that were said it is, from 1. */
  readonly place: number
  /** How long ago it was said, in milliseconds. */
  readonly agoMs: number
  readonly message: string
  /** JSON text of an object, or undefined. */
  readonly fields: string | undefined
}

/** Stores what runs of one holder say. Answers the ids that were still the holder's: of the others nothing was stored. */
export async function storeNotes(
  store: Store,
  holder: Holder,
  notes: readonly Note[],
  tx?: DBTX,
): Promise<string[]> {
  const values = [...fenceValues(holder, notes), `[${notes.map(encodeNote).join()}]`]
  const [row] = await store.run<{ ids: string }>(STORE_NOTES, values, tx)
  return readArray(row?.ids ?? '{}')
}

function encodeNote({ attempt, progress, lineCount, lines }: Note): string {
  const value = progress === undefined ? '' : `"value":${progress},`
  return `{${value}"attempt":${attempt},"count":${lineCount},"lines":[${lines.map(encodeLine).join()}]}`
}

function encodeLine({ place, agoMs, message, fields }: NotedLine): string {
  const rest = fields === undefined ? '' : `,${fields}`
  return `[${place},${Math.round(agoMs)},${JSON.stringify(message)}${rest}]`
}

/** Forgets what is over in one queue, a slice. Answers whether there may be more to look at. */
export async function reviewNotes(store: Store, queueId: number): Promise<boolean> {
  const [row] = await store.run<{ seen: number }>(REVIEW_NOTES, [queueId, REVIEWED_AT_ONCE])
  return row?.seen === REVIEWED_AT_ONCE
}

/** A line as it is stored. */
export interface LogRow {
  number: string
  attempt: number
  at: Micros
  message: string
  /** JSON, or null. */
  fields: string | null
}

/** Which lines of a job are asked for. */
export interface LogRequest {
  readonly queueId: number
  readonly jobId: string
  /** The number of the last line of the page before; null: from the first, or the newest. */
  readonly after: number | null
  readonly limit: number
  readonly isNewestFirst: boolean
}

/** A page of the lines of a job of the queue, wherever it is by now. */
export async function listLogRows(store: Store, request: LogRequest, tx?: DBTX): Promise<LogRow[]> {
  const { queueId, jobId, after, limit, isNewestFirst } = request
  const [noted] = await store.run<{ queueId: number }>(FIND_NOTED, [jobId], tx)
  if (noted === undefined) return []
  const place = await whereverItIs(store, queueId, jobId, tx, async (visited) =>
    visited === noted.queueId ? visited : undefined,
  )
  if (place === undefined) return [] // of another queue
  const ofPage = isNewestFirst ? LIST_NEWEST_JOB_LOGS : LIST_JOB_LOGS
  const from = after ?? (isNewestFirst ? Number.MAX_SAFE_INTEGER : 0)
  return store.run<LogRow>(ofPage, [jobId, from, limit], tx)
}
