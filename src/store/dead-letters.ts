import type { DBTX } from '../drivers/driver.ts'
import { FENCE_PARAMETERS, UNLESS_CANCELLED } from './fence.ts'
import { isAmongThose } from './among.ts'
import { afterMillis } from './instants.ts'
import { encodeErrors, fenceValues, type FailedRun, type Holder } from './settle.ts'
import { ERROR_VALUES, withErrors } from './settle-parts.ts'
import { statement } from './statement.ts'
import type { Store } from './store.ts'
import { WAKE, WAKE_PARAMETERS, wakeValues } from './wake.ts'

/*
 * A move between queues is a delete in one and an insert in the other, two statements in one
 * transaction, so that each statement names one queue (a distributed table can then keep every
 * queue on a node of its own). In the queue it left a pointer in history says where the job went.
 */

/** A job between two queues, as JSON text in the shape that `ARRIVE` reads. */
export interface MovingJob {
  id: string
  job: string
  originQueueId: number | null
}

/** The columns that a job keeps on a move, and its way into JSON. */
const MOVING_JOB = `jsonb_build_object(
    'id', id, 'created_at', created_at, 'priority', priority, 'max_retries', max_retries,
    'retry_policy', retry_policy, 'timeout_ms', timeout_ms, 'error_count', error_count,
    'is_suspect', is_suspect, 'args', args, 'metadata', metadata, 'tags', tags
  )::text`

const POINTER_COLUMNS = `
    id, queue_id, run_at, created_at, priority, max_retries, retry_policy, attempt, error_count,
    outcome, moved_to, args, metadata, finished_at, expires_at`

/** Takes jobs out of their queue after a last failed run and leaves pointers to the dead-letter queue. */
export const DEPART_FAILED = statement({
  name: 'depart_failed',
  parameters: [...FENCE_PARAMETERS, 'int4', 'text', 'float8'],
  indexes: ['jobs_by_id'],
  sql: `
with departed as (
  delete from {schema}.jobs
  where ${UNLESS_CANCELLED}
  returning
    id, queue_id, run_at, created_at, priority, max_retries, retry_policy, timeout_ms,
    attempt + 1 as attempt, error_count + 1 as error_count, is_suspect, args, metadata, tags, claim_no,
    width_bucket(id, $3::int8[]) as place
),
noted as (
  insert into {schema}.job_errors (job_id, number, attempt, worker_id, claim_no, name, message, stack, started_at)
  select
    id, error_count, attempt, $2::int4, claim_no,
    ${ERROR_VALUES}
  from ${withErrors('departed')}
),
pointed as (
  insert into {schema}.history (${POINTER_COLUMNS}, worker_id, claim_no)
  select
    id, queue_id, run_at, created_at, priority, max_retries, retry_policy, attempt, error_count,
    'moved', $5::int4, 'null', metadata, statement_timestamp(), ${afterMillis('$7::float8')},
    $2::int4, claim_no
  from departed
)
select id::text as "id", ${MOVING_JOB} as "job", $1::int4 as "originQueueId"
from departed
order by departed.id`,
})

/** Jobs go back in portions of this size, as it is stored: compressed, it may be a hundred times as much on the way. */
const MAX_STORED_BYTES = 1_048_576

/**
 * Waiting jobs of a dead-letter queue, oldest first, as far as they came from elsewhere, and as many as one
 * statement carries, as `chosen`. `which` of them is the caller's.
 */
export function chosenDeadLetters(which: string): string {
  return `free as materialized (
  select jobs.id, pg_column_size(jobs.args) + pg_column_size(jobs.metadata) as size
  from {schema}.jobs
  where jobs.queue_id = $1::int4
    and ${which}
    and (jobs.claimed_by is null or jobs.claimed_by = 0)
    and jobs.origin_queue_id is not null
  order by jobs.queue_id, jobs.id
  limit $2::int4
  for no key update skip locked
),
chosen as materialized (
  select summed.id
  from (select free.id, sum(free.size) over (order by free.id) - free.size as before from free) as summed
  where summed.before < ${MAX_STORED_BYTES}
)`
}

/** Takes dead letters out of their queue, and answers them as they travel. */
export function departure(which: string): string {
  return `
with ${chosenDeadLetters(which)},
departed as (
  delete from {schema}.jobs
  where queue_id = $1::int4 and ${isAmongThose('id', 'chosen')}
  returning
    id, created_at, priority, max_retries, retry_policy, timeout_ms, error_count, is_suspect,
    args, metadata, tags, origin_queue_id
),
released as (
  delete from {schema}.suspects
  where suspects.queue_id = $1::int4 and suspects.job_id = any(array(select chosen.id from chosen))
)
select id::text as "id", ${MOVING_JOB} as "job", origin_queue_id as "originQueueId"
from departed
order by departed.id`
}

