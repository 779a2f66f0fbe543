import { parseJobId } from '../../core/job-id.ts'
import { readLogs, resolveLogsOptions } from '../../job-logs.ts'
import { toJobRecord } from '../../job-record.ts'
import { look, type Call, type Route } from '../route.ts'
import { showLogs } from './job-shape.ts'
import { requireJob } from './jobs.ts'
import { requireQueue } from './known-queue.ts'
import { answerOf, ref } from './shapes.ts'

export const logRoutes: readonly Route[] = [
  {
    method: 'get',
    path: '/api/jobs/{id}/logs',
    id: 'listLogs',
    summary:
      'List what the runs of a job wrote, line by line. To see new lines, ask again behind the last one that is known.',
    role: 'viewer',
    query: {
      after: {
        type: 'integer',
        minimum: 0,
        description: 'Only lines behind the one with this number, in the order that is asked for.',
      },
      order: { type: 'string', enum: ['oldest', 'newest'], default: 'oldest' },
      limit: { type: 'integer', minimum: 1, maximum: 1_000, default: 100 },
    },
    answer: answerOf({
      logs: { type: 'array', items: ref('LogLine') },
      next: {
        type: ['integer', 'null'],
        description:
          'Pass it as after for what comes behind these lines, also when there is nothing yet; null: no line is known.',
      },
    }),
    handle: listLogs,
  },
]

async function listLogs({ parts, path, query }: Call): Promise<{ body: object }> {
  const jobId = parseJobId(path['id'])
  const page = resolveLogsOptions(query)
  const { job, lines } = await look(parts, async (tx) => {
    const row = await requireJob(parts, jobId, tx)
    const { id: queueId } = await requireQueue(parts, row.queueName, tx)
    const lines = await readLogs(parts.store, { ...page, queueId, jobId }, tx)
    return { job: toJobRecord(row), lines }
  })
  const logs = showLogs(job, lines, parts.redactor)
  return { body: { logs, next: lines.at(-1)?.number ?? page.after } }
}
