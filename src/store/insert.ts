import type { DBTX, RunOptions } from '../drivers/driver.ts'
import { fromMicros, toMicros, type Micros } from './instants.ts'
import { compareNumerals } from './numerals.ts'
import { statement } from './statement.ts'
import type { Store } from './store.ts'
import { WAKE, WAKE_PARAMETERS, wakeValues } from './wake.ts'

/** A job on its way in: everything checked, the JSON already text. */
export interface NewJob {
  readonly argsJson: string
  readonly metadataJson: string
  readonly maxRetries: number
  readonly retryPolicy: string
  readonly priority: number
  /** When it may run at the earliest, in milliseconds since 1970; undefined: after `delayMs`. */
  readonly runAtMs: number | undefined
  readonly delayMs: number
  readonly timeoutMs: number | undefined
}

export interface InsertedJob {
  id: string
  createdAt: Micros
  runAt: Micros
}

/**
 * One parameter carries all jobs, `[[args, metadata, maxRetries, policy, priority, timeout, delay,
 * runAt], …]`: measured at twice the speed of an array for each column. Ids are drawn in the
 * order of the elements, so ordering by id gives back the order of the input.
 */
export const INSERT_JOBS = statement({
  name: 'insert_jobs',
  parameters: [...WAKE_PARAMETERS, 'text'],
  indexes: [],
  sql: `
insert into {schema}.jobs
  (queue_id, args, metadata, max_retries, retry_policy, priority, timeout_ms, run_at, created_at)
select
  $1,
  job -> 0,
  job -> 1,
  (job ->> 2)::int2,
  (job ->> 3)::{schema}.retry_policy,
  (job ->> 4)::int2,
  (job ->> 5)::int8,
  case
    when job ->> 7 is null then statement_timestamp() + (job ->> 6)::float8 * interval '1 millisecond'
    else greatest(${fromMicros('(job ->> 7)::float8 * 1000')}, statement_timestamp())
  end,
  statement_timestamp()
from jsonb_array_elements($5::text::jsonb) as job
returning
  id::text as "id",
  ${toMicros('created_at')} as "createdAt",
  ${toMicros('run_at')} as "runAt",
  ${WAKE} as "isWoken"`,
})

/** Inserts jobs into one queue, all or none, and answers in the order of `jobs`. */
export async function insertJobs(
  store: Store,
  queueId: number,
  jobs: readonly NewJob[],
  tx?: DBTX,
  options?: RunOptions,
): Promise<InsertedJob[]> {
  const rows = await store.run<InsertedJob>(
    INSERT_JOBS,
    [...wakeValues(store, queueId), encodeJobs(jobs)],
    tx,
    options,
  )
  return rows.sort((left, right) => compareNumerals(left.id, right.id))
}

function encodeJobs(jobs: readonly NewJob[]): string {
  return `[${jobs.map(encodeJob).join()}]`
}

function encodeJob(job: NewJob): string {
  const { argsJson, metadataJson, maxRetries, retryPolicy, priority, delayMs } = job
  const timeout = job.timeoutMs ?? null
  const runAt = job.runAtMs ?? null
  return `[${argsJson},${metadataJson},${maxRetries},"${retryPolicy}",${priority},${timeout},${delayMs},${runAt}]`
}
