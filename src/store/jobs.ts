import type { DBTX } from '../drivers/driver.ts'
import {
  LIVE_JOB_COLUMNS,
  LIVE_JOB_SOURCE,
  PAST_JOB_COLUMNS,
  PAST_JOB_SOURCE,
  type JobRow,
} from './job-row.ts'
import { statement, type Statement } from './statement.ts'
import type { Store } from './store.ts'

/** Beyond so many rows an estimated count asks the planner instead of counting on. */
const COUNT_LIMIT = 10_000

export const GET_LIVE_JOB = statement({
  name: 'get_live_job',
  parameters: ['int4', 'int8'],
  indexes: ['jobs_by_id'],
  sql: `
select ${LIVE_JOB_COLUMNS}
from ${LIVE_JOB_SOURCE}
where jobs.queue_id = $1::int4 and jobs.id = $2::int8`,
})

export const GET_PAST_JOB = statement({
  name: 'get_past_job',
  parameters: ['int4', 'int8'],
  indexes: ['history_of_job'],
  sql: `
select ${PAST_JOB_COLUMNS}
from ${PAST_JOB_SOURCE}
where history.queue_id = $1::int4 and history.id = $2::int8 and history.outcome <> 'moved'
order by history.finished_at desc, history.id
limit 1`,
})

/** Where a job went that left the queue for another. */
export const FIND_POINTER = statement({
  name: 'find_pointer',
  parameters: ['int4', 'int8'],
  indexes: ['history_of_job'],
  sql: `
select history.moved_to as "movedTo"
from {schema}.history
where history.queue_id = $1::int4 and history.id = $2::int8 and history.outcome = 'moved'
order by history.finished_at desc, history.id
limit 1`,
})

export const COUNT_JOBS = statement({
  name: 'count_jobs',
  parameters: ['int4'],
  indexes: [],
  sql: `
select
  live.available::text as "available",
  live.running::text as "running",
  past.finished::text as "finished",
  past.failed::text as "failed",
  past.cancelled::text as "cancelled"
from (
  select
    count(*) filter (where coalesce(jobs.claimed_by, 0) = 0) as available,
    count(*) filter (where jobs.claimed_by > 0) as running
  from {schema}.jobs
  where jobs.queue_id = $1::int4
) as live
cross join (
  select
    count(*) filter (where history.outcome = 'finished') as finished,
    count(*) filter (where history.outcome = 'failed') as failed,
    count(*) filter (where history.outcome = 'cancelled') as cancelled
  from {schema}.history
  where history.queue_id = $1::int4
) as past`,
})

/** A sample of bounded size of a queue's jobs, the oldest ones. */
export const SAMPLE_LIVE_JOBS = statement({
  name: 'sample_live_jobs',
  parameters: ['int4', 'int4'],
  indexes: ['jobs_by_id'],
  sql: `
select
  count(*)::text as "sampled",
  count(*) filter (where sample.claimed_by > 0)::text as "running"
from (
  select jobs.claimed_by
  from {schema}.jobs
  where jobs.queue_id = $1::int4
  order by jobs.queue_id, jobs.id
  limit $2::int4
) as sample`,
})

/** A sample of bounded size of a queue's past jobs, the newest ones. */
export const SAMPLE_PAST_JOBS = statement({
  name: 'sample_past_jobs',
  parameters: ['int4', 'int4'],
  indexes: ['history_of_job'],
  sql: `
select
  count(*)::text as "sampled",
  count(*) filter (where sample.outcome = 'finished')::text as "finished",
  count(*) filter (where sample.outcome = 'failed')::text as "failed",
  count(*) filter (where sample.outcome = 'cancelled')::text as "cancelled"
from (
  select history.outcome
  from {schema}.history
  where history.queue_id = $1::int4
  order by history.queue_id, history.id desc
  limit $2::int4
) as sample`,
})

/** The planner's own estimates; their cost does not depend on how many rows there are. */
export const EXPLAIN_LIVE_JOBS = statement({
  name: 'explain_live_jobs',
  parameters: ['int4'],
  indexes: [],
  sql: `
explain (format json)
select from {schema}.jobs where jobs.queue_id = $1::int4`,
})

export const EXPLAIN_PAST_JOBS = statement({
  name: 'explain_past_jobs',
  parameters: ['int4'],
  indexes: [],
  sql: `
explain (format json)
select from {schema}.history where history.queue_id = $1::int4`,
})

