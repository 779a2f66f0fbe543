import { markWithoutEffect, refuseAborted } from './connection-errors.ts'
import { answerWithin } from './deadline.ts'
import type { RunOptions } from './driver.ts'
import { onAbort } from './on-abort.ts'
import {
  destroySocket,
  ignore,
  type PgClient,
  type PgPool,
  type PgPoolClient,
} from './pg-shapes.ts'
import { type ConnectionOwner, PoolConnection } from './pool-connection.ts'
import { type SentStatement, SilentBackends } from './silent-backends.ts'

/** How long this room waits. Only tests choose others than the defaults. */
export interface PoolTimes {
  /** Without an answer for so long, a statement that was sent is given up. @default 15_000 */
  answerMs: number
  /** Without a connection for so long, an attempt to connect is given up. @default 15_000 */
  connectMs: number
  /** After so long a wait for a pool without a free connection, `onWait` is called. @default 5_000 */
  noticeMs: number
}

/** The times that the documentation promises. */
export const DEFAULT_TIMES: PoolTimes = { answerMs: 15_000, connectMs: 15_000, noticeMs: 5_000 }

/**
 * An attempt to connect that somebody else made is given that many times longer than ours:
 * it may be a database that is waking up, but it must not hold a place in the pool for ever.
 */
const PATIENCE_WITH_STRANGERS = 4

/**
 * Takes connections out of a user's pool.
 *
 * pg-pool waits for ever for three things, of which only the first is right: for a free connection
 * when all are in use, for a server that accepts a connection and then says nothing, and (as it
 * hands out the youngest idle connection first) for each of its idle connections in turn after the
 * network dropped them all. So attempts to connect are bounded, and after one silent statement every
 * connection that has not been heard of since is replaced instead of being tried for 15 s.
 */
export class PoolConnections implements ConnectionOwner {
  readonly answerMs: number
  readonly #pool: PgPool
  readonly #times: PoolTimes
  readonly #silentBackends: SilentBackends
  /** When each connection last gave an answer (monotonic); a client without an entry never has. */
  readonly #answeredAt = new WeakMap<object, number>()
  /** When each client that is still connecting was first seen. */
  readonly #connectingSince = new WeakMap<object, number>()
  /** A connection not heard of since then is not trusted. */
  #silentSince = -Infinity
  #isListening = false

  constructor(pool: PgPool, times: PoolTimes) {
    this.#pool = pool
    this.#times = times
    this.#silentBackends = new SilentBackends(pool, times.answerMs)
    this.answerMs = times.answerMs
  }

