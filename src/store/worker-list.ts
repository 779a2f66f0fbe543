import type { DBTX } from '../drivers/driver.ts'
import { toMicros, type Micros } from './instants.ts'
import { statement } from './statement.ts'
import type { Store } from './store.ts'

/** Workers from the newest on, those that ended lately too: `$1` is the number before the page, `$2` how many. */
export const LIST_WORKERS = statement({
  name: 'list_workers',
  parameters: ['int4', 'int4'],
  indexes: ['workers_pkey'],
  sql: `
select
  workers.id as "id",
  workers.host as "host",
  workers.pid as "pid",
  workers.version as "version",
  workers.lease_ms::text as "leaseMs",
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
order by workers.id desc
limit $2::int4`,
})

/** A registration of a process that receives. */
export interface ListedWorker {
  readonly id: number
  readonly host: string
  readonly pid: number
  readonly version: string
  readonly leaseMs: string
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
  { beforeId, limit }: { beforeId: number | null; limit: number },
  tx: DBTX,
): Promise<ListedWorker[]> {
  return store.run<ListedWorker>(LIST_WORKERS, [beforeId ?? LAST_ID, limit], tx)
}
