import { resolveEnqueueOptions } from '../../core/enqueue-options.ts'
import type { Cli } from '../cli.ts'
import type { EnqueueRequest } from './command.ts'
import { usageFailure } from '../failure.ts'
import { checkFlags } from '../flags.ts'
import { isRefused, readJobLine, whyNot } from './job-lines.ts'
import { withTarget } from '../target.ts'
import { openTargetQueue } from './target-queue.ts'
import { printable } from '../terminal/printable.ts'

/** Enqueues the one job whose arguments are on the command line. */
export async function enqueueOne(request: EnqueueRequest, json: string, cli: Cli): Promise<void> {
  const { queueName, jobOptions, isEnvelope } = request
  const read = { isEnvelope, defaults: jobOptions, fifo: false }
  const line = { number: 1, text: json, bytes: json.length, problem: undefined }
  const job = readJobLine(line, read)
  if (isRefused(job)) throw refusal(job.reason)
  await withTarget(request.globals, cli, {}, async (target) => {
    const { queue, fifo, isNew } = await openTargetQueue(request, target, cli)
    checkFlags(() => resolveEnqueueOptions(jobOptions, { fifo }))
    const reason = whyNot(job.item, { ...read, fifo })
    if (reason !== undefined) throw refusal(reason)
    const { args, ...options } = job.item
    const { id, scheduledAt } = await queue.enqueue(args, options)
    if (cli.isJson) return cli.json({ id, queueName, scheduledAt, isNewQueue: isNew })
    if (isNew) cli.note(`Made the queue ${printable(queueName)}${fifo ? ', as FIFO' : ''}.`)
    cli.print(`Enqueued job ${id} into ${printable(queueName)}.`)
  })
}

function refusal(reason: string): Error {
  return usageFailure(`The job is refused. ${printable(reason)}`)
}
