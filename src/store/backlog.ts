import type { DBTX } from '../drivers/driver.ts'
import { dueByLane, WAITED_MS } from './due.ts'
import { statement } from './statement.ts'
import type { Store } from './store.ts'

/** So many ready jobs of each priority are counted; of more there is an estimate. */
const COUNT_LIMIT = 10_000

/** The ready jobs of each lane, as far as they are counted, and how long the first of them has been due. */
export const READ_BACKLOG = statement({
  name: 'read_backlog',
  parameters: ['int4', 'int4'],
  indexes: ['jobs_due'],
  sql: `
select
  count(*)::text as "ready",
  ${WAITED_MS} as "waitedMs"
from ${dueByLane('$2::int4')}`,
})

/** The planner's own estimate, whose cost does not depend on how many there are. */
export const EXPLAIN_DUE_JOBS = statement({
  name: 'explain_due_jobs',
  parameters: ['int4'],
  indexes: [],
  sql: `
explain (format json)
select from {schema}.jobs where jobs.queue_id = $1::int4 and jobs.run_at <= statement_timestamp()`,
})

/** Jobs that are due and in nobody's hands. */
export interface ReadyJobs {
  readonly ready: number
  /** False: there are so many that their number is an estimate. */
  readonly isExact: boolean
  /** How long the one has been due that has waited longest, in milliseconds; null when there is none. */
  readonly oldestReadyMs: number | null
}

export async function readBacklog(store: Store, queueId: number, tx?: DBTX): Promise<ReadyJobs> {
  type Row = { ready: string; waitedMs: string | null }
  const [row] = await store.run<Row>(READ_BACKLOG, [queueId, COUNT_LIMIT], tx)
  const counted = Number(row?.ready ?? 0)
  const waitedMs = row?.waitedMs ?? null
  const isExact = counted < COUNT_LIMIT
  const ready = isExact ? counted : Math.max(counted, await estimateDue(store, queueId, tx))
  return { ready, isExact, oldestReadyMs: waitedMs === null ? null : Number(waitedMs) }
}

async function estimateDue(store: Store, queueId: number, tx?: DBTX): Promise<number> {
  const rows = await store.run<{ 'QUERY PLAN': unknown }>(EXPLAIN_DUE_JOBS, [queueId], tx)
  const plan = rows[0]?.['QUERY PLAN']
  const parsed: unknown = typeof plan === 'string' ? JSON.parse(plan) : plan
  return (parsed as [{ Plan: { 'Plan Rows': number } }])[0].Plan['Plan Rows']
}
