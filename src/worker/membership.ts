import { randomUUID } from 'node:crypto'
import { hostname } from 'node:os'
import type { EventBus } from '../core/event-bus.ts'
import { answerWithin } from '../drivers/deadline.ts'
import { onAbort } from '../drivers/on-abort.ts'
import type { Store } from '../store/store.ts'
import { beat, declareAllDead, registerWorker, stopWorker } from '../store/workers.ts'
import { translateMissingSchema } from '../core/missing-schema.ts'
import { Backoff } from './backoff.ts'
import { Bell, pause } from './bell.ts'
import { Health } from './health.ts'
import { isHopeless } from './outage.ts'
import { QuietSession } from './quiet-session.ts'
import { Registration } from './registration.ts'

/** A lease is renewed so many times before it would run out. */
const BEATS_PER_LEASE = 5
const LONGEST_BEAT_MS = 6_000
/** A heartbeat without an answer for a third of the lease, or for this long, goes over another connection. */
const SHORTEST_PATIENCE_MS = 2_000
/** A stop waits no longer than this for the database to hear of it. */
const FAREWELL_MS = 2_000

/** Somebody who has to know when this process has a new connection to listen on. */
export type SessionListener = (session: QuietSession) => void

/**
 * This process as a worker: one row, one connection that carries the heartbeat (and listens), one
 * lease for all jobs in its hands. A running job costs no writes.
 *
 * Losing the connection is not losing the lease: a new one goes on with the same registration.
 * Only a heartbeat that changes no row, because an observer declared this worker dead, ends it.
 */
export class Membership {
  readonly #store: Store
  readonly #events: EventBus
  readonly #version: string
  readonly #countRuns: () => number
  readonly #health: Health
  readonly #leases = new Map<object, number>()
  readonly #bell = new Bell()
  readonly #waiters = new Set<() => void>()
  readonly #sessionListeners = new Set<SessionListener>()
  #registration: Registration | undefined
  /** A registration that is under way: a stop in this moment must not leave a worker behind that looks alive. */
  #registering: Promise<Registration> | undefined
  #session: QuietSession | undefined
  #failure: { readonly error: Error } | undefined
  /** It stopped or was abandoned: no more beats, and no new registration. */
  #isOver = false
  #unreachableSince: number | undefined

  constructor(store: Store, events: EventBus, version: string, countRuns: () => number) {
    this.#store = store
    this.#countRuns = countRuns
    this.#health = new Health(countRuns)
    this.#events = events
    this.#version = version
  }

  /** The registration under which claims can be made now; undefined while there is none. */
  get current(): Registration | undefined {
    return this.#registration?.isFresh(performance.now()) ? this.#registration : undefined
  }

  /** The connection that listens; undefined while it is lost. */
  get session(): QuietSession | undefined {
    return this.#session
  }

