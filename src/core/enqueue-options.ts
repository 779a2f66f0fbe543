import { isDate } from 'node:util/types'
import { parseDuration, type Duration } from './duration.ts'
import { encodeMetadata } from './json.ts'
import type { Metadata } from './metadata.ts'
import { checkRetryPolicy, type RetryPolicyName } from './retry.ts'
import { checkTags } from './tags.ts'
import type { TransactionLike } from './transaction.ts'
import { checkArray, checkInteger, checkSignal, invalidOption, readOptions } from './validate.ts'

/** How one job is stored and run. */
export interface JobOptions {
  /** How many runs may follow the first one: 3 means at most 4 runs. An integer from 0 to 32,767. @default 3 */
  maxRetries?: number | undefined
  /** How the delays before the retries grow. @default 'exponential' */
  retryPolicy?: RetryPolicyName | undefined
  /** Facts about the job that are not its arguments: an object of JSON values. @default {} */
  metadata?: Metadata | undefined
  /**
   * Words to find the job by, such as `customer:42`: at most 10, each of 1 to 100 characters, none twice, without
   * white space at either end. @default none
   */
  tags?: readonly string[] | undefined
  /** Not before this instant; in the past means now. Not together with `delay`, and not in a FIFO queue. @default now */
  runAt?: Date | undefined
  /** Not before this time has passed. Not together with `runAt`, and not in a FIFO queue. @default 0 */
  delay?: Duration | undefined
  /** Which of the due jobs run first: an integer from 0 (first) to 9 (last). Not in a FIFO queue. @default 5 */
  priority?: number | undefined
  /** How long a run may take. From 1 ms. At this time its signal aborts and the run counts as failed. @default none */
  timeout?: Duration | undefined
}

/** Where and for how long an enqueue works. */
export interface EnqueueCallOptions<Tx = TransactionLike> {
  /** A transaction of yours: the job exists if and only if it commits. @default none: stored at once */
  tx?: Tx | undefined
  /** Gives up: when it aborts before anything was sent, the call rejects with its reason and writes nothing. @default none */
  signal?: AbortSignal | undefined
}

/** The options of `enqueue`. */
export type EnqueueOptions<Tx = TransactionLike> = JobOptions & EnqueueCallOptions<Tx>

/** One job of `enqueueMany`. */
export type EnqueueItem<Args = unknown> = { readonly args: Args } & JobOptions

/** A job's options, checked, with every default in its place. */
export interface ResolvedJobOptions {
  readonly maxRetries: number
  readonly retryPolicy: RetryPolicyName
  /** JSON text of an object. */
  readonly metadataJson: string
  readonly tags: readonly string[]
  /** Milliseconds since 1970, not negative. Never together with `delayMs`. */
  readonly runAtMs: number | undefined
  readonly delayMs: number | undefined
  readonly priority: number
  readonly timeoutMs: number | undefined
}

/** Where and for how long an enqueue works, checked. */
export interface ResolvedEnqueueCall {
  /** Not recognised yet: that is the drivers' part. */
  readonly tx: object | undefined
  readonly signal: AbortSignal | undefined
}

/** The options of `enqueue`, checked. */
export type ResolvedEnqueueOptions = ResolvedJobOptions & ResolvedEnqueueCall

/** What the queue says about the options of its jobs. */
export interface JobRules {
  /** In a FIFO queue `priority`, `runAt` and `delay` are refused. */
  readonly fifo: boolean
}

/** The names of `JobOptions`. */
export const JOB_OPTIONS = [
  'maxRetries',
  'retryPolicy',
  'metadata',
  'tags',
  'runAt',
  'delay',
  'priority',
  'timeout',
] as const satisfies readonly (keyof JobOptions)[]

const CALL_OPTIONS = ['tx', 'signal'] as const satisfies readonly (keyof EnqueueCallOptions)[]

const ENQUEUE_OPTIONS = [...JOB_OPTIONS, ...CALL_OPTIONS] as const
const ITEM_OPTIONS = ['args', ...JOB_OPTIONS] as const

const MAX_RETRIES = 32_767 // a smallint
const ELSEWHERE = {
  tx: 'pass it in the second parameter of enqueueMany: all its jobs are stored by one statement',
  signal:
    'pass it in the second parameter of enqueueMany: all its jobs are stored by one statement',
}
const IN_MANY = { args: 'enqueue takes the arguments as its first parameter' }

type Read = Partial<Record<keyof JobOptions, unknown>>

/** The options of a job that was given none. */
export const JOB_DEFAULTS: ResolvedEnqueueOptions = Object.freeze({
  maxRetries: 3,
  retryPolicy: 'exponential',
  metadataJson: '{}',
  tags: [],
  runAtMs: undefined,
  delayMs: undefined,
  priority: 5,
  timeoutMs: undefined,
  tx: undefined,
  signal: undefined,
})

/** Checks the options of `enqueue` and puts the defaults in. Throws `INVALID_OPTION`. */
export function resolveEnqueueOptions(options: unknown, rules: JobRules): ResolvedEnqueueOptions {
  if (options === undefined) return JOB_DEFAULTS
  const names = { of: 'enqueue', known: ENQUEUE_OPTIONS, elsewhere: IN_MANY }
  const read = readOptions(options, names)
  return { ...resolveJobOptions(read, rules, ''), ...resolveCall(read) }
}

