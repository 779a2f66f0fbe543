import { microsToDate } from '../../store/instants.ts'
import { listWorkers, type ListedWorker } from '../../store/worker-list.ts'
import { readCursor, writeCursor } from '../cursor.ts'
import { look, numberAt, type Call, type Parts, type Route } from '../route.ts'
import { pageOf, pageParameters, ref } from './shapes.ts'

export const workerRoutes: readonly Route[] = [
  {
    method: 'get',
    path: '/api/workers',
    id: 'listWorkers',
    summary:
      'List the processes that receive, the newest first; those that ended are known for a day.',
    role: 'viewer',
    query: {
      ended: {
        type: 'boolean',
        description: 'Only those that ended, or only those that have not; both unless it is said.',
      },
      ...pageParameters(200),
    },
    answer: pageOf('workers', ref('Worker')),
    handle: async ({ parts, query }) => ({ body: await readWorkerList(parts, query) }),
  },
]

/** A process that receives or did, as it leaves. */
export interface ShownWorker {
  readonly id: number
  readonly host: string
  readonly pid: number
  readonly version: string
  readonly state: ListedWorker['state']
  readonly startedAt: string
  readonly beatAt: string
  readonly leaseMs: number
  readonly inFlight: number | null
  readonly rssBytes: number | null
  readonly heapBytes: number | null
  readonly eventLoopLagMs: number | null
  readonly queues: readonly string[]
}

/** A page of workers. */
export async function readWorkerList(
  parts: Parts,
  query: Call['query'],
): Promise<{ workers: ShownWorker[]; next: string | null }> {
  const ended = (query['ended'] as boolean | undefined) ?? null
  const list = ['workers', ...(ended === null ? [] : [String(ended)])]
  const before = readCursor(list, query['cursor'], (text) => /^\d{1,9}$/.test(text))
  const limit = numberAt(query, 'limit', 50)
  const page = { beforeId: before === null ? null : Number(before), limit: limit + 1, ended }
  const workers = await look(parts, (tx) => listWorkers(parts.store, page, tx))
  const shown = workers.slice(0, limit)
  const last = workers.length > limit ? shown.at(-1) : undefined
  const next = last === undefined ? null : writeCursor(list, String(last.id))
  return { workers: shown.map(showWorker), next }
}

function showWorker(listed: ListedWorker): ShownWorker {
  const { leaseMs, rssBytes, heapBytes, startedAt, beatAt, queues, ...worker } = listed
  return {
    ...worker,
    leaseMs: Number(leaseMs),
    rssBytes: rssBytes === null ? null : Number(rssBytes),
    heapBytes: heapBytes === null ? null : Number(heapBytes),
    startedAt: microsToDate(startedAt).toISOString(),
    beatAt: microsToDate(beatAt).toISOString(),
    queues: JSON.parse(queues) as string[],
  }
}
