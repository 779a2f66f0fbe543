import type { DBTX } from '../drivers/driver.ts'
import { sqlArray } from './numerals.ts'
import { readSizes } from './sizes.ts'
import { statement } from './statement.ts'
import type { Store } from './store.ts'

/** So many ready jobs are counted of one queue; of more there is an estimate. (10,000, each on its own page: 90 ms.) */
const COUNT_LIMIT = 5_000
/** So many are counted of all queues together, where many are looked into. */
const COUNT_LIMIT_OF_MANY = 10_000
const LANES = 10
/** To count once more is worthwhile only where so many times as many can be counted. */
const WORTHWHILE = 4

/**
 * The ready jobs of each lane of some queues, as far as they are counted, and how long the first of them has been due. A
 * lane is full in which as many were counted as may be.
 *
 * Queues are named only as `jobs_due` has it: beside the plain column the planner takes both to be independent, expects
 * next to nothing, and collects and sorts all that is due. (The first of each of ten lanes of 1,250 jobs took 100 ms.)
 */
export const READ_BACKLOGS = statement({
  name: 'read_backlogs',
  parameters: ['int4[]', 'int4'],
  indexes: ['jobs_due'],
  sql: `
select
  queue.id as "queueId",
  sum(lane.counted)::text as "ready",
  (count(*) filter (where lane.counted = $2::int4))::int4 as "fullLanes",
  floor(date_part('epoch', statement_timestamp() - min(lane.since)) * 1000)::int8::text as "waitedMs"
from unnest($1::int4[]) as queue (id)
cross join generate_series(0, 9) as each (priority)
cross join lateral (
  select count(*)::int4 as counted, min(due.run_at) as since
  from (
    select jobs.run_at
    from {schema}.jobs
    where jobs.queue_id + 0 = queue.id
      and jobs.priority = each.priority
      and jobs.run_at <= statement_timestamp()
      and (jobs.claimed_by is null or jobs.claimed_by = 0)
    order by jobs.run_at, jobs.id + 0
    limit $2::int4
  ) as due
) as lane
group by queue.id
order by queue.id`,
})

/** How many jobs of all queues are due, as the planner sees it: at a cost that does not depend on how many there are. */
export const EXPLAIN_DUE_JOBS = statement({
  name: 'explain_due_jobs',
  parameters: [],
  indexes: [],
  sql: `
explain (format json)
select from {schema}.jobs where jobs.run_at <= statement_timestamp()`,
})

/** Jobs that are due and in nobody's hands. */
export interface ReadyJobs {
  readonly ready: number
  /** False: there are so many that their number is an estimate. */
  readonly isExact: boolean
  /** How long the one has been due that has waited longest, in milliseconds; null when there is none. */
  readonly oldestReadyMs: number | null
}

/** Of a queue without jobs. */
export const NOTHING_READY: ReadyJobs = { ready: 0, isExact: true, oldestReadyMs: null }

export async function readBacklog(store: Store, queueId: number, tx?: DBTX): Promise<ReadyJobs> {
  return (await readBacklogs(store, [queueId], tx)).get(queueId) ?? NOTHING_READY
}

/** How long the free job has been due that has waited longest, in milliseconds; null: none is due. */
export async function longestWait(
  store: Store,
  queueId: number,
  tx?: DBTX,
): Promise<number | null> {
  const [row] = await countReady(store, [queueId], 1, tx)
  return row === undefined || row.waitedMs === null ? null : Number(row.waitedMs)
}

/**
 * The same of many queues. What may be counted is shared out: half of it evenly, then all of it among the lanes that have
 * more, as long as these are few. Of what is deeper the statistics of the table say how many there are.
 */
export async function readBacklogs(
  store: Store,
  queueIds: readonly number[],
  tx?: DBTX,
): Promise<Map<number, ReadyJobs>> {
  const budget = queueIds.length === 1 ? COUNT_LIMIT : COUNT_LIMIT_OF_MANY
  const counted = new Map<number, BacklogRow>()
  let asked = queueIds
  let limit = shareOf(budget / 2, queueIds.length * LANES)
  for (;;) {
    const rows = await countReady(store, asked, limit, tx)
    for (const row of rows) counted.set(row.queueId, row)
    const deep = rows.filter(({ fullLanes }) => fullLanes > 0)
    const more = shareOf(budget, sumOf(deep.map(({ fullLanes }) => fullLanes)))
    if (deep.length === 0 || more < limit * WORTHWHILE) break
    asked = deep.map(({ queueId }) => queueId)
    limit = more
  }
  const isBeyond = [...counted.values()].some(({ fullLanes }) => fullLanes > 0)
  const estimate = isBeyond ? await estimateReady(store, tx) : () => 0
  return new Map([...counted].map(([id, row]) => [id, readyOf(row, () => estimate(id))]))
}

interface BacklogRow {
  queueId: number
  ready: string
  fullLanes: number
  waitedMs: string | null
}

async function countReady(
  store: Store,
  queueIds: readonly number[],
  limit: number,
  tx: DBTX | undefined,
): Promise<BacklogRow[]> {
  return store.run<BacklogRow>(READ_BACKLOGS, [sqlArray(queueIds), limit], tx)
}

function readyOf({ ready, fullLanes, waitedMs }: BacklogRow, estimate: () => number): ReadyJobs {
  const isExact = fullLanes === 0
  return {
    ready: isExact ? Number(ready) : Math.max(Number(ready), estimate()),
    isExact,
    oldestReadyMs: waitedMs === null ? null : Number(waitedMs),
  }
}

/** How many of a budget each one gets. */
function shareOf(budget: number, count: number): number {
  return Math.min(COUNT_LIMIT, Math.max(1, Math.floor(budget / Math.max(1, count))))
}

/** As the planner would: a queue's share of all jobs, of those that are due. */
async function estimateReady(
  store: Store,
  tx: DBTX | undefined,
): Promise<(queueId: number) => number> {
  const sizes = await readSizes(store, tx)
  const due = rowsOf(await store.run<PlanRow>(EXPLAIN_DUE_JOBS, [], tx))
  return (queueId) => {
    const share = (sizes.live(queueId) ?? 0) / Math.max(1, sizes.allLive)
    return Math.round(due * share)
  }
}

interface PlanRow {
  'QUERY PLAN': unknown
}

function rowsOf(rows: readonly PlanRow[]): number {
  const plan = rows[0]?.['QUERY PLAN']
  const parsed: unknown = typeof plan === 'string' ? JSON.parse(plan) : plan
  return (parsed as [{ Plan: { 'Plan Rows': number } }])[0].Plan['Plan Rows']
}

function sumOf(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0)
}
