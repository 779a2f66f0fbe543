import type { DBTX } from './drivers/driver.ts'
import type { Engine } from './engine.ts'
import { cancelJob, cancelOrAsk } from './store/cancel.ts'
import { DEFAULT_KEEP_MS, type QueueRow } from './store/queues.ts'
import { cancelJobs } from './store/steer.ts'

/*
 * Cancelling, and counting what is cancelled by it. Jobs that run are only asked to end; whoever ends them counts them.
 */

type Cancellable = Pick<QueueRow, 'id' | 'name' | 'keepFailedMs'>

/** Cancels a job that waits, or asks its process to. Answers the queue in which it was; undefined when it has ended. */
export async function cancelOne(
  engine: Engine,
  queue: Cancellable,
  id: string,
  tx?: DBTX,
): Promise<number | undefined> {
  const answer = await cancelJob(engine.store, queue.id, id, keepMsOf(queue), tx)
  if (answer?.hasEnded === true) count(engine, queue, 1)
  return answer?.queueId
}

/** Cancels those of these jobs that wait in the queue, and asks for those that run. Answers which they were. */
export async function cancelMany(
  engine: Engine,
  queue: Cancellable,
  ids: readonly string[],
  tx?: DBTX,
): Promise<string[]> {
  const { cancelled, asked } = await cancelOrAsk(engine.store, queue.id, ids, keepMsOf(queue), tx)
  count(engine, queue, cancelled.length)
  return [...cancelled, ...asked]
}

/** Cancels those of these jobs that wait in the queue, and leaves those that run alone. Answers which. */
export async function cancelWaiting(
  engine: Engine,
  queue: Cancellable,
  ids: readonly string[],
  tx?: DBTX,
): Promise<string[]> {
  const cancelled = await cancelJobs(engine.store, queue.id, ids, keepMsOf(queue), tx)
  count(engine, queue, cancelled.length)
  return cancelled
}

function keepMsOf({ keepFailedMs }: Cancellable): number {
  return keepFailedMs ?? DEFAULT_KEEP_MS
}

function count({ tallies }: Engine, { name }: Cancellable, cancelled: number): void {
  tallies.of(name).count('cancelled', cancelled)
}
