import { toMicros, type Micros } from './instants.ts'
import { ERROR_OBJECT } from './settle-parts.ts'

/** A job as the statements that read jobs answer it, from the queue or from history. */
export interface JobRow {
  id: string
  queueName: string
  status: 'available' | 'running' | 'finished' | 'failed' | 'cancelled'
  args: string
  metadata: string
  attempt: number
  maxRetries: number
  priority: number
  timeoutMs: string | null
  createdAt: Micros
  runAt: Micros
  startedAt: Micros | null
  finishedAt: Micros | null
  errorCount: number
  /** JSON array, or null. */
  errors: string | null
  /** JSON, or null. */
  result: string | null
  originQueue: string | null
  cancelRequestedAt: Micros | null
  /** JSON array, or null. */
  tags: string | null
  /** JSON of the latest progress, or null. */
  progress: string | null
  progressAt: Micros | null
}

/** A value as JSON. */
const whole = (column: string): string => `${column}::text`

/** What the job with this id has reported last; `show` says how much of a value. */
export function progressOf(id: string, show = whole): string {
  const read = (column: string): string =>
    `(select ${column} from {schema}.job_progress where job_progress.job_id = ${id})`
  return `
  ${read(show('job_progress.value'))} as "progress",
  ${read(toMicros('job_progress.at'))} as "progressAt"`
}

/** How far a job of `jobs` is. */
export const LIVE_STATE = `jobs.attempt + case when jobs.claimed_by > 0 and coalesce(jobs.started_at, started.at) is not null then 1 else 0 end
    as "attempt",
  jobs.max_retries::int4 as "maxRetries",
  ${toMicros('jobs.created_at')} as "createdAt",
  ${toMicros('jobs.run_at')} as "runAt",
  ${toMicros('coalesce(jobs.started_at, started.at)')} as "startedAt",
  null::text as "finishedAt",
  jobs.error_count as "errorCount"`

/** Columns of a `JobRow` from `jobs`, joined with `started` (a lateral `at`) and `queues`, `origins`; `show` says how much of a value. */
export const liveJobColumns = (show = whole): string => `
  jobs.id::text as "id",
  queues.name as "queueName",
  case when jobs.claimed_by > 0 then 'running' else 'available' end as "status",
  ${show('jobs.args')} as "args",
  ${show('jobs.metadata')} as "metadata",
${LIVE_STATE},
  jobs.priority::int4 as "priority",
  jobs.timeout_ms::text as "timeoutMs",
  (
    select jsonb_agg(${ERROR_OBJECT} order by job_errors.number)::text
    from {schema}.job_errors
    where job_errors.job_id = jobs.id
  ) as "errors",
  null::text as "result",
  origins.name as "originQueue",
  ${toMicros('jobs.cancel_requested_at')} as "cancelRequestedAt",
  to_jsonb(jobs.tags)::text as "tags",${progressOf('jobs.id')}`

export const LIVE_JOB_COLUMNS = liveJobColumns()

/** What the columns above are read from: the table, or what a statement answers of it under the name `jobs`. */
export function liveJobSource(jobs: string): string {
  return `
${jobs}
join {schema}.queues on queues.id = jobs.queue_id
left join {schema}.queues as origins on origins.id = jobs.origin_queue_id
left join lateral (
  select min(marks.marked_at) as at
  from {schema}.marks
  where marks.worker_id = jobs.claimed_by
    and marks.queue_id = jobs.queue_id
    and marks.claim_no = jobs.claim_no
    and (marks.priority, marks.run_at, marks.job_id) >= (jobs.priority, jobs.run_at, jobs.id)
) as started on jobs.claimed_by > 0 and jobs.started_at is null`
}

export const LIVE_JOB_SOURCE = liveJobSource('{schema}.jobs')

/** Columns of a `JobRow` from `history`, joined with `queues` and `origins`; `show` says how much of a value. */
export const pastJobColumns = (show = whole): string => `
  history.id::text as "id",
  queues.name as "queueName",
  history.outcome::text as "status",
  ${show('history.args')} as "args",
  ${show('history.metadata')} as "metadata",
  history.attempt as "attempt",
  history.max_retries::int4 as "maxRetries",
  history.priority::int4 as "priority",
  history.timeout_ms::text as "timeoutMs",
  ${toMicros('history.created_at')} as "createdAt",
  ${toMicros('history.run_at')} as "runAt",
  ${toMicros('history.started_at')} as "startedAt",
  ${toMicros('history.finished_at')} as "finishedAt",
  history.error_count as "errorCount",
  history.errors::text as "errors",
  ${show('history.result')} as "result",
  origins.name as "originQueue",
  null::text as "cancelRequestedAt",
  to_jsonb(history.tags)::text as "tags",${progressOf('history.id')}`

export const PAST_JOB_COLUMNS = pastJobColumns()

export const PAST_JOB_SOURCE = `
{schema}.history
join {schema}.queues on queues.id = history.queue_id
left join {schema}.queues as origins on origins.id = history.origin_queue_id`
