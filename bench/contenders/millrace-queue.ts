import { setTimeout as sleep } from 'node:timers/promises'
import type { ClientBase } from 'pg'
import { type Database, JobQueue, migrateUp, receiveAll } from '../../dist/index.js'
import { type BatchPlan, inBatches } from './batches.ts'
import type { Handler, OpenQueue, Payload, QueueNeeds, Receiving } from '../contender.ts'

/** A database as Millrace takes it, and what an adapter needs of it besides. */
export interface OpenDatabase {
  readonly db: Database
  query(text: string, values?: unknown[]): Promise<unknown[]>
  close(): Promise<void>
}

const NAME = 'bench'
/** One call is one transaction on one connection; a caller with many jobs makes two calls at a time. */
export const MANY: BatchPlan = { size: 2_000, atOnce: 2 }
const NOT_RECEIVING: Handler = () => {
  throw new Error('A job ran in a process that does not receive')
}

/** Millrace on any database that it takes. */
export class MillraceQueue implements OpenQueue {
  readonly #database: OpenDatabase
  readonly #needs: QueueNeeds
  readonly #queues: JobQueue<Payload, void>[]
  readonly #first: JobQueue<Payload, void>
  #handler: Handler = NOT_RECEIVING

  constructor(database: OpenDatabase, needs: QueueNeeds) {
    this.#database = database
    this.#needs = needs
    this.#first = this.#makeQueue(NAME)
    const others = Array.from({ length: (needs.queues ?? 1) - 1 }, (_, index) =>
      this.#makeQueue(`${NAME}-${index + 2}`),
    )
    this.#queues = [this.#first, ...others]
  }

  async prepare(): Promise<void> {
    await migrateUp(this.#database.db)
  }

  async enqueue(payload: Payload, options?: { priority?: number }): Promise<void> {
    await this.#first.enqueue(payload, this.#options(options))
  }

  async enqueueMany(payloads: readonly Payload[], options?: { priority?: number }): Promise<void> {
    const each = this.#options(options)
    await inBatches(payloads, MANY, async (batch) =>
      this.#first.enqueueMany(batch.map((args) => ({ ...each, args }))),
    )
  }

  async enqueueIn(tx: ClientBase, payload: Payload): Promise<void> {
    await this.#first.enqueue(payload, { tx })
  }

  async receive(handler: Handler): Promise<Receiving> {
    this.#handler = handler
    const stop = new AbortController()
    const registered = this.#untilRegistered()
    const ended = receiveAll(this.#queues, {
      signal: stop.signal,
      concurrency: this.#needs.concurrency,
    })
    await Promise.race([registered, ended])
    return {
      stop: async () => {
        stop.abort()
        await ended
      },
    }
  }

  async fillHistory(count: number): Promise<void> {
    // A first one by Millrace itself: it makes the partition, and says how such a row looks.
    const before = await this.finished()
    const stop = new AbortController()
    this.#handler = () => {}
    await this.#first.enqueue({ n: 0, text: 'The first of history' })
    const ended = this.#first.receive({ signal: stop.signal })
    while ((await this.finished()) === before) await sleep(5)
    stop.abort()
    await ended
    await this.#database.query(
      `insert into millrace.history
         (id, expires_at, finished_at, started_at, run_at, created_at, queue_id, priority, max_retries, retry_policy,
          outcome, attempt, error_count, worker_id, claim_no, args, metadata)
       select
         nextval('millrace.job_ids'), expires_at, finished_at, started_at, run_at, created_at, queue_id, priority,
         max_retries, retry_policy, outcome, attempt, error_count, worker_id, claim_no, args, metadata
       from (select * from millrace.history limit 1) as first_one
       cross join generate_series(2, $1::int)`,
      [count],
    )
  }

  async unfinished(): Promise<number> {
    return this.#count('select count(*)::int as count from millrace.jobs')
  }

  async finished(): Promise<number> {
    return this.#count(
      `select count(*)::int as count from millrace.history where outcome = 'finished'`,
    )
  }

  async close(): Promise<void> {
    await this.#database.close()
  }

  #makeQueue(queueName: string): JobQueue<Payload, void> {
    const { finished, fifo, retries } = this.#needs
    const work = (job: { args: Payload }): Promise<void> | void => this.#handler(job.args)
    return new JobQueue<Payload, void>(this.#database.db, work, {
      queueName,
      fifo,
      ...(finished === 'discard' && { keepFinished: false }),
      // "As soon as the library can": the default waits 2 s.
      ...(retries === true && { baseRetryDelay: 0 }),
      // Failures are meant here; a line for each would be measured too.
      ...(retries === true && { logger: SILENT }),
    })
  }

  #options(options: { priority?: number } | undefined): { priority?: number; maxRetries?: number } {
    return this.#needs.retries === true ? { ...options, maxRetries: 1 } : { ...options }
  }

  /** Resolves when this process can be given jobs. Nobody observes any longer than that: events cost time. */
  async #untilRegistered(): Promise<void> {
    await new Promise<void>((resolve) => {
      const forget = this.#first.observe(({ type }) => {
        if (type !== 'worker.registered') return
        forget()
        resolve()
      })
    })
  }

  async #count(text: string): Promise<number> {
    const [row] = (await this.#database.query(text)) as { count: number }[]
    return row?.count ?? 0
  }
}

const SILENT = { debug() {}, info() {}, warn() {}, error() {} }