/** Checks the second parameter of `enqueueMany`. Throws `INVALID_OPTION`. */
export function resolveEnqueueCall(options: unknown): ResolvedEnqueueCall {
  if (options === undefined) return JOB_DEFAULTS
  return resolveCall(readOptions(options, { of: 'enqueueMany', known: CALL_OPTIONS }))
}

/** A job of `enqueueMany`: its options checked, its arguments not yet. */
export interface ResolvedItem {
  readonly args: unknown
  /** Jobs that ask for the same, one after the other, share it. */
  readonly options: ResolvedJobOptions
}

/** How errors about the arguments of a job of `enqueueMany` name them. */
export function pathOfArgs(index: number): string {
  return `jobs[${index}].args`
}

/** Checks the first parameter of `enqueueMany`. Its errors name the job: `jobs[3].maxRetries`. */
export function resolveItems(items: unknown, rules: JobRules): ResolvedItem[] {
  const remedy = 'enqueueMany takes an array of { args, ...options }'
  const names = new ItemNames()
  let last: Read = {}
  let options = resolveJobOptions(last, rules, '')
  return checkArray('jobs', items, remedy, (item, index) => {
    names.index = index
    if (item === undefined) {
      throw invalidOption(`jobs[${index}]`, item, 'pass an object { args, ...options }')
    }
    const read = readOptions(item, names)
    if (!asksTheSame(read, last)) options = resolveJobOptions(read, rules, names.prefix)
    last = read
    return { args: read.args, options }
  })
}

/** Names of the options of one job after the other; what only errors say is not made for each. */
class ItemNames {
  readonly of = 'a job of enqueueMany'
  readonly known = ITEM_OPTIONS
  readonly elsewhere = ELSEWHERE
  index = 0

  get prefix(): string {
    return `jobs[${this.index}].`
  }
}

function asksTheSame(read: Read, other: Read): boolean {
  for (const name of JOB_OPTIONS) if (read[name] !== other[name]) return false
  return true
}

/** Checks what was read of a job's options and puts the defaults in. Throws `INVALID_OPTION`. */
export function resolveJobOptions(read: Read, rules: JobRules, prefix: string): ResolvedJobOptions {
  if (!hasOptions(read)) return JOB_DEFAULTS
  if (rules.fifo) refuseInFifo(read, prefix)
  if (read.runAt !== undefined && read.delay !== undefined) {
    throw invalidOption(`${prefix}delay`, read.delay, 'pass either delay or runAt, not both')
  }
  const { maxRetries, retryPolicy, metadata, tags, runAt, delay, priority, timeout } = read
  return {
    maxRetries:
      maxRetries === undefined
        ? JOB_DEFAULTS.maxRetries
        : checkInteger(`${prefix}maxRetries`, maxRetries, 0, MAX_RETRIES),
    retryPolicy:
      retryPolicy === undefined
        ? JOB_DEFAULTS.retryPolicy
        : checkRetryPolicy(`${prefix}retryPolicy`, retryPolicy),
    metadataJson:
      metadata === undefined
        ? JOB_DEFAULTS.metadataJson
        : encodeMetadata(metadata, `${prefix}metadata`),
    tags: tags === undefined ? JOB_DEFAULTS.tags : checkTags(`${prefix}tags`, tags),
    runAtMs: runAt === undefined ? undefined : checkInstant(`${prefix}runAt`, runAt),
    delayMs: delay === undefined ? undefined : parseDuration(delay, `${prefix}delay`),
    priority:
      priority === undefined
        ? JOB_DEFAULTS.priority
        : checkInteger(`${prefix}priority`, priority, 0, 9),
    timeoutMs:
      timeout === undefined ? undefined : parseDuration(timeout, `${prefix}timeout`, { min: 1 }),
  }
}

function hasOptions(read: Read & { args?: unknown }): boolean {
  for (const name in read) if (name !== 'args') return true
  return false
}

/** Refuses what would be another order than that of a FIFO queue. Throws `INVALID_OPTION`. */
export function refuseInFifo(read: Read, prefix: string): void {
  for (const name of ['priority', 'runAt', 'delay'] as const) {
    if (read[name] === undefined) continue
    const remedy =
      'a FIFO queue runs its jobs in the order in which they were enqueued; leave it out'
    throw invalidOption(`${prefix}${name}`, read[name], remedy)
  }
}

function checkInstant(option: string, value: unknown): number {
  const remedy = 'it takes a valid Date; for a time from now on, pass delay instead'
  if (!isDate(value)) throw invalidOption(option, value, remedy)
  const ms = Date.prototype.getTime.call(value) // its own getTime could be anything
  if (Number.isNaN(ms)) throw invalidOption(option, value, remedy)
  return Math.max(ms, 0) // the past means now; PostgreSQL's calendar begins later than that of Date
}

function resolveCall(read: Partial<Record<'tx' | 'signal', unknown>>): ResolvedEnqueueCall {
  const { tx, signal } = read
  return {
    tx: tx === undefined ? undefined : checkTransaction(tx),
    signal: signal === undefined ? undefined : checkSignal('signal', signal),
  }
}

function checkTransaction(value: unknown): object {
  if ((typeof value === 'object' && value !== null) || typeof value === 'function') return value
  throw invalidOption('tx', value, 'it takes a transaction of your database client')
}
