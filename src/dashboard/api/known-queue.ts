import { show } from '../../core/show.ts'
import type { DBTX } from '../../drivers/driver.ts'
import { findQueuesBehind } from '../../store/dead-letter-queues.ts'
import { findQueue, type QueueRow } from '../../store/queues.ts'
import { notFound, type Refusal } from '../refusal.ts'
import { look, type Parts } from '../route.ts'

/** Whether PostgreSQL can hold the text at all; no queue has a name that it cannot. */
export function couldBeName(text: string): boolean {
  return !/\p{Surrogate}|\0/u.test(text)
}

/** The queue of that name. Throws a `Refusal` when there is none. */
export async function requireQueue({ store }: Parts, name: string, tx?: DBTX): Promise<QueueRow> {
  const queue = couldBeName(name) ? await findQueue(store, name, tx) : undefined
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
