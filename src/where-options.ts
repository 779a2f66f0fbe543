import type { JobRecord, JobStatus } from './core/job.ts'
import { MillraceError } from './core/errors.ts'
import { checkQueueName } from './core/queue-name.ts'
import { checkLimit } from './core/receive-options.ts'
import { showDetail } from './core/show.ts'
import { checkBoolean, checkSignal, invalidOption, readOptions } from './core/validate.ts'
import { checkStatus, FILTERS, resolveFilter, type JobFilter } from './job-filter.ts'
import { resolveEdit, type RedriveManyOptions } from './redrive-many.ts'
import type { JobCondition } from './store/filter.ts'
import type { Rewrite } from './store/redrive.ts'

/** Which jobs `cancelWhere` and its kin change: at least one filter, or `all`. */
export interface JobSelection extends JobFilter {
  /** Says that without any filter all jobs are meant. @default false: an empty filter is refused */
  all?: boolean | undefined
}

/** Which jobs a `Querier` changes, of one queue or of all. */
export interface QuerierSelection extends JobSelection {
  /** Only jobs of this queue; by itself it is no filter. @default all queues, in the order of their names */
  queueName?: string | undefined
}

/** How `cancelWhere` and its kin work. */
export interface WhereOptions<DryRun extends boolean = boolean> {
  /** Changes nothing, and answers which jobs would be. @default false */
  dryRun?: DryRun | undefined
  /** How many jobs at most, the first of each queue first. From 1. @default none: all */
  limit?: number | undefined
  /** Stops between two batches: the call resolves with what was done. @default none */
  signal?: AbortSignal | undefined
  /** Called after each batch, of at most 500 jobs, with what became of it. What it throws ends the call. @default none */
  onBatch?: ((batch: WhereBatch) => void) | undefined
}

/** How `redriveWhere` works. */
export interface RedriveWhereOptions<Args = unknown, DryRun extends boolean = boolean>
  extends WhereOptions<DryRun>, RedriveManyOptions<Args> {}

/** What became of a batch. */
export interface WhereBatch {
  /** The queue in which the jobs were. */
  readonly queueName: string
  /** The ids of the jobs that were changed. */
  readonly changed: readonly string[]
  /** The ids of those that could not be changed any more: somebody had taken or changed them since they were found. */
  readonly refused: readonly string[]
}

/** What was done. */
export interface WhereResult {
  /** How many jobs were changed. */
  readonly changed: number
  /** How many could not be changed any more: somebody had taken or changed them since they were found. */
  readonly refused: number
}

/** What would be done. */
export interface WherePreview<Args = unknown, Result = unknown> {
  /** How many jobs would be changed, up to `limit`. */
  readonly count: number
  /** False: there may be more, as counting ends at 100,000 jobs or with `signal`. */
  readonly isExact: boolean
  /** The first of them, at most ten; of `redriveWhere` with the arguments that `edit` gives them. */
  readonly sample: readonly JobRecord<Args, Result>[]
}

/** What `cancelWhere` and its kin answer: with `dryRun` a `WherePreview`, else a `WhereResult`. */
export type WhereAnswer<
  DryRun extends boolean,
  Args = unknown,
  Result = unknown,
> = DryRun extends true ? WherePreview<Args, Result> : WhereResult

/** What is done to the jobs that are chosen. */
export type Deed = 'cancel' | 'retry' | 'delete' | 'redrive'

/** Where jobs are looked for that can be changed, and in which status. */
export interface Look {
  readonly place: 'live' | 'past'
  /** Null: any that is there. */
  readonly status: JobStatus | null
}

/** A call of `cancelWhere` or its kin, checked. */
export interface WhereRequest {
  readonly deed: Deed
  readonly condition: JobCondition
  readonly looks: readonly Look[]
  /** Undefined: all queues. */
  readonly queueName: string | undefined
  readonly isDryRun: boolean
  readonly limit: number
  readonly signal: AbortSignal | undefined
  readonly onBatch: ((batch: WhereBatch) => void) | undefined
  readonly rewrite: Rewrite | undefined
}

