import type { DBTX } from '../drivers/driver.ts'
import { isAmong } from './among.ts'
import { FENCE, FENCE_PARAMETERS } from './fence.ts'
import { withDayOfHistory } from './history.ts'
import { afterMillis } from './instants.ts'
import { whereverItIs } from './jobs.ts'
import { readArray, sortedIds, sqlArray } from './numerals.ts'
import { fenceValues, giveBack, type HeldJob, type Holder } from './settle.ts'
import {
  ERRORS_OF_SETTLED,
  FORGET_ERRORS,
  HISTORY_COLUMNS,
  SETTLED_COLUMNS,
  SETTLED_IDS,
  STARTED_AT,
} from './settle-parts.ts'
import { statement } from './statement.ts'
import { cancelJobs } from './steer.ts'
import type { Store } from './store.ts'

/*
 * Cancelling jobs that workers have in hand. Whoever wants that marks the job, and tells the processes, which look
 * for the marks among what they hold. From then on the job can only finish or be cancelled: every other settle passes
 * a marked job by (UNLESS_CANCELLED), and whoever wanted it ends it by CANCEL_HELD. So no retry, no dead letter and no
 * rescue brings it back, whether its process has heard of the mark or not.
 */

/** The payload of a notification that says: look for marks in this queue. */
export const CANCEL_PREFIX = 'cancel:'

/** Marks jobs in workers' hands, and tells the processes. The mark is in no index: the update stays HOT. */
export const REQUEST_CANCEL = statement({
  name: 'request_cancel',
  parameters: ['int4', 'text', 'int8[]'],
  indexes: ['jobs_by_id'],
  sql: `
with asked as (
  update {schema}.jobs
  set cancel_requested_at = coalesce(cancel_requested_at, statement_timestamp())
  where queue_id = $1::int4 and ${isAmong('id', '$3')} and claimed_by > 0
  returning id
)
select
  id::text as "id",
  (select pg_notify($2::text, '${CANCEL_PREFIX}' || $1::int4)::text) as "told"
from asked`,
})

/** Which of the jobs in somebody's hands are marked. */
export const FIND_MARKED = statement({
  name: 'find_marked',
  parameters: [...FENCE_PARAMETERS],
  indexes: ['jobs_by_id'],
  sql: `
with settled as (
  select id from {schema}.jobs where ${FENCE} and cancel_requested_at is not null
)
${SETTLED_IDS}`,
})

/** Ends marked jobs as cancelled, with the errors that they had. `$5`: when their runs started; 0: they did not. */
export const CANCEL_HELD = statement({
  name: 'cancel_held',
  parameters: [...FENCE_PARAMETERS, 'int8[]', 'float8'],
  indexes: ['jobs_by_id', 'job_errors_in_order'],
  sql: `
with settled as (
  delete from {schema}.jobs
  where ${FENCE} and cancel_requested_at is not null
  returning ${SETTLED_COLUMNS}
),
${FORGET_ERRORS},
kept as (
  insert into {schema}.history (${HISTORY_COLUMNS}, started_at, outcome, attempt, error_count, errors, finished_at, expires_at)
  select ${HISTORY_COLUMNS},
    ${STARTED_AT},
    'cancelled',
    attempt + case when ($5::int8[])[place] > 0 then 1 else 0 end,
    error_count,
    ${ERRORS_OF_SETTLED},
    statement_timestamp(),
    ${afterMillis('$6::float8')}
  from settled
)
${SETTLED_IDS}`,
})

export interface CancelledRun extends HeldJob {
  /** In microseconds since 1970 by the database's clock; 0: it never did. */
  readonly startedAt: number
}

/** What became of a wish to cancel jobs. */
export interface CancelAnswer {
  /** The ids of those that waited, and are cancelled. */
  readonly cancelled: readonly string[]
  /** The ids of those that somebody has in hand, and are marked. */
  readonly asked: readonly string[]
}

/** Cancels jobs that wait in the queue, and marks those that workers have in hand. */
export async function cancelOrAsk(
  store: Store,
  queueId: number,
  ids: readonly string[],
  keepMs: number,
  tx?: DBTX,
): Promise<CancelAnswer> {
  const waited = await cancelJobs(store, queueId, ids, keepMs, tx)
  const others = without(ids, waited)
  if (others.length === 0) return { cancelled: waited, asked: [] }
  const values = [queueId, store.wake.channel, sortedIds(others)]
  const rows = await store.run<{ id: string }>(REQUEST_CANCEL, values, tx)
  const asked = rows.map(({ id }) => id)
  // Between the two statements a run may have failed, and its job waits for its retry.
  const rest = without(others, asked)
  const late = rest.length === 0 ? [] : await cancelJobs(store, queueId, rest, keepMs, tx)
  return { cancelled: [...waited, ...late], asked }
}

/** Cancels a job that waits, or marks it, wherever it is by now. Undefined when it has ended, or never was. */
export function cancelJob(
  store: Store,
  queueId: number,
  id: string,
  keepMs: number,
  tx?: DBTX,
): Promise<{ queueId: number; hasEnded: boolean } | undefined> {
  return whereverItIs(store, queueId, id, tx, async (place) => {
    const { cancelled, asked } = await cancelOrAsk(store, place, [id], keepMs, tx)
    if (cancelled.length + asked.length === 0) return undefined
    return { queueId: place, hasEnded: cancelled.length > 0 }
  })
}

/** The ids of the jobs in a holder's hands that are marked. The jobs must be sorted by id. */
export async function findMarked(
  store: Store,
  holder: Holder,
  jobs: readonly HeldJob[],
): Promise<string[]> {
  const [row] = await store.run<{ ids: string }>(FIND_MARKED, fenceValues(holder, jobs))
  return readArray(row?.ids ?? '{}')
}

/** Ends those of these jobs that are marked. The jobs must be sorted by id. Answers which. */
export async function cancelHeld(
  store: Store,
  holder: Holder,
  runs: readonly CancelledRun[],
  keepMs: number,
): Promise<string[]> {
  const startedAt = sqlArray(runs.map((run) => run.startedAt))
  const values = [...fenceValues(holder, runs), startedAt, keepMs]
  const [row] = await store.run<{ ids: string }>(CANCEL_HELD, values)
  return readArray(row?.ids ?? '{}')
}

/** Gives jobs back, and ends those of them that are marked. They must be sorted by id. Answers the ids of both. */
export async function giveBackOrCancel(
  store: Store,
  holder: Holder,
  jobs: readonly CancelledRun[],
  asSuspects: boolean,
  keepMs: number,
): Promise<string[]> {
  const ids = await giveBack(store, holder, jobs, asSuspects)
  return [...ids, ...(await cancelPassed(store, holder, jobs, ids, keepMs))]
}

/** Ends those of these jobs that are marked, after a settle that passed them by and answered `settled`. */
export async function cancelPassed(
  store: Store,
  holder: Holder,
  jobs: readonly CancelledRun[],
  settled: readonly string[],
  keepMs: number,
): Promise<string[]> {
  const isSettled = new Set(settled)
  const passed = jobs.filter(({ id }) => !isSettled.has(id))
  if (passed.length === 0) return []
  const end = () => cancelHeld(store, holder, passed, keepMs)
  return withDayOfHistory(store, keepMs, undefined, end)
}

function without(ids: readonly string[], those: readonly string[]): string[] {
  const taken = new Set(those)
  return ids.filter((id) => !taken.has(id))
}
