import { resolveStatsOptions } from '../../core/stats-options.ts'
import { CONTENT_TYPE } from '../../metrics/exposition.ts'
import { readMetrics } from '../../metrics/prometheus.ts'
import { backlogOf, readStats } from '../../metrics/stats.ts'
import { lookFreely, textAt, type Call, type Route } from '../route.ts'
import type { Schema } from '../schema.ts'
import { readInstant } from './instant.ts'
import { requireQueue } from './known-queue.ts'
import { ref } from './shapes.ts'

const MOMENT: Schema = { type: 'string', maxLength: 100 }

export const statisticsRoutes: readonly Route[] = [
  {
    method: 'get',
    path: '/api/queues/{queue}/stats',
    id: 'getStats',
    summary:
      'Read what happened to a queue in some time, in all processes: counts, throughput, times, and what waits now.',
    role: 'viewer',
    query: {
      since: {
        ...MOMENT,
        default: '1h',
        description:
          'Where it begins: an instant in ISO 8601, or a duration, so long ago. Minutes are kept for a day, hours for eight days.',
      },
      until: { ...MOMENT, description: 'Where it ends, likewise; now unless it is said.' },
      by: {
        type: 'string',
        enum: ['minute', 'hour'],
        default: 'minute',
        description: 'How long a point of the series is; before a day ago it is an hour.',
      },
    },
    answer: ref('Stats'),
    handle: getStats,
  },
  {
    method: 'get',
    path: '/api/queues/{queue}/backlog',
    id: 'getBacklog',
    summary: 'Read what waits in a queue, and how long it will take: the signal for an autoscaler.',
    role: 'viewer',
    answer: ref('Backlog'),
    handle: async ({ parts, path }) => ({
      body: await lookFreely(parts, async (tx) => {
        const { id } = await requireQueue(parts, textAt(path, 'queue'), tx)
        return backlogOf(parts.store, id, tx)
      }),
    }),
  },
  {
    method: 'get',
    path: '/metrics',
    id: 'getMetrics',
    summary: 'Read the metrics of all queues in the text format of Prometheus.',
    role: 'viewer',
    answer: { type: 'string' },
    contentType: CONTENT_TYPE,
    handle: async ({ parts }) => {
      const { text } = await lookFreely(parts, (tx) => readMetrics(parts.store, tx))
      return { body: text }
    },
  },
]

async function getStats({ parts, path, query }: Call): Promise<{ body: object }> {
  const given = Object.entries(query).map(([name, value]) => [name, readInstant(value) ?? value])
  const request = resolveStatsOptions(Object.fromEntries(given))
  const body = await lookFreely(parts, async (tx) => {
    const { id } = await requireQueue(parts, textAt(path, 'queue'), tx)
    return readStats(parts.store, id, request, tx)
  })
  return { body }
}
