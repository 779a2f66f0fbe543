import { mkdtempSync } from 'node:fs'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { inject } from 'vitest'
import type { EnqueueOptions } from '../../src/core/enqueue-options.ts'
import type { JobQueue } from '../../src/job-queue.ts'
import type { JobScript, ServerFixtures } from '../support/fixtures.ts'
import type { PostgresServer } from '../support/postgres.ts'
import { until } from '../support/until.ts'
import type { WorkerOptions, WorkerProcess } from '../support/workers.ts'
import { countExecutions, readExecutions } from './executions.ts'
import { judgeRun, type FaultWindow, type Verdict } from './verdict.ts'

/** What a stage is made of: fixtures of the test, on a server of its own. */
export interface StageParts extends Pick<
  ServerFixtures,
  'child' | 'rows' | 'events' | 'schema' | 'databaseUrl'
> {
  readonly server: PostgresServer
  readonly queue: JobQueue
}

/** How jobs come while faults happen. */
export interface LoadOptions {
  readonly producers?: number
  readonly restMs?: number
  /** @default works for 5 ms */
  readonly args?: JobScript
  readonly options?: EnqueueOptions
}

const ENQUEUED_AT_ONCE = 1_000

/** Processes at work on a server, the faults that come over them, and what each job had promised. */
export class Stage {
  readonly server: PostgresServer
  readonly queue: JobQueue
  readonly rows: StageParts['rows']
  readonly events: StageParts['events']
  readonly schema: string
  readonly databaseUrl: string
  /** Jobs whose `enqueue` resolved. */
  readonly promised = new Set<string>()
  /** Ids that a database gave to a second job, as it had forgotten the first. */
  reissued = 0
  /** Why other calls rejected. */
  readonly refused: unknown[] = []
  /** In which processes write down their runs. */
  readonly folder: string
  readonly #child: StageParts['child']
  readonly #workers = new Set<WorkerProcess>()
  readonly #faults: FaultWindow[] = []
  readonly #loads = new Set<{ stop: AbortController; ended: Promise<unknown> }>()
  #isOver = false
  readonly #hiring: Promise<unknown>[] = []

  constructor({ server, queue, child, rows, events, schema, databaseUrl }: StageParts) {
    this.server = server
    this.queue = queue
    this.rows = rows
    this.events = events
    this.schema = schema
    this.databaseUrl = databaseUrl
    this.#child = child
    this.folder = mkdtempSync(path.join(inject('scratchFolder'), 'runs-'))
  }

  /** The processes that live. */
  get workers(): readonly WorkerProcess[] {
    return [...this.#workers]
  }

  /** Starts processes that receive. One that dies is replaced, as a platform does. */
  async hire(count: number, options: WorkerOptions = {}): Promise<void> {
    await Promise.all(Array.from({ length: count }, () => this.#hireOne(options)))
  }

  async #hireOne(options: WorkerOptions): Promise<void> {
    const worker = await this.#child.receive({ quiet: true, ...options, executions: this.folder })
    this.#workers.add(worker)
    void worker.exited.then(() => {
      this.#workers.delete(worker)
      if (this.#isOver) return
      const hiring = this.#hireOne(options)
      hiring.catch(() => undefined) // `close` tells
      this.#hiring.push(hiring)
    })
  }

  /** One of the processes, at random. */
  async someWorker(): Promise<WorkerProcess> {
    return until(() => this.workers[Math.floor(Math.random() * this.#workers.size)], {
      what: 'a worker',
    })
  }

  /** Enqueues so many jobs. */
  async enqueue(count: number, args: JobScript = { do: 'return' }): Promise<void> {
    for (let left = count; left > 0; left -= ENQUEUED_AT_ONCE) {
      const size = Math.min(left, ENQUEUED_AT_ONCE)
      const jobs = await this.queue.enqueueMany(Array.from({ length: size }, () => ({ args })))
      for (const { id } of jobs) this.promised.add(id)
    }
  }

  /** Enqueues all the time until the answer is called. */
  load({ producers = 3, restMs = 5, args, options }: LoadOptions = {}): () => Promise<void> {
    const stop = new AbortController()
    const produce = async (): Promise<void> => {
      while (!stop.signal.aborted) {
        try {
          const { id } = await this.queue.enqueue(args ?? { do: 'work', ms: 5 }, options)
          this.promise(id)
        } catch (error) {
          this.refused.push(error)
          await sleep(50)
        }
        await sleep(restMs)
      }
    }
    const ended = Promise.all(Array.from({ length: producers }, produce))
    const load = { stop, ended }
    this.#loads.add(load)
    return async () => {
      stop.abort()
      await ended
      this.#loads.delete(load)
    }
  }

  /** This job's `enqueue` resolved. */
  promise(id: string): void {
    if (this.promised.has(id)) this.reissued += 1
    this.promised.add(id)
  }

  /** Resolves when so many jobs are promised in all. */
  async untilPromised(count: number, withinMs: number): Promise<void> {
    await until(() => this.promised.size >= count, { what: `${count} jobs`, withinMs })
  }

  /** Lets a fault happen and notes when, and what of it is felt later. */
  async fault<T>(
    happen: () => Promise<T> | T,
    after: Pick<FaultWindow, 'forgottenMs'> = {},
  ): Promise<T> {
    const from = now()
    try {
      return await happen()
    } finally {
      this.#faults.push({ from, to: now(), ...after })
    }
  }

  /** Waits until so many more jobs have started. */
  async untilRan(count: number, withinMs: number): Promise<void> {
    const wanted = countExecutions(this.folder, 'start') + count
    const hasRan = async (): Promise<boolean> => {
      await sleep(20) // reading costs more than waiting
      return countExecutions(this.folder, 'start') >= wanted
    }
    await until(hasRan, { what: `${count} more starts of jobs`, withinMs })
  }

  /** Waits until a job starts, after now. */
  untilWorkGoesOn(withinMs: number): Promise<void> {
    return this.untilRan(1, withinMs)
  }

  /** Waits until nothing waits or runs any more, whatever the database does meanwhile. */
  async untilDone(withinMs: number): Promise<void> {
    const isEmpty = async (): Promise<boolean> => {
      try {
        return (await this.rows('select from {schema}.jobs limit 1')).length === 0
      } catch {
        return false // the server is away
      }
    }
    await until(isEmpty, { what: 'an empty queue', withinMs })
  }

  /** Stops everybody gracefully. Throws where a process did not stop, or could not be replaced. */
  async close(): Promise<void> {
    for (const { stop } of this.#loads) stop.abort()
    await Promise.all([...this.#loads].map(({ ended }) => ended))
    await Promise.all(this.#hiring)
    this.#isOver = true
    for (const worker of this.workers) {
      await worker.stop()
      const rejected = worker.messages.filter(({ type }) => type === 'receive rejected')
      if (rejected.length > 0) throw new Error(`receive rejected: ${JSON.stringify(rejected)}`)
    }
  }

  judge(): Verdict {
    return judgeRun(this.promised, readExecutions(this.folder), this.#faults)
  }
}

/** By the clock by which processes write down their runs. */
export function now(): number {
  return performance.timeOrigin + performance.now()
}
