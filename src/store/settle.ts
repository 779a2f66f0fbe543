import type { DBTX } from '../drivers/driver.ts'
import { isAmong } from './among.ts'
import { readArray, sqlArray } from './numerals.ts'
import { afterMillis, fromMicros } from './instants.ts'
import { statement, type Statement } from './statement.ts'
import type { Store } from './store.ts'
import {
  ERROR_VALUES,
  ERRORS_OF_SETTLED,
  FORGET_ERRORS,
  HISTORY_COLUMNS,
  ONE_ERROR,
  SETTLED_COLUMNS,
  SETTLED_IDS,
  STARTED_AT,
  withErrors,
} from './settle-parts.ts'
import { FENCE, FENCE_PARAMETERS, UNLESS_CANCELLED } from './fence.ts'
import { WAKE, WAKE_PARAMETERS, wakeValues } from './wake.ts'

/** A job in somebody's hands: what the fence compares before anything is changed. */
export interface HeldJob {
  readonly id: string
  readonly claimNo: string
}

/** Whose jobs a settling statement speaks of. */
export interface Holder {
  readonly queueId: number
  readonly workerId: number
}

export interface FinishedRun extends HeldJob {
  /** When its run started, in microseconds since 1970 by the database's clock. It becomes text only where it is stored. */
  readonly startedAt: number
  /** JSON text, or undefined for no result. */
  readonly result: string | undefined
}

/** An error as it is stored. */
export interface StoredError {
  readonly name: string
  readonly message: string
  readonly stack: string | null
}

export interface FailedRun extends HeldJob {
  /** As of `FinishedRun`; undefined: not known. */
  readonly startedAt: number | undefined
  readonly error: StoredError
}

export interface RetriedRun extends FailedRun {
  readonly afterMs: number
}

export interface SnoozedRun extends HeldJob {
  readonly afterMs: number
}

/** Finished, and its row kept in history. For jobs without errors: the path that most jobs take. */
export const FINISH = statement({
  name: 'finish',
  parameters: [...FENCE_PARAMETERS, 'int8[]', 'text', 'float8'],
  indexes: ['jobs_by_id'],
  isPrepared: true,
  sql: `
with settled as (
  delete from {schema}.jobs
  where ${FENCE}
  returning ${SETTLED_COLUMNS}
),
kept as (
  insert into {schema}.history (${HISTORY_COLUMNS}, started_at, outcome, attempt, error_count, result, finished_at, expires_at)
  select ${HISTORY_COLUMNS},
    least(${fromMicros('($5::int8[])[place]')}, statement_timestamp()),
    'finished', attempt + 1, error_count,
    (select $6::text::jsonb) -> (place - 1) -> 0,
    statement_timestamp(),
    ${afterMillis('$7::float8')}
  from settled
)
${SETTLED_IDS}`,
})

/** Finished after errors, which move from their table into the row in history. */
export const FINISH_AFTER_ERRORS = statement({
  name: 'finish_after_errors',
  parameters: [...FENCE_PARAMETERS, 'int8[]', 'text', 'float8'],
  indexes: ['jobs_by_id', 'job_errors_in_order'],
  isPrepared: true,
  sql: `
with settled as (
  delete from {schema}.jobs
  where ${FENCE}
  returning ${SETTLED_COLUMNS}
),
${FORGET_ERRORS},
kept as (
  insert into {schema}.history (${HISTORY_COLUMNS}, started_at, outcome, attempt, error_count, result, errors, finished_at, expires_at)
  select ${HISTORY_COLUMNS},
    least(${fromMicros('($5::int8[])[place]')}, statement_timestamp()),
    'finished', attempt + 1, error_count,
    (select $6::text::jsonb) -> (place - 1) -> 0,
    ${ERRORS_OF_SETTLED},
    statement_timestamp(),
    ${afterMillis('$7::float8')}
  from settled
)
${SETTLED_IDS}`,
})

/** Finished and deleted at once, for queues that keep no finished jobs. */
export const FINISH_WITHOUT_TRACE = statement({
  name: 'finish_without_trace',
  parameters: [...FENCE_PARAMETERS],
  indexes: ['jobs_by_id', 'job_errors_in_order'],
  isPrepared: true,
  sql: `
with settled as (
  delete from {schema}.jobs
  where ${FENCE}
  returning id, error_count
),
${FORGET_ERRORS}
${SETTLED_IDS}`,
})

