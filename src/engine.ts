import { EventBus } from './core/event-bus.ts'
import { logEvents, type Logger } from './core/logger.ts'
import { Tallies } from './core/tally.ts'
import type { Driver } from './drivers/driver.ts'
import { maintain } from './maintenance/maintenance.ts'
import { TallyWriter } from './metrics/tally-writer.ts'
import type { InsertedJob, NewJob } from './store/insert.ts'
import { compareNumerals } from './store/numerals.ts'
import { notify } from './store/poll.ts'
import { Store } from './store/store.ts'
import type { WakeMode } from './store/wake.ts'
import { version } from './version.ts'
import { atMost, pause } from './worker/bell.ts'
import { Exclusivity } from './worker/exclusivity.ts'
import { Journal } from './worker/journal.ts'
import { Membership } from './worker/membership.ts'
import type { SharedParts } from './worker/parts.ts'
import type { Receiver } from './worker/receiver.ts'
import { Sweep } from './worker/sweep.ts'
import { Waker } from './worker/waker.ts'

/** A stop waits no longer than this for the database to hear of it. */
const FAREWELL_MS = 2_000

const engines = new WeakMap<object, Map<string, Engine>>()

/** The engine for a database object and a schema: one for all queues of this process that use both. */
export function engineFor(driver: Driver, schema: string): Engine {
  const ofDatabase = engines.get(driver.identity) ?? new Map<string, Engine>()
  engines.set(driver.identity, ofDatabase)
  const engine = ofDatabase.get(schema) ?? new Engine(new Store(driver, schema))
  ofDatabase.set(schema, engine)
  return engine
}

/** What runs while at least one receiver does. */
interface Running {
  readonly parts: SharedParts
  readonly stop: AbortController
  /** The last word: whoever still waits for the database gives up. */
  readonly over: AbortController
  readonly ended: Promise<unknown>
}

/**
 * What the receivers of one process share: one worker row with one heartbeat, one listening
 * connection, one poll for all queues that sleep, one maintenance loop. It runs while there is a
 * receiver, and leaves nothing behind when the last one is gone.
 */
export class Engine {
  readonly store: Store
  readonly events = new EventBus()
  /** What this process counts, with or without a receiver. */
  readonly tallies: Tallies
  readonly #tallyWriter: TallyWriter
  readonly #receivers = new Set<Receiver>()
  readonly #loggers = new Map<Logger, { users: number; detach: () => void }>()
  readonly #fifoTurns = new Map<number, Promise<void>>()
  #running: Running | undefined
  #users = 0
  /** Receivers that stopped and have something to write down still; they go on with that while others receive. */
  #unclean = new Set<Receiver>()

