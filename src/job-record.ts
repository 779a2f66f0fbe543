import type { Job, JobError, JobRecord } from './core/job.ts'
import { readMetadata } from './core/metadata.ts'
import { microsToDate, microsToOptionalDate } from './store/instants.ts'
import type { JobRow } from './store/job-row.ts'

/** Of many errors the first and the last so many are told. */
const ERRORS_AT_EACH_END = 20

interface StoredJobError {
  readonly attempt: number
  /** Microseconds since 1970. */
  readonly at: number
  readonly name: string
  readonly message: string
  readonly stack: string | null
  /** As `at`; null or not there: nobody noted it. */
  readonly startedAt?: number | null
}

/** What `get` and `list` answer of a stored job. */
export function toJobRecord<Args, Result>(row: JobRow): JobRecord<Args, Result> {
  const errors = row.errors === null ? [] : (JSON.parse(row.errors) as StoredJobError[])
  return {
    ...toJob<Args>(row),
    status: row.status,
    priority: row.priority,
    timeoutMs: row.timeoutMs === null ? null : Number(row.timeoutMs),
    tags: row.tags === null ? [] : (JSON.parse(row.tags) as string[]),
    startedAt: microsToOptionalDate(row.startedAt),
    finishedAt: microsToOptionalDate(row.finishedAt),
    errors: bothEnds(errors).map(toJobError),
    errorCount: row.errorCount,
    result: row.result === null ? undefined : (JSON.parse(row.result) as Result),
    originQueue: row.originQueue,
    cancelRequestedAt: microsToOptionalDate(row.cancelRequestedAt),
    progress: row.progress === null ? undefined : (JSON.parse(row.progress) as unknown),
    progressAt: microsToOptionalDate(row.progressAt),
  }
}

function toJob<Args>(row: JobRow): Job<Args> {
  return {
    id: row.id,
    queueName: row.queueName,
    args: JSON.parse(row.args) as Args,
    metadata: readMetadata(row.metadata),
    attempt: row.attempt,
    maxRetries: row.maxRetries,
    createdAt: microsToDate(row.createdAt),
    scheduledAt: microsToDate(row.runAt),
  }
}

function bothEnds<T>(items: readonly T[]): readonly T[] {
  if (items.length <= 2 * ERRORS_AT_EACH_END) return items
  return [...items.slice(0, ERRORS_AT_EACH_END), ...items.slice(-ERRORS_AT_EACH_END)]
}

function toJobError({ attempt, startedAt, at, name, message, stack }: StoredJobError): JobError {
  const started = typeof startedAt === 'number' ? new Date(startedAt / 1000) : null
  return { attempt, startedAt: started, at: new Date(at / 1000), name, message, stack }
}
