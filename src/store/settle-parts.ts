import { fromMicros } from './instants.ts'

/** Columns that a job takes along unchanged into history. */
export const HISTORY_COLUMNS = `
    id, queue_id, run_at, created_at, priority, max_retries, retry_policy, timeout_ms,
    origin_queue_id, worker_id, claim_no, args, metadata, tags`

/** What a settling DELETE returns: a job's columns, and its place in the statement's arrays. */
export const SETTLED_COLUMNS = `
    id, queue_id, run_at, created_at, priority, max_retries, retry_policy, timeout_ms,
    origin_queue_id, claimed_by as worker_id, claim_no, args, metadata, tags, attempt, error_count,
    width_bucket(id, $3::int8[]) as place`

/** When a run started that may have started a little ahead of the database's clock; null where that is 0 or null. */
function startOf(micros: string): string {
  // `least` passes nulls by: without the case, a run that never started would have started now.
  return `case when ${micros} > 0 then least(${fromMicros(micros)}, statement_timestamp()) end`
}

/** When the runs started, by `$5`. */
export const STARTED_AT = startOf('($5::int8[])[place]')

/** An error as JSON, the shape of the elements of `history.errors`. */
export const ERROR_OBJECT = `jsonb_build_object(
      'attempt', job_errors.attempt,
      'at', (date_part('epoch', job_errors.at) * 1000000)::int8,
      'name', job_errors.name,
      'message', job_errors.message,
      'stack', job_errors.stack,
      'startedAt', (date_part('epoch', job_errors.started_at) * 1000000)::int8
    )`

/**
 * All earlier errors of a settled job, or null. Its rows are deleted beside it, from the same snapshot. Most jobs that
 * failed did so once; to gather and sort one row took as long as to insert it.
 */
export const ERRORS_OF_SETTLED = `case
      when error_count = 0 then null
      when error_count = 1 then (
        select jsonb_build_array(${ERROR_OBJECT})
        from {schema}.job_errors
        where job_errors.job_id = settled.id and job_errors.number = 1
      )
      else (
        select jsonb_agg(${ERROR_OBJECT} order by job_errors.number)
        from {schema}.job_errors
        where job_errors.job_id = settled.id
      )
    end`

/** This run's error, from the JSON array in `$6`; it started at `$5`. */
export const ONE_ERROR = `(
      (select $6::text::jsonb) -> (place - 1)
      || jsonb_build_object(
        'attempt', attempt + 1,
        'at', (date_part('epoch', statement_timestamp()) * 1000000)::int8,
        'startedAt', (date_part('epoch', ${STARTED_AT}) * 1000000)::int8
      )
    )`

/**
 * Adds to the rows of `runs` the error of each, from the JSON array in `$6`. The offset keeps this apart, or each
 * column that is taken from an error would read all errors by itself.
 */
export function withErrors(runs: string): string {
  return `(
    select ${runs}.*, (select $6::text::jsonb) -> (place - 1) as error from ${runs} offset 0
  ) as run`
}

/** What `withErrors` adds, as columns of `job_errors` from `name` on. */
export const ERROR_VALUES = `error ->> 'name', error ->> 'message', error ->> 'stack',
    ${startOf("(error ->> 'startedAt')::int8")}`

/** Deletes the errors of jobs that leave the table. */
export const FORGET_ERRORS = `forgotten as (
  delete from {schema}.job_errors
  where job_id = any(array(select id from settled where error_count > 0))
)`

/** What a settling statement answers: all ids in one value, which costs a tenth of a row for each. */
export const SETTLED_IDS = `select coalesce(array_agg(id), '{}')::text as "ids" from settled`

/** Deletes what the runs of deleted jobs have said, once they are gone. */
export const FORGET_NOTES = `unnoted as (
  delete from {schema}.job_progress
  where job_progress.job_id = any(array(select id from settled))
),
unlogged as (
  delete from {schema}.job_logs
  where job_logs.job_id = any(array(select id from settled))
)`
