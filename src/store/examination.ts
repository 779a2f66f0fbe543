import type { DBTX } from '../drivers/driver.ts'
import { toMicros, type Micros } from './instants.ts'
import { statement } from './statement.ts'
import type { Store } from './store.ts'
import { IS_LIVING } from './worker-list.ts'

/* What the doctor asks Millrace's own tables. All of it is read, and nothing costs more the more jobs there are. */

/** Which process of the server answers here: what tells whether two clients share one. */
export const READ_BACKEND = statement({
  name: 'read_backend',
  parameters: [],
  indexes: [],
  sql: `select pg_backend_pid() as "processId"`,
})

/** How long ago the schema was made. */
export const READ_SCHEMA_AGE = statement({
  name: 'read_schema_age',
  parameters: [],
  indexes: [],
  sql: `
select
  (date_part('epoch', statement_timestamp() - min(migrations.applied_at)) * 1000)::int8::text as "ageMs"
from {schema}.migrations`,
})

/** Who receives which queue, or did: workers are known for a day after their end. */
export const LIST_RECEPTIONS = statement({
  name: 'list_receptions',
  parameters: [],
  indexes: [],
  sql: `
select
  listed.queue_id as "queueId",
  (count(*) filter (where ${IS_LIVING}))::int4 as "living",
  ${toMicros('max(workers.beat_at)')} as "lastBeatAt"
from {schema}.workers
cross join lateral unnest(workers.queue_ids) as listed (queue_id)
group by listed.queue_id
order by listed.queue_id`,
})

/** Every worker that has neither stopped nor been rescued. */
export const SURVEY_WORKERS = statement({
  name: 'survey_workers',
  parameters: [],
  indexes: [],
  sql: `
select
  workers.id as "id",
  workers.host as "host",
  workers.pid as "pid",
  workers.version as "version",
  workers.lease_ms::text as "leaseMs",
  (date_part('epoch', statement_timestamp() - workers.beat_at) * 1000)::int8::text as "silentForMs",
  (date_part('epoch', statement_timestamp() - workers.dead_at) * 1000)::int8::text as "deadForMs",
  workers.event_loop_lag_ms as "eventLoopLagMs"
from {schema}.workers
where workers.stopped_at is null and workers.rescued_at is null
order by workers.id`,
})

/** The jobs that wait to be run alone, by their queues. */
export const COUNT_SUSPECTS = statement({
  name: 'count_suspects',
  parameters: [],
  indexes: [],
  sql: `
select queues.name as "queueName", count(*)::int4 as "count"
from {schema}.suspects
join {schema}.queues on queues.id = suspects.queue_id
group by queues.name
order by queues.name`,
})

/** A dead letter's time is that of its arrival. Counted from the newest on, to 1,000 in each lane. */
export const COUNT_NEW_DEAD_LETTERS = statement({
  name: 'count_new_dead_letters',
  parameters: ['int4', 'int8'],
  indexes: ['jobs_due'],
  sql: `
select count(*)::int4 as "count"
from generate_series(0, 9) as lane (priority)
cross join lateral (
  select jobs.id
  from {schema}.jobs
  where jobs.queue_id = $1::int4
    and jobs.queue_id + 0 = $1::int4
    and jobs.priority = lane.priority
    and jobs.run_at > statement_timestamp() - $2::int8 * interval '1 millisecond'
    and jobs.run_at <= statement_timestamp()
    and jobs.origin_queue_id is not null
  order by jobs.run_at desc, jobs.id + 0 desc
  limit 1000
) as newest`,
})

/** Who receives a queue, or did within the last day. */
export interface Reception {
  readonly queueId: number
  /** How many workers that list the queue were heard of within their lease. */
  readonly living: number
  /** When one that lists the queue was heard of last. */
  readonly lastBeatAt: Micros
}

export async function listReceptions(store: Store, tx: DBTX): Promise<Map<number, Reception>> {
  const rows = await store.run<Reception>(LIST_RECEPTIONS, [], tx)
  return new Map(rows.map((row) => [row.queueId, row]))
}

/** A worker that holds jobs, or may. */
export interface SurveyedWorker {
  readonly id: number
  readonly host: string
  readonly pid: number
  readonly version: string
  readonly leaseMs: number
  readonly silentForMs: number
  /** How long ago it was declared dead; null: it was not. */
  readonly deadForMs: number | null
  /** How late its event loop was at worst, as its last heartbeat said; null: nothing. */
  readonly eventLoopLagMs: number | null
}

export async function surveyWorkers(store: Store, tx: DBTX): Promise<SurveyedWorker[]> {
  type Times = 'leaseMs' | 'silentForMs' | 'deadForMs'
  type Row = Omit<SurveyedWorker, Times> & Record<Times, string | null>
  const rows = await store.run<Row>(SURVEY_WORKERS, [], tx)
  return rows.map((row) => ({
    ...row,
    leaseMs: Number(row.leaseMs),
    silentForMs: Number(row.silentForMs),
    deadForMs: row.deadForMs === null ? null : Number(row.deadForMs),
  }))
}

export async function countSuspects(
  store: Store,
  tx: DBTX,
): Promise<{ queueName: string; count: number }[]> {
  return store.run(COUNT_SUSPECTS, [], tx)
}

/** How many dead letters came into a queue within so many milliseconds; 10,000 stand for more. */
export async function countNewDeadLetters(
  store: Store,
  queueId: number,
  withinMs: number,
  tx: DBTX,
): Promise<number> {
  const [row] = await store.run<{ count: number }>(COUNT_NEW_DEAD_LETTERS, [queueId, withinMs], tx)
  return row?.count ?? 0
}

/** In milliseconds. */
export async function readSchemaAge(store: Store, tx: DBTX): Promise<number> {
  const [row] = await store.run<{ ageMs: string }>(READ_SCHEMA_AGE, [], tx)
  return Number(row?.ageMs ?? 0)
}