  /** The lease that holds: the shortest that any receiver of this process asked for. */
  get leaseMs(): number {
    return Math.min(...this.#leases.values())
  }

  /** A receiver asks for a lease of so many milliseconds, until it calls the answer. */
  askForLease(leaseMs: number): () => void {
    const key = {}
    this.#leases.set(key, leaseMs)
    this.#bell.ring()
    return () => this.#leases.delete(key)
  }

  /** Calls `listener` with the connection that listens, now and whenever there is a new one. */
  onSession(listener: SessionListener): () => void {
    this.#sessionListeners.add(listener)
    if (this.#session !== undefined) listener(this.#session)
    return () => this.#sessionListeners.delete(listener)
  }

  /**
   * Waits until there is a registration with a fresh lease. Undefined when `signal` aborted before.
   * Rejects when registering failed for a reason that waiting does not mend (a missing schema).
   */
  async ready(signal: AbortSignal): Promise<Registration | undefined> {
    while (!signal.aborted) {
      if (this.#failure !== undefined) throw this.#failure.error
      const { current } = this
      if (current !== undefined) return current
      await new Promise<void>((resolve) => {
        const end = (): void => {
          this.#waiters.delete(end)
          forget()
          resolve()
        }
        this.#waiters.add(end)
        const forget = onAbort(signal, end)
      })
    }
    return undefined
  }

  /** Registers, beats and reconnects until `signal` aborts. Ends with the connection closed. */
  async run(signal: AbortSignal): Promise<void> {
    const backoff = new Backoff()
    this.#health.begin()
    while (!signal.aborted && !this.#isOver) {
      try {
        await this.#live(signal, backoff)
      } catch (error) {
        if (signal.aborted) break
        if (isHopeless(error)) {
          this.#failure = { error: asError(translateMissingSchema(error, this.#store.schema)) }
          this.#tell()
          break
        }
        // Once the database is back, who waits for longer than a lease is dead to those who did not.
        const retryInMs = Math.min(backoff.failed(), this.leaseMs / BEATS_PER_LEASE)
        const attempt = backoff.failures
        this.#unreachableSince ??= performance.now()
        this.#events.emit({ type: 'database.unavailable', error, attempt, retryInMs })
        await pause(retryInMs, signal)
      }
    }
    this.#health.end()
    await this.#dropSession()
  }

  /** Says that this worker stopped and holds nothing. Its registration is over. */
  async stop(): Promise<void> {
    this.#isOver = true
    await this.#registering?.catch(() => undefined)
    const registration = this.#registration
    this.#registration = undefined
    if (registration === undefined || registration.lost.aborted) return
    const store = this.#store.until(AbortSignal.timeout(FAREWELL_MS))
    await stopWorker(store, registration.id, registration.token)
    this.#events.emit({ type: 'worker.stopped', workerId: registration.id })
  }

  /** Leaves the registration as it is: its lease runs out, and others free what it holds. */
  abandon(): void {
    this.#isOver = true
    this.#registration = undefined
  }

  /** The life of one connection: from its opening to its loss. */
  async #live(signal: AbortSignal, backoff: Backoff): Promise<void> {
    const session = new QuietSession(await this.#store.driver.openSession({ signal }))
    if (signal.aborted || this.#isOver) return session.close()
    // A stop does not wait for an answer that may never come.
    const stopClosing = onAbort(signal, () => void session.close())
    try {
      this.#registration ??= await this.#register(session)
      await this.#beat(session)
      this.#reached(backoff)
      this.#session = session
      for (const listener of this.#sessionListeners) listener(session)
      await this.#keepBeating(session, signal)
    } finally {
      stopClosing()
      this.#session = undefined
      const closed = session.close()
      if (signal.aborted) await closed // else the next connection does not wait for the goodbye of this one
    }
  }

  #reached(backoff: Backoff): void {
    backoff.succeeded()
    if (this.#unreachableSince === undefined) return
    const afterMs = performance.now() - this.#unreachableSince
    this.#unreachableSince = undefined
    this.#events.emit({ type: 'database.restored', afterMs })
  }

  async #keepBeating(session: QuietSession, signal: AbortSignal): Promise<void> {
    const ended = AbortSignal.any([signal, session.lost])
    while (!ended.aborted) {
      await this.#bell.wait(Math.min(LONGEST_BEAT_MS, this.leaseMs / BEATS_PER_LEASE), ended)
      if (ended.aborted || this.#isOver) break
      this.#registration ??= await this.#register(session)
      await this.#beat(session)
    }
    if (!signal.aborted && !this.#isOver) throw new ConnectionLost()
  }

  async #register(session: QuietSession): Promise<Registration> {
    this.#registering = this.#introduce(session)
    try {
      return await this.#registering
    } finally {
      this.#registering = undefined
    }
  }

  async #introduce(session: QuietSession): Promise<Registration> {
    const introduction = {
      token: randomUUID(),
      host: hostname(),
      pid: process.pid,
      version: this.#version,
      leaseMs: this.leaseMs,
    }
    const registeredAt = performance.now()
    const id = await registerWorker(this.#store, introduction, session)
    if (this.#store.driver.isExclusive) await declareAllDead(this.#store, [id])
    this.#events.emit({ type: 'worker.registered', workerId: id, leaseMs: introduction.leaseMs })
    return new Registration(id, introduction.token, introduction.leaseMs, registeredAt)
  }

  /** Renews the lease; finds out whether it was lost, and then registers under a new number. */
  async #beat(session: QuietSession): Promise<void> {
    const registration = this.#registration
    if (registration === undefined) return
    const sentAt = performance.now()
    const { id, token } = registration
    const { leaseMs } = this
    registration.leaseMs = Math.min(registration.leaseMs, leaseMs)
    const answer = beat(this.#store, { id, token, leaseMs }, this.#health.read(), session)
    const patience = { ms: Math.max(SHORTEST_PATIENCE_MS, leaseMs / 3) }
    if (await answerWithin(answer, patience, () => new ConnectionLost())) {
      registration.leaseMs = leaseMs
      registration.renew(sentAt)
      this.#health.told()
    } else if (this.#registration === registration) {
      this.#registration = undefined
      this.#events.emit({ type: 'worker.lease_lost', workerId: id, runs: this.#countRuns() })
      registration.lose()
      this.#registration = await this.#register(session)
    }
    this.#tell()
  }

  async #dropSession(): Promise<void> {
    const session = this.#session
    this.#session = undefined
    await session?.close()
  }

  #tell(): void {
    for (const end of [...this.#waiters]) end()
  }
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error('Registering failed.', { cause: error })
}

/** The connection ended without an error of its own to tell. */
class ConnectionLost extends Error {
  override readonly name = 'ConnectionLost'

  constructor() {
    super('The listening connection was lost, or went silent.')
  }
}
