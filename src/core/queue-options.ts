import { parseDuration, type Duration } from './duration.ts'
import { resolveSchema } from './identifiers.ts'
import { checkLogger, type Logger } from './logger.ts'
import { checkMiddlewares, type Middleware } from './middleware.ts'
import { checkQueueName, DEFAULT_QUEUE_NAME } from './queue-name.ts'
import {
  checkBoolean,
  checkInteger,
  checkNumber,
  invalidOption,
  orDefault,
  readOptions,
} from './validate.ts'

/** How a queue behaves. `undefined` means the default everywhere. */
export interface QueueOptions {
  /** The queue's name: 1 to 200 characters, any but `\u0000`. @default 'default' */
  queueName?: string | undefined
  /** How often a sleeping receiver looks for jobs of which no notification came. From 10 ms. @default '1s' */
  pollInterval?: Duration | undefined
  /** The delay before the first retry, from which the retry policy calculates the others. @default '2s' */
  baseRetryDelay?: Duration | undefined
  /** No retry waits longer than this, also when the base delay is longer. @default '1h' */
  maxRetryDelay?: Duration | undefined
  /** By what share (0 to 1) each retry delay is shortened or lengthened at random, within the maximum. @default 0 */
  retryJitter?: number | undefined
  /**
   * Strict order: at most one job of the queue runs at a time, over all processes, in the order in
   * which they were enqueued. A queue keeps the mode with which it was made. @default false
   */
  fifo?: boolean | undefined
  /** The dead-letter queue, where jobs go that failed for good. An empty string means none. @default none */
  dlq?: string | undefined
  /** Where log lines go. `console` fits; for pino there is `pinoLogger`. @default warnings and errors to `console` */
  logger?: Logger | undefined
  /** What is wrapped around enqueueing and processing, the first outermost. @default [] */
  middlewares?: readonly Middleware[] | undefined
  /** The schema with Millrace's tables: any name that PostgreSQL allows. @default 'millrace' */
  schema?: string | undefined
  /** How long finished jobs stay readable; `false`: they are deleted at once. @default '24h' */
  keepFinished?: Duration | false | undefined
  /** How long failed and cancelled jobs stay readable. @default '30d' */
  keepFailed?: Duration | undefined
  /** How large the arguments of one job may be, as JSON in UTF-8. 1 to 268,435,455 bytes, which is all that `jsonb` holds. @default 33_554_432 (32 MiB) */
  maxArgsBytes?: number | undefined
}

/** A queue's options, checked, with every default in its place. */
export interface ResolvedQueueOptions {
  readonly queueName: string
  readonly pollIntervalMs: number
  readonly baseRetryDelayMs: number
  readonly maxRetryDelayMs: number
  readonly retryJitter: number
  readonly fifo: boolean
  readonly dlq: string | undefined
  readonly logger: Logger
  readonly middlewares: readonly Middleware[]
  readonly schema: string
  /** False: finished jobs are deleted at once. */
  readonly keepFinishedMs: number | false
  readonly keepFailedMs: number
  readonly maxArgsBytes: number
  /** The options that were given, as the caller names them; the others have their default. */
  readonly given: ReadonlySet<keyof QueueOptions>
}

const QUEUE_OPTIONS = [
  'queueName',
  'pollInterval',
  'baseRetryDelay',
  'maxRetryDelay',
  'retryJitter',
  'fifo',
  'dlq',
  'logger',
  'middlewares',
  'schema',
  'keepFinished',
  'keepFailed',
  'maxArgsBytes',
] as const satisfies readonly (keyof QueueOptions)[]

/** The largest value that `jsonb` can hold, in bytes. */
const MAX_ARGS_BYTES = 268_435_455
const DEFAULT_MAX_ARGS_BYTES = 32 * 1_048_576

/** Checks a queue's options and puts the defaults in. Throws `INVALID_OPTION`. */
export function resolveQueueOptions(options?: unknown): ResolvedQueueOptions {
  const read = readOptions(options, { of: 'a queue', known: QUEUE_OPTIONS })
  const queueName = checkQueueName('queueName', orDefault(read.queueName, DEFAULT_QUEUE_NAME))
  return Object.freeze({
    queueName,
    pollIntervalMs: parseDuration(orDefault(read.pollInterval, '1s'), 'pollInterval', { min: 10 }),
    baseRetryDelayMs: parseDuration(orDefault(read.baseRetryDelay, '2s'), 'baseRetryDelay'),
    maxRetryDelayMs: parseDuration(orDefault(read.maxRetryDelay, '1h'), 'maxRetryDelay'),
    retryJitter: checkNumber('retryJitter', orDefault(read.retryJitter, 0), 0, 1),
    fifo: checkBoolean('fifo', orDefault(read.fifo, false)),
    dlq: checkDlq(read.dlq, queueName),
    logger: checkLogger('logger', read.logger),
    middlewares: checkMiddlewares('middlewares', read.middlewares),
    schema: resolveSchema(read.schema),
    keepFinishedMs:
      read.keepFinished === false
        ? false
        : parseDuration(orDefault(read.keepFinished, '24h'), 'keepFinished'),
    keepFailedMs: parseDuration(orDefault(read.keepFailed, '30d'), 'keepFailed'),
    maxArgsBytes: checkInteger(
      'maxArgsBytes',
      orDefault(read.maxArgsBytes, DEFAULT_MAX_ARGS_BYTES),
      1,
      MAX_ARGS_BYTES,
    ),
    given: new Set(Object.keys(read) as (keyof QueueOptions)[]),
  })
}

function checkDlq(value: unknown, queueName: string): string | undefined {
  if (value === undefined || value === '') return undefined
  const dlq = checkQueueName('dlq', value)
  if (dlq !== queueName) return dlq
  throw invalidOption('dlq', value, 'a queue cannot be its own dead-letter queue')
}
