import { microsToDate } from '../../store/instants.ts'
import { listWorkers, type ListedWorker } from '../../store/worker-list.ts'
import { readCursor, writeCursor } from '../cursor.ts'
import { look, numberAt, type Route } from '../route.ts'
import { pageOf, pageParameters, ref } from './shapes.ts'

const LIST = ['workers']

export const workerRoutes: readonly Route[] = [
  {
    method: 'get',
    path: '/api/workers',
    id: 'listWorkers',
    summary:
      'List the processes that receive, the newest first; those that ended are known for a day.',
    role: 'viewer',
    query: pageParameters(200),
    answer: pageOf('workers', ref('Worker')),
    handle: async ({ parts, query }) => {
      const before = readCursor(LIST, query['cursor'], (text) => /^\d{1,9}$/.test(text))
      const limit = numberAt(query, 'limit', 50)
      const page = { beforeId: before === null ? null : Number(before), limit: limit + 1 }
      const workers = await look(parts, (tx) => listWorkers(parts.store, page, tx))
      const shown = workers.slice(0, limit)
      const last = workers.length > limit ? shown.at(-1) : undefined
      const next = last === undefined ? null : writeCursor(LIST, String(last.id))
      return { body: { workers: shown.map(showWorker), next } }
    },
  },
]

function showWorker(listed: ListedWorker): object {
  const { leaseMs, rssBytes, heapBytes, startedAt, beatAt, queues, ...worker } = listed
  return {
    ...worker,
    leaseMs: Number(leaseMs),
    rssBytes: rssBytes === null ? null : Number(rssBytes),
    heapBytes: heapBytes === null ? null : Number(heapBytes),
    startedAt: microsToDate(startedAt).toISOString(),
    beatAt: microsToDate(beatAt).toISOString(),
    queues: JSON.parse(queues) as unknown,
  }
}
