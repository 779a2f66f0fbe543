import type { DBTX } from '../drivers/driver.ts'
import { toMicros } from './instants.ts'
import type { JobRow } from './job-row.ts'
import { DEFAULT_KEEP_MS } from './queues.ts'
import { ERROR_OBJECT } from './settle-parts.ts'
import { statement } from './statement.ts'
import type { Store } from './store.ts'

/*
 * The last failed run of jobs, for who wants to know what goes wrong. Nothing is ordered by the time of a failure, and
 * an index for that would cost each settle. So what is looked at is bounded: slices of the queue in the order of ids.
 */

/** So many jobs are looked at, in `jobs` and in `history` each. */
const SLICE = 2_000
/** Arguments and metadata that are stored in more bytes than this are left out: `null` and `{}`. */
const MAX_STORED_BYTES = 4_096
const DAY_MS = 86_400_000

function small(column: string, otherwise: string): string {
  return `case when pg_column_size(${column}) <= ${MAX_STORED_BYTES} then ${column}::text else '${otherwise}' end`
}

/** A `JobRow` of what is in `failed`. */
function shown(
  own: Record<'status' | 'finishedAt' | 'errors' | 'cancelRequestedAt', string>,
): string {
  return `
select
  failed.id::text as "id",
  queues.name as "queueName",
  ${own.status} as "status",
  ${small('failed.args', 'null')} as "args",
  ${small('failed.metadata', '{}')} as "metadata",
  failed.attempt as "attempt",
  failed.max_retries::int4 as "maxRetries",
  failed.priority::int4 as "priority",
  failed.timeout_ms::text as "timeoutMs",
  ${toMicros('failed.created_at')} as "createdAt",
  ${toMicros('failed.run_at')} as "runAt",
  ${toMicros('failed.started_at')} as "startedAt",
  ${own.finishedAt} as "finishedAt",
  failed.error_count as "errorCount",
  jsonb_build_array(${own.errors})::text as "errors",
  null::text as "result",
  origins.name as "originQueue",
  ${own.cancelRequestedAt} as "cancelRequestedAt",
  to_jsonb(failed.tags)::text as "tags",
  null::text as "progress",
  null::text as "progressAt"`
}

const NAMED = `
join {schema}.queues on queues.id = failed.queue_id
left join {schema}.queues as origins on origins.id = failed.origin_queue_id`

const LIVE = shown({
  status: `case when failed.claimed_by > 0 then 'running' else 'available' end`,
  finishedAt: 'null::text',
  errors: 'failed.error',
  cancelRequestedAt: toMicros('failed.cancel_requested_at'),
})

const PAST = shown({
  status: 'failed.outcome::text',
  finishedAt: toMicros('failed.finished_at'),
  errors: 'failed.errors -> -1',
  cancelRequestedAt: 'null::text',
})

/** Failed jobs that wait or run, of a slice: `$1` is the queue, `$2` the slice, `$3` how many of them. */
function liveFailures(order: 'asc' | 'desc', which: string): string {
  return `${LIVE}
from (
  select looked.*, last.error
  from (
    select
      jobs.id, jobs.queue_id, jobs.claimed_by, jobs.attempt, jobs.max_retries, jobs.priority, jobs.timeout_ms,
      jobs.created_at, jobs.run_at, jobs.started_at, jobs.error_count, jobs.origin_queue_id, jobs.args, jobs.metadata,
      jobs.tags, jobs.cancel_requested_at
    from {schema}.jobs
    where jobs.queue_id = $1::int4
    order by jobs.queue_id ${order}, jobs.id ${order}
    limit $2::int4
  ) as looked
  cross join lateral (
    select job_errors.at, ${ERROR_OBJECT} as error
    from {schema}.job_errors
    where job_errors.job_id = looked.id
    order by job_errors.number desc
    limit 1
  ) as last
  where looked.error_count > 0 ${which}
  order by last.at desc, looked.id desc
  limit $3::int4
) as failed${NAMED}`
}

/**
 * Of the newest jobs in history those that failed, and of the oldest that wait or run, which had their turn, those that
 * have failed before. Finished jobs are mostly kept for a shorter time: what expires later than all of them, so many
 * milliseconds from now (`$4`), is in partitions of which they take no room.
 */
export const FIND_FAILED_RUNS = statement({
  name: 'find_failed_runs',
  parameters: ['int4', 'int4', 'int4', 'int8'],
  indexes: ['jobs_by_id', 'job_errors_in_order', 'history_of_job'],
  sql: `
(${liveFailures('asc', '')}
)
union all
(${PAST}
from (
  select looked.*
  from (
    select
      history.id, history.queue_id, history.outcome, history.attempt, history.max_retries, history.priority,
      history.timeout_ms, history.created_at, history.run_at, history.started_at, history.finished_at,
      history.error_count, history.origin_queue_id, history.args, history.metadata, history.tags, history.errors
    from {schema}.history
    where history.queue_id = $1::int4
      and history.expires_at >= coalesce(
        date_trunc('day', statement_timestamp() + $4::int8 * interval '1 millisecond', 'UTC') + interval '1 day',
        '-infinity'
      )
    order by history.queue_id desc, history.id desc
    limit $2::int4
  ) as looked
  where looked.outcome = 'failed' and looked.errors -> -1 is not null
  order by looked.finished_at desc, looked.id desc
  limit $3::int4
) as failed${NAMED}
)`,
})

/** Of the newest jobs of a dead-letter queue those that came from elsewhere, or from one queue (`$4`). */
export const FIND_DEAD_LETTERS = statement({
  name: 'find_dead_letters',
  parameters: ['int4', 'int4', 'int4', 'int4'],
  indexes: ['jobs_by_id', 'job_errors_in_order'],
  sql: liveFailures(
    'desc',
    'and looked.origin_queue_id = coalesce($4::int4, looked.origin_queue_id)',
  ),
})

/** The queue whose failures are looked for, and how many of them at most. */
export interface FailedRunsRequest {
  readonly queueId: number
  readonly keepFinishedMs: number | null
  readonly keepFailedMs: number | null
  readonly limit: number
}

/** Jobs that failed for good or wait after a failed run, each with its last error alone; in no order. */
export async function findFailedRuns(
  store: Store,
  { queueId, keepFinishedMs, keepFailedMs, limit }: FailedRunsRequest,
  tx: DBTX,
): Promise<JobRow[]> {
  // Partitions are days, so two of them are cut off.
  const laterMs = (keepFailedMs ?? DEFAULT_KEEP_MS) - (keepFinishedMs ?? Infinity)
  const expiresAfterMs = laterMs > 2 * DAY_MS ? keepFinishedMs : null
  return store.run<JobRow>(FIND_FAILED_RUNS, [queueId, SLICE, limit, expiresAfterMs], tx)
}

/** Dead letters, each with its last error alone, the one that failed last first. */
export async function findDeadLetters(
  store: Store,
  { queueId, originId, limit }: { queueId: number; originId: number | null; limit: number },
  tx: DBTX,
): Promise<JobRow[]> {
  return store.run<JobRow>(FIND_DEAD_LETTERS, [queueId, SLICE, limit, originId], tx)
}
