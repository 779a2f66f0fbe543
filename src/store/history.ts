import { fenceValues, type HeldJob, type Holder } from './settle.ts'
import { isAmong } from './among.ts'
import { afterMillis } from './instants.ts'
import { FENCE_PARAMETERS } from './fence.ts'
import { statement } from './statement.ts'
import { sqlState, type Store } from './store.ts'
import type { DBTX } from '../drivers/driver.ts'

const CHECK_VIOLATION = '23514'

/**
 * History is partitioned by the day on which a row expires, so that retention is dropping tables.
 * Days are made ahead; a settle that finds none makes it and goes on.
 */
export const ADD_PARTITION = statement({
  name: 'add_partition',
  parameters: ['float8'],
  indexes: [],
  sql: `
select {schema}.add_history_partition((${afterMillis('$1::float8')} at time zone 'UTC')::date) as "isNew"`,
})

/** Days of history that are over, as ISO dates. */
export const LIST_EXPIRED_PARTITIONS = statement({
  name: 'list_expired_partitions',
  parameters: ['text'],
  indexes: [],
  sql: `
select to_char(to_date(substring(pg_class.relname from 9), 'YYYYMMDD'), 'YYYY-MM-DD') as "day"
from pg_inherits
join pg_class on pg_class.oid = pg_inherits.inhrelid
where pg_inherits.inhparent = to_regclass($1::text)
  and pg_class.relname ~ '^history_[0-9]{8}$'
  and to_date(substring(pg_class.relname from 9), 'YYYYMMDD') < (statement_timestamp() at time zone 'UTC')::date
order by pg_class.relname`,
})

export const DROP_PARTITION = statement({
  name: 'drop_partition',
  parameters: ['text'],
  indexes: [],
  sql: `
select {schema}.drop_history_partition($1::text::date) as "isGone"`,
})

/** Which of these runs are settled already, by this very holder: asked after an answer was lost. */
export const FIND_SETTLED = statement({
  name: 'find_settled',
  parameters: [...FENCE_PARAMETERS],
  indexes: [],
  sql: `
select history.id::text as "id"
from {schema}.history
where history.queue_id = $1::int4
  and ${isAmong('history.id', '$3')}
  and history.worker_id = $2::int4
  and history.claim_no = ($4::int8[])[width_bucket(history.id, $3::int8[])]
union
select job_errors.job_id::text
from {schema}.job_errors
where job_errors.job_id = any($3::int8[])
  and job_errors.worker_id = $2::int4
  and job_errors.claim_no = ($4::int8[])[width_bucket(job_errors.job_id, $3::int8[])]`,
})

/** Makes the day of history on which rows kept for `keepMs` from now expire. Answers whether it was new. */
export async function addPartition(store: Store, keepMs: number, tx?: DBTX): Promise<boolean> {
  const rows = await store.run<{ isNew: boolean }>(ADD_PARTITION, [keepMs], tx)
  return rows[0]?.isNew ?? false
}

/**
 * Whether a settle failed because the day of history that it needs is missing: the one check
 * violation that names no constraint. (The message is in the server's language.)
 */
export function isMissingPartition(error: unknown): boolean {
  if (sqlState(error) !== CHECK_VIOLATION) return false
  const { constraint, constraint_name } = error as Record<string, unknown>
  return (constraint ?? constraint_name) === undefined
}

/**
 * Runs a statement that writes to history and, when the day is missing on which its rows expire,
 * makes it and runs the statement again. In a caller's transaction, which an error would abort, the
 * day is made first.
 */
export async function withDayOfHistory<T>(
  store: Store,
  keepMs: number,
  tx: DBTX | undefined,
  work: () => Promise<T>,
): Promise<T> {
  if (tx !== undefined) await addPartition(store, keepMs, tx)
  try {
    return await work()
  } catch (error) {
    if (tx !== undefined || !isMissingPartition(error)) throw error
    await addPartition(store, keepMs)
    return work()
  }
}

/** Drops the days that are over. A day that somebody is reading stays for the next time. */
export async function dropExpiredPartitions(store: Store): Promise<string[]> {
  const history = store.qualified('history')
  const expired = await store.run<{ day: string }>(LIST_EXPIRED_PARTITIONS, [history])
  const dropped = []
  for (const { day } of expired) {
    const [answer] = await store.run<{ isGone: boolean }>(DROP_PARTITION, [day])
    if (answer?.isGone) dropped.push(day)
  }
  return dropped
}

export async function findSettled(
  store: Store,
  holder: Holder,
  jobs: readonly HeldJob[],
): Promise<Set<string>> {
  const rows = await store.run<{ id: string }>(FIND_SETTLED, fenceValues(holder, jobs))
  return new Set(rows.map((row) => row.id))
}
