import type { DBTX } from '../drivers/driver.ts'
import { isAmong } from './among.ts'
import { afterMillis, fromMicros } from './instants.ts'
import { whereverItIs } from './jobs.ts'
import { ERRORS_OF_SETTLED, FORGET_ERRORS, FORGET_NOTES, HISTORY_COLUMNS } from './settle-parts.ts'
import { withDayOfHistory } from './history.ts'
import { sortedIds } from './numerals.ts'
import { statement } from './statement.ts'
import type { Store } from './store.ts'
import { WAKE, WAKE_PARAMETERS, wakeValues } from './wake.ts'

/*
 * What a person or a program does to jobs from outside, one or many of a queue. A job in a worker's hands
 * is left alone: each statement is guarded by the state it expects, and answers the ids of the jobs that it changed.
 */

/** Ends waiting jobs. It wakes the queue: in a FIFO queue the next one may have waited for this one. */
export const CANCEL_JOBS = statement({
  name: 'cancel_jobs',
  parameters: [...WAKE_PARAMETERS, 'int8[]', 'float8'],
  indexes: ['jobs_by_id', 'job_errors_in_order', 'suspects_of_queue'],
  sql: `
with settled as (
  delete from {schema}.jobs
  where queue_id = $1::int4 and ${isAmong('id', '$5')} and (claimed_by is null or claimed_by = 0)
  returning
    id, queue_id, run_at, created_at, priority, max_retries, retry_policy, timeout_ms,
    origin_queue_id, null::int4 as worker_id, null::int8 as claim_no, args, metadata, tags, attempt, error_count
),
${FORGET_ERRORS},
released as (
  delete from {schema}.suspects where suspects.queue_id = $1::int4 and suspects.job_id = any($5::int8[])
),
kept as (
  insert into {schema}.history (${HISTORY_COLUMNS}, outcome, attempt, error_count, errors, finished_at, expires_at)
  select ${HISTORY_COLUMNS}, 'cancelled', attempt, error_count, ${ERRORS_OF_SETTLED},
    statement_timestamp(), ${afterMillis('$6::float8')}
  from settled
)
select id::text as "id", ${WAKE} as "isWoken" from settled`,
})

/** Lets failed or cancelled jobs run again, now and with a fresh set of attempts; they keep their errors. */
export const RETRY_JOBS = statement({
  name: 'retry_jobs',
  parameters: [...WAKE_PARAMETERS, 'int8[]'],
  indexes: ['history_of_job'],
  sql: `
with revived as (
  delete from {schema}.history
  where history.queue_id = $1::int4 and ${isAmong('history.id', '$5')} and history.outcome in ('failed', 'cancelled')
  returning
    history.id, history.created_at, history.priority, history.max_retries, history.retry_policy,
    history.timeout_ms, history.origin_queue_id, history.error_count, history.errors,
    history.args, history.metadata, history.tags
),
arrived as (
  insert into {schema}.jobs (
    queue_id, id, run_at, created_at, priority, max_retries, retry_policy, timeout_ms,
    origin_queue_id, error_count, args, metadata, tags
  )
  select
    $1::int4, id, statement_timestamp(), created_at, priority, max_retries, retry_policy, timeout_ms,
    origin_queue_id, error_count, args, metadata, tags
  from revived
  returning id
),
noted as (
  insert into {schema}.job_errors (job_id, number, attempt, at, name, message, stack, started_at)
  select
    revived.id,
    -- Of many errors only the first and the last twenty are kept, under their own numbers.
    case when past.place <= 20 then past.place
      else revived.error_count - jsonb_array_length(revived.errors) + past.place end::int4,
    (past.error ->> 'attempt')::int4,
    ${fromMicros("(past.error ->> 'at')::float8")},
    past.error ->> 'name',
    past.error ->> 'message',
    past.error ->> 'stack',
    ${fromMicros("(past.error ->> 'startedAt')::float8")}
  from revived
  cross join lateral jsonb_array_elements(revived.errors) with ordinality as past (error, place)
)
select id::text as "id", ${WAKE} as "isWoken" from arrived`,
})