const SELECTION = [...FILTERS, 'all'] as const
const OPTIONS = ['dryRun', 'limit', 'signal', 'onBatch'] as const

/** What goes into the second parameter and is often put into the first. */
const ELSEWHERE = Object.fromEntries(
  [...OPTIONS, 'edit'].map((name) => [name, 'pass it in the second parameter']),
)

/** The statuses of the jobs to which it can be done. */
export const STATUSES_FOR: Readonly<Record<Deed, readonly JobStatus[]>> = {
  cancel: ['available', 'running'],
  retry: ['failed', 'cancelled'],
  delete: ['available', 'finished', 'failed', 'cancelled'],
  redrive: ['available'],
}

/** Where it looks when no status is named. */
const USUAL_LOOKS: Readonly<Record<Deed, readonly Look[]>> = {
  cancel: [{ place: 'live', status: 'available' }],
  retry: [{ place: 'past', status: 'failed' }],
  delete: [
    { place: 'live', status: 'available' },
    { place: 'past', status: null },
  ],
  redrive: [{ place: 'live', status: 'available' }],
}

/** What holds for one door to it. */
export interface WhereRules {
  /** Whether the filter may name a queue. */
  readonly isOfAnyQueue: boolean
  readonly maxArgsBytes: number
}

/** Checks a call of `cancelWhere` or its kin. Throws `INVALID_OPTION`. */
export function resolveWhere(
  deed: Deed,
  filter: unknown,
  options: unknown,
  rules: WhereRules,
): WhereRequest {
  const of = `${deed}Where`
  const known = rules.isOfAnyQueue ? [...SELECTION, 'queueName' as const] : SELECTION
  const chosen = readOptions(filter, { of, known, whole: 'filter', elsewhere: ELSEWHERE })
  const { all, queueName, ...filters } = chosen
  const isAll = all !== undefined && checkBoolean('all', all)
  if (!isAll && Object.keys(filters).length === 0) throw emptyFilter(deed, filter)
  const condition = resolveFilter(filters)
  const { status } = condition
  if (status !== null) checkStatus(status, STATUSES_FOR[deed])
  return {
    ...{ deed, condition },
    looks: status === null ? USUAL_LOOKS[deed] : [lookFor(status)],
    queueName: queueName === undefined ? undefined : checkQueueName('queueName', queueName),
    ...resolveOptions(of, options, deed === 'redrive', rules),
  }
}

function lookFor(status: JobStatus): Look {
  return { place: status === 'available' || status === 'running' ? 'live' : 'past', status }
}

function resolveOptions(
  of: string,
  options: unknown,
  canEdit: boolean,
  rules: WhereRules,
): Pick<WhereRequest, 'isDryRun' | 'limit' | 'signal' | 'onBatch' | 'rewrite'> {
  const known = canEdit ? [...OPTIONS, 'edit' as const] : OPTIONS
  const { dryRun, limit, signal, onBatch, edit } = readOptions(options, { of, known })
  return {
    isDryRun: dryRun !== undefined && checkBoolean('dryRun', dryRun),
    limit: limit === undefined ? Infinity : checkLimit(limit),
    signal: signal === undefined ? undefined : checkSignal('signal', signal),
    onBatch: onBatch === undefined ? undefined : checkListener(onBatch),
    rewrite: resolveEdit(edit, rules),
  }
}

function checkListener(value: unknown): (batch: WhereBatch) => void {
  if (typeof value === 'function') return value as (batch: WhereBatch) => void
  throw invalidOption('onBatch', value, 'it takes a function that is called with each batch')
}

/** Nobody means all jobs by leaving something out. */
function emptyFilter(deed: Deed, filter: unknown): MillraceError {
  const message =
    `The option "filter" names nothing, and ${deed}Where would ${deed} all jobs that it can; pass a status, an age, ` +
    'an error text, metadata or tags, or { all: true } if that is meant.'
  return new MillraceError(
    'INVALID_OPTION',
    { option: 'filter', value: showDetail(filter) },
    { message },
  )
}
