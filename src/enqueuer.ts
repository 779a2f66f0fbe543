import {
  pathOfArgs,
  resolveItems,
  type JobRules,
  type ResolvedJobOptions,
} from './core/enqueue-options.ts'
import type { EventBus } from './core/event-bus.ts'
import type { Job } from './core/job.ts'
import { encodeArgs } from './core/json.ts'
import { readMetadata } from './core/metadata.ts'
import type { QueueTally } from './core/tally.ts'
import type { DBTX } from './drivers/driver.ts'
import { describeOutcome, GroupCommit } from './enqueue/group-commit.ts'
import type { Engine } from './engine.ts'
import type { OpenQueue } from './queue-access.ts'
import { insertJobs, type InsertedJob, type NewJob } from './store/insert.ts'
import { microsToDate } from './store/instants.ts'
import type { Store } from './store/store.ts'
import type { WakeMode } from './store/wake.ts'

/** Jobs go into one statement up to this size; more of them into one transaction of several. */
const MAX_STATEMENT_JOBS = 2_000
const MAX_STATEMENT_BYTES = 4 * 1024 * 1024

/** A job that passed every check and every middleware. */
export interface ReadyJob {
  readonly argsJson: string
  readonly metadataJson: string
  readonly options: ResolvedJobOptions
  /** Gives it up as long as nothing was sent. */
  readonly signal: AbortSignal | undefined
}

/** Checks the jobs of an `enqueueMany`. Throws `INVALID_OPTION`, `INVALID_ARGS`, `ARGS_TOO_LARGE`, which name the job. */
export function readyJobs(
  items: unknown,
  { fifo, maxArgsBytes }: JobRules & { readonly maxArgsBytes: number },
  signal: AbortSignal | undefined,
): ReadyJob[] {
  return resolveItems(items, { fifo }).map(({ args, options }, index) => ({
    argsJson: encodeArgs(args, { maxBytes: maxArgsBytes, path: () => pathOfArgs(index) }),
    metadataJson: options.metadataJson,
    options,
    signal,
  }))
}

/** Puts checked jobs into a queue: alone in group commits, many at once, or in a caller's transaction. */
export class Enqueuer {
  readonly #engine: Engine
  readonly #events: EventBus
  readonly #queueName: string
  readonly #tally: QueueTally
  #groups: GroupCommit | undefined

  constructor(engine: Engine, events: EventBus, queueName: string) {
    this.#engine = engine
    this.#events = events
    this.#queueName = queueName
    this.#tally = engine.tallies.of(queueName)
  }

  /** Stores one job, sharing its commit with others that come at the same time. */
  async one<Args>(queue: Pick<OpenQueue, 'id'>, ready: ReadyJob): Promise<Job<Args>> {
    this.#groups ??= new GroupCommit(this.#store, queue.id, {
      options: { onWait: (ms) => this.#warnOfPool(ms) },
      wakeFor: (count) => this.#wakeFor(queue.id, count),
      committed: (jobs, inserted, wake) => this.#engine.enqueued(queue.id, jobs, inserted, wake),
    })
    const inserted = await this.#groups.insert(ready, ready.signal)
    this.#tally.enqueued(Number(inserted.createdAt), 1)
    return this.#announce<Args>(ready, inserted)
  }

  /** Stores jobs, all or none, in the order given. */
  async many<Args>(
    queue: Pick<OpenQueue, 'id'>,
    ready: readonly ReadyJob[],
    tx: DBTX | undefined,
  ): Promise<Job<Args>[]> {
    for (const { signal } of ready) signal?.throwIfAborted()
    const wake = tx === undefined ? this.#wakeFor(queue.id, ready.length) : 'ask'
    const inserted = await this.#insert(queue, ready, { tx, wake })
    if (tx === undefined) this.#engine.enqueued(queue.id, ready, inserted, wake)
    const [first] = inserted
    if (first !== undefined) this.#tally.enqueued(Number(first.createdAt), inserted.length)
    return ready.map((job, index) => this.#announce<Args>(job, at(inserted, index)))
  }

  async #insert(
    queue: Pick<OpenQueue, 'id'>,
    jobs: readonly NewJob[],
    { tx, wake }: { tx: DBTX | undefined; wake: WakeMode },
  ): Promise<InsertedJob[]> {
    const store = this.#store
    if (tx !== undefined) return insertAll(store, queue.id, jobs, { tx, wake })
    const options = { onWait: (ms: number) => this.#warnOfPool(ms) }
    try {
      if (statements(jobs).length <= 1)
        return await insertJobs(store, queue.id, jobs, { wake, options })
      return await store.transaction(
        (own) => insertAll(store, queue.id, jobs, { tx: own, wake }),
        options,
      )
    } catch (error) {
      throw describeOutcome(store, error)
    }
  }

  get #store(): Store {
    return this.#engine.store
  }

  /** Nobody else need wake for what this process is about to run. */
  #wakeFor(queueId: number, count: number): WakeMode {
    return this.#engine.takesAtOnce(queueId, count) ? 'never' : 'ask'
  }

  #warnOfPool(waitedMs: number): void {
    this.#events.emit({ type: 'pool.exhausted', queueName: this.#queueName, waitedMs })
  }

  #announce<Args>(ready: ReadyJob, inserted: InsertedJob): Job<Args> {
    const { id } = inserted
    const queueName = this.#queueName
    if (this.#events.wants('job.enqueued'))
      this.#events.emit({ type: 'job.enqueued', jobId: id, queueName })
    return {
      id,
      queueName,
      args: JSON.parse(ready.argsJson) as Args,
      metadata: readMetadata(ready.metadataJson),
      attempt: 0,
      maxRetries: ready.options.maxRetries,
      createdAt: microsToDate(inserted.createdAt),
      scheduledAt: microsToDate(inserted.runAt),
    }
  }
}

async function insertAll(
  store: Store,
  queueId: number,
  jobs: readonly NewJob[],
  how: { readonly tx: DBTX; readonly wake: WakeMode },
): Promise<InsertedJob[]> {
  const inserted = []
  for (const part of statements(jobs))
    inserted.push(...(await insertJobs(store, queueId, part, how)))
  return inserted
}

/** Jobs in portions of a statement each. */
function statements(jobs: readonly NewJob[]): NewJob[][] {
  const parts: NewJob[][] = []
  let bytes = Infinity
  for (const job of jobs) {
    const size = job.argsJson.length + job.metadataJson.length
    const last = parts.at(-1)
    if (
      last === undefined ||
      last.length === MAX_STATEMENT_JOBS ||
      bytes + size > MAX_STATEMENT_BYTES
    ) {
      parts.push([job])
      bytes = size
    } else {
      last.push(job)
      bytes += size
    }
  }
  return parts
}

function at(inserted: readonly InsertedJob[], index: number): InsertedJob {
  const row = inserted[index]
  if (row === undefined) throw new Error('insert_jobs answered fewer rows than jobs')
  return row
}
