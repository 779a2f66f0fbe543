import type { DBTX } from '../drivers/driver.ts'
import { readArray, sqlArray } from './numerals.ts'
import { statement } from './statement.ts'
import type { Store } from './store.ts'

/** The query side of a connection: the heartbeat goes over the listening one. */
export interface Connection {
  query<Row>(text: string, values?: readonly unknown[]): Promise<{ rows: Row[] }>
}

/** What a process says of itself when it registers. */
export interface WorkerIntroduction {
  readonly token: string
  readonly host: string
  readonly pid: number
  readonly version: string
  readonly leaseMs: number
}

/** How a process is, as its heartbeat says; null: its system does not tell. */
export interface WorkerHealth {
  /** Handlers that have not returned, those among them whose runs are over by their timeout. */
  readonly inFlight: number
  /** Resident memory of the process. */
  readonly rssBytes: number | null
  /** What of its JavaScript heap is used. */
  readonly heapBytes: number | null
  /** How late its event loop was at worst since the heartbeat before; at most `2 ** 31 - 1`. */
  readonly eventLoopLagMs: number
}

/** A worker that neither stopped nor was found dead. */
export interface LivingWorker {
  id: number
  beat: string
  leaseMs: string
  host: string
  pid: number
}

export const REGISTER_WORKER = statement({
  name: 'register_worker',
  parameters: ['text', 'text', 'int4', 'text', 'int8'],
  indexes: [],
  sql: `
insert into {schema}.workers (token, host, pid, version, lease_ms)
values ($1::text, $2::text, $3::int4, $4::text, $5::int8)
returning workers.id as "id"`,
})

/** A worker that changes no row with this has lost its lease: somebody declared it dead. */
export const BEAT = statement({
  name: 'beat',
  parameters: ['int4', 'text', 'int8', 'int4', 'int8', 'int8', 'int4'],
  indexes: ['workers_pkey'],
  sql: `
update {schema}.workers
set beat = beat + 1,
  beat_at = statement_timestamp(),
  lease_ms = $3::int8,
  in_flight = $4::int4,
  rss_bytes = $5::int8,
  heap_bytes = $6::int8,
  event_loop_lag_ms = $7::int4
where workers.id = $1::int4
  and workers.token = $2::text
  and workers.dead_at is null
  and workers.stopped_at is null
returning workers.id as "id"`,
})

/** Says that the worker claims from a queue, before its first claim there: rescuers look where it says. */
export const LIST_QUEUE_OF_WORKER = statement({
  name: 'list_queue_of_worker',
  parameters: ['int4', 'int4'],
  indexes: ['workers_pkey'],
  sql: `
update {schema}.workers
set queue_ids = array_append(queue_ids, $2::int4)
where workers.id = $1::int4 and workers.dead_at is null and $2::int4 <> all(queue_ids)`,
})

/** Says that the worker stopped and holds nothing, and sees to it that it owns and marks nothing. */
export const STOP_WORKER = statement({
  name: 'stop_worker',
  parameters: ['int4', 'text'],
  indexes: ['workers_pkey', 'marks_of_claim'],
  sql: `
with stopped as (
  update {schema}.workers
  set stopped_at = statement_timestamp()
  where workers.id = $1::int4 and workers.token = $2::text and workers.dead_at is null
  returning workers.id
),
disowned as (
  update {schema}.queues
  set owner_id = null
  where queues.owner_id = any(array(select stopped.id from stopped))
)
delete from {schema}.marks
where marks.worker_id = any(array(select stopped.id from stopped))`,
})

/**
 * Who lives, and who died and has jobs that were not all freed yet: in one statement, as every process asks every few
 * seconds. The queues of the dead are looked through twice: a claim that was under way when its worker was declared dead
 * may commit after the first look.
 */
