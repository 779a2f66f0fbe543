import { fingerprint } from '../core/fingerprint.ts'
import type { JobRecord } from '../core/job.ts'
import type { DBTX } from '../drivers/driver.ts'
import { toJobRecord } from '../job-record.ts'
import { findDeadLetters, findFailedRuns } from '../store/failed-runs.ts'
import type { QueueRow } from '../store/queues.ts'
import { showJob } from './api/job-shape.ts'
import { REDACTED, type Redactor } from './redact.ts'
import type { Parts } from './route.ts'

/** So many failures are looked at. */
const MOST_FAILURES = 500
/** So many causes are told; of the others how many there are. */
const MOST_CAUSES = 25
/** Of each cause so many jobs are named. */
const MOST_SAMPLES = 3

/** How often something is among the failures of a cause. */
export type Tally = readonly (readonly [name: string, count: number])[]

/** Failures that look alike. Nothing in it that the redactor does not let pass. */
export interface Cause {
  readonly name: string
  /** The message without what varies. */
  readonly shape: string
  readonly count: number
  /** When it happened first and last among those that were looked at, in ISO 8601; undefined: redacted. */
  readonly firstAt: string | undefined
  readonly lastAt: string | undefined
  /** What the filter `errorText` finds these jobs by; undefined: what is left of the message is not in it. */
  readonly text: string | undefined
  /** Where the jobs are now. */
  readonly queues: Tally
  /** Of dead letters: where they came from. */
  readonly origins: Tally
  /** The ids of some, the newest first. */
  readonly samples: readonly string[]
  /** Of the newest. */
  readonly stack: string | undefined
}

/** What the failures of a queue come from. */
export interface Causes {
  /** The most frequent first. */
  readonly causes: readonly Cause[]
  /** How many failures were looked at, and whether there may be more. */
  readonly looked: number
  readonly isAll: boolean
  /** Causes that are not told, and their failures. */
  readonly others: { readonly causes: number; readonly failures: number }
}

/** What went wrong in a queue lately: jobs of it that failed for good, also those in its dead-letter queue, or wait for a retry. */
export async function readCausesOfQueue(
  { store, redactor }: Parts,
  { id, dlqId, keepFinishedMs, keepFailedMs }: QueueRow,
  tx: DBTX,
): Promise<Causes> {
  const limit = MOST_FAILURES
  const own = await findFailedRuns(store, { queueId: id, keepFinishedMs, keepFailedMs, limit }, tx)
  const buried =
    dlqId === null ? [] : await findDeadLetters(store, { queueId: dlqId, originId: id, limit }, tx)
  return groupByCause([...own, ...buried].map(toJobRecord), redactor)
}

/** What the dead letters of a queue failed of. */
export async function readCausesOfDeadLetters(
  { store, redactor }: Parts,
  queueId: number,
  tx: DBTX,
): Promise<Causes> {
  const request = { queueId, originId: null, limit: MOST_FAILURES }
  const rows = await findDeadLetters(store, request, tx)
  return groupByCause(rows.map(toJobRecord), redactor)
}

/** Groups jobs by the fingerprint of their last error, as the redactor lets it pass. */
export function groupByCause(jobs: readonly JobRecord[], redactor: Redactor): Causes {
  const newest = jobs
    .toSorted((left, right) => failedAt(right) - failedAt(left))
    .slice(0, MOST_FAILURES)
  const groups = new Map<string, Failure[]>()
  for (const job of newest) {
    const failure = readFailure(job, redactor)
    const key = JSON.stringify([failure.name, failure.shape])
    const group = groups.get(key)
    if (group === undefined) groups.set(key, [failure])
    else group.push(failure)
  }
  const causes = [...groups.values()].map(causeOf).sort((one, other) => other.count - one.count)
  const others = causes.slice(MOST_CAUSES)
  return {
    causes: causes.slice(0, MOST_CAUSES),
    looked: newest.length,
    isAll: newest.length < MOST_FAILURES,
    others: {
      causes: others.length,
      failures: others.reduce((sum, { count }) => sum + count, 0),
    },
  }
}

function failedAt({ errors }: JobRecord): number {
  return errors.at(-1)?.at.getTime() ?? 0
}

/** A failed job as it leaves. */
interface Failure {
  readonly id: string | undefined
  readonly queue: string
  readonly origin: string | undefined
  readonly at: string | undefined
  readonly name: string
  readonly shape: string
  readonly text: string | undefined
  readonly stack: string | undefined
}

function readFailure(job: JobRecord, redactor: Redactor): Failure {
  const { id, originQueue, errors } = showJob(job, redactor)
  const error = lastOf(errors)
  const name = textOf(error['name']) ?? REDACTED
  const { shape, texts } = fingerprint(name, textOf(error['message']) ?? REDACTED)
  const stored = errorText(job)
  const at = textOf(error['at'])
  return {
    id: textOf(id),
    queue: job.queueName,
    origin: textOf(originQueue),
    at: at === undefined || Number.isNaN(Date.parse(at)) ? undefined : at,
    name,
    shape,
    // What the redactor put in place of something finds nothing.
    text: texts.find((text) => stored.includes(text.toLowerCase())),
    stack: textOf(error['stack']),
  }
}

/** As the filter compares it. */
function errorText({ errors }: JobRecord): string {
  const last = errors.at(-1)
  return last === undefined ? '' : `${last.name}: ${last.message}`.toLowerCase()
}

/** Whatever the redactor made of the errors. */
function lastOf(errors: unknown): Readonly<Record<string, unknown>> {
  const last: unknown = Array.isArray(errors) ? errors.at(-1) : undefined
  return typeof last === 'object' && last !== null ? (last as Record<string, unknown>) : {}
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined
}

/** They come the newest first. */
function causeOf(failures: readonly Failure[]): Cause {
  const [newest] = failures
  return {
    name: newest?.name ?? '',
    shape: newest?.shape ?? '',
    count: failures.length,
    firstAt: failures.at(-1)?.at,
    lastAt: newest?.at,
    text: newest?.text,
    queues: tally(failures.map(({ queue }) => queue)),
    origins: tally(failures.flatMap(({ origin }) => origin ?? [])),
    samples: failures.flatMap(({ id }) => id ?? []).slice(0, MOST_SAMPLES),
    stack: newest?.stack,
  }
}

function tally(names: readonly string[]): Tally {
  const counts = new Map<string, number>()
  for (const name of names) counts.set(name, (counts.get(name) ?? 0) + 1)
  return [...counts].sort(([, one], [, other]) => other - one)
}
