import type { ClientBase } from 'pg'
import type { ScenarioName } from './results.ts'

/** What every job of the benchmark carries: its number, and some text as real jobs have. */
export interface Payload {
  /** From 0 up, without gaps: a run checks by it that every job ran. */
  readonly n: number
  readonly text: string
}

/** What a scenario may ask for beyond `enqueue` and `receive`; a contender is left out where it can't. */
export type Ability =
  /** `enqueueMany` in statements of many jobs. */
  | 'bulk'
  /** `enqueueIn` a transaction of the caller's. */
  | 'transactions'
  /** Finished jobs stay in the database, readable, for a day at least. */
  | 'keep'
  /** Finished jobs are deleted. */
  | 'discard'
  /** Strict order within one queue, one job at a time. */
  | 'fifo'
  | 'retries'
  | 'priorities'
  /** Two processes may work on the same database. */
  | 'processes'
  /** The database holds a snapshot open, and counts WAL and statements: PostgreSQL as a server. */
  | 'postgres'

/** How a scenario wants the queue to be. Whatever is not said here is at the contender's settings. */
export interface QueueNeeds {
  /** Handlers that may run at once in one process; undefined is the library's default. */
  readonly concurrency?: number
  /** Whether finished jobs stay. Undefined is what the contender does by itself. */
  readonly finished?: 'keep' | 'discard'
  readonly fifo?: boolean
  /** A job that fails is retried once, as soon as the library can. */
  readonly retries?: boolean
  /** How many queues the process receives from; 1 unless said. Jobs go into the first. */
  readonly queues?: number
}

/** A job queue, as the benchmark uses it. One file each in `contenders/`. */
export interface Contender {
  /** As in the tables and on the command line: `graphile-worker`, `graphile-worker-best`. */
  readonly name: string
  readonly library: string
  readonly version: string
  readonly backend: 'postgres' | 'redis' | 'pglite'
  /** Whether it is at its defaults (but for the concurrency that the scenario asks for), or at its best documented settings. */
  readonly tuning: 'defaults' | 'best'
  /** What differs from the library's defaults, as it is printed in the report. */
  readonly settings: Readonly<Record<string, unknown>>
  readonly abilities: ReadonlySet<Ability>
  /** The major of Node that its processes run on, where it is not the one of the whole benchmark. */
  readonly node?: '20'
  /** The scenarios that it is for; unless said, all that its abilities allow. */
  readonly only?: readonly ScenarioName[]
  /**
   * Connects one process. Nothing may be written before `prepare`. The url is `postgres://…` with a database of its
   * own for each run, or `redis://…` with a server of its own; for PGlite it is the path of an empty folder.
   */
  open(url: string, needs: QueueNeeds): Promise<OpenQueue>
}

/** One process's hold on a queue. */
export interface OpenQueue {
  /** Makes an empty database ready for use: schema, queues. Called once a run, in one process. */
  prepare(): Promise<void>
  /** Resolves when the job is durable. */
  enqueue(payload: Payload, options?: { priority?: number }): Promise<void>
  /** All of them, in the way and the batch size that the library documents as the fastest. */
  enqueueMany(payloads: readonly Payload[], options?: { priority?: number }): Promise<void>
  /** In the caller's open transaction. */
  enqueueIn(tx: ClientBase, payload: Payload): Promise<void>
  /** Starts to work; resolves as soon as the library says that it does. */
  receive(handler: Handler): Promise<Receiving>
  /** Puts `count` finished jobs into history, by SQL where that is the quickest: they look like real ones. */
  fillHistory(count: number): Promise<void>
  /** Jobs that wait or run, for the check at the end of a run. */
  unfinished(): Promise<number>
  /** Finished jobs that are still there, for the check where a scenario asked to keep them. */
  finished?(): Promise<number>
  /** Closes every connection of this process. */
  close(): Promise<void>
}

/** What is done with each job. It throws where the scenario wants a failure. */
export type Handler = (payload: Payload) => Promise<void> | void

export interface Receiving {
  /** Lets running jobs end, and resolves when everything is written down. */
  stop(): Promise<void>
}
