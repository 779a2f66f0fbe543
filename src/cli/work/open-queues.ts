import { MillraceError } from '../../core/errors.ts'
import type { Worker, WorkFunction } from '../../core/job.ts'
import { checkQueueName } from '../../core/queue-name.ts'
import type { QueueOptions } from '../../core/queue-options.ts'
import { driverFor } from '../../drivers/recognise.ts'
import { JobQueue } from '../../job-queue.ts'
import { findQueue, findQueueById } from '../../store/queues.ts'
import { Store } from '../../store/store.ts'
import type { Cli } from '../cli.ts'
import { explain } from '../explain.ts'
import { Failure, usageFailure } from '../failure.ts'
import { checkFlags } from '../flags.ts'
import type { GlobalOptions } from '../place.ts'
import { withTarget, type Target } from '../target.ts'
import { printable } from '../terminal/printable.ts'
import { chooseQueue, findQueues, type AnyQueue } from './find-queues.ts'
import { loadModule } from './load-module.ts'

/** Which queues of a module are meant. */
export interface QueueFlags extends GlobalOptions {
  readonly queue?: string
}

/** Queues that can be worked on. */
export interface OpenQueues {
  readonly queues: readonly AnyQueue[]
  /** Where their jobs are, for people. */
  readonly database: string
  /** True where the module made them: then they have loggers of their own, and a database that nobody closes. */
  readonly areTheirOwn: boolean
}

const SILENT = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} }

/** Loads the module, opens what it offers, works with it and closes what was opened. */
export async function withQueues(
  specifier: string,
  flags: QueueFlags,
  cli: Cli,
  work: (opened: OpenQueues) => Promise<void>,
): Promise<void> {
  const { queue: name } = flags
  if (name !== undefined) checkFlags(() => checkQueueName('queue', name))
  const offer = await findQueues(await loadModule(specifier, cli), specifier)
  if (offer.kind === 'worker') {
    if (name === undefined) {
      throw usageFailure(
        `${printable(specifier)} exports a worker function: say for which queue, by --queue <name>.`,
      )
    }
    return withTarget(flags, cli, {}, async (target) => {
      const queue = await openFor(offer.worker, name, target)
      await work({ queues: [queue], database: target.description, areTheirOwn: false })
    })
  }
  refuseElsewhere(specifier, flags)
  const queues = chooseQueue(offer.queues, name, specifier)
  try {
    await work({
      queues,
      database: `the one that ${printable(specifier)} opens`,
      areTheirOwn: true,
    })
  } catch (error) {
    throw explain(error, undefined, schemaOf(error)) ?? explainOthers(error, specifier)
  }
}

/** A process with a worker says how its queue is; this one has nothing to say, and so repeats what is stored. */
async function openFor(
  worker: Worker | WorkFunction,
  queueName: string,
  { db, schema }: Target,
): Promise<AnyQueue> {
  const store = new Store(driverFor(db), schema)
  const stored = await findQueue(store, queueName)
  const options: QueueOptions = { queueName, schema, logger: SILENT }
  if (stored === undefined) return new JobQueue(db, worker, options)
  const { isFifo, dlqId, keepFinishedMs, keepFailedMs } = stored
  const dlq = dlqId === null ? undefined : await findQueueById(store, dlqId)
  return new JobQueue(db, worker, {
    ...options,
    fifo: isFifo ?? undefined,
    dlq: dlq?.name,
    keepFinished: keepFinishedMs ?? false,
    keepFailed: keepFailedMs ?? undefined,
    baseRetryDelay: stored.baseRetryDelayMs,
    maxRetryDelay: stored.maxRetryDelayMs,
    retryJitter: stored.retryJitter,
  })
}

function refuseElsewhere(specifier: string, { databaseUrl, schema }: GlobalOptions): void {
  const given = databaseUrl === undefined ? schema && '--schema' : '--database-url'
  if (given === undefined || given === '') return
  throw usageFailure(
    `${given} does not apply: the queues that ${printable(specifier)} exports have a database of their own.`,
  )
}

/** Their options are not ours to know; an error about their schema names it. */
function schemaOf(error: unknown): string | undefined {
  const schema = error instanceof MillraceError ? error.details['schema'] : undefined
  return typeof schema === 'string' ? schema : undefined
}

/** What another copy of the package throws is no class of ours; what a driver throws has no place that we know. */
function explainOthers(error: unknown, specifier: string): Failure {
  const message = error instanceof Error ? errorText(error) : String(error)
  return new Failure(
    `The queues of ${printable(specifier)} cannot be worked on: ${printable(message)}`,
    {
      cause: error,
    },
  )
}

/** A host of several addresses fails with an error for each of them, and no message. */
function errorText(error: Error): string {
  const first: unknown = error instanceof AggregateError ? error.errors[0] : error
  return first instanceof Error ? first.message : String(first)
}
