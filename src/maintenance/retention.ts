import type { EventBus } from '../core/event-bus.ts'
import { addPartition, dropExpiredPartitions } from '../store/history.ts'
import { reviewNotes } from '../store/notes.ts'
import { listQueues } from '../store/queues.ts'
import type { Store } from '../store/store.ts'
import { forgetWorkers } from '../store/workers.ts'

const DAY_MS = 24 * 3_600_000
/** Days of history are made so far ahead that a week without any running process is bridged. */
const DAYS_AHEAD = 14

/**
 * Keeps history in shape: makes the days on which jobs that end in the coming two weeks will
 * expire, drops the days that are over, and forgets workers that are long gone, and what the runs of jobs have said
 * that are gone.
 */
export async function retain(store: Store, events: EventBus): Promise<void> {
  const queues = await listQueues(store)
  const keeps = new Set(queues.flatMap((queue) => [queue.keepFinishedMs, queue.keepFailedMs]))
  const days = new Set<number>()
  for (const keepMs of keeps) {
    if (keepMs === null) continue
    for (let day = 0; day <= DAYS_AHEAD; day++) days.add(Math.floor(keepMs / DAY_MS) + day)
  }
  for (const day of [...days].sort((left, right) => left - right)) {
    if (await addPartition(store, day * DAY_MS)) {
      const expiry = new Date(Date.now() + day * DAY_MS).toISOString().slice(0, 10)
      events.emit({ type: 'history.partition_added', day: expiry })
    }
  }
  for (const day of await dropExpiredPartitions(store)) {
    events.emit({ type: 'history.partition_dropped', day })
  }
  await forgetWorkers(store)
  for (const { id } of queues) while (await reviewNotes(store, id));
}
