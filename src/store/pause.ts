import type { QueuePause } from '../core/pause-options.ts'
import type { DBTX } from '../drivers/driver.ts'
import { microsToDate, type Micros } from './instants.ts'
import { statement } from './statement.ts'
import type { Store } from './store.ts'

/*
 * Pausing a queue. That nothing of it is claimed is a condition of the claims themselves (claim-parts.ts); the
 * notification only has those look at once who sleep, or have claimed ahead.
 */

/** Pauses a queue that is not paused. */
export const PAUSE_QUEUE = statement({
  name: 'pause_queue',
  parameters: ['int4', 'text', 'text', 'text'],
  indexes: ['queues_pkey'],
  sql: `
update {schema}.queues
set paused_at = statement_timestamp(), paused_by = $3::text, pause_reason = $4::text
where queues.id = $1::int4 and queues.paused_at is null
returning pg_notify($2::text, $1::int4::text)::text as "told"`,
})

/** Resumes a queue that is paused. */
export const RESUME_QUEUE = statement({
  name: 'resume_queue',
  parameters: ['int4', 'text'],
  indexes: ['queues_pkey'],
  sql: `
update {schema}.queues
set paused_at = null, paused_by = null, pause_reason = null
where queues.id = $1::int4 and queues.paused_at is not null
returning pg_notify($2::text, $1::int4::text)::text as "told"`,
})

/** Who paused a queue, and why. */
export interface PauseNote {
  readonly by: string | null
  readonly reason: string | null
}

/** Answers whether it was not paused before. */
export async function pauseQueue(
  store: Store,
  queueId: number,
  { by, reason }: PauseNote,
  tx?: DBTX,
): Promise<boolean> {
  const rows = await store.run(PAUSE_QUEUE, [queueId, store.wake.channel, by, reason], tx)
  return rows.length > 0
}

/** Answers whether it was paused before. */
export async function resumeQueue(store: Store, queueId: number, tx?: DBTX): Promise<boolean> {
  const rows = await store.run(RESUME_QUEUE, [queueId, store.wake.channel], tx)
  return rows.length > 0
}

/** What a queue's row says of it. */
export interface PauseColumns {
  readonly pausedAt: Micros | null
  readonly pausedBy: string | null
  readonly pauseReason: string | null
}

/** Since when it is paused, by whom and why; null when it is not. */
export function pauseOf({
  pausedAt: at,
  pausedBy: by,
  pauseReason: reason,
}: PauseColumns): QueuePause | null {
  return at === null ? null : { at: microsToDate(at), by, reason }
}
