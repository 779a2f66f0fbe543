import type { JobsOptions, Processor, WorkerOptions } from 'bullmq'
import type { Handler, OpenQueue, Payload, QueueNeeds, Receiving } from '../contender.ts'
import { inBatches, inOrder, type BatchPlan } from './batches.ts'

export const QUEUE = 'bench'
export const JOB = 'job'

/** What is set beyond the library's defaults. */
export interface BullmqTuning {
  /** Handlers at once in one process, or as many as a scenario allows where that is fewer: more were slower. */
  readonly concurrency?: number
  readonly addBulk: BatchPlan
}

/** Nothing is set. */
export const DEFAULTS: BullmqTuning = {
  addBulk: { size: 1000, atOnce: 1 },
}

/** The part of BullMQ's `Queue` that is used, the same on each of its backends. */
export interface BullmqQueue {
  add(name: string, data: Payload, options?: JobsOptions): Promise<unknown>
  addBulk(jobs: { name: string; data: Payload; opts?: JobsOptions }[]): Promise<unknown>
  getJobCounts(...states: 'wait'[]): Promise<Record<string, number>>
  setGlobalConcurrency(concurrency: number): Promise<unknown>
  close(): Promise<void>
}

/** The part of BullMQ's `Worker` that is used. */
export interface BullmqWorker {
  waitUntilReady(): Promise<unknown>
  close(): Promise<void>
}

/** Where BullMQ keeps its jobs. */
export interface BullmqStore {
  makeQueue(name: string, defaultJobOptions: JobsOptions): BullmqQueue
  makeWorker(
    name: string,
    processor: Processor<Payload>,
    options: Omit<WorkerOptions, 'connection'>,
  ): BullmqWorker
  prepare(): Promise<void>
  fillHistory(count: number): Promise<void>
}

/** What is printed of the settings, on every backend. */
export function describeBullmq(tuning: BullmqTuning): Record<string, unknown> {
  return {
    ...tuning,
    discard: 'removeOnComplete true',
    retries: 'attempts 2, no backoff',
    fifo: 'one worker of concurrency 1, global concurrency 1',
  }
}

/** One process's hold on a queue of BullMQ. */
export function openBullmq(store: BullmqStore, needs: QueueNeeds, tuning: BullmqTuning): OpenQueue {
  return new OpenBullmq(store, needs, tuning)
}

class OpenBullmq implements OpenQueue {
  readonly #store: BullmqStore
  readonly #needs: QueueNeeds
  readonly #tuning: BullmqTuning
  #made: BullmqQueue | undefined

  constructor(store: BullmqStore, needs: QueueNeeds, tuning: BullmqTuning) {
    this.#store = store
    this.#needs = needs
    this.#tuning = tuning
  }

  async prepare(): Promise<void> {
    await this.#store.prepare()
    if (this.#needs.fifo === true) await this.#queue().setGlobalConcurrency(1)
  }

  async enqueue(payload: Payload, options: { priority?: number } = {}): Promise<void> {
    await this.#queue().add(JOB, payload, jobOptions(options))
  }

  async enqueueMany(
    payloads: readonly Payload[],
    options: { priority?: number } = {},
  ): Promise<void> {
    const queue = this.#queue()
    const opts = jobOptions(options)
    const { addBulk } = this.#tuning
    const plan = this.#needs.fifo === true ? inOrder(addBulk) : addBulk
    await inBatches(payloads, plan, async (batch) =>
      queue.addBulk(batch.map((data) => ({ name: JOB, data, ...(opts && { opts }) }))),
    )
  }

  async enqueueIn(): Promise<void> {
    throw new Error("BullMQ has no way into a caller's transaction.")
  }

  async receive(handler: Handler): Promise<Receiving> {
    const processor: Processor<Payload> = async (job) => handler(job.data)
    const workers: BullmqWorker[] = []
    for (let queue = 1; queue <= (this.#needs.queues ?? 1); queue += 1) {
      const name = queue === 1 ? QUEUE : `${QUEUE}-${queue}`
      workers.push(this.#store.makeWorker(name, processor, this.#workerOptions()))
    }
    await Promise.all(workers.map(async (worker) => worker.waitUntilReady()))
    return {
      stop: async () => void (await Promise.all(workers.map(async (worker) => worker.close()))),
    }
  }

  async fillHistory(count: number): Promise<void> {
    await this.#store.fillHistory(count)
  }

  async unfinished(): Promise<number> {
    const counts = await this.#queue().getJobCounts()
    const open = ['active', 'wait', 'waiting', 'paused', 'prioritized', 'delayed']
    return open.reduce((sum, state) => sum + (counts[state] ?? 0), 0)
  }

  async close(): Promise<void> {
    await this.#made?.close()
  }

  /** At the first use, as it writes what it knows of the queue. */
  #queue(): BullmqQueue {
    this.#made ??= this.#store.makeQueue(QUEUE, {
      ...(this.#needs.finished === 'discard' ? { removeOnComplete: true } : {}),
      ...(this.#needs.finished === 'keep' ? { removeOnComplete: false } : {}),
      ...(this.#needs.retries === true ? { attempts: 2 } : {}),
    })
    return this.#made
  }

  #workerOptions(): { concurrency?: number } {
    if (this.#needs.fifo === true) return { concurrency: 1 }
    const wanted = this.#needs.concurrency ?? this.#tuning.concurrency
    if (wanted === undefined) return {}
    return { concurrency: Math.min(wanted, this.#tuning.concurrency ?? wanted) }
  }
}

/** 0 runs first here; there it means no priority, and 1 is the first. */
function jobOptions({ priority }: { priority?: number }): JobsOptions | undefined {
  return priority === undefined ? undefined : { priority: priority + 1 }
}