export const READ_WORKERS = statement({
  name: 'read_workers',
  parameters: [],
  indexes: [],
  sql: `
select
  workers.id as "id", workers.beat::text as "beat", workers.lease_ms::text as "leaseMs",
  workers.host as "host", workers.pid as "pid", workers.queue_ids::text as "queueIds",
  (date_part('epoch', statement_timestamp() - workers.dead_at) * 1000)::int8::text as "deadForMs",
  workers.looked_at is not null as "isLookedAt"
from {schema}.workers
where workers.stopped_at is null and workers.rescued_at is null
order by workers.id`,
})

/**
 * What processes that do not stay to watch (drains) see of a worker adds up in its row: how long, from
 * one sighting to the next, the very same heartbeat stood still. What lies between two sightings nobody
 * saw, an outage perhaps, so a gap counts for no more than a third of the lease. Who beat lately by the
 * database's clock costs no write; that clock decides nothing else.
 */
export const ADD_SIGHTINGS = statement({
  name: 'add_sightings',
  parameters: [],
  indexes: [],
  sql: `
update {schema}.workers
set
  sighted_ms = case
    when workers.sighted_beat = workers.beat then workers.sighted_ms + least(
      workers.lease_ms / 3,
      greatest(0, date_part('epoch', statement_timestamp() - workers.sighted_at) * 1000)
    )
    else 0
  end,
  sighted_beat = workers.beat,
  sighted_at = statement_timestamp()
where workers.dead_at is null
  and workers.stopped_at is null
  and workers.beat_at < statement_timestamp() - workers.lease_ms / 2 * interval '1 millisecond'
returning
  workers.id as "id", workers.beat::text as "beat", workers.lease_ms::text as "leaseMs",
  workers.host as "host", workers.pid as "pid",
  workers.sighted_ms >= workers.lease_ms as "isSilent"`,
})

/** Declares a worker dead if its heartbeat still stands where the observer saw it. */
export const DECLARE_DEAD = statement({
  name: 'declare_dead',
  parameters: ['int4', 'int8'],
  indexes: ['workers_pkey'],
  sql: `
update {schema}.workers
set dead_at = statement_timestamp()
where workers.id = $1::int4
  and workers.beat = $2::int8
  and workers.dead_at is null
  and workers.stopped_at is null
returning workers.id as "id"`,
})

/** For a database that one process alone can open: whoever was registered before has died. */
export const DECLARE_ALL_DEAD = statement({
  name: 'declare_all_dead',
  parameters: ['int4[]'],
  indexes: [],
  sql: `
update {schema}.workers
set dead_at = statement_timestamp()
where workers.id <> all($1::int4[]) and workers.dead_at is null and workers.stopped_at is null
returning workers.id as "id"`,
})

export const DISOWN_ALL = statement({
  name: 'disown_all',
  parameters: ['int4'],
  indexes: [],
  sql: `
update {schema}.queues
set owner_id = null
where queues.owner_id = $1::int4
returning queues.id as "id"`,
})

export const NOTE_LOOK = statement({
  name: 'note_look',
  parameters: ['int4', 'bool'],
  indexes: ['workers_pkey'],
  sql: `
with looked as (
  update {schema}.workers
  set
    looked_at = statement_timestamp(),
    rescued_at = case when $2::bool then statement_timestamp() end
  where workers.id = $1::int4 and workers.dead_at is not null
)
delete from {schema}.marks
where marks.worker_id = $1::int4 and $2::bool`,
})

/** Forgets workers that ended more than a day ago and hold nothing. */
export const FORGET_WORKERS = statement({
  name: 'forget_workers',
  parameters: [],
  indexes: ['marks_of_claim'],
  sql: `
with forgotten as (
  delete from {schema}.workers
  where coalesce(workers.rescued_at, workers.stopped_at) < statement_timestamp() - interval '1 day'
  returning workers.id
)
delete from {schema}.marks
where marks.worker_id = any(array(select forgotten.id from forgotten))`,
})

