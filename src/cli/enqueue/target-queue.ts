import { suggestName } from '../../core/suggest.ts'
import { JobQueue } from '../../job-queue.ts'
import { Querier } from '../../querier.ts'
import type { Cli } from '../cli.ts'
import type { EnqueueRequest } from './command.ts'
import { usageFailure } from '../failure.ts'
import type { Target } from '../target.ts'
import { printable } from '../terminal/printable.ts'

/** A queue to enqueue into. */
export interface TargetQueue {
  readonly queue: JobQueue
  readonly fifo: boolean
  /** It is not stored yet: the first job makes it. */
  readonly isNew: boolean
}

/**
 * The queue in the mode in which it is stored; one that is not there yet is made, unless its name looks like a
 * slip: jobs in a misspelt queue would wait for ever.
 */
export async function openTargetQueue(
  request: EnqueueRequest,
  { db, schema }: Target,
  cli: Cli,
): Promise<TargetQueue> {
  const { queueName, create } = request
  const known = await new Querier(db, { schema }).queues()
  const stored = known.find(({ name }) => name === queueName)
  if (stored === undefined && !create)
    refuseSlip(
      queueName,
      known.map(({ name }) => name),
    )
  if (stored?.fifo === false && request.fifo) {
    throw usageFailure(
      `The queue ${printable(queueName)} is not FIFO, and a queue keeps its mode: leave --fifo out.`,
    )
  }
  const fifo = stored?.fifo ?? request.fifo
  const warn = (message: string): void => cli.note(printable(message))
  const logger = { debug: () => {}, info: () => {}, warn, error: warn }
  const queue = new JobQueue(db, { queueName, schema, fifo, logger })
  return { queue, fifo, isNew: stored === undefined }
}

function refuseSlip(queueName: string, known: readonly string[]): void {
  const meant = suggestName(queueName, known)
  if (meant === undefined) return
  throw usageFailure(
    `There is no queue ${printable(queueName)}; did you mean ${printable(meant)}? To make a new one, pass --create.`,
  )
}
