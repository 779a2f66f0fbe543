import type { ResolvedJobChanges } from '../core/job-changes.ts'
import type { DBTX } from '../drivers/driver.ts'
import { afterMillis, fromMicros } from './instants.ts'
import { LIVE_JOB_COLUMNS, liveJobSource, type JobRow } from './job-row.ts'
import { whereverItIs } from './jobs.ts'
import { sqlTexts } from './numerals.ts'
import { statement } from './statement.ts'
import type { Store } from './store.ts'
import { WAKE, WAKE_PARAMETERS, wakeValues } from './wake.ts'

/** Whether the changes give the job another place in its queue. */
const MOVES = `num_nonnulls($10::int2, $12::float8, $13::float8) > 0`

/** Where a job stands that nobody has in hand: free, or parked as a suspect. */
const WAITS = `(jobs.claimed_by is null or jobs.claimed_by = 0)`

/**
 * Changes a job that waits, and answers it as it is then. A null leaves what it stands for. A FIFO queue keeps
 * its order: there nothing is changed if the job were to move.
 *
 * A job that is due has come back behind the claim floors, whatever was changed: at an earlier place of a lane, or in
 * another one; and a claim that met its row locked by this transaction has passed it by.
 */
export const EDIT_JOB = statement({
  name: 'edit_job',
  parameters: [
    ...WAKE_PARAMETERS,
    'int8',
    'text',
    'text',
    'int2',
    'text',
    'int2',
    'int8',
    'float8',
    'float8',
    'text',
  ],
  indexes: ['jobs_by_id'],
  sql: `
with edited as (
  update {schema}.jobs
  set
    args = coalesce($6::text::jsonb, jobs.args),
    metadata = coalesce($7::text::jsonb, jobs.metadata),
    max_retries = coalesce($8::int2, jobs.max_retries),
    retry_policy = coalesce($9::text::{schema}.retry_policy, jobs.retry_policy),
    priority = coalesce($10::int2, jobs.priority),
    timeout_ms = case when $11::int8 is null then jobs.timeout_ms else nullif($11::int8, 0) end,
    run_at = case
      when $12::float8 is not null then ${afterMillis('$12::float8')}
      when $13::float8 is not null
        then greatest(${fromMicros('$13::float8 * 1000')}, statement_timestamp())
      else jobs.run_at
    end,
    tags = case when $14::text is null then jobs.tags else nullif($14::text::text[], '{}') end
  where jobs.queue_id = $1::int4
    and jobs.id = $5::int8
    and ${WAITS}
    and not (
      ${MOVES}
      and exists (select from {schema}.queues where queues.id = $1::int4 and queues.is_fifo)
    )
  returning
    jobs.id, jobs.queue_id, jobs.run_at, jobs.created_at, jobs.priority, jobs.max_retries, jobs.timeout_ms,
    jobs.attempt, jobs.error_count, jobs.claimed_by, jobs.claim_no, jobs.started_at, jobs.origin_queue_id,
    jobs.args, jobs.metadata, jobs.tags, jobs.cancel_requested_at
),
rewound as (
  update {schema}.queues
  set rewind = rewind + 1
  where queues.id = $1::int4
    and exists (
      select from edited where edited.claimed_by is null and edited.run_at <= statement_timestamp()
    )
)
select ${LIVE_JOB_COLUMNS}, ${WAKE} as "isWoken"
from ${liveJobSource('edited as jobs')}`,
})

/** Whether the job waits in a FIFO queue, which keeps it at its place. */
export const FIND_KEPT_IN_ORDER = statement({
  name: 'find_kept_in_order',
  parameters: ['int4', 'int8'],
  indexes: ['jobs_by_id'],
  sql: `
select jobs.id::text as "id"
from {schema}.jobs
join {schema}.queues on queues.id = jobs.queue_id and queues.is_fifo
where jobs.queue_id = $1::int4 and jobs.id = $2::int8 and ${WAITS}`,
})

/** What became of an edit: the job as it is now, or that its FIFO queue keeps it at its place. */
export interface Edited {
  readonly queueId: number
  readonly job: JobRow | 'kept in order'
}

/** Changes the job in the queue where it waits. Undefined: it does not wait anywhere. */
export function editWaitingJob(
  store: Store,
  queueId: number,
  id: string,
  changes: ResolvedJobChanges,
  tx?: DBTX,
): Promise<Edited | undefined> {
  const { argsJson, metadataJson, maxRetries, retryPolicy } = changes
  const { priority, timeoutMs, delayMs, runAtMs } = changes
  const tags = changes.tags && (sqlTexts(changes.tags) ?? '{}')
  const settings = [maxRetries, retryPolicy, priority, timeoutMs, delayMs, runAtMs, tags]
  const moves = priority !== null || delayMs !== null || runAtMs !== null
  return whereverItIs(store, queueId, id, tx, async (place) => {
    const values = [...wakeValues(store, place), id, argsJson, metadataJson, ...settings]
    const [job] = await store.run<JobRow>(EDIT_JOB, values, tx)
    if (job !== undefined) return { queueId: place, job }
    if (!moves) return undefined
    const [kept] = await store.run(FIND_KEPT_IN_ORDER, [place, id], tx)
    return kept === undefined ? undefined : { queueId: place, job: 'kept in order' }
  })
}