export async function registerWorker(
  store: Store,
  introduction: WorkerIntroduction,
  connection: Connection,
): Promise<number> {
  const { token, host, pid, version, leaseMs } = introduction
  const values = [token, host, pid, version, Math.round(leaseMs)]
  const answer = await connection.query<{ id: number }>(store.text(REGISTER_WORKER), values)
  const [row] = answer.rows
  if (row === undefined) throw new Error('register_worker answered no row')
  return row.id
}

/** Whether the lease still holds. */
export async function beat(
  store: Store,
  worker: { id: number; token: string; leaseMs: number },
  health: WorkerHealth,
  connection: Connection,
): Promise<boolean> {
  const { inFlight, rssBytes, heapBytes, eventLoopLagMs } = health
  const values = [
    ...[worker.id, worker.token, Math.round(worker.leaseMs)],
    ...[inFlight, rssBytes, heapBytes, eventLoopLagMs],
  ]
  const answer = await connection.query(store.text(BEAT), values)
  return answer.rows.length > 0
}

export async function listQueueOfWorker(
  store: Store,
  workerId: number,
  queueId: number,
): Promise<void> {
  await store.run(LIST_QUEUE_OF_WORKER, [workerId, queueId])
}

export async function stopWorker(store: Store, id: number, token: string): Promise<void> {
  await store.run(STOP_WORKER, [id, token])
}

/** Adds to what others saw before. Answers the workers that were silent for a whole lease. */
export async function addSightings(store: Store): Promise<LivingWorker[]> {
  const sighted = await store.run<LivingWorker & { isSilent: boolean }>(ADD_SIGHTINGS, [])
  return sighted.filter(({ isSilent }) => isSilent)
}

/** Whether this call declared the worker dead; false when it beat meanwhile or somebody else was first. */
export async function declareDead(store: Store, id: number, beatSeen: string): Promise<boolean> {
  const rows = await store.run(DECLARE_DEAD, [id, beatSeen])
  return rows.length > 0
}

/** Declares dead whoever is not listed; for a database that this process alone can open. */
export async function declareAllDead(store: Store, exceptIds: readonly number[]): Promise<void> {
  await store.run(DECLARE_ALL_DEAD, [sqlArray(exceptIds)])
}

export interface DeadWorker {
  readonly id: number
  readonly queueIds: readonly number[]
  readonly deadForMs: number
  /** Whether its queues were looked through once. */
  readonly isLookedAt: boolean
}

interface WorkerRow extends LivingWorker {
  queueIds: string
  /** null: it lives. */
  deadForMs: string | null
  isLookedAt: boolean
}

/** The workers that neither stopped nor were found dead, and the dead whose rescue is not over. */
export async function readWorkers(
  store: Store,
  tx?: DBTX,
): Promise<{ living: LivingWorker[]; dead: DeadWorker[] }> {
  const rows = await store.run<WorkerRow>(READ_WORKERS, [], tx)
  const living = rows.filter((row) => row.deadForMs === null)
  const dead = rows.flatMap(({ id, queueIds, deadForMs, isLookedAt }) =>
    deadForMs === null
      ? []
      : { id, queueIds: readArray(queueIds).map(Number), deadForMs: Number(deadForMs), isLookedAt },
  )
  return { living, dead }
}

/** Ends every ownership of a dead worker. Answers the queues that it owned. */
export async function disownAll(store: Store, workerId: number): Promise<number[]> {
  const rows = await store.run<{ id: number }>(DISOWN_ALL, [workerId])
  return rows.map((row) => row.id)
}

/** A dead worker's queues have been looked through, for the last time or not. */
export async function noteLook(store: Store, workerId: number, isLast: boolean): Promise<void> {
  await store.run(NOTE_LOOK, [workerId, isLast])
}

export async function forgetWorkers(store: Store): Promise<void> {
  await store.run(FORGET_WORKERS, [])
}
