import type { DBTX } from '../drivers/driver.ts'
import { OLDEST_DUE } from './glance.ts'
import { microsToDate, microsToOptionalDate, toMicros, type Micros } from './instants.ts'
import { statement } from './statement.ts'
import type { Store } from './store.ts'

/* What the page of one queue says besides. */

/** Since when the job has been due that has waited longest. */
export const FIND_OLDEST_DUE = statement({
  name: 'find_oldest_due',
  parameters: ['int4'],
  indexes: ['jobs_due'],
  sql: `
select ${toMicros('due.since')} as "at"
from {schema}.queues
cross join lateral ${OLDEST_DUE} as due
where queues.id = $1::int4`,
})

/** The workers of a queue that have not ended, the newest first; the table knows those of a day. */
export const LIST_WORKERS_OF_QUEUE = statement({
  name: 'list_workers_of_queue',
  parameters: ['int4', 'int4'],
  indexes: ['workers_pkey'],
  sql: `
select
  workers.id as "id",
  workers.host as "host",
  workers.pid as "pid",
  workers.version as "version",
  ${toMicros('workers.started_at')} as "startedAt",
  workers.beat_at < statement_timestamp() - workers.lease_ms * interval '1 millisecond' as "isSilent",
  workers.id is not distinct from queues.owner_id as "isOwner"
from {schema}.workers
join {schema}.queues on queues.id = $1::int4
where $1::int4 = any(workers.queue_ids)
  and workers.stopped_at is null
  and workers.dead_at is null
order by workers.id desc
limit $2::int4`,
})

/** A process that has claimed from a queue and goes on living. */
export interface WorkerOfQueue {
  readonly id: number
  readonly host: string
  readonly pid: number
  readonly version: string
  readonly startedAt: Date
  /** Not heard of for a whole lease by the database's clock, and not declared dead. */
  readonly isSilent: boolean
  /** Of a FIFO queue: the one that may claim from it now. */
  readonly isOwner: boolean
}

/** Null: none is due. */
export async function findOldestDue(store: Store, queueId: number, tx: DBTX): Promise<Date | null> {
  const [row] = await store.run<{ at: Micros | null }>(FIND_OLDEST_DUE, [queueId], tx)
  return microsToOptionalDate(row?.at ?? null)
}

export async function listWorkersOfQueue(
  store: Store,
  { queueId, limit }: { queueId: number; limit: number },
  tx: DBTX,
): Promise<WorkerOfQueue[]> {
  type Row = Omit<WorkerOfQueue, 'startedAt'> & { startedAt: Micros }
  const rows = await store.run<Row>(LIST_WORKERS_OF_QUEUE, [queueId, limit], tx)
  return rows.map((row) => ({ ...row, startedAt: microsToDate(row.startedAt) }))
}
