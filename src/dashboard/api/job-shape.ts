import type { Job, JobRecord } from '../../core/job.ts'
import { microsToDate, microsToOptionalDate } from '../../store/instants.ts'
import type { BrowsedJob } from '../../store/browse.ts'
import type { OutgoingJob, Redactor } from '../redact.ts'

/** A job that was enqueued just now, as it leaves. */
export function showEnqueued(job: Job, redactor: Redactor): OutgoingJob {
  return redactor.job(ofJob(job))
}

/** All that is known of a job, as it leaves. */
export function showJob(job: JobRecord, redactor: Redactor): OutgoingJob {
  const { status, startedAt, finishedAt, errors, errorCount, result, originQueue } = job
  return redactor.job({
    ...ofJob(job),
    status,
    startedAt: startedAt?.toISOString() ?? null,
    finishedAt: finishedAt?.toISOString() ?? null,
    errorCount,
    originQueue,
    errors: errors.map((error) => ({ ...error, at: error.at.toISOString() })),
    result: result ?? null,
  })
}

/** A job of a list, as it leaves. */
export function showListed(job: BrowsedJob, redactor: Redactor): OutgoingJob {
  const { id, queueName, status, args, metadata, attempt, maxRetries, errorCount, originQueue } =
    job
  const omitted = [...(args === null ? ['args'] : []), ...(metadata === null ? ['metadata'] : [])]
  return redactor.job({
    id,
    queue: queueName,
    args: args === null ? null : (JSON.parse(args) as unknown),
    metadata: metadata === null ? {} : (JSON.parse(metadata) as unknown),
    attempt,
    maxRetries,
    createdAt: microsToDate(job.createdAt).toISOString(),
    scheduledAt: microsToDate(job.runAt).toISOString(),
    status,
    startedAt: microsToOptionalDate(job.startedAt)?.toISOString() ?? null,
    finishedAt: microsToOptionalDate(job.finishedAt)?.toISOString() ?? null,
    errorCount,
    originQueue,
    lastError: readLastError(job.lastError),
    omitted,
  })
}

function ofJob({ queueName, ...job }: Job): OutgoingJob {
  const { id, args, metadata, attempt, maxRetries, createdAt, scheduledAt } = job
  return {
    id,
    queue: queueName,
    args,
    metadata,
    attempt,
    maxRetries,
    createdAt: createdAt.toISOString(),
    scheduledAt: scheduledAt.toISOString(),
  }
}

function readLastError(json: string | null): { name: string; message: string } | null {
  if (json === null) return null
  const { name, message } = JSON.parse(json) as { name: string; message: string }
  return { name, message }
}
