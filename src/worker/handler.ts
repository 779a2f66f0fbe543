import { createProcessContext, createWorkContext, type SignalSource } from '../core/contexts.ts'
import type { Job, Worker, WorkFunction } from '../core/job.ts'
import { readMetadata } from '../core/metadata.ts'
import { composeProcess, type Middleware } from '../core/middleware.ts'
import { microsToDate } from '../store/instants.ts'
import type { Perform, Performance } from './run.ts'

/** Settles a job inside a transaction of its handler. */
export type Complete = (performance: Performance, tx: unknown, result: unknown) => Promise<void>

/**
 * What runs the jobs of a queue: its middlewares around its worker, composed once however often the
 * queue is received; each reception brings its own way to complete a job.
 */
export function performer(
  queueName: string,
  worker: Worker | WorkFunction,
  middlewares: readonly Middleware[],
): (complete: Complete) => Perform {
  const work: WorkFunction =
    typeof worker === 'function' ? worker : (job, context) => worker.work(job, context)
  const innermost = async (
    source: SignalSource,
    job: Job,
    performance: Performance,
    complete: Complete,
  ): Promise<unknown> => {
    const settle = (tx: unknown, result: unknown): Promise<void> =>
      complete(performance, tx, result)
    return work(job, createWorkContext(job, source, settle, performance.run))
  }
  if (!middlewares.some((middleware) => middleware.process !== undefined)) {
    return (complete) => (performance) =>
      innermost(performance.controller, jobOf(queueName, performance), performance, complete)
  }
  const handle = composeProcess(middlewares, innermost)
  return (complete) => (performance) => {
    const job = jobOf(queueName, performance)
    const context = createProcessContext(job, performance.controller.signal)
    return handle(context, job, performance, complete)
  }
}

function jobOf(queueName: string, { job, args }: Performance): Job {
  return {
    id: job.id,
    queueName,
    args: JSON.parse(args) as unknown,
    metadata: readMetadata(job.metadata),
    attempt: job.attempt + 1,
    maxRetries: job.maxRetries,
    createdAt: microsToDate(job.createdAt),
    scheduledAt: microsToDate(job.runAt),
  }
}
