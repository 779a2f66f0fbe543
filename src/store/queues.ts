import type { DBTX } from '../drivers/driver.ts'
import { toMicros, type Micros } from './instants.ts'
import { statement } from './statement.ts'
import type { Store } from './store.ts'

/** How long failed and cancelled jobs are kept where a queue does not say: 30 days. */
export const DEFAULT_KEEP_MS = 30 * 24 * 3_600_000

/** What is stored of a queue, so that every process decides alike about its jobs. */
export interface QueueSettings {
  /** null: known only as somebody's dead-letter queue; who opens it first decides. */
  readonly isFifo: boolean | null
  readonly dlqId: number | null
  /** null: finished jobs are deleted at once. */
  readonly keepFinishedMs: number | null
  readonly keepFailedMs: number | null
  readonly baseRetryDelayMs: number
  readonly maxRetryDelayMs: number
  readonly retryJitter: number
}

export interface QueueRow extends QueueSettings {
  readonly id: number
  readonly name: string
  /** Since when it is paused; null: it is not. */
  readonly pausedAt: Micros | null
  readonly pausedBy: string | null
  readonly pauseReason: string | null
  /** It was as it is before the transaction that reads it began: no rollback takes it away. */
  readonly isOld: boolean
}

/** How long jobs are kept and put off, and who paused the queue. */
export const SETTINGS_COLUMNS = `
  queues.keep_finished_ms::text as "keepFinishedMs",
  queues.keep_failed_ms::text as "keepFailedMs",
  queues.base_retry_delay_ms::text as "baseRetryDelayMs",
  queues.max_retry_delay_ms::text as "maxRetryDelayMs",
  queues.retry_jitter::text as "retryJitter",
  ${toMicros('queues.paused_at')} as "pausedAt",
  queues.paused_by as "pausedBy",
  queues.pause_reason as "pauseReason"`

const QUEUE_COLUMNS = `
  queues.id as "id",
  queues.name as "name",
  queues.is_fifo as "isFifo",
  queues.dlq_id as "dlqId",
${SETTINGS_COLUMNS},
  queues.created_at < now() and queues.xmin is distinct from pg_current_xact_id_if_assigned()::xid as "isOld"`

const SETTINGS_PARAMETERS = ['bool', 'int4', 'int8', 'int8', 'float8', 'float8', 'float8'] as const

export const FIND_QUEUE = statement({
  name: 'find_queue',
  parameters: ['text'],
  indexes: ['queue_names'],
  sql: `
select ${QUEUE_COLUMNS}
from {schema}.queues
where queues.name = $1::text`,
})

export const FIND_QUEUE_BY_ID = statement({
  name: 'find_queue_by_id',
  parameters: ['int4'],
  indexes: ['queues_pkey'],
  sql: `
select ${QUEUE_COLUMNS}
from {schema}.queues
where queues.id = $1::int4`,
})

export const LIST_QUEUES = statement({
  name: 'list_queues',
  parameters: [],
  indexes: [],
  sql: `
select ${QUEUE_COLUMNS}
from {schema}.queues
order by queues.name`,
})

/** Makes a queue where there is none; another process that makes it at the same time wins quietly. */
export const ADD_QUEUE = statement({
  name: 'add_queue',
  parameters: ['text', ...SETTINGS_PARAMETERS],
  indexes: [],
  sql: `
insert into {schema}.queues (
  name, is_fifo, dlq_id, keep_finished_ms, keep_failed_ms,
  base_retry_delay_ms, max_retry_delay_ms, retry_jitter
)
values ($1::text, $2::bool, $3::int4, $4::int8, $5::int8, $6::float8, $7::float8, $8::float8)
on conflict (name) do nothing`,
})

/** Decides the mode of a queue that was known only as a dead-letter queue. */
export const DECIDE_MODE = statement({
  name: 'decide_mode',
  parameters: ['int4', 'bool'],
  indexes: ['queues_pkey'],
  sql: `
update {schema}.queues
set is_fifo = $2::bool
where queues.id = $1::int4 and queues.is_fifo is null`,
})

/** Stores what a process that works on the queue says of it; its mode never changes. */
export const CHANGE_QUEUE = statement({
  name: 'change_queue',
  parameters: ['int4', 'int4', 'int8', 'int8', 'float8', 'float8', 'float8'],
  indexes: ['queues_pkey'],
  sql: `
update {schema}.queues
set
  dlq_id = $2::int4,
  keep_finished_ms = $3::int8,
  keep_failed_ms = $4::int8,
  base_retry_delay_ms = $5::float8,
  max_retry_delay_ms = $6::float8,
  retry_jitter = $7::float8
where queues.id = $1::int4
  and (dlq_id, keep_finished_ms, keep_failed_ms, base_retry_delay_ms, max_retry_delay_ms, retry_jitter)
    is distinct from ($2::int4, $3::int8, $4::int8, $5::float8, $6::float8, $7::float8)
returning queues.id as "id"`,
})

