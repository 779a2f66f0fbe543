import { EventBus } from '../../core/event-bus.ts'
import { resolveQueueOptions } from '../../core/queue-options.ts'
import { QueueAccess } from '../../queue-access.ts'
import { glanceAtQueue, glanceAtQueues, type QueueAtAGlance } from '../../store/glance.ts'
import { readCursor, writeCursor } from '../cursor.ts'
import { look, numberAt, textAt, type Call, type Parts, type Route } from '../route.ts'
import { couldBeName, queueNotFound } from './known-queue.ts'
import { pageOf, pageParameters, queueSettings, ref, requestOf } from './shapes.ts'

/** Of each queue of a list so many jobs are counted, in `jobs` and in `history` each. */
const SAMPLE_OF_MANY = 100
/** And so many of one queue alone. */
const SAMPLE_OF_ONE = 2_000
const LIST = ['queues']

export const queueRoutes: readonly Route[] = [
  {
    method: 'get',
    path: '/api/queues',
    id: 'listQueues',
    summary: 'List the queues in the order of their names, with what they hold.',
    role: 'viewer',
    query: pageParameters(100),
    answer: pageOf('queues', ref('Queue')),
    handle: async ({ parts, query }) => ({ body: await readQueues(parts, query) }),
  },
  {
    method: 'get',
    path: '/api/queues/{queue}',
    id: 'getQueue',
    summary: 'Read the settings of a queue and what it holds.',
    role: 'viewer',
    answer: ref('Queue'),
    handle: async ({ parts, path }) => ({ body: await glance(parts, textAt(path, 'queue')) }),
  },
  {
    method: 'put',
    path: '/api/queues/{queue}',
    id: 'putQueue',
    summary:
      'Make a queue, or change the settings of one: what is left out gets its default. ' +
      'A process that works on the queue stores its own settings when it starts.',
    role: 'admin',
    body: requestOf(queueSettings),
    answer: ref('Queue'),
    about: ({ path, body }) => ({ queueName: textAt(path, 'queue'), request: body }),
    handle: async ({ parts, path, body }) => {
      const queueName = textAt(path, 'queue')
      const { store } = parts
      const options = resolveQueueOptions({ ...body, queueName, schema: store.schema })
      await new QueueAccess(store, new EventBus(), options, true).open()
      return { body: await glance(parts, queueName), changed: 1 }
    },
  },
]

/** A page of queues, with what each holds. */
export async function readQueues(
  parts: Parts,
  query: Call['query'],
): Promise<{ queues: QueueAtAGlance[]; next: string | null }> {
  const afterName = readCursor(LIST, query['cursor'], couldBeName) ?? ''
  const limit = numberAt(query, 'limit', 50)
  const page = { afterName, limit: limit + 1, sample: SAMPLE_OF_MANY }
  const queues = await look(parts, (tx) => glanceAtQueues(parts.store, page, tx))
  const shown = queues.slice(0, limit)
  const last = queues.length > limit ? shown.at(-1) : undefined
  return { queues: shown, next: last === undefined ? null : writeCursor(LIST, last.name) }
}

/** A queue with what it holds. Throws a `Refusal` when there is none of that name. */
export async function glance(parts: Parts, name: string): Promise<QueueAtAGlance> {
  return look(parts, async (tx) => {
    if (!couldBeName(name)) throw queueNotFound(name)
    const queue = await glanceAtQueue(parts.store, { name, sample: SAMPLE_OF_ONE }, tx)
    if (queue === undefined) throw queueNotFound(name)
    return queue
  })
}
