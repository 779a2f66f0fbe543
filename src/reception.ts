import type { EventBus } from './core/event-bus.ts'
import { MillraceError } from './core/errors.ts'
import type { ResolvedQueueOptions } from './core/queue-options.ts'
import type { ResolvedDrainOptions, ResolvedReceiveOptions } from './core/receive-options.ts'
import type { Engine } from './engine.ts'
import type { OpenQueue, QueueAccess } from './queue-access.ts'
import { Backoff } from './worker/backoff.ts'
import { MAX_TIMER_MS, pause } from './worker/bell.ts'
import { completer } from './worker/complete.ts'
import type { Complete } from './worker/handler.ts'
import { isHopeless } from './worker/outage.ts'
import type { SharedParts } from './worker/parts.ts'
import { Receiver } from './worker/receiver.ts'
import type { Perform } from './worker/run.ts'
import type { Settlement } from './worker/settlement.ts'

const DRAIN_LEASE_MS = 30_000
const DRAIN_SHUTDOWN_MS = 25_000

/** What a `drain` worked off. */
export interface DrainResult {
  /** Jobs that finished. */
  readonly finished: number
  /** Jobs that failed for good, those that went to a dead-letter queue among them. */
  readonly failed: number
  /** Runs that failed and will be repeated later. */
  readonly retried: number
}

/** One call of `receive` or `drain`. */
export class Reception {
  readonly #engine: Engine
  readonly #events: EventBus
  readonly #access: QueueAccess
  readonly #options: ResolvedQueueOptions
  readonly #performer: (complete: Complete) => Perform

  constructor(
    engine: Engine,
    events: EventBus,
    access: QueueAccess,
    options: ResolvedQueueOptions,
    performer: (complete: Complete) => Perform,
  ) {
    this.#engine = engine
    this.#events = events
    this.#access = access
    this.#options = options
    this.#performer = performer
    const { cannotReceive } = engine.store.driver
    if (cannotReceive !== undefined) {
      throw new MillraceError('INVALID_DATABASE', {}, { message: cannotReceive })
    }
  }

  async receive(options: ResolvedReceiveOptions): Promise<void> {
    const { signal, leaseTimeoutMs } = options
    const queue = await this.#openPatiently(signal)
    if (queue === undefined) return
    await this.#engine.use(leaseTimeoutMs, this.#options.logger, (parts) =>
      this.#run(queue, this.#receiver(parts, queue, options), signal),
    )
  }

  async drain(options: ResolvedDrainOptions): Promise<DrainResult> {
    const result = { finished: 0, failed: 0, retried: 0 }
    const queue = await this.#access.open()
    // As with another process that owns the queue: what is due is in good hands.
    if (queue.isFifo === true && this.#engine.hasFifoTurn(queue.id)) return result
    const stop = new AbortController()
    const end = (): void => stop.abort()
    options.signal?.addEventListener('abort', end, { once: true })
    if (options.signal?.aborted) end()
    const { timeoutMs = Infinity } = options
    const timer = timeoutMs > MAX_TIMER_MS ? undefined : setTimeout(end, timeoutMs)
    const { signal } = stop
    try {
      await this.#engine.use(DRAIN_LEASE_MS, this.#options.logger, async (parts) => {
        const limits = {
          ...options,
          shutdownTimeoutMs: DRAIN_SHUTDOWN_MS,
          drainLimit: options.limit ?? Infinity,
        }
        const receiver = this.#receiver(parts, queue, limits)
        receiver.onSettled((settlement) => count(result, settlement))
        await Promise.race([parts.looked, whenAborted(signal)]) // what was just freed is due too
        await this.#run(queue, receiver, signal)
      })
    } finally {
      clearTimeout(timer)
      options.signal?.removeEventListener('abort', end)
    }
    return result
  }

  #run(queue: OpenQueue, receiver: Receiver, signal: AbortSignal): Promise<void> {
    if (queue.isFifo !== true) return this.#engine.receive(receiver, signal)
    return this.#engine.receiveInTurn(receiver, signal)
  }

  /** The queue, as soon as the database answers; undefined when `signal` aborted before. */
  async #openPatiently(signal: AbortSignal): Promise<OpenQueue | undefined> {
    const backoff = new Backoff()
    while (!signal.aborted) {
      try {
        return await Promise.race([this.#access.open(), whenAborted(signal)])
      } catch (error) {
        if (isHopeless(error)) throw error
        const retryInMs = backoff.failed()
        const attempt = backoff.failures
        this.#events.emit({ type: 'database.unavailable', error, attempt, retryInMs })
        await pause(retryInMs, signal)
      }
    }
    return undefined
  }

  #receiver(
    parts: SharedParts,
    queue: OpenQueue,
    options: { concurrency: number; shutdownTimeoutMs: number; drainLimit?: number },
  ): Receiver {
    const { pollIntervalMs, queueName, keepFailedMs } = this.#options
    const { baseRetryDelayMs, maxRetryDelayMs, retryJitter } = this.#options
    const complete = completer(this.#engine.store, this.#events, {
      queueName,
      keepFinishedMs: queue.keepFinishedMs,
    })
    return new Receiver(
      { ...parts, events: this.#events },
      {
        queueId: queue.id,
        queueName,
        isFifo: queue.isFifo === true,
        dlqId: queue.dlqId,
        dlqName: queue.dlqName,
        keepFinishedMs: queue.keepFinishedMs,
        keepFailedMs,
        judgePolicy: {
          baseRetryDelayMs,
          maxRetryDelayMs,
          retryJitter,
          hasDlq: queue.dlqId !== null,
        },
        pollIntervalMs,
        concurrency: options.concurrency,
        shutdownTimeoutMs: options.shutdownTimeoutMs,
        drainLimit: options.drainLimit,
      },
      this.#performer(complete),
    )
  }
}

/** Resolves with undefined when `signal` aborts. */
async function whenAborted(signal: AbortSignal): Promise<undefined> {
  await pause(Infinity, signal)
  return undefined
}

function count(
  result: { finished: number; failed: number; retried: number },
  settlement: Settlement,
): void {
  const { verdict, isCancelled, isSettled, completed } = settlement
  if (isCancelled) return
  if (!isSettled && !completed) return // its lease was lost: others say what became of it
  if (verdict.to === 'finished' || !isSettled) result.finished += 1
  else if (verdict.to !== 'available') result.failed += 1
  else if (verdict.error !== undefined) result.retried += 1
}