/** Takes a FIFO queue that nobody owns. Only a rescue or the owner itself ends an ownership, so the dead take none. */
export const OWN_QUEUE = statement({
  name: 'own_queue',
  parameters: ['int4', 'int4'],
  indexes: ['queues_pkey'],
  sql: `
update {schema}.queues
set owner_id = $2::int4
where queues.id = $1::int4
  and queues.is_fifo
  and queues.owner_id is null
  and exists (
    select
    from {schema}.workers
    where workers.id = $2::int4 and workers.dead_at is null and workers.stopped_at is null
  )
returning queues.id as "id"`,
})

/** Ends a worker's ownership of a FIFO queue. */
export const DISOWN_QUEUE = statement({
  name: 'disown_queue',
  parameters: ['int4', 'int4'],
  indexes: ['queues_pkey'],
  sql: `
update {schema}.queues
set owner_id = null
where queues.id = $1::int4 and queues.owner_id = $2::int4
returning queues.id as "id"`,
})

export async function findQueue(
  store: Store,
  name: string,
  tx?: DBTX,
): Promise<QueueRow | undefined> {
  const rows = await store.run<TextRow>(FIND_QUEUE, [name], tx)
  return rows[0] && readQueue(rows[0])
}

export async function findQueueById(
  store: Store,
  id: number,
  tx?: DBTX,
): Promise<QueueRow | undefined> {
  const rows = await store.run<TextRow>(FIND_QUEUE_BY_ID, [id], tx)
  return rows[0] && readQueue(rows[0])
}

export async function listQueues(store: Store, tx?: DBTX): Promise<QueueRow[]> {
  const rows = await store.run<TextRow>(LIST_QUEUES, [], tx)
  return rows.map(readQueue)
}

/** The queue of that name, made with these settings when there is none. */
export async function ensureQueue(
  store: Store,
  name: string,
  settings: QueueSettings,
  tx?: DBTX,
): Promise<QueueRow> {
  for (;;) {
    const found = await findQueue(store, name, tx)
    const isUndecided = found?.isFifo === null && settings.isFifo !== null
    if (found !== undefined && !isUndecided) return found
    if (found === undefined) await store.run(ADD_QUEUE, [name, ...settingsValues(settings)], tx)
    else await store.run(DECIDE_MODE, [found.id, settings.isFifo], tx)
  }
}

/** Whether anything was stored otherwise. */
export async function changeQueue(
  store: Store,
  id: number,
  settings: QueueSettings,
  tx?: DBTX,
): Promise<boolean> {
  const values = [id, ...settingsValues(settings).slice(1)]
  const rows = await store.run(CHANGE_QUEUE, values, tx)
  return rows.length > 0
}

/** Whether the worker owns the FIFO queue now; false when somebody else does. */
export async function ownQueue(store: Store, id: number, workerId: number): Promise<boolean> {
  const rows = await store.run(OWN_QUEUE, [id, workerId])
  return rows.length > 0
}

export async function disownQueue(store: Store, id: number, workerId: number): Promise<void> {
  await store.run(DISOWN_QUEUE, [id, workerId])
}

type TextRow = Omit<
  QueueRow,
  'keepFinishedMs' | 'keepFailedMs' | 'baseRetryDelayMs' | 'maxRetryDelayMs' | 'retryJitter'
> & {
  keepFinishedMs: string | null
  keepFailedMs: string | null
  baseRetryDelayMs: string
  maxRetryDelayMs: string
  retryJitter: string
}

function settingsValues(settings: QueueSettings): unknown[] {
  const { isFifo, dlqId, keepFinishedMs, keepFailedMs } = settings
  const { baseRetryDelayMs, maxRetryDelayMs, retryJitter } = settings
  return [
    isFifo,
    dlqId,
    wholeOrNull(keepFinishedMs),
    wholeOrNull(keepFailedMs),
    baseRetryDelayMs,
    maxRetryDelayMs,
    retryJitter,
  ]
}

function wholeOrNull(ms: number | null): number | null {
  return ms === null ? null : Math.round(ms)
}

function readQueue(row: TextRow): QueueRow {
  return {
    ...row,
    keepFinishedMs: row.keepFinishedMs === null ? null : Number(row.keepFinishedMs),
    keepFailedMs: row.keepFailedMs === null ? null : Number(row.keepFailedMs),
    baseRetryDelayMs: Number(row.baseRetryDelayMs),
    maxRetryDelayMs: Number(row.maxRetryDelayMs),
    retryJitter: Number(row.retryJitter),
  }
}