  /** Takes a connection that can be trusted. Rejects only when one cannot be made. */
  async take(options: TakeOptions = {}): Promise<PoolConnection> {
    this.#listenOnce()
    let mayReplace = this.#pool.totalCount + 1 // a pool that never tells of new connections must not loop
    for (;;) {
      const client = await this.#connect(options)
      const connection = new PoolConnection(client, this)
      if (this.#isTrusted(client) || mayReplace-- <= 0) return connection
      connection.destroy(new Error('Replaced: not heard of since the network went silent.'))
    }
  }

  /**
   * Takes a connection that its owner will not give back soon. Who has waited long for it in a full pool gets one
   * beside the pool: a worker whose session broke must not lose its lease because its own handlers hold all the rest.
   */
  async takeForGood({ onWait, signal }: TakeOptions = {}): Promise<PoolConnection> {
    refuseAborted(signal)
    const patience = new AbortController()
    const forget = onAbort(signal, () => patience.abort(signal?.reason))
    const beside = this.#pool.Client
    const lose = (waitedMs: number): void => {
      onWait?.(waitedMs)
      if (beside !== undefined) patience.abort(PATIENCE_LOST)
    }
    try {
      return await this.take({ onWait: lose, signal: patience.signal })
    } catch (error) {
      if (error !== PATIENCE_LOST || beside === undefined) throw error
      return await this.#connectBeside(new beside(this.#pool.options), signal)
    } finally {
      forget()
    }
  }

  answered(client: PgClient): void {
    this.#answeredAt.set(client, performance.now())
  }

  silent(client: PgClient, statements: readonly SentStatement[]): void {
    this.#silentSince = Math.max(this.#silentSince, ...statements.map(({ sentAt }) => sentAt))
    this.#silentBackends.add(client, statements)
  }

  /** At the first use, not before: constructing a queue touches nothing. */
  #listenOnce(): void {
    if (this.#isListening) return
    this.#isListening = true
    // pg-pool reports a lost idle connection here, having removed it. Without a listener it ends the process.
    this.#pool.on('error', ignore)
    // While pg-pool hands a client over nobody listens on it, for one turn of the event loop; an end
    // of the session that comes in the same packet as the last answer would end the process, too.
    this.#pool.on('connect', (client: PgClient) => {
      client.on('error', ignore)
      this.answered(client)
    })
    for (const client of this.#pool._clients ?? []) {
      client.on('error', ignore)
      this.#answeredAt.set(client, -Infinity)
    }
  }

  #isTrusted(client: PgClient): boolean {
    return (this.#answeredAt.get(client) ?? -Infinity) >= this.#silentSince
  }

  async #connect({ onWait = ignore, signal }: TakeOptions): Promise<PgPoolClient> {
    refuseAborted(signal)
    const before = new Set(this.#pool._clients)
    const countBefore = this.#pool.totalCount
    const connecting = this.#pool.connect()
    // pg-pool makes a new client within connect() when there is room, and else only queues the request.
    const isOurs = this.#pool.totalCount > countBefore
    const newcomer = this.#pool._clients?.find((client) => !before.has(client))
    const wait = isOurs ? this.#boundConnect(newcomer, signal) : this.#boundQueue(onWait, signal)
    try {
      return await Promise.race([connecting, wait.givenUp])
    } catch (error) {
      connecting.then((late) => late.release(), ignore)
      throw markWithoutEffect(error)
    } finally {
      wait.stop()
    }
  }

  async #connectBeside(client: PgClient, signal: AbortSignal | undefined): Promise<PoolConnection> {
    client.on('error', ignore)
    const { connectMs } = this.#times
    try {
      await answerWithin(Promise.resolve(client.connect?.()), { ms: connectMs, signal }, () =>
        connectTimeout(connectMs),
      )
    } catch (error) {
      destroySocket(client)
      throw markWithoutEffect(error)
    }
    const release = (): void => void client.end?.().catch(ignore)
    return new PoolConnection(Object.assign(client, { release }), this)
  }

  /** Our own attempt to connect: given up after `connectMs`. */
  #boundConnect(newcomer: PgClient | undefined, signal: AbortSignal | undefined): Wait {
    const wait = abortableWait(signal, (error) => {
      // So that the pool gets the place back. A signal's reason may be anything.
      if (newcomer !== undefined)
        destroySocket(newcomer, error instanceof Error ? error : undefined)
    })
    const { connectMs } = this.#times
    const timer = setTimeout(() => wait.giveUp(connectTimeout(connectMs)), connectMs)
    return { ...wait, stop: () => (clearTimeout(timer), wait.stop()) }
  }

  /** A place in the pool's queue: waited for without end, but not behind somebody's dead attempt to connect. */
  #boundQueue(onWait: (waitedMs: number) => void, signal: AbortSignal | undefined): Wait {
    const wait = abortableWait(signal)
    const startedAt = performance.now()
    const notice = setTimeout(
      () => onWait(Math.round(performance.now() - startedAt)),
      this.#times.noticeMs,
    )
    this.#endDeadAttempts()
    const look = setInterval(() => this.#endDeadAttempts(), this.#times.connectMs)
    const stop = (): void => {
      clearTimeout(notice)
      clearInterval(look)
      wait.stop()
    }
    return { ...wait, stop }
  }

  #endDeadAttempts(): void {
    const now = performance.now()
    const patienceMs = this.#times.connectMs * PATIENCE_WITH_STRANGERS
    for (const client of this.#pool._clients ?? []) {
      if (this.#answeredAt.has(client)) continue
      const since = this.#connectingSince.get(client) ?? now
      this.#connectingSince.set(client, since)
      if (now - since >= patienceMs) destroySocket(client, connectTimeout(patienceMs))
    }
  }
}

/** A mark, never seen outside: the pool stayed full for too long. */
const PATIENCE_LOST = new Error('The pool stayed full.')

type TakeOptions = Pick<RunOptions, 'onWait' | 'signal'>

interface Wait {
  /** Rejects when the wait is given up. */
  givenUp: Promise<never>
  giveUp: (error: Error) => void
  /** Takes the timers and listeners of the wait away. */
  stop: () => void
}

function abortableWait(
  signal: AbortSignal | undefined,
  onGiveUp: (error: Error) => void = ignore,
): Wait {
  let giveUp: (error: Error) => void = ignore
  const givenUp = new Promise<never>((_, reject) => {
    giveUp = (error) => {
      onGiveUp(error)
      reject(error)
    }
  })
  const stop = onAbort(signal, () => giveUp(signal?.reason as Error))
  return { givenUp, giveUp, stop }
}

/** What the operating system says in the same case, only sooner. */
function connectTimeout(ms: number): Error {
  const error = new Error(
    `connect ETIMEDOUT: PostgreSQL did not accept a connection within ${ms} ms`,
  )
  return Object.assign(error, { code: 'ETIMEDOUT', syscall: 'connect' })
}
