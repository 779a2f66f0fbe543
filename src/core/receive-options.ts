import { parseDuration, type Duration } from './duration.ts'
import { checkInteger, checkSignal, invalidOption, orDefault, readOptions } from './validate.ts'

/** How a process works on queues until it is stopped. */
export interface ReceiveOptions {
  /** Stops it gracefully: nothing more is claimed, running jobs may finish, and then `receive` resolves. Required. */
  signal: AbortSignal
  /** Jobs of one queue that run at once in this process. An integer from 1 to 10,000. @default 10 */
  concurrency?: number | undefined
  /** How long running jobs may go on after `signal` aborted, before their own signals abort. Choose less than your platform's grace period. @default '25s' */
  shutdownTimeout?: Duration | undefined
  /** A process that was not heard of for this long is dead, and its jobs are given back. From 1 s; shorter finds crashes earlier and forgives less. @default '30s' */
  leaseTimeout?: Duration | undefined
}

/** The options of `receive`, checked, with every default in its place. */
export interface ResolvedReceiveOptions {
  readonly signal: AbortSignal
  readonly concurrency: number
  readonly shutdownTimeoutMs: number
  readonly leaseTimeoutMs: number
}

/** How much is worked off by `drain`. */
export interface DrainOptions {
  /** Stops early: what is running may finish, and then `drain` resolves with what was done. @default none */
  signal?: AbortSignal | undefined
  /** How many runs at most. From 1. @default none: all jobs that are due */
  limit?: number | undefined
  /** Stops starting jobs after this time, for platforms that bill or kill by the clock. From 1 ms. @default none */
  timeout?: Duration | undefined
  /** Jobs that run at once. An integer from 1 to 10,000. @default 10 */
  concurrency?: number | undefined
}

/** The options of `drain`, checked, with every default in its place. */
export interface ResolvedDrainOptions {
  readonly signal: AbortSignal | undefined
  readonly limit: number | undefined
  readonly timeoutMs: number | undefined
  readonly concurrency: number
}

const RECEIVE_OPTIONS = [
  'signal',
  'concurrency',
  'shutdownTimeout',
  'leaseTimeout',
] as const satisfies readonly (keyof ReceiveOptions)[]

const DRAIN_OPTIONS = [
  'signal',
  'limit',
  'timeout',
  'concurrency',
] as const satisfies readonly (keyof DrainOptions)[]

const DEFAULT_CONCURRENCY = 10
const MAX_CONCURRENCY = 10_000
const MAX_LIMIT = 2_147_483_647 // an integer of PostgreSQL

/** Checks the options of `receive` and `receiveAll` and puts the defaults in. Throws `INVALID_OPTION`. */
export function resolveReceiveOptions(options: unknown, of = 'receive'): ResolvedReceiveOptions {
  if (options instanceof AbortSignal) {
    throw invalidOption('options', options, `${of} takes an object: pass { signal }`)
  }
  const read = readOptions(options, { of, known: RECEIVE_OPTIONS })
  return Object.freeze({
    signal: checkSignal('signal', read.signal),
    concurrency: checkConcurrency(read.concurrency),
    shutdownTimeoutMs: parseDuration(orDefault(read.shutdownTimeout, '25s'), 'shutdownTimeout'),
    leaseTimeoutMs: parseDuration(orDefault(read.leaseTimeout, '30s'), 'leaseTimeout', {
      min: 1_000,
    }),
  })
}

/** Checks the options of `drain` and puts the defaults in. Throws `INVALID_OPTION`. */
export function resolveDrainOptions(options?: unknown): ResolvedDrainOptions {
  const read = readOptions(options, { of: 'drain', known: DRAIN_OPTIONS })
  const { signal, limit, timeout } = read
  return Object.freeze({
    signal: signal === undefined ? undefined : checkSignal('signal', signal),
    limit: limit === undefined ? undefined : checkLimit(limit),
    timeoutMs: timeout === undefined ? undefined : parseDuration(timeout, 'timeout', { min: 1 }),
    concurrency: checkConcurrency(read.concurrency),
  })
}

/** Checks how many at most: an integer from 1. */
export function checkLimit(value: unknown): number {
  return checkInteger('limit', value, 1, MAX_LIMIT)
}

function checkConcurrency(value: unknown): number {
  return checkInteger('concurrency', orDefault(value, DEFAULT_CONCURRENCY), 1, MAX_CONCURRENCY)
}
