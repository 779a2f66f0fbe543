import { storable } from '../audit.ts'
import { textAt, type Call, type Route } from '../route.ts'
import { requireQueue } from './known-queue.ts'
import { glance } from './queues.ts'
import { ref, requestOf } from './shapes.ts'

export const pausingRoutes: readonly Route[] = [
  {
    method: 'post',
    path: '/api/queues/{queue}/pause',
    id: 'pauseQueue',
    summary:
      'Pause a queue for every process: what runs goes on to its end, and nothing else is begun. ' +
      'One that is paused stays as it is.',
    role: 'operator',
    body: requestOf({
      reason: { type: 'string', minLength: 1, maxLength: 1_000, description: 'Shown with it.' },
    }),
    answer: ref('Queue'),
    about: ({ path, body }) => ({ queueName: textAt(path, 'queue'), request: body }),
    handle: (call) =>
      change(call, (queueName) =>
        call.parts.querier.pause(queueName, { ...call.body, by: storable(call.actor.name) }),
      ),
  },
  {
    method: 'post',
    path: '/api/queues/{queue}/resume',
    id: 'resumeQueue',
    summary: 'Resume a queue: what is due starts at once.',
    role: 'operator',
    body: requestOf({}),
    answer: ref('Queue'),
    about: ({ path }) => ({ queueName: textAt(path, 'queue') }),
    handle: (call) => change(call, (queueName) => call.parts.querier.resume(queueName)),
  },
]

async function change(
  { parts, path }: Call,
  deed: (queueName: string) => Promise<boolean>,
): Promise<{ body: object; changed: number }> {
  const { name } = await requireQueue(parts, textAt(path, 'queue'))
  const isChanged = await deed(name)
  return { body: await glance(parts, name), changed: isChanged ? 1 : 0 }
}