/** Forgets waiting jobs. */
export const DELETE_LIVE_JOBS = statement({
  name: 'delete_live_jobs',
  parameters: [...WAKE_PARAMETERS, 'int8[]'],
  indexes: [
    'jobs_by_id',
    'job_errors_in_order',
    'suspects_of_queue',
    'progress_of_job',
    'job_logs_in_order',
  ],
  sql: `
with settled as (
  delete from {schema}.jobs
  where queue_id = $1::int4 and ${isAmong('id', '$5')} and (claimed_by is null or claimed_by = 0)
  returning id, error_count
),
${FORGET_ERRORS},
${FORGET_NOTES},
released as (
  delete from {schema}.suspects where suspects.queue_id = $1::int4 and suspects.job_id = any($5::int8[])
)
select id::text as "id", ${WAKE} as "isWoken" from settled`,
})

/** Forgets jobs that ended. */
export const DELETE_PAST_JOBS = statement({
  name: 'delete_past_jobs',
  parameters: ['int4', 'int8[]'],
  indexes: ['history_of_job', 'progress_of_job', 'job_logs_in_order'],
  sql: `
with settled as (
  delete from {schema}.history
  where history.queue_id = $1::int4 and ${isAmong('history.id', '$2')} and history.outcome <> 'moved'
  returning history.id
),
${FORGET_NOTES}
select settled.id::text as "id" from settled`,
})

/** Forgets that a job went from this queue to another. */
export const DELETE_POINTER = statement({
  name: 'delete_pointer',
  parameters: ['int4', 'int8'],
  indexes: ['history_of_job'],
  sql: `
delete from {schema}.history
where history.queue_id = $1::int4 and history.id = $2::int8 and history.outcome = 'moved'
returning history.id::text as "id"`,
})

/** The ids of the jobs that waited in the queue and are cancelled now. */
export async function cancelJobs(
  store: Store,
  queueId: number,
  ids: readonly string[],
  keepMs: number,
  tx?: DBTX,
): Promise<string[]> {
  const values = [...wakeValues(store, queueId), sortedIds(ids), keepMs]
  const work = () => store.run<Changed>(CANCEL_JOBS, values, tx)
  return idsOf(await withDayOfHistory(store, keepMs, tx, work))
}

/** The ids of the jobs that had failed or been cancelled in the queue and are available now. */
export async function retryJobs(
  store: Store,
  queueId: number,
  ids: readonly string[],
  tx?: DBTX,
): Promise<string[]> {
  const values = [...wakeValues(store, queueId), sortedIds(ids)]
  return idsOf(await store.run<Changed>(RETRY_JOBS, values, tx))
}

/** The ids of the jobs that waited or had ended in the queue and are gone now. */
export async function deleteJobs(
  store: Store,
  queueId: number,
  ids: readonly string[],
  tx?: DBTX,
): Promise<string[]> {
  const live = await deleteLiveJobs(store, queueId, ids, tx)
  if (live.length === ids.length) return live
  return [...live, ...(await deletePastJobs(store, queueId, ids, tx))]
}

/** The ids of the jobs that waited in the queue and are gone now. */
export async function deleteLiveJobs(
  store: Store,
  queueId: number,
  ids: readonly string[],
  tx?: DBTX,
): Promise<string[]> {
  const values = [...wakeValues(store, queueId), sortedIds(ids)]
  return idsOf(await store.run<Changed>(DELETE_LIVE_JOBS, values, tx))
}

/** The ids of the jobs that had ended in the queue and are gone now. */
export async function deletePastJobs(
  store: Store,
  queueId: number,
  ids: readonly string[],
  tx?: DBTX,
): Promise<string[]> {
  return idsOf(await store.run<Changed>(DELETE_PAST_JOBS, [queueId, sortedIds(ids)], tx))
}

/** The queue in which the job is available again, or undefined when it had neither failed nor been cancelled. */
export function retryJob(
  store: Store,
  queueId: number,
  id: string,
  tx?: DBTX,
): Promise<number | undefined> {
  return whereverItIs(store, queueId, id, tx, async (place) => {
    const changed = await retryJobs(store, place, [id], tx)
    return changed.length > 0 ? place : undefined
  })
}

/** The queue in which the job was deleted, or undefined when it is running or unknown. */
export async function deleteJob(
  store: Store,
  queueId: number,
  id: string,
  tx?: DBTX,
): Promise<number | undefined> {
  const deletedIn = await whereverItIs(store, queueId, id, tx, async (place) => {
    const changed = await deleteJobs(store, place, [id], tx)
    return changed.length > 0 ? place : undefined
  })
  if (deletedIn !== undefined && deletedIn !== queueId) {
    await store.run(DELETE_POINTER, [queueId, id], tx)
  }
  return deletedIn
}

interface Changed {
  readonly id: string
}

function idsOf(rows: readonly Changed[]): string[] {
  return rows.map(({ id }) => id)
}
