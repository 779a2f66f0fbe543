import type { JobCounts } from './core/job.ts'
import type { QueuePause } from './core/pause-options.ts'
import { pauseOf } from './store/pause.ts'
import { DEFAULT_KEEP_MS, type QueueRow } from './store/queues.ts'

/** What is stored of a queue. */
export interface QueueInfo {
  readonly name: string
  /** Null: known only as the dead-letter queue of another, and not opened yet. */
  readonly fifo: boolean | null
  /** The name of its dead-letter queue; null when it has none. */
  readonly dlq: string | null
  /** How long finished jobs are kept, in milliseconds; null: they are deleted at once. */
  readonly keepFinishedMs: number | null
  /** How long failed and cancelled jobs are kept, in milliseconds. */
  readonly keepFailedMs: number
  /** Since when it is paused, by whom and why; null when it is not. */
  readonly paused: QueuePause | null
}

/** What a queue holds at a glance. */
export interface QueueGlance {
  /** How many jobs are in each status. */
  readonly counts: JobCounts
  /** False: the queue is so large that some of the counts are estimates. */
  readonly isExact: boolean
  /** How long the job has been due that has waited longest, in milliseconds; null when none is due. */
  readonly longestWaitMs: number | null
}

/** What `Querier.queues` answers of all stored queues. */
export function toQueueInfos(rows: readonly QueueRow[]): QueueInfo[] {
  const names = new Map(rows.map((row) => [row.id, row.name]))
  return rows.map((row) => ({
    name: row.name,
    fifo: row.isFifo,
    dlq: row.dlqId === null ? null : (names.get(row.dlqId) ?? null),
    keepFinishedMs: row.keepFinishedMs,
    keepFailedMs: row.keepFailedMs ?? DEFAULT_KEEP_MS,
    paused: pauseOf(row),
  }))
}