/** Failed for good: into history with all its errors, the last one being this run's. */
export const FAIL = statement({
  name: 'fail',
  parameters: [...FENCE_PARAMETERS, 'int8[]', 'text', 'float8'],
  indexes: ['jobs_by_id', 'job_errors_in_order'],
  isPrepared: true,
  sql: `
with settled as (
  delete from {schema}.jobs
  where ${UNLESS_CANCELLED}
  returning ${SETTLED_COLUMNS}
),
${FORGET_ERRORS},
kept as (
  insert into {schema}.history (${HISTORY_COLUMNS}, started_at, outcome, attempt, error_count, errors, finished_at, expires_at)
  select ${HISTORY_COLUMNS},
    ${STARTED_AT},
    'failed', attempt + 1, error_count + 1,
    coalesce(${ERRORS_OF_SETTLED}, '[]') || ${ONE_ERROR},
    statement_timestamp(),
    ${afterMillis('$7::float8')}
  from settled
)
${SETTLED_IDS}`,
})

/** Failed with retries left: free again at a later time, the error in its own table. */
export const RETRY = statement({
  name: 'retry',
  parameters: [...FENCE_PARAMETERS, 'float8[]', 'text'],
  indexes: ['jobs_by_id', 'job_errors_in_order'],
  isPrepared: true,
  sql: `
with settled as (
  update {schema}.jobs
  set
    run_at = ${afterMillis('($5::float8[])[width_bucket(id, $3::int8[])]')},
    attempt = attempt + 1,
    error_count = error_count + 1,
    claimed_by = case when is_suspect then 0 end,
    claim_no = null,
    started_at = null
  where ${UNLESS_CANCELLED}
  returning id, attempt, error_count, is_suspect, width_bucket(id, $3::int8[]) as place
),
parked as (
  insert into {schema}.suspects (queue_id, job_id)
  select $1::int4, id from settled where is_suspect
  on conflict do nothing
),
noted as (
  insert into {schema}.job_errors (job_id, number, attempt, worker_id, claim_no, name, message, stack, started_at)
  select
    id, error_count, attempt, $2::int4, ($4::int8[])[place],
    ${ERROR_VALUES}
  from ${withErrors('settled')}
),
trimmed as (
  -- Of many errors the first and the last twenty are kept.
  delete from {schema}.job_errors
  where (job_id, number) in (select id, error_count - 20 from settled where error_count > 40)
)
${SETTLED_IDS}`,
})

/** Put off by the handler: free again at a later time, the run taken back. */
export const SNOOZE = statement({
  name: 'snooze',
  parameters: [...FENCE_PARAMETERS, 'float8[]'],
  indexes: ['jobs_by_id'],
  isPrepared: true,
  sql: `
with settled as (
  update {schema}.jobs
  set
    run_at = ${afterMillis('($5::float8[])[width_bucket(id, $3::int8[])]')},
    claimed_by = case when is_suspect then 0 end,
    claim_no = null,
    started_at = null
  where ${UNLESS_CANCELLED}
  returning id, is_suspect
),
parked as (
  insert into {schema}.suspects (queue_id, job_id)
  select $1::int4, id from settled where is_suspect
  on conflict do nothing
)
${SETTLED_IDS}`,
})

/**
 * Given back as if it had never been claimed, and others told: the floors' rewind and a wake-up.
 * `$8` makes suspects of them: they were running when their worker died.
 */
export const GIVE_BACK = statement({
  name: 'give_back',
  parameters: [...WAKE_PARAMETERS, 'int8[]', 'int8[]', 'int4', 'bool'],
  indexes: ['jobs_by_id'],
  sql: `
with settled as (
  update {schema}.jobs
  set
    claimed_by = case when is_suspect or $8::bool then 0 end,
    claim_no = null,
    started_at = null,
    is_suspect = is_suspect or $8::bool
  where queue_id = $1::int4
    and ${isAmong('id', '$5')}
    and claimed_by = $7::int4
    and claim_no = ($6::int8[])[width_bucket(id, $5::int8[])]
    and cancel_requested_at is null
  returning id, is_suspect
),
parked as (
  insert into {schema}.suspects (queue_id, job_id)
  select $1::int4, id from settled where is_suspect
  on conflict do nothing
),
rewound as (
  update {schema}.queues
  set rewind = rewind + 1
  where queues.id = $1::int4 and exists (select from settled)
)
select id::text as "id", ${WAKE} as "isWoken" from settled`,
})

