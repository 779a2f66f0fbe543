import { cancelMany, cancelWaiting } from './cancelling.ts'
import type { JobRecord } from './core/job.ts'
import type { DBTX } from './drivers/driver.ts'
import type { Engine } from './engine.ts'
import { toJobRecord } from './job-record.ts'
import { redriveMany } from './redrive-many.ts'
import { getJob } from './store/jobs.ts'
import type { JobRow } from './store/job-row.ts'
import { matchJobs, type MatchedJob } from './store/matching.ts'
import { listQueues, type QueueRow } from './store/queues.ts'
import { deleteLiveJobs, deletePastJobs, retryJobs } from './store/steer.ts'
import type { Store } from './store/store.ts'
import type { Look, WhereAnswer, WherePreview, WhereRequest, WhereResult } from './where-options.ts'

/** A batch has at most so many jobs, and a statement changes one batch. */
const BATCH_JOBS = 500
/** And at most so many bytes as they are stored: what moves to another table is copied. */
const BATCH_BYTES = 8 * 1_048_576
/** A dry run counts no further. */
const COUNT_LIMIT = 100_000
const SAMPLE = 10

/** Jobs that were found together. */
interface Found {
  readonly queue: QueueRow
  readonly look: Look
  readonly jobs: readonly MatchedJob[]
}

/**
 * Does something to all jobs that a filter chooses, or says which those are. It goes once through each queue, in the
 * order of ids, so what comes back with a lower id meanwhile is not met again.
 */
export async function doWhere<DryRun extends boolean, Args, Result>(
  engine: Engine,
  queues: readonly QueueRow[],
  request: WhereRequest,
  tx?: DBTX,
): Promise<WhereAnswer<DryRun, Args, Result>> {
  const answer = request.isDryRun
    ? await preview<Args, Result>(engine.store, queues, request, tx)
    : await change(engine, queues, request, tx)
  return answer as WhereAnswer<DryRun, Args, Result>
}

/** The queues that a request is about. */
export async function queuesOf(
  store: Store,
  { queueName }: WhereRequest,
  tx?: DBTX,
): Promise<QueueRow[]> {
  const queues = await listQueues(store, tx)
  return queueName === undefined ? queues : queues.filter(({ name }) => name === queueName)
}

async function preview<Args, Result>(
  store: Store,
  queues: readonly QueueRow[],
  request: WhereRequest,
  tx: DBTX | undefined,
): Promise<WherePreview<Args, Result>> {
  const { limit } = request
  const most = Math.min(SAMPLE, limit)
  const sample: JobRecord<Args, Result>[] = []
  let count = 0
  for await (const { queue, jobs } of find(store, queues, request, tx)) {
    for (const { id } of jobs.slice(0, most - sample.length)) {
      const row = await getJob(store, queue.id, id, tx)
      if (row !== undefined) sample.push(toJobRecord<Args, Result>(rewritten(row, request)))
    }
    count += jobs.length
    if (count >= limit) return { count: limit, isExact: true, sample }
    if (count >= COUNT_LIMIT) return { count, isExact: false, sample }
  }
  return { count, isExact: !isStopped(request), sample }
}

/** As it would go back. */
function rewritten(row: JobRow, { rewrite }: WhereRequest): JobRow {
  return rewrite === undefined ? row : { ...row, args: rewrite(row) }
}

async function change(
  engine: Engine,
  queues: readonly QueueRow[],
  request: WhereRequest,
  tx: DBTX | undefined,
): Promise<WhereResult> {
  const { limit, onBatch } = request
  let [seen, done] = [0, 0]
  for await (const found of find(engine.store, queues, request, tx)) {
    const { name: queueName } = found.queue
    for (const ids of batches(found.jobs.slice(0, limit - seen))) {
      if (isStopped(request)) break
      const changed = await act(engine, found, ids, request, tx)
      const isChanged = new Set(changed)
      const refused = ids.filter((id) => !isChanged.has(id))
      seen += ids.length
      done += changed.length
      onBatch?.({ queueName, changed, refused })
    }
    if (seen >= limit) break
  }
  return { changed: done, refused: seen - done }
}

/** What the filter chooses, a slice at a time, until the signal aborts. */
async function* find(
  store: Store,
  queues: readonly QueueRow[],
  request: WhereRequest,
  tx: DBTX | undefined,
): AsyncGenerator<Found> {
  const { deed, condition, looks } = request
  const onlyDeadLetters = deed === 'redrive'
  for (const queue of queues) {
    for (const look of looks) {
      if (isStopped(request)) return
      const wanted = { ...condition, ...look, queueId: queue.id, onlyDeadLetters }
      for await (const jobs of matchJobs(store, wanted, tx)) {
        if (isStopped(request)) return
        yield { queue, look, jobs }
      }
    }
  }
}

function isStopped({ signal }: WhereRequest): boolean {
  return signal?.aborted === true
}

function* batches(jobs: readonly MatchedJob[]): Generator<string[]> {
  let batch: string[] = []
  let bytes = 0
  for (const { id, size } of jobs) {
    const isFull = batch.length === BATCH_JOBS || bytes + size > BATCH_BYTES
    if (isFull && batch.length > 0) {
      yield batch
      batch = []
      bytes = 0
    }
    batch.push(id)
    bytes += size
  }
  if (batch.length > 0) yield batch
}

/** Does it to a batch, and tells the receivers of this process. Answers the ids of those that were changed. */
async function act(
  engine: Engine,
  found: Found,
  ids: string[],
  request: WhereRequest,
  tx: DBTX | undefined,
): Promise<string[]> {
  const changed = await steer(engine, found, ids, request, tx)
  if (tx === undefined && changed.length > 0) engine.wake(found.queue.id)
  return changed
}

function steer(
  engine: Engine,
  { queue, look }: Found,
  ids: string[],
  { deed, rewrite }: WhereRequest,
  tx: DBTX | undefined,
): Promise<string[]> {
  const { store } = engine
  switch (deed) {
    case 'cancel':
      return cancel(engine, queue, look, ids, tx)
    case 'retry':
      return retryJobs(store, queue.id, ids, tx)
    case 'delete':
      // Only where it was found: what somebody has revived meanwhile is another matter.
      return look.place === 'live'
        ? deleteLiveJobs(store, queue.id, ids, tx)
        : deletePastJobs(store, queue.id, ids, tx)
    case 'redrive':
      return redriveMany(engine, queue.id, ids, rewrite, tx)
  }
}

/** What was found waiting is left alone if it has started since; only who asks for running jobs means those. */
function cancel(
  engine: Engine,
  queue: QueueRow,
  { status }: Look,
  ids: string[],
  tx: DBTX | undefined,
): Promise<string[]> {
  return status === 'running'
    ? cancelMany(engine, queue, ids, tx)
    : cancelWaiting(engine, queue, ids, tx)
}
