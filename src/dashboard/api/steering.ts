import { parseJobId } from '../../core/job-id.ts'
import { DEFAULT_MAX_BYTES } from '../../core/json.ts'
import type { QueueRow } from '../../store/queues.ts'
import {
  resolveWhere,
  type Deed,
  type WhereBatch,
  type WhereOptions,
  type WherePreview,
  type WhereRequest,
} from '../../where-options.ts'
import { doWhere } from '../../where.ts'
import type { Role } from '../auth.ts'
import { invalidField } from '../refusal.ts'
import { look, textAt, type About, type Answer, type Call, type Route } from '../route.ts'
import type { Schema } from '../schema.ts'
import { showJob } from './job-shape.ts'
import { requireJob } from './jobs.ts'
import { requireQueue } from './known-queue.ts'
import { filter, ref, requestOf } from './shapes.ts'

const MAX_IDS = 1_000
const DEFAULT_LIMIT = 1_000
const MAX_LIMIT = 10_000
/** What chooses by a filter ends between two batches when it took so long, and says that there may be more. */
const MOST_MS = 10_000

/** What can be done to jobs, who may, and how it is said. */
const DEEDS: readonly { deed: Deed; role: Role; what: string }[] = [
  { deed: 'cancel', role: 'operator', what: 'Cancel jobs that wait, or have those that run end' },
  { deed: 'retry', role: 'operator', what: 'Make failed or cancelled jobs available again' },
  {
    deed: 'redrive',
    role: 'operator',
    what: 'Send waiting jobs of a dead-letter queue back to where they came from',
  },
  { deed: 'delete', role: 'admin', what: 'Delete jobs that do not run' },
]

const ARGS: Schema = { description: 'Other arguments for the one job that is named.' }

/** What a request says about which jobs are meant. */
const MANY: Readonly<Record<string, Schema>> = {
  ids: {
    type: 'array',
    items: { type: 'string' },
    minItems: 1,
    maxItems: MAX_IDS,
    description: 'Ids of jobs; then no filter is given.',
  },
  ...filter,
  all: { type: 'boolean', description: 'Without any filter: all jobs are meant.' },
  limit: { type: 'integer', minimum: 1, maximum: MAX_LIMIT, default: DEFAULT_LIMIT },
  dryRun: { type: 'boolean', description: 'Only say how many it would be, and show the first.' },
}

export const steeringRoutes: readonly Route[] = DEEDS.flatMap((each) => [ofMany(each), ofOne(each)])

function ofMany({ deed, role, what }: (typeof DEEDS)[number]): Route {
  return {
    method: 'post',
    path: `/api/queues/{queue}/${deed}`,
    id: `${deed}Jobs`,
    summary: `${what}: those that are named, or that a filter chooses. With dryRun, only say which.`,
    role,
    body: requestOf(deed === 'redrive' ? { ...MANY, args: ARGS } : MANY),
    answer: { anyOf: [ref('Change'), ref('Preview')] },
    about: aboutMany,
    handle: (call) => steerMany(deed, call),
  }
}

function ofOne({ deed, role, what }: (typeof DEEDS)[number]): Route {
  const address =
    deed === 'delete'
      ? ({ method: 'delete', path: '/api/jobs/{id}' } as const)
      : ({
          method: 'post',
          path: `/api/jobs/{id}/${deed}`,
          body: requestOf(deed === 'redrive' ? { args: ARGS } : {}),
        } as const)
  return {
    ...address,
    id: `${deed}Job`,
    summary: `${what}: this one.`,
    role,
    answer: ref('Change'),
    about: ({ path }) => ({ jobIds: [parseJobId(path['id'])] }),
    handle: async (call) => {
      const id = parseJobId(call.path['id'])
      const { queueName } = await look(call.parts, (tx) => requireJob(call.parts, id, tx))
      return steerNamed(deed, queueName, [id], call)
    },
  }
}