/** The job of the queue, wherever it is now: waiting, in history, or in the queue that it was moved to. */
export async function getJob(
  store: Store,
  queueId: number,
  id: string,
  tx?: DBTX,
): Promise<JobRow | undefined> {
  return whereverItIs(store, queueId, id, tx, async (place) => {
    const [live] = await store.run<JobRow>(GET_LIVE_JOB, [place, id], tx)
    if (live !== undefined) return live
    const [past] = await store.run<JobRow>(GET_PAST_JOB, [place, id], tx)
    return past
  })
}

/**
 * Tries something on a job in its queue and, when it is not there, in the queue that it was moved
 * to, and so on. It looks twice: a job may move between two statements of the first look.
 */
export async function whereverItIs<T>(
  store: Store,
  queueId: number,
  id: string,
  tx: DBTX | undefined,
  attempt: (queueId: number) => Promise<T | undefined>,
): Promise<T | undefined> {
  for (let looks = 0; looks < 2; looks++) {
    const visited = new Set<number>()
    let place: number | undefined = queueId
    while (place !== undefined && !visited.has(place)) {
      visited.add(place)
      const found = await attempt(place)
      if (found !== undefined) return found
      const rows: { movedTo: number }[] = await store.run(FIND_POINTER, [place, id], tx)
      place = rows[0]?.movedTo
    }
  }
  return undefined
}

export type StatusCounts = Record<JobRow['status'], number>

export async function countJobs(store: Store, queueId: number, tx?: DBTX): Promise<StatusCounts> {
  const [row] = await store.run<Record<JobRow['status'], string>>(COUNT_JOBS, [queueId], tx)
  return {
    available: Number(row?.available),
    running: Number(row?.running),
    finished: Number(row?.finished),
    failed: Number(row?.failed),
    cancelled: Number(row?.cancelled),
  }
}

/** Counts, and whether they are more than an estimate. */
export interface Estimate {
  readonly counts: StatusCounts
  readonly isExact: boolean
}

/**
 * Counts at the same cost for any size: exact up to `COUNT_LIMIT` jobs of each table, beyond it the
 * planner's estimate, shared out as in the sample.
 */
export async function estimateJobs(store: Store, queueId: number, tx?: DBTX): Promise<Estimate> {
  const [live] = await store.run<Sample>(SAMPLE_LIVE_JOBS, [queueId, COUNT_LIMIT], tx)
  const [past] = await store.run<Sample>(SAMPLE_PAST_JOBS, [queueId, COUNT_LIMIT], tx)
  const liveFactor = await scale(store, EXPLAIN_LIVE_JOBS, queueId, live, tx)
  const pastFactor = await scale(store, EXPLAIN_PAST_JOBS, queueId, past, tx)
  const running = Number(live?.running ?? 0) // claims are at the front, which the sample has seen
  const share = (part: string | undefined): number => Math.round(Number(part ?? 0) * pastFactor)
  const counts = {
    available: Math.round(Number(live?.sampled ?? 0) * liveFactor) - running,
    running,
    finished: share(past?.finished),
    failed: share(past?.failed),
    cancelled: share(past?.cancelled),
  }
  return { counts, isExact: isWhole(live) && isWhole(past) }
}

/** Whether a sample has seen everything. */
function isWhole(sample: Sample | undefined): boolean {
  return Number(sample?.sampled ?? 0) < COUNT_LIMIT
}

type Sample = { sampled: string } & Partial<Record<JobRow['status'], string>>

/** By how much a sample has to be multiplied; 1 when it saw everything. */
async function scale(
  store: Store,
  explain: Statement,
  queueId: number,
  sample: Sample | undefined,
  tx: DBTX | undefined,
): Promise<number> {
  if (isWhole(sample)) return 1
  const sampled = Number(sample?.sampled)
  const rows = await store.run<{ 'QUERY PLAN': unknown }>(explain, [queueId], tx)
  const plan = rows[0]?.['QUERY PLAN']
  const parsed: unknown = typeof plan === 'string' ? JSON.parse(plan) : plan
  const estimate = (parsed as [{ Plan: { 'Plan Rows': number } }])[0].Plan['Plan Rows']
  return Math.max(1, estimate / sampled)
}
