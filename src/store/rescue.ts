import type { LaneFloor } from './claim.ts'
import { sqlArray } from './numerals.ts'
import { fromMicros, toMicros, type Micros } from './instants.ts'
import { statement } from './statement.ts'
import type { Store } from './store.ts'

/** A job that a dead worker holds. */
export interface OrphanedJob {
  id: string
  workerId: number
  claimNo: string
  /** Whether its worker had started it: set by the claim, or covered by a mark. */
  isStarted: boolean
  startedAt: Micros | null
  isSuspect: boolean
  attempt: number
  maxRetries: number
  retryPolicy: 'constant' | 'linear' | 'exponential'
}

/** Where a slice ended: the key of its last row, or undefined at the end of the queue. */
export type SliceKey = LaneFloor

export interface Slice {
  readonly orphans: readonly OrphanedJob[]
  readonly next: SliceKey | undefined
}

/**
 * Looks through one slice of a queue's due jobs for what some workers hold. No index knows who
 * holds a job (a claim would then write to it), so a rescue reads the queue once, in the order in
 * which jobs are claimed, so that what was claimed comes first, and in slices, so that no statement
 * is long. Rescues are rare.
 */
export const READ_HELD_SLICE = statement({
  name: 'read_held_slice',
  parameters: ['int4', 'int4[]', 'int4', 'int2', 'int8', 'int8'],
  indexes: ['jobs_due', 'marks_of_claim'],
  sql: `
with slice as materialized (
  select
    jobs.id, jobs.priority, jobs.run_at, jobs.claimed_by, jobs.claim_no, jobs.started_at,
    jobs.is_suspect, jobs.attempt, jobs.max_retries, jobs.retry_policy
  from {schema}.jobs
  where jobs.queue_id = $1::int4
    and jobs.queue_id + 0 = $1::int4
    and (jobs.priority, jobs.run_at, jobs.id + 0) > ($4::int2, ${fromMicros('$5::int8')}, $6::int8)
  order by jobs.queue_id + 0, jobs.priority, jobs.run_at, jobs.id + 0
  limit $3::int4
),
last as (
  select slice.priority, slice.run_at, slice.id
  from slice
  order by slice.priority desc, slice.run_at desc, slice.id desc
  limit 1
)
select
  'orphan' as "kind",
  slice.id::text as "id",
  slice.claimed_by as "workerId",
  slice.claim_no::text as "claimNo",
  (slice.started_at is not null or marked.at is not null) as "isStarted",
  ${toMicros('coalesce(slice.started_at, marked.at)')} as "startedAt",
  slice.is_suspect as "isSuspect",
  slice.attempt as "attempt",
  slice.max_retries::int4 as "maxRetries",
  slice.retry_policy::text as "retryPolicy",
  slice.priority::int4 as "priority",
  ${toMicros('slice.run_at')} as "runAt"
from slice
left join lateral (
  select min(marks.marked_at) as at
  from {schema}.marks
  where marks.worker_id = slice.claimed_by
    and marks.queue_id = $1::int4
    and marks.claim_no = slice.claim_no
    and (marks.priority, marks.run_at, marks.job_id) >= (slice.priority, slice.run_at, slice.id)
) as marked on slice.started_at is null
where slice.claimed_by = any($2::int4[])
union all
select 'last', last.id::text, null, null, null, null, null, null, null, null,
  last.priority::int4, ${toMicros('last.run_at')}
from last`,
})

/** One slice after `key`; undefined starts at the front. */
export async function readHeldSlice(
  store: Store,
  queueId: number,
  workerIds: readonly number[],
  size: number,
  key: SliceKey | undefined,
): Promise<Slice> {
  const after = [key?.priority ?? -1, key?.runAt ?? '0', key?.id ?? '0']
  const rows = await store.run<OrphanedJob & { kind: string; priority: number; runAt: Micros }>(
    READ_HELD_SLICE,
    [queueId, sqlArray(workerIds), size, ...after],
  )
  const last = rows.find((row) => row.kind === 'last')
  return {
    orphans: rows.filter((row) => row.kind === 'orphan'),
    next: last && { priority: last.priority, runAt: last.runAt, id: last.id },
  }
}
