import type { Job, JobError, JobLogLine, JobRecord } from '../../core/job.ts'
import { microsToDate, microsToOptionalDate } from '../../store/instants.ts'
import type { BrowsedJob } from '../../store/browse.ts'
import type { OutgoingJob, Redactor } from '../redact.ts'

/** A job that was enqueued just now with these tags, as it leaves. */
export function showEnqueued(
  job: Job,
  tags: readonly string[] | undefined,
  redactor: Redactor,
): OutgoingJob {
  return redactor.job(ofJob(job, tags))
}

/** All that is known of a job, as it leaves. */
export function showJob(job: JobRecord, redactor: Redactor): OutgoingJob {
  return redactor.job(ofRecord(job))
}

/**
 * Lines of a job's log, as they leave: redacted as `logs` of the job, for a path leads into a job, and a function
 * decides by all of it.
 */
export function showLogs(
  job: JobRecord,
  lines: readonly JobLogLine[],
  redactor: Redactor,
): readonly unknown[] {
  const logs = lines.map(({ at, fields = null, ...line }) => ({
    ...line,
    at: at.toISOString(),
    fields,
  }))
  const shown = redactor.isActive ? redactor.job({ ...ofRecord(job), logs })['logs'] : logs
  return Array.isArray(shown) ? shown : []
}

function ofRecord(job: JobRecord): OutgoingJob {
  const { status, priority, timeoutMs, startedAt, finishedAt, errors, errorCount, result } = job
  return {
    ...ofJob(job, job.tags),
    status,
    priority,
    timeoutMs,
    startedAt: startedAt?.toISOString() ?? null,
    finishedAt: finishedAt?.toISOString() ?? null,
    errorCount,
    originQueue: job.originQueue,
    cancelRequestedAt: job.cancelRequestedAt?.toISOString() ?? null,
    progress: job.progress ?? null,
    progressAt: job.progressAt?.toISOString() ?? null,
    errors: errors.map(showError),
    result: result ?? null,
  }
}

function showError(error: JobError): object {
  const { startedAt, at } = error
  return { ...error, startedAt: startedAt?.toISOString() ?? null, at: at.toISOString() }
}

/** A job of a list, as it leaves. */
export function showListed(job: BrowsedJob, redactor: Redactor): OutgoingJob {
  const { id, queueName, status, args, metadata, attempt, maxRetries, errorCount, originQueue } =
    job
  const { tags, progress, progressAt } = job
  const isOmitted = {
    args: args === null,
    metadata: metadata === null,
    progress: progress === null && progressAt !== null,
  }
  return redactor.job({
    id,
    queue: queueName,
    args: args === null ? null : (JSON.parse(args) as unknown),
    metadata: metadata === null ? {} : (JSON.parse(metadata) as unknown),
    tags: tags === null ? [] : (JSON.parse(tags) as unknown),
    attempt,
    maxRetries,
    createdAt: microsToDate(job.createdAt).toISOString(),
    scheduledAt: microsToDate(job.runAt).toISOString(),
    status,
    startedAt: microsToOptionalDate(job.startedAt)?.toISOString() ?? null,
    finishedAt: microsToOptionalDate(job.finishedAt)?.toISOString() ?? null,
    errorCount,
    originQueue,
    cancelRequestedAt: microsToOptionalDate(job.cancelRequestedAt)?.toISOString() ?? null,
    progress: progress === null ? null : (JSON.parse(progress) as unknown),
    progressAt: microsToOptionalDate(progressAt)?.toISOString() ?? null,
    lastError: readLastError(job.lastError),
    omitted: Object.entries(isOmitted).flatMap(([name, isLeftOut]) => (isLeftOut ? name : [])),
  })
}

function ofJob({ queueName, ...job }: Job, tags: readonly string[] = []): OutgoingJob {
  const { id, args, metadata, attempt, maxRetries, createdAt, scheduledAt } = job
  return {
    id,
    queue: queueName,
    args,
    metadata,
    tags,
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
