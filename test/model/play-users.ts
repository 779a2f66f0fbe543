import assert from 'node:assert/strict'
import type { EnqueueItem } from '../../src/core/enqueue-options.ts'
import { demand, type JobSpec, type ModelJob } from './model-job.ts'
import { statusOf, type OpenTransaction } from './queue-model.ts'
import { QUEUE_NAMES, RULES, type QueueName } from './queue-rules.ts'
import { choose, type Scene } from './scene.ts'
import type { StepOf, Steering } from './steps.ts'

/** How a transaction that is still open ends. */
export type EndOf = Map<OpenTransaction, (commits: boolean) => Promise<void>>

const DEAD_LETTER_QUEUES = ['dead posts', 'dead line'] as const

/** Two connections are held by open transactions at most. */
const MOST_OPEN = 2

export async function enqueue(
  scene: Scene,
  open: EndOf,
  { queue, jobs, isOpen }: StepOf<'enqueue'>,
): Promise<boolean> {
  const { isFifo } = RULES[queue]
  const specs = jobs.map((job) => (isFifo ? { ...job, priority: 5, delayMs: 0 } : job))
  const items = specs.map((spec) => itemOf(spec, isFifo))
  if (isOpen) return enqueueInTransaction(scene, open, queue, specs, items)
  const [first] = items
  if (first !== undefined && items.length === 1) {
    const { args, ...options } = first
    checkIds([await scene.queue(queue).enqueue(args, options)], scene.model.enqueue(queue, specs))
  } else {
    checkIds(await scene.queue(queue).enqueueMany(items), scene.model.enqueue(queue, specs))
  }
  return true
}

export async function endTransaction(
  scene: Scene,
  open: EndOf,
  pick: number,
  commits: boolean,
): Promise<boolean> {
  const transaction = choose(scene.model.transactions, pick)
  if (transaction === undefined) return false
  await open.get(transaction)?.(commits)
  open.delete(transaction)
  scene.model.end(transaction, commits)
  return true
}

/** What a person does to a job, through the queue where it is or one that it came through. */
export async function steer(scene: Scene, job: ModelJob, step: StepOf<Steering>): Promise<boolean> {
  const { model } = scene
  const places = QUEUE_NAMES.filter(
    (queue) => queue === job.queue || model.pointers.has(`${queue} ${job.id}`),
  )
  const place = choose(places, step.pick) ?? job.queue
  if (step.do === 'look') return look(scene, job, place)
  if (step.do === 'edit') return edit(scene, job, place, step)
  const expected = model[step.do](place, job.id)
  const did = await scene.queue(place)[step.do](String(job.id))
  demand(did === expected, `${step.do} of job ${job.id} through ${place} answered ${did}`)
  return true
}

/** In a FIFO queue a job keeps its place. */
async function edit(
  scene: Scene,
  job: ModelJob,
  place: QueueName,
  { maxRetries, ...moves }: StepOf<'edit'>,
): Promise<boolean> {
  const { priority, delayMs } = RULES[job.queue].isFifo
    ? { priority: undefined, delayMs: undefined }
    : moves
  const expected = scene.model.edit(place, job.id, { maxRetries, priority, delayMs })
  const changes = { maxRetries, priority, delay: delayMs }
  const record = await scene.queue(place).edit(String(job.id), changes)
  const did = record !== undefined
  demand(did === expected, `edit of job ${job.id} through ${place} did it: ${did}`)
  return true
}

export async function redrive(scene: Scene, pick: number, limit: number): Promise<boolean> {
  const isFull = (name: QueueName): boolean =>
    scene.model.live(name).some(({ state, origin }) => state.kind === 'waiting' && origin !== null)
  const queue = choose(DEAD_LETTER_QUEUES.filter(isFull), pick) ?? 'dead posts'
  const expected = scene.model.redrive(queue, limit)
  const count = await scene.queue(queue).redrive({ limit })
  demand(count === expected, `redrive of ${queue} moved ${count} and should move ${expected}`)
  return expected > 0
}

/** Pauses a queue, or resumes one that is paused. */
export async function pauseOrResume(scene: Scene, queue: QueueName): Promise<boolean> {
  const did = scene.model.pauseOrResume(queue)
    ? await scene.queue(queue).pause()
    : await scene.queue(queue).resume()
  demand(did, `${queue} is not paused or resumed`)
  return true
}

async function look(scene: Scene, job: ModelJob, place: QueueName): Promise<boolean> {
  const record = await scene.queue(place).get(String(job.id))
  const found = scene.model.find(place, job.id)
  assert.deepEqual(
    record && {
      ...{ queue: record.queueName, status: record.status, attempt: record.attempt },
      ...{ at: record.scheduledAt.getTime(), origin: record.originQueue },
      errors: record.errors.map(({ attempt, name }) => errorLine(attempt, name)),
    },
    found && visibleOf(found),
  )
  assert.deepEqual(await scene.queue(place).counts(), scene.model.counts(place))
  return true
}

function visibleOf(job: ModelJob) {
  const isRunning = job.state.kind === 'held' && job.state.isStarted
  return {
    ...{ queue: job.queue, status: statusOf(job), attempt: job.attempt + (isRunning ? 1 : 0) },
    ...{ at: job.runAt, origin: job.origin },
    errors: job.errors.map(({ attempt, name }) => errorLine(attempt, name)),
  }
}

/** Of the names only one says something of the queue itself. */
function errorLine(attempt: number, name: string): string {
  return `${attempt} ${name === 'WorkerCrashed' ? 'crashed' : 'failed'}`
}

function itemOf({ priority, delayMs, ...rest }: JobSpec, isFifo: boolean): EnqueueItem {
  return { args: null, ...rest, ...(isFifo ? {} : { priority, delay: delayMs }) }
}

/** Its jobs are inserted when this resolves; it commits or not when `open` is asked to end it. */
async function enqueueInTransaction(
  scene: Scene,
  open: EndOf,
  queue: QueueName,
  specs: readonly JobSpec[],
  items: EnqueueItem[],
): Promise<boolean> {
  if (open.size === MOST_OPEN) return false
  const inserted = later<void>()
  const decision = later<boolean>()
  const transaction = scene.model.begin(queue, specs)
  const ended = scene.stage.database
    .transaction(async (tx) => {
      checkIds(await scene.queue(queue).enqueueMany(items, { tx }), transaction.jobs)
      inserted.resolve()
      if (!(await decision.promise)) throw new RolledBack()
    })
    .catch((error: unknown) => {
      if (!(error instanceof RolledBack)) throw error
    })
  await Promise.race([inserted.promise, ended])
  open.set(transaction, async (commits) => {
    decision.resolve(commits)
    await ended
  })
  return true
}

/** A promise, and the way to resolve it. */
function later<T>(): { promise: Promise<T>; resolve: (value: T) => void } {
  let resolve: (value: T) => void = () => {}
  const promise = new Promise<T>((end) => {
    resolve = end
  })
  return { promise, resolve }
}

class RolledBack extends Error {}

function checkIds(stored: readonly { id: string }[], jobs: readonly { id: number }[]): void {
  assert.deepEqual(
    stored.map((job) => Number(job.id)),
    jobs.map((job) => job.id),
  )
}
