import type { EventBus } from './core/event-bus.ts'
import type { ResolvedQueueOptions } from './core/queue-options.ts'
import { MillraceError } from './core/errors.ts'
import type { DBTX } from './drivers/driver.ts'
import { LATEST_VERSION } from './migrations/all.ts'
import { checkSchema } from './migrations/check.ts'
import { addPartition } from './store/history.ts'
import {
  changeQueue,
  ensureQueue,
  findQueue,
  type QueueRow,
  type QueueSettings,
} from './store/queues.ts'
import type { Store } from './store/store.ts'

/** What a queue gets that is only known as somebody's dead-letter queue. */
const DLQ_SETTINGS: QueueSettings = {
  isFifo: null,
  dlqId: null,
  keepFinishedMs: 24 * 3_600_000,
  keepFailedMs: 30 * 24 * 3_600_000,
  baseRetryDelayMs: 2_000,
  maxRetryDelayMs: 3_600_000,
  retryJitter: 0,
}

/** A queue's row with what only the options know: the name of its dead-letter queue. */
export interface OpenQueue extends QueueRow {
  readonly dlqName: string | undefined
}

/**
 * The way to a queue's row: made at the first use, checked against what is stored, and remembered;
 * but not when it was made in a caller's transaction, which may roll back.
 */
export class QueueAccess {
  readonly #store: Store
  readonly #events: EventBus
  readonly #options: ResolvedQueueOptions
  /** A process with a worker says how the queue is; one that only enqueues leaves stored settings alone. */
  readonly #isAuthority: boolean
  #opened: OpenQueue | undefined
  #opening: Promise<OpenQueue> | undefined
  #found: QueueRow | undefined
  /** As transactions of callers found it: enough to enqueue, but no room was made for what it keeps. */
  #foundInTransaction: OpenQueue | undefined

  constructor(store: Store, events: EventBus, options: ResolvedQueueOptions, isAuthority: boolean) {
    this.#store = store
    this.#events = events
    this.#options = options
    this.#isAuthority = isAuthority
  }

  /** The queue, opened on the database or, with `tx`, by nothing but that transaction. */
  async open(tx?: DBTX): Promise<OpenQueue> {
    if (this.#opened !== undefined) return this.#opened
    if (tx !== undefined) return this.#openIn(tx)
    this.#opening ??= this.#open(undefined).finally(() => {
      this.#opening = undefined
    })
    this.#opened = await this.#opening
    return this.#opened
  }

  /** The queue for those who only look at it: as it is stored, or undefined when nobody has opened it yet. */
  async find(): Promise<QueueRow | undefined> {
    if (this.#opened !== undefined) return this.#opened
    this.#found ??= await findQueue(this.#store, this.#options.queueName)
    return this.#found
  }

  /** Remembered only where no rollback can take it away: a process may enqueue in nothing but transactions. */
  async #openIn(tx: DBTX): Promise<OpenQueue> {
    if (this.#foundInTransaction !== undefined) return this.#foundInTransaction
    const queue = await this.#open(tx)
    if (queue.isOld) this.#foundInTransaction = queue
    return queue
  }

  async #open(tx: DBTX | undefined): Promise<OpenQueue> {
    const { queueName, dlq } = this.#options
    await this.#checkSchema(tx ?? this.#store.driver)
    const dlqRow =
      dlq === undefined ? undefined : await ensureQueue(this.#store, dlq, DLQ_SETTINGS, tx)
    const settings = this.#settings(dlqRow?.id ?? null)
    const row = await ensureQueue(this.#store, queueName, settings, tx)
    if (row.isFifo !== settings.isFifo) throw modeMismatch(queueName, row.isFifo, settings.isFifo)
    if (!this.#isAuthority) return { ...row, ...settings, dlqName: dlq }
    const isChanged = await changeQueue(this.#store, row.id, settings, tx)
    if (tx === undefined) await this.#makeRoom(settings)
    return { ...row, ...settings, isOld: row.isOld && !isChanged, dlqName: dlq }
  }

  /** A schema that is newer and still admits this release is used, and said to be so. */
  async #checkSchema(db: DBTX): Promise<void> {
    const { schema } = this.#store
    const { current: version } = await checkSchema(db, schema)
    const known = LATEST_VERSION
    if (version > known) this.#events.emit({ type: 'schema.unknown', schema, version, known })
  }

  /** A handler that completes its job would make a missing day in its own transaction, and hold up all others until its end. */
  async #makeRoom({ keepFinishedMs }: QueueSettings): Promise<void> {
    if (keepFinishedMs !== null) await addPartition(this.#store, keepFinishedMs)
  }

  #settings(dlqId: number | null): QueueSettings {
    const { fifo, keepFinishedMs, keepFailedMs } = this.#options
    const { baseRetryDelayMs, maxRetryDelayMs, retryJitter } = this.#options
    return {
      isFifo: fifo,
      dlqId,
      keepFinishedMs: keepFinishedMs === false ? null : keepFinishedMs,
      keepFailedMs,
      baseRetryDelayMs,
      maxRetryDelayMs,
      retryJitter,
    }
  }
}

function modeMismatch(
  queueName: string,
  storedIsFifo: boolean | null,
  requestedIsFifo: boolean | null,
): MillraceError {
  const stored = storedIsFifo ? 'fifo' : 'concurrent'
  const requested = requestedIsFifo ? 'fifo' : 'concurrent'
  return new MillraceError(
    'QUEUE_MODE_MISMATCH',
    { queueName, stored, requested },
    {
      message:
        `The queue "${queueName}" is stored as ${stored} and was opened as ${requested}. ` +
        `Open it with fifo: ${storedIsFifo === true}, or use another name.`,
    },
  )
}
