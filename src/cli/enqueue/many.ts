import type { EnqueueItem } from '../../core/enqueue-options.ts'
import { resolveEnqueueOptions } from '../../core/enqueue-options.ts'
import type { Cli } from '../cli.ts'
import type { LinesRequest } from './command.ts'
import { EnqueueProgress } from './progress.ts'
import { report, type Standing } from './report.ts'
import { checkFlags } from '../flags.ts'
import { inOneTransaction } from './in-one-transaction.ts'
import { checkJobs, MAX_LINE_BYTES, readJobLine, whyNot, type LineRules } from './job-lines.ts'
import { openInput, type LineInput } from './line-input.ts'
import { LineSender } from './line-sender.ts'
import { LineSplitter } from './lines.ts'
import { describeRefusal, Refusals, SHOWN } from './refusals.ts'
import { withTarget, type Target } from '../target.ts'
import { openTargetQueue, type TargetQueue } from './target-queue.ts'

/** Everything that an import has at hand. */
interface Import {
  readonly request: LinesRequest
  readonly cli: Cli
  readonly input: LineInput
  readonly rules: LineRules
  readonly target: Target
  readonly into: TargetQueue
  readonly refusals: Refusals
}

/** Enqueues a job for each line of a file or of standard input, in bounded memory. */
export async function enqueueLines(request: LinesRequest, cli: Cli): Promise<void> {
  const input = await openInput(request.file, cli)
  await withTarget(request.globals, cli, {}, async (target) => {
    const into = await openTargetQueue(request, target, cli)
    const { jobOptions: defaults, isEnvelope } = request
    checkFlags(() => resolveEnqueueOptions(defaults, { fifo: into.fifo }))
    const refusals = await Refusals.open(request.errorsFile, cli.cwd, request.file)
    const rules = { isEnvelope, defaults, fifo: into.fifo }
    const all: Import = { request, cli, input, rules, target, into, refusals }
    const startedAt = performance.now()
    const standing = request.isAtomic ? await enqueueAllOrNone(all) : await enqueueGood(all)
    await refusals.close()
    report({ ...all, standing, tookMs: performance.now() - startedAt })
  })
}

/** What is good goes in. */
async function enqueueGood(all: Import): Promise<Standing> {
  const send = (items: readonly EnqueueItem[]): Promise<unknown> =>
    all.into.queue.enqueueMany(items)
  return passThrough(all, { send, canTryAgain: true, doing: 'enqueued' })
}

/**
 * A file is read twice: were its bad lines found only within the transaction, all that was written until then would
 * be left to vacuum. What comes through a pipe can't be read again, and is not written any more from the first bad line on.
 */
async function enqueueAllOrNone(all: Import): Promise<Standing> {
  if (all.input.isRepeatable) {
    const checked = await passThrough(all, {
      send: undefined,
      canTryAgain: false,
      doing: 'checked',
    })
    if (all.cli.stop.aborted) return { ...checked, isDone: false }
    if (checked.refused > 0 || !checked.isDone) return checked
  }
  return inOneTransaction(all.target.db, (tx) => {
    const send = (items: readonly EnqueueItem[]): Promise<unknown> =>
      all.into.queue.enqueueMany(items, { tx })
    return passThrough(all, { send, canTryAgain: false, doing: 'enqueued' })
  })
}

interface Way {
  /** Undefined: only look at each job. */
  readonly send: ((items: readonly EnqueueItem[]) => Promise<unknown>) | undefined
  readonly canTryAgain: boolean
  readonly doing: 'enqueued' | 'checked'
}

/** Reads every line from the wanted one on and gives it to the sender. */
async function passThrough(all: Import, way: Way): Promise<Standing> {
  const { input, cli, request } = all
  const splitter = new LineSplitter(MAX_LINE_BYTES)
  const progress = new EnqueueProgress(cli, way.doing, input.bytes)
  const over = new AbortController()
  const sender = newSender(all, way, progress, over)
  const stop = (): void => over.abort()
  cli.stop.addEventListener('abort', stop, { once: true })
  let isDone = false
  try {
    if (cli.stop.aborted) stop()
    await readInto(sender, { all, splitter, progress, signal: over.signal })
    if (!over.signal.aborted) {
      await sender.finish()
      isDone = sender.failure === undefined
    }
  } catch (error) {
    if (!over.signal.aborted) throw error
  } finally {
    cli.stop.removeEventListener('abort', stop)
    await sender.stop()
    progress.end()
  }
  const { jobs, unknown, failure, refusals: refused } = sender
  const nextLine = isDone ? splitter.count + 1 : sender.nextLine
  return {
    isDone,
    jobs,
    refused,
    blank: splitter.blank,
    nextLine,
    fromLine: request.fromLine,
    unknown,
    failure,
  }
}

function newSender(
  { rules, refusals, request }: Import,
  { send, canTryAgain }: Way,
  progress: EnqueueProgress,
  over: AbortController,
): LineSender {
  const whyNotThis = (item: EnqueueItem): string | undefined => whyNot(item, rules)
  const sender = new LineSender(
    {
      // Once a line is refused, an all-or-none import only looks for others.
      send: async (items) => {
        const isDoomed = !canTryAgain && sender.refusals > 0
        if (send !== undefined && !isDoomed) return send(items)
        checkJobs(items, rules)
      },
      whyNot: whyNotThis,
      canTryAgain,
      refused: async (line) => {
        if (refusals.count < SHOWN) progress.note(describeRefusal(line))
        await refusals.add(line)
      },
      sent: () => progress.show(sender.jobs, sender.refusals),
      failed: () => over.abort(),
    },
    request.fromLine,
  )
  return sender
}

interface Reading {
  readonly all: Import
  readonly splitter: LineSplitter
  readonly progress: EnqueueProgress
  readonly signal: AbortSignal
}

async function readInto(
  sender: LineSender,
  { all, splitter, progress, signal }: Reading,
): Promise<void> {
  const { input, rules, request } = all
  const addAll = async (lines: ReturnType<LineSplitter['push']>): Promise<void> => {
    for (const line of lines) {
      if (signal.aborted) return
      if (line.number >= request.fromLine) await sender.add(readJobLine(line, rules))
    }
  }
  for await (const chunk of input.read(signal)) {
    await addAll(splitter.push(chunk))
    if (signal.aborted) return
    sender.kick()
    progress.read(chunk.length)
  }
  await addAll(splitter.end())
}