function aboutMany({ path, body }: Call): About | undefined {
  if (body['dryRun'] === true) return undefined
  const { ids, args: _args, ...request } = body
  const queueName = textAt(path, 'queue')
  if (!Array.isArray(ids)) return { queueName, request }
  const jobIds = ids.map((id: unknown) => parseJobId(id))
  return { queueName, jobIds, jobCount: jobIds.length }
}

async function steerMany(deed: Deed, call: Call): Promise<Answer> {
  const { ids, args, ...others } = call.body
  const queue = await requireQueue(call.parts, textAt(call.path, 'queue'))
  if (ids === undefined) {
    if (args !== undefined) throw argsForMany(args)
    return steerChosen(deed, queue, call)
  }
  const [other] = Object.entries(others)
  if (other !== undefined) {
    const remedy = 'jobs that are named by ids need no filter; leave it out, or the ids'
    throw invalidField({ field: other[0], value: other[1], remedy })
  }
  return steerNamed(deed, queue.name, ids as string[], call)
}

async function steerNamed(
  deed: Deed,
  queueName: string,
  ids: readonly string[],
  { parts, body }: Call,
): Promise<Answer> {
  const args = body['args']
  if (args !== undefined && ids.length !== 1) throw argsForMany(args)
  const changedIds = await steer()
  const isChanged = new Set(changedIds)
  const refusedIds = [...new Set(ids)].filter((id) => !isChanged.has(id))
  return answerChange(changedIds, refusedIds, true)

  function steer(): Promise<string[]> {
    switch (deed) {
      case 'cancel':
        return parts.querier.cancelMany(queueName, ids)
      case 'retry':
        return parts.querier.retryMany(queueName, ids)
      case 'delete':
        return parts.querier.deleteMany(queueName, ids)
      case 'redrive':
        return parts.querier.redriveMany(
          queueName,
          ids,
          args === undefined ? {} : { edit: () => args },
        )
    }
  }
}

async function steerChosen(deed: Deed, queue: QueueRow, call: Call): Promise<Answer> {
  const { parts, body } = call
  const { dryRun, limit, ...chosen } = body
  const most = limit as number | undefined
  const signal = AbortSignal.any([call.signal, AbortSignal.timeout(MOST_MS)])
  const rules = { isOfAnyQueue: false, maxArgsBytes: DEFAULT_MAX_BYTES }
  const resolve = (options: WhereOptions): WhereRequest =>
    resolveWhere(deed, chosen, { ...options, signal }, rules)
  if (dryRun === true) {
    const request = resolve({ dryRun, limit: most })
    const preview = await look(parts, (tx) =>
      doWhere<true, unknown, unknown>(parts.engine, [queue], request, tx),
    )
    return answerPreview(preview, call)
  }
  const changedIds: string[] = []
  const refusedIds: string[] = []
  const onBatch = (batch: WhereBatch): void => {
    changedIds.push(...batch.changed)
    refusedIds.push(...batch.refused)
  }
  const request = resolve({ limit: most ?? DEFAULT_LIMIT, onBatch })
  await doWhere<false, unknown, unknown>(parts.engine, [queue], request)
  const isAll = changedIds.length + refusedIds.length < request.limit
  return answerChange(changedIds, refusedIds, isAll && !signal.aborted)
}

function answerChange(
  changedIds: readonly string[],
  refusedIds: readonly string[],
  isComplete: boolean,
): Answer {
  const changed = changedIds.length
  const body = {
    changed,
    refused: refusedIds.length,
    changedIds: changedIds.slice(0, MAX_IDS),
    refusedIds: refusedIds.slice(0, MAX_IDS),
    isComplete,
  }
  return { body, changed, jobIds: changedIds }
}

function answerPreview({ count, isExact, sample }: WherePreview, { parts }: Call): Answer {
  return {
    body: {
      count: { value: count, precision: isExact ? 'exact' : 'atLeast' },
      sample: sample.map((job) => showJob(job, parts.redactor)),
    },
    changed: 0,
  }
}

function argsForMany(args: unknown): Error {
  return invalidField({
    field: 'args',
    value: args,
    remedy: 'other arguments are for one id alone',
  })
}
