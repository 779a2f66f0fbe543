import type { DBTX } from './drivers/driver.ts'
import type { Engine } from './engine.ts'
import { DEFAULT_KEEP_MS, type QueueRow } from './store/queues.ts'
import { cancelJob, cancelJobs } from './store/steer.ts'

type Cancellable = Pick<QueueRow, 'id' | 'name' | 'keepFailedMs'>

/** Cancels a waiting job, and counts it. Answers the queue in which it was; undefined when it did not wait. */
export async function cancelOne(
  engine: Engine,
  queue: Cancellable,
  id: string,
  tx?: DBTX,
): Promise<number | undefined> {
  const keepMs = queue.keepFailedMs ?? DEFAULT_KEEP_MS
  const place = await cancelJob(engine.store, queue.id, id, keepMs, tx)
  if (place !== undefined) engine.tallies.of(queue.name).count('cancelled', 1)
  return place
}

/** Cancels those of these jobs that wait in the queue, and counts them. Answers which. */
export async function cancelMany(
  engine: Engine,
  queue: Cancellable,
  ids: readonly string[],
  tx?: DBTX,
): Promise<string[]> {
  const keepMs = queue.keepFailedMs ?? DEFAULT_KEEP_MS
  const cancelled = await cancelJobs(engine.store, queue.id, ids, keepMs, tx)
  engine.tallies.of(queue.name).count('cancelled', cancelled.length)
  return cancelled
}
