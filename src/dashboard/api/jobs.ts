import { parseJobId } from '../../core/job-id.ts'
import type { EnqueueItem } from '../../core/enqueue-options.ts'
import { show } from '../../core/show.ts'
import type { DBTX } from '../../drivers/driver.ts'
import { resolveFilter } from '../../job-filter.ts'
import { toJobRecord } from '../../job-record.ts'
import { browseJobs } from '../../store/browse.ts'
import { getJob } from '../../store/jobs.ts'
import type { JobRow } from '../../store/job-row.ts'
import { locateJob } from '../../store/locate.ts'
import { readCursor, writeCursor } from '../cursor.ts'
import type { OutgoingJob } from '../redact.ts'
import { notFound, Refusal } from '../refusal.ts'
import { look, numberAt, textAt, type Call, type Parts, type Route } from '../route.ts'
import type { Schema } from '../schema.ts'
import { withInstant } from './instant.ts'
import { showEnqueued, showJob, showListed } from './job-shape.ts'
import { requireQueue } from './known-queue.ts'
import { answerOf, filter, jobOptions, pageOf, pageParameters, ref, requestOf } from './shapes.ts'

/** So many jobs a page of a list has where nothing else is asked for. */
export const USUAL_LIMIT = 50
const MAX_ENQUEUED = 1_000
const ID = /^\d{1,19}$/

/** What a list of jobs is asked with. */
export const listParameters: Readonly<Record<string, Schema>> = {
  ...filter,
  order: { type: 'string', enum: ['newest', 'oldest'], default: 'newest' },
  ...pageParameters(100),
}

export const jobRoutes: readonly Route[] = [
  {
    method: 'get',
    path: '/api/queues/{queue}/jobs',
    id: 'listJobs',
    summary:
      'List the jobs of a queue by their ids. A page looks at so many jobs and answers those that the filter ' +
      'lets pass: it may have none, and yet a next one.',
    role: 'viewer',
    query: listParameters,
    answer: pageOf('jobs', ref('ListedJob')),
    handle: async ({ parts, path, query }) => {
      const { jobs, next } = await readJobs(parts, textAt(path, 'queue'), query)
      return { body: { jobs, next } }
    },
  },
  {
    method: 'post',
    path: '/api/queues/{queue}/jobs',
    id: 'enqueueJobs',
    summary: 'Enqueue jobs, all or none. The queue must be there; middlewares do not see them.',
    role: 'operator',
    body: requestOf(
      {
        jobs: {
          type: 'array',
          minItems: 1,
          maxItems: MAX_ENQUEUED,
          items: requestOf({ args: { description: 'Any JSON value.' }, ...jobOptions }, ['args']),
        },
      },
      ['jobs'],
    ),
    status: 201,
    answer: answerOf({ jobs: { type: 'array', items: ref('EnqueuedJob') } }),
    about: ({ path, body }) => ({
      queueName: textAt(path, 'queue'),
      jobCount: (body['jobs'] as unknown[]).length,
    }),
    handle: enqueueJobs,
  },
  {
    method: 'get',
    path: '/api/jobs/{id}',
    id: 'getJob',
    summary: 'Read all that is known of a job, in whichever queue it is.',
    role: 'viewer',
    answer: ref('Job'),
    handle: async ({ parts, path }) => {
      const id = parseJobId(path['id'])
      const row = await look(parts, (tx) => requireJob(parts, id, tx))
      return { body: showJob(toJobRecord(row), parts.redactor) }
    },
  },
  {
    method: 'patch',
    path: '/api/jobs/{id}',
    id: 'editJob',
    summary: 'Change a job that waits. What is not given stays as it is.',
    role: 'operator',
    body: requestOf({
      args: { description: 'Any JSON value: all of the arguments.' },
      ...jobOptions,
      timeout: { ...jobOptions['timeout'], type: ['string', 'number', 'null'] },
    }),
    answer: ref('Job'),
    about: ({ path, body }) => ({
      jobIds: [parseJobId(path['id'])],
      request: { fields: Object.keys(body) },
    }),
    handle: editJob,
  },
]

/** A page of a queue's jobs. */
export interface JobPage {
  readonly jobs: readonly OutgoingJob[]
  readonly next: string | null
  /** The last id that was looked at, whether it met the filter or not; null: all were. */
  readonly lookedTo: string | null
}

/** The jobs of a queue that the filter lets pass, a page of them as they leave. */
export async function readJobs(
  parts: Parts,
  queueName: string,
  query: Call['query'],
): Promise<JobPage> {
  const { status, olderThan, newerThan, errorText, metadata, tags } = query
  const given = { status, olderThan, newerThan, errorText, metadata, tags }
  const condition = resolveFilter(given)
  const order = query['order'] === 'oldest' ? 'oldest' : 'newest'
  const list = ['jobs', queueName, order, JSON.stringify(given)]
  const afterId = readCursor(list, query['cursor'], (text) => ID.test(text))
  const limit = numberAt(query, 'limit', USUAL_LIMIT)
  const page = await look(parts, async (tx) => {
    const { id: queueId } = await requireQueue(parts, queueName, tx)
    const isNewestFirst = order === 'newest'
    return browseJobs(parts.store, { ...condition, queueId, isNewestFirst, afterId, limit }, tx)
  })
  const jobs = page.jobs.map((job) => showListed(job, parts.redactor))
  const { nextId } = page
  return { jobs, next: nextId === null ? null : writeCursor(list, nextId), lookedTo: nextId }
}

async function enqueueJobs({ parts, path, body }: Call): Promise<{
  status: 201
  body: object
  changed: number
  jobIds: string[]
}> {
  const { name } = await requireQueue(parts, textAt(path, 'queue'))
  const items = (body['jobs'] as Record<string, unknown>[]).map(
    (job, index) => withInstant(job, `jobs[${index}].`) as unknown as EnqueueItem,
  )
  const jobs = await parts.querier.insert(name, items)
  return {
    status: 201,
    body: { jobs: jobs.map((job, index) => showEnqueued(job, items[index]?.tags, parts.redactor)) },
    changed: jobs.length,
    jobIds: jobs.map(({ id }) => id),
  }
}

async function editJob({ parts, path, body }: Call): Promise<{ body: object; changed: number }> {
  const id = parseJobId(path['id'])
  const { queueName, status } = await look(parts, (tx) => requireJob(parts, id, tx))
  const edited = await parts.querier.edit(queueName, id, withInstant(body))
  if (edited !== undefined) return { body: showJob(edited, parts.redactor), changed: 1 }
  const message = `The job ${id} does not wait: it is ${status === 'available' ? 'gone' : status}.`
  throw new Refusal(409, 'JOB_NOT_WAITING', message, { remedy: 'only a job that waits is changed' })
}

/** The job with that id, wherever it is. Throws a `Refusal` when it is nowhere. */
export async function requireJob({ store }: Parts, id: string, tx: DBTX): Promise<JobRow> {
  const queueId = await locateJob(store, id, tx)
  const row = queueId === undefined ? undefined : await getJob(store, queueId, id, tx)
  if (row !== undefined) return row
  throw jobNotFound(id)
}

/** There is no job with that id. */
export function jobNotFound(id: string): Refusal {
  return notFound(
    'JOB_NOT_FOUND',
    `There is no job ${show(id)}.`,
    'finished jobs are known as long as their queue keeps them',
  )
}
