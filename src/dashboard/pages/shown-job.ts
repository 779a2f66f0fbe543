import type { JobStatus } from '../../core/job.ts'
import { STATUSES } from '../../job-filter.ts'
import { readInstant } from '../api/instant.ts'
import type { OutgoingJob } from '../redact.ts'

/*
 * Jobs as pages show them. They come as they may leave, so redaction may have put anything in the place of anything, or
 * taken it away: whatever is not what it should be is null here, and a page says nothing about it.
 */

export interface ShownJob {
  readonly id: string | null
  readonly queue: string | null
  readonly status: JobStatus | null
  readonly args: unknown
  readonly metadata: unknown
  readonly tags: readonly string[]
  readonly attempt: number | null
  readonly maxRetries: number | null
  readonly priority: number | null
  readonly timeoutMs: number | null
  readonly createdAt: string | null
  readonly scheduledAt: string | null
  readonly startedAt: string | null
  readonly finishedAt: string | null
  readonly cancelRequestedAt: string | null
  readonly progress: unknown
  readonly progressAt: string | null
  /** All failed runs, of which `errors` may not have the ones in the middle. */
  readonly errorCount: number
  readonly errors: readonly ShownError[]
  /** Of a list, in place of `errors`. */
  readonly lastError: ShownError | null
  readonly result: unknown
  readonly originQueue: string | null
  /** What was too large to be read. */
  readonly omitted: readonly string[]
}

export interface ShownError {
  readonly attempt: number | null
  readonly startedAt: string | null
  readonly at: string | null
  readonly name: string | null
  readonly message: string | null
  readonly stack: string | null
}

/** A line of a job's log. */
export interface ShownLine {
  readonly number: number | null
  readonly attempt: number | null
  readonly at: string | null
  readonly message: string | null
  readonly fields: unknown
}

export function readShownJob(job: OutgoingJob): ShownJob {
  const { lastError } = job
  return {
    id: textOf(job['id']),
    queue: textOf(job['queue']),
    status: STATUSES.find((status) => status === job['status']) ?? null,
    args: job['args'],
    metadata: job['metadata'],
    tags: textsOf(job['tags']),
    attempt: numberOf(job['attempt']),
    maxRetries: numberOf(job['maxRetries']),
    priority: numberOf(job['priority']),
    timeoutMs: numberOf(job['timeoutMs']),
    createdAt: instantOf(job['createdAt']),
    scheduledAt: instantOf(job['scheduledAt']),
    startedAt: instantOf(job['startedAt']),
    finishedAt: instantOf(job['finishedAt']),
    cancelRequestedAt: instantOf(job['cancelRequestedAt']),
    progress: job['progress'] ?? null,
    progressAt: instantOf(job['progressAt']),
    errorCount: numberOf(job['errorCount']) ?? 0,
    errors: listOf(job['errors']).map(readError),
    lastError: lastError === null || lastError === undefined ? null : readError(lastError),
    result: job['result'] ?? null,
    originQueue: textOf(job['originQueue']),
    omitted: textsOf(job['omitted']),
  }
}

export function readShownLine(line: unknown): ShownLine {
  const { number, attempt, at, message, fields = null } = partsOf(line)
  return {
    number: numberOf(number),
    attempt: numberOf(attempt),
    at: instantOf(at),
    message: textOf(message),
    fields,
  }
}

function readError(error: unknown): ShownError {
  const { attempt, startedAt, at, name, message, stack } = partsOf(error)
  return {
    attempt: numberOf(attempt),
    startedAt: instantOf(startedAt),
    at: instantOf(at),
    name: textOf(name),
    message: textOf(message),
    stack: textOf(stack),
  }
}

function partsOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {}
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : []
}

function textsOf(value: unknown): string[] {
  return listOf(value).filter((each): each is string => typeof each === 'string')
}

function textOf(value: unknown): string | null {
  return typeof value === 'string' ? value : null
}

function numberOf(value: unknown): number | null {
  return typeof value === 'number' ? value : null
}

function instantOf(value: unknown): string | null {
  return readInstant(value)?.toISOString() ?? null
}
