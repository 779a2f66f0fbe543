import { show } from '../../core/show.ts'
import type { DBTX } from '../../drivers/driver.ts'
import { findQueuesBehind } from '../../store/dead-letter-queues.ts'
import { findQueue, type QueueRow } from '../../store/queues.ts'
import { notFound, type Refusal } from '../refusal.ts'
import { look, type Parts } from '../route.ts'

/** The queue of that name. Throws a `Refusal` when there is none. */
export async function requireQueue({ store }: Parts, name: string, tx?: DBTX): Promise<QueueRow> {
  // A text of PostgreSQL's cannot hold it, and so no name does.
  const queue = name.includes('\u0000') ? undefined : await findQueue(store, name, tx)
  if (queue !== undefined) return queue
  throw queueNotFound(name)
}

/** There is no queue of that name. */
export function queueNotFound(name: string): Refusal {
  return notFound(
    'QUEUE_NOT_FOUND',
    `There is no queue ${show(name)}.`,
    'GET /api/queues lists them; PUT /api/queues/{queue} makes one',
  )
}

/** Whether jobs of other queues come to the queue of that name when they have failed for good. Throws a `Refusal` when there is none. */
export async function isQueueOfDead(parts: Parts, name: string): Promise<boolean> {
  return look(parts, async (tx) => {
    const { id } = await requireQueue(parts, name, tx)
    const { count } = await findQueuesBehind(parts.store, id, tx)
    return count > 0
  })
}