/** Which of these jobs are still the holder's. */
export const FIND_HELD = statement({
  name: 'find_held',
  parameters: [...FENCE_PARAMETERS],
  indexes: ['jobs_by_id'],
  sql: `
with settled as (
  select id from {schema}.jobs where ${FENCE}
)
${SETTLED_IDS}`,
})

/** Finishes jobs. Answers the ids that were still the holder's; the others' leases are lost. */
export function finish(
  store: Store,
  holder: Holder,
  runs: readonly FinishedRun[],
  keepMs: number,
  afterErrors: boolean,
  tx?: DBTX,
): Promise<string[]> {
  // Each in an array of its own: null is a result, and none is no result.
  const results = runs.some((run) => run.result !== undefined)
    ? `[${runs.map((run) => `[${run.result ?? ''}]`).join()}]`
    : '[]'
  const startedAt = sqlArray(runs.map((run) => run.startedAt))
  const values = [...fenceValues(holder, runs), startedAt, results, keepMs]
  return settledIds(store, afterErrors ? FINISH_AFTER_ERRORS : FINISH, values, tx)
}

/** Finishes jobs of a queue that keeps none. */
export function finishWithoutTrace(
  store: Store,
  holder: Holder,
  runs: readonly HeldJob[],
  tx?: DBTX,
): Promise<string[]> {
  return settledIds(store, FINISH_WITHOUT_TRACE, fenceValues(holder, runs), tx)
}

/** Fails jobs for good. */
export function fail(
  store: Store,
  holder: Holder,
  runs: readonly FailedRun[],
  keepMs: number,
): Promise<string[]> {
  const startedAt = sqlArray(runs.map((run) => run.startedAt ?? 0))
  return settledIds(store, FAIL, [
    ...fenceValues(holder, runs),
    startedAt,
    encodeErrors(runs),
    keepMs,
  ])
}

/** Lets failed jobs run again later. */
export function retry(
  store: Store,
  holder: Holder,
  runs: readonly RetriedRun[],
): Promise<string[]> {
  const delays = sqlArray(runs.map((run) => run.afterMs))
  return settledIds(store, RETRY, [...fenceValues(holder, runs), delays, encodeErrors(runs)])
}

/** Lets snoozed jobs run again later, the run not counted. */
export function snooze(
  store: Store,
  holder: Holder,
  runs: readonly SnoozedRun[],
): Promise<string[]> {
  const delays = sqlArray(runs.map((run) => run.afterMs))
  return settledIds(store, SNOOZE, [...fenceValues(holder, runs), delays])
}

/** Gives jobs back at once; `asSuspects` when they were running beside others in a process that died. */
export async function giveBack(
  store: Store,
  holder: Holder,
  jobs: readonly HeldJob[],
  asSuspects: boolean,
): Promise<string[]> {
  const [queueId, workerId, ids, claimNos] = fenceValues(holder, jobs)
  const values = [...wakeValues(store, Number(queueId)), ids, claimNos, workerId, asSuspects]
  const rows = await store.run<{ id: string }>(GIVE_BACK, values)
  return rows.map((row) => row.id)
}

/** Which of these jobs are still the holder's; a transaction that settles one and has not ended does not count. */
export function findHeld(
  store: Store,
  holder: Holder,
  jobs: readonly HeldJob[],
): Promise<string[]> {
  return settledIds(store, FIND_HELD, fenceValues(holder, jobs))
}

/** The parameters of `FENCE`. The jobs must be sorted by id: it finds them by bisection. */
export function fenceValues(holder: Holder, jobs: readonly HeldJob[]): unknown[] {
  return [
    holder.queueId,
    holder.workerId,
    sqlArray(jobs.map((job) => job.id)),
    sqlArray(jobs.map((job) => job.claimNo)),
  ]
}

/** Errors of a batch as one JSON parameter, in the order of its jobs, each with the start of its run. */
export function encodeErrors(runs: readonly FailedRun[]): string {
  return JSON.stringify(runs.map(({ error, startedAt }) => ({ ...error, startedAt })))
}

async function settledIds(
  store: Store,
  settling: Statement,
  values: readonly unknown[],
  tx?: DBTX,
): Promise<string[]> {
  const [row] = await store.run<{ ids: string }>(settling, values, tx)
  return readArray(row?.ids ?? '{}')
}
