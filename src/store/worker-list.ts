import type { DBTX } from '../drivers/driver.ts'
import { toMicros, type Micros } from './instants.ts'
import { statement } from './statement.ts'
import type { Store } from './store.ts'

/** Whether a worker was heard of within its lease. */
export const IS_LIVING = `workers.stopped_at is null
    and workers.dead_at is null
    and workers.beat_at > statement_timestamp() - workers.lease_ms * interval '1 millisecond'`

/**
 * Workers from the newest on: `$1` is the number before the page, `$2` how many, `$3` whether those that ended or those
 * that have not; null: both.
 */
export const LIST_WORKERS = statement({
  name: 'list_workers',
  parameters: ['int4', 'int4', 'bool'],
  indexes: ['workers_pkey'],
  sql: `
select
  workers.id as "id",
  workers.host as "host",
  workers.pid as "pid",
  workers.version as "version",
  workers.lease_ms::text as "leaseMs",
  workers.in_flight as "inFlight",
  workers.rss_bytes::text as "rssBytes",
  workers.heap_bytes::text as "heapBytes",
  workers.event_loop_lag_ms as "eventLoopLagMs",
  ${toMicros('workers.started_at')} as "startedAt",
  ${toMicros('workers.beat_at')} as "beatAt",
  case
    when workers.stopped_at is not null then 'stopped'
    when workers.dead_at is not null then 'dead'
    when workers.beat_at < statement_timestamp() - workers.lease_ms * interval '1 millisecond' then 'silent'
    else 'alive'
  end as "state",
  array_to_json(array(
    select queues.name
    from {schema}.queues
    where queues.id = any(workers.queue_ids)
    order by queues.name
  ))::text as "queues"
from {schema}.workers
where workers.id < $1::int4
  and (
    $3::bool is null
    or $3::bool = (workers.stopped_at is not null or workers.dead_at is not null)
  )
order by workers.id desc
limit $2::int4`,
})

const OF_LIVING = `filter (where ${IS_LIVING})`

/** What all workers are together. What somebody said who was not heard of for a whole lease is old. */
export const SUM_UP_WORKERS = statement({
  name: 'sum_up_workers',
  parameters: [],
  indexes: [],
  sql: `
select
  count(*)::int4 as "count",
  coalesce(sum(workers.in_flight) ${OF_LIVING}, 0)::text as "inFlight",
  max(workers.event_loop_lag_ms) ${OF_LIVING} as "eventLoopLagMs",
  (max(workers.rss_bytes) ${OF_LIVING})::text as "rssBytes"
from {schema}.workers
where workers.stopped_at is null and workers.dead_at is null`,
})

/** A registration of a process that receives. */
export interface ListedWorker {
  readonly id: number
  readonly host: string
  readonly pid: number
  readonly version: string
  readonly leaseMs: string
  /** What its last heartbeat said, as of `WorkerHealth`; null: nothing. */
  readonly inFlight: number | null
  readonly rssBytes: string | null
  readonly heapBytes: string | null
  readonly eventLoopLagMs: number | null
  readonly startedAt: Micros
  readonly beatAt: Micros
  /** `silent`: not heard of for a whole lease by the database's clock, and not declared dead. */
  readonly state: 'alive' | 'silent' | 'dead' | 'stopped'
  /** JSON array of the names of the queues that it ever claimed from. */
  readonly queues: string
}

const LAST_ID = 2_147_483_647

export async function listWorkers(
  store: Store,
  { beforeId, limit, ended }: { beforeId: number | null; limit: number; ended: boolean | null },
  tx: DBTX,
): Promise<ListedWorker[]> {
  return store.run<ListedWorker>(LIST_WORKERS, [beforeId ?? LAST_ID, limit, ended], tx)
}

/** What the workers are together that neither stopped nor were found dead. */
export interface WorkersTogether {
  readonly count: number
  /** The handlers of all that have not returned. */
  readonly inFlight: number
  /** Of the worker where it is worst; null: none has said it. */
  readonly eventLoopLagMs: number | null
  /** Of the worker that has most; null: none has said it. */
  readonly rssBytes: number | null
}

export async function sumUpWorkers(store: Store, tx?: DBTX): Promise<WorkersTogether> {
  type Row = Omit<WorkersTogether, 'inFlight' | 'rssBytes'> & {
    inFlight: string
    rssBytes: string | null
  }
  const [row] = await store.run<Row>(SUM_UP_WORKERS, [], tx)
  if (row === undefined) throw new Error('sum_up_workers answered no row')
  const { inFlight, rssBytes, ...rest } = row
  return {
    ...rest,
    inFlight: Number(inFlight),
    rssBytes: rssBytes === null ? null : Number(rssBytes),
  }
}