/** Those with ids above `$3`, at most `$2`. */
export const DEPART_DEAD_LETTERS = statement({
  name: 'depart_dead_letters',
  parameters: ['int4', 'int4', 'int8'],
  indexes: ['jobs_by_id', 'suspects_of_queue'],
  sql: departure('jobs.id > $3::int8'),
})

/**
 * Puts moved jobs into a queue: due now, with a fresh set of attempts, and in a FIFO queue at their
 * place by id. A pointer that an earlier move left here would point at where the job no longer is.
 */
export const ARRIVE = statement({
  name: 'arrive',
  parameters: [...WAKE_PARAMETERS, 'text', 'int4'],
  indexes: ['history_of_job', 'progress_of_job'],
  sql: `
with moving as materialized (
  select moving.*
  from jsonb_to_recordset($5::text::jsonb) as moving (
    id int8, created_at timestamptz, priority int2, max_retries int2,
    retry_policy {schema}.retry_policy, timeout_ms int8, error_count int4, is_suspect bool,
    args jsonb, metadata jsonb, tags text[]
  )
),
arrived as (
  insert into {schema}.jobs (
    queue_id, id, run_at, created_at, priority, max_retries, retry_policy, timeout_ms, error_count,
    is_suspect, claimed_by, origin_queue_id, args, metadata, tags
  )
  select
    $1::int4, moving.id, statement_timestamp(), moving.created_at,
    case when queues.is_fifo then 5 else moving.priority end,
    moving.max_retries, moving.retry_policy, moving.timeout_ms, moving.error_count,
    moving.is_suspect, case when moving.is_suspect then 0 end, $6::int4,
    coalesce(moving.args, 'null'), moving.metadata, moving.tags -- a JSON null comes out of the record as none
  from moving
  join {schema}.queues on queues.id = $1::int4
  returning id, is_suspect
),
parked as (
  insert into {schema}.suspects (queue_id, job_id)
  select $1::int4, id from arrived where is_suspect
  on conflict do nothing
),
unpointed as (
  delete from {schema}.history
  where history.queue_id = $1::int4
    and ${isAmongThose('history.id', 'moving')}
    and history.outcome = 'moved'
),
followed as (
  update {schema}.job_progress
  set queue_id = $1::int4
  where ${isAmongThose('job_progress.job_id', 'moving')}
)
select id::text as "id", ${WAKE} as "isWoken" from arrived`,
})

/** Moves jobs whose last run failed to the dead-letter queue. Answers the ids that were still the holder's. */
export function bury(
  store: Store,
  holder: Holder,
  runs: readonly FailedRun[],
  dlqId: number,
  keepMs: number,
): Promise<string[]> {
  return store.transaction(async (tx) => {
    const values = [...fenceValues(holder, runs), dlqId, encodeErrors(runs), keepMs]
    const departed = await store.run<MovingJob>(DEPART_FAILED, values, tx)
    await arrive(store, dlqId, departed, holder.queueId, tx)
    return departed.map((job) => job.id)
  })
}

/** Sends at most `limit` waiting jobs with ids above `afterId` back to where they came from, the oldest first. */
export function redrive(
  store: Store,
  dlqId: number,
  limit: number,
  afterId: string,
): Promise<RedriveAnswer> {
  return store.transaction(async (tx) => {
    const values = [dlqId, limit, afterId]
    const departed = await store.run<MovingJob>(DEPART_DEAD_LETTERS, values, tx)
    const queueIds = await arriveAtOrigins(store, departed, tx)
    return { count: departed.length, queueIds, lastId: departed.at(-1)?.id }
  })
}

export interface RedriveAnswer {
  readonly count: number
  /** The queues that got jobs back. */
  readonly queueIds: readonly number[]
  /** The highest id that went; undefined when there was nothing left. */
  readonly lastId: string | undefined
}

/** Puts jobs into the queues that they came from. Answers which those are. */
export async function arriveAtOrigins(
  store: Store,
  departed: readonly MovingJob[],
  tx: DBTX,
): Promise<number[]> {
  const byOrigin = new Map<number, MovingJob[]>()
  for (const job of departed) {
    const origin = Number(job.originQueueId)
    byOrigin.set(origin, [...(byOrigin.get(origin) ?? []), job])
  }
  for (const [origin, jobs] of byOrigin) await arrive(store, origin, jobs, null, tx)
  return [...byOrigin.keys()]
}

async function arrive(
  store: Store,
  queueId: number,
  jobs: readonly MovingJob[],
  originQueueId: number | null,
  tx: DBTX,
): Promise<void> {
  if (jobs.length === 0) return
  const json = `[${jobs.map((moving) => moving.job).join()}]`
  await store.run(ARRIVE, [...wakeValues(store, queueId), json, originQueueId], tx)
}