  constructor(store: Store) {
    this.store = store
    this.tallies = new Tallies(() => this.#tallyWriter.writeSoon())
    this.#tallyWriter = new TallyWriter(store, this.events, this.tallies)
    this.events.on(
      (event) => {
        if (event.type === 'job.cancelled') this.tallies.of(event.queueName).count('cancelled', 1)
        const hasCrashed = event.type === 'job.rescued' && event.ranAlone
        if (hasCrashed) this.tallies.of(event.queueName).count('crashed', 1)
      },
      ['job.cancelled', 'job.rescued'],
    )
  }

  /** Runs `work` with the shared parts, started before and, after the last user, stopped. */
  async use<T>(
    leaseMs: number,
    logger: Logger,
    work: (parts: SharedParts) => Promise<T>,
  ): Promise<T> {
    const detachLogger = this.#attachLogger(logger)
    this.#users += 1
    this.#running ??= this.#start(leaseMs)
    const running = this.#running
    const releaseLease = running.parts.membership.askForLease(leaseMs)
    try {
      return await work(running.parts)
    } finally {
      this.#users -= 1
      if (this.#users === 0) {
        this.#running = undefined
        await this.#stop(running)
      }
      releaseLease()
      detachLogger()
    }
  }

  /** Runs a receiver, known to the others of this process: what they enqueue wakes it at once. */
  async receive(receiver: Receiver, signal: AbortSignal): Promise<void> {
    this.#receivers.add(receiver)
    try {
      await receiver.run(signal)
    } finally {
      this.#receivers.delete(receiver)
      if (!receiver.isClean) this.#unclean.add(receiver)
    }
  }

  /**
   * Receives a FIFO queue when no other receiver of this process works on it: a worker owns a queue,
   * and two receivers of one worker would both believe that they own it.
   */
  async receiveInTurn(receiver: Receiver, signal: AbortSignal): Promise<void> {
    const { queueId } = receiver
    while (this.#fifoTurns.has(queueId) && !signal.aborted) {
      await Promise.race([this.#fifoTurns.get(queueId), aborted(signal)])
    }
    if (signal.aborted) return
    const { promise, resolve } = newPromise()
    this.#fifoTurns.set(queueId, promise)
    try {
      await this.receive(receiver, signal)
    } finally {
      receiver.onReleased(() => {
        this.#fifoTurns.delete(queueId)
        resolve()
      })
    }
  }

  /** Whether a receiver of this process works on the FIFO queue. */
  hasFifoTurn(queueId: number): boolean {
    return this.#fifoTurns.has(queueId)
  }

  /** Whether a receiver of this process has nothing else to do than to start so many jobs of a queue. */
  takesAtOnce(queueId: number, count: number): boolean {
    for (const receiver of this.#receivers) {
      if (receiver.queueId === queueId && receiver.takesAtOnce(count)) return true
    }
    return false
  }

  /**
   * Jobs were committed by this process: its own receivers need no notification. If nobody was woken, and the receiver
   * that was to take them has something else to do by now, the others hear of them after all.
   */
  enqueued(
    queueId: number,
    jobs: readonly NewJob[],
    inserted: readonly InsertedJob[],
    wake: WakeMode,
  ): void {
    if (wake === 'never' && !this.takesAtOnce(queueId, jobs.length)) {
      notify(this.store, String(queueId)).catch((error: unknown) =>
        this.events.emit({ type: 'poll.failed', error }),
      )
    }
    const receivers = [...this.#receivers].filter((receiver) => receiver.queueId === queueId)
    if (receivers.length === 0) return
    for (const [priority, runAt] of earliest(jobs, inserted)) {
      for (const receiver of receivers) receiver.include(priority, runAt)
    }
  }

  /** Something in a queue changed that its receivers in this process should see at once. */
  wake(queueId: number): void {
    this.#running?.parts.waker.wake(queueId)
  }

  /** Writes down now what was counted, before this process ends. Never rejects, and never takes long. */
  writeStatistics(): Promise<void> {
    return atMost(this.#tallyWriter.write(AbortSignal.timeout(FAREWELL_MS)), FAREWELL_MS)
  }

  #start(leaseMs: number): Running {
    const { events } = this
    const stop = new AbortController()
    const over = new AbortController()
    const { signal } = stop
    const store = this.store.until(signal)
    const exclusivity = new Exclusivity()
    const membership = new Membership(this.store, events, version, () => exclusivity.running)
    const waker = new Waker(store, membership, events)
    const { promise: looked, resolve } = newPromise()
    const ownLeaseMs = (): number => Math.min(leaseMs, membership.leaseMs)
    const own = { store, events, pause, leaseMs: ownLeaseMs, looked: resolve }
    const sweep = new Sweep(store, events, membership, () => [...this.#receivers, ...this.#unclean])
    membership.onSession(() => sweep.connected())
    const loops = [membership.run(signal), waker.run(signal), sweep.run(signal)]
    const ended = Promise.all([...loops, maintain(own, signal)])
    this.#unclean = new Set()
    const { tallies } = this
    const lasting = this.store.until(over.signal)
    const journal = new Journal(lasting, events, over.signal)
    const shared = { events, tallies, membership, waker, exclusivity, journal, looked }
    return { parts: { ...shared, store: lasting, ended: over.signal }, stop, over, ended }
  }

  /** Says goodbye if the database listens, and ends the loops. Never takes long. */
  async #stop({ parts, stop, over, ended }: Running): Promise<void> {
    const { membership } = parts
    const written = this.writeStatistics()
    if ([...this.#unclean].every((receiver) => receiver.isClean)) {
      const farewell = membership.stop().catch((error: unknown) => {
        this.events.emit({ type: 'maintenance.failed', chore: 'stop worker', error })
      })
      await atMost(farewell, FAREWELL_MS)
    } else {
      membership.abandon()
    }
    stop.abort()
    await written
    await atMost(ended, FAREWELL_MS)
    over.abort()
  }

  /** Logs what the engine meets, once for each logger however many queues share it. */
  #attachLogger(logger: Logger): () => void {
    const known = this.#loggers.get(logger)
    const entry = known ?? { users: 0, detach: logEvents(this.events, logger) }
    entry.users += 1
    this.#loggers.set(logger, entry)
    return () => {
      entry.users -= 1
      if (entry.users > 0) return
      entry.detach()
      this.#loggers.delete(logger)
    }
  }
}

function aborted(signal: AbortSignal): Promise<void> {
  return pause(Infinity, signal)
}

function newPromise(): { promise: Promise<void>; resolve: () => void } {
  let resolve = (): void => {}
  const promise = new Promise<void>((end) => {
    resolve = end
  })
  return { promise, resolve }
}

/** When the first of these jobs is due, by priority. */
function earliest(
  jobs: readonly NewJob[],
  inserted: readonly InsertedJob[],
): Map<number, InsertedJob['runAt']> {
  const found = new Map<number, InsertedJob['runAt']>()
  for (const [index, { runAt }] of inserted.entries()) {
    const priority = jobs[index]?.options.priority ?? 0
    const known = found.get(priority)
    if (known === undefined || compareNumerals(runAt, known) < 0) found.set(priority, runAt)
  }
  return found
}
