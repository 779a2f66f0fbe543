import { JOB_DEFAULTS } from '../core/enqueue-options.ts'
import type { Micros } from './instants.ts'
import { compareNumerals } from './numerals.ts'

/** What a claim hands over of each job. */
export interface ClaimedJob {
  id: string
  priority: number
  runAt: Micros
  createdAt: Micros
  /** Runs that counted before this one. */
  attempt: number
  maxRetries: number
  retryPolicy: 'constant' | 'linear' | 'exponential'
  timeoutMs: string | null
  errorCount: number
  isSuspect: boolean
  /** JSON text; null when it is too large to be carried along (see `readArgs`). */
  args: string | null
  metadata: string
}

/** What a claim says besides its jobs. */
export interface ClaimAnswer {
  jobs: ClaimedJob[]
  /** The database's clock when the claim began. */
  now: Micros
  /** Changed since the last claim: jobs came back behind the floors. */
  rewind: string
  /** Whether jobs wait to be run alone. */
  hasSuspects: boolean
  /** FIFO: whether this worker owns the queue. */
  isOwner: boolean
  /** Whether the queue was paused: then the claim has not looked for jobs. */
  isPaused: boolean
}

/** A row of a claim's answer: the head, or a job. */
export interface AnswerRow {
  /** JSON of what the claim says besides; null for a job. */
  head: string | null
  id: string
  runAt: Micros
  args: string | null
  /** What is not as usual, as `CLAIMED_COLUMNS` writes it. */
  rest: string | null
}

/** What most jobs have in common. */
const USUAL: Rest = {
  priority: JOB_DEFAULTS.priority,
  attempt: 0,
  maxRetries: JOB_DEFAULTS.maxRetries,
  retryPolicy: JOB_DEFAULTS.retryPolicy,
  timeoutMs: null,
  errorCount: 0,
  isSuspect: false,
  metadata: JOB_DEFAULTS.metadataJson,
}

/** Without `createdAt` it is `runAt`. */
type Rest = Omit<ClaimedJob, 'id' | 'runAt' | 'args' | 'createdAt'> & { createdAt?: Micros }

/** Sorts the jobs into the order in which they are to start: UPDATE answers in any order. */
export function readAnswer(
  rows: AnswerRow[],
  compare: (left: ClaimedJob, right: ClaimedJob) => number,
): ClaimAnswer {
  const jobs: ClaimedJob[] = []
  let head: string | undefined
  for (const row of rows) {
    if (row.head === null) jobs.push(readJob(row))
    else head = row.head
  }
  if (head === undefined) throw new Error('The row of the queue is gone; was the schema reset?')
  return { ...(JSON.parse(head) as Omit<ClaimAnswer, 'jobs'>), jobs: jobs.sort(compare) }
}

function readJob({ id, runAt, args, rest }: AnswerRow): ClaimedJob {
  const of = rest === null ? USUAL : readRest(rest)
  return {
    id,
    priority: of.priority,
    runAt,
    createdAt: of.createdAt ?? runAt,
    attempt: of.attempt,
    maxRetries: of.maxRetries,
    retryPolicy: of.retryPolicy,
    timeoutMs: of.timeoutMs,
    errorCount: of.errorCount,
    isSuspect: of.isSuspect,
    args,
    metadata: of.metadata,
  }
}

const FIELDS_BEFORE_METADATA = 8

/** Jobs that came together mostly have the same: the last one read need not be read again. */
let lastRead: { readonly text: string; readonly rest: Rest } = { text: '', rest: USUAL }

function readRest(text: string): Rest {
  if (text !== lastRead.text) lastRead = { text, rest: parseRest(text) }
  return lastRead.rest
}

function parseRest(text: string): Rest {
  const fields = text.split(' ', FIELDS_BEFORE_METADATA)
  const [priority, createdAt, attempt, errorCount, maxRetries, retryPolicy, timeoutMs, isSuspect] =
    fields
  return {
    priority: Number(priority),
    ...(createdAt !== '' && { createdAt }),
    attempt: Number(attempt),
    errorCount: Number(errorCount),
    maxRetries: Number(maxRetries),
    retryPolicy: retryPolicy as Rest['retryPolicy'],
    timeoutMs: timeoutMs || null,
    isSuspect: isSuspect === 't',
    metadata: text.slice(fields.join(' ').length + 1),
  }
}

/** The order of a FIFO queue: a head that was retried or put off has a later time than those behind it. */
export function compareIds(left: ClaimedJob, right: ClaimedJob): number {
  return compareNumerals(left.id, right.id)
}

/** The order of the index `jobs_due`. */
export function compareUrgency(
  left: Pick<ClaimedJob, 'priority' | 'runAt' | 'id'>,
  right: Pick<ClaimedJob, 'priority' | 'runAt' | 'id'>,
): number {
  return (
    left.priority - right.priority ||
    compareNumerals(left.runAt, right.runAt) ||
    compareNumerals(left.id, right.id)
  )
}
