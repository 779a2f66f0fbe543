import { isConnectionError, outcomeIsUnknown } from './connection-errors.ts'
import type { DBTX, Driver, QueryResult, RunOptions, Session } from './driver.ts'
import { quoteIdentifier } from '../core/identifiers.ts'
import type { PgPool } from './pg-shapes.ts'
import type { PoolConnection } from './pool-connection.ts'
import { PreparedNames } from './prepared-names.ts'
import { DEFAULT_TIMES, PoolConnections, type PoolTimes } from './pool-connections.ts'
import { runTransaction } from './transaction.ts'

/**
 * node-postgres with a pool: the default driver.
 * Hot statements are prepared (docs/adr/0019), all others planned for the table as it is now (docs/adr/0002).
 */
export class PgPoolDriver implements Driver {
  readonly name = 'pg.Pool'
  readonly identity: object
  readonly isSingleSession = false
  readonly isExclusive = false
  readonly #pool: PgPool
  readonly #connections: PoolConnections
  readonly #names = new PreparedNames()

  constructor(pool: PgPool, times: Partial<PoolTimes> = {}) {
    this.#pool = pool
    this.identity = pool
    this.#connections = new PoolConnections(pool, { ...DEFAULT_TIMES, ...times })
  }

  get cannotReceive(): string | undefined {
    if (this.#pool.options?.max !== 1) return undefined
    return 'Receiving needs 2 connections: one listens and carries the heartbeat. Give the pg.Pool a max of 2 or more.'
  }

  async query<Row>(
    text: string,
    values?: readonly unknown[],
    options: RunOptions = {},
  ): Promise<QueryResult<Row>> {
    const connection = await this.#connections.take(options)
    const { isPrepared, ...plain } = options
    const name = isPrepared === true ? this.#names.of(text) : undefined
    try {
      return await connection.query<Row>(text, values, { ...plain, name })
    } catch (error) {
      if (name === undefined || !this.#names.refusedBy(error)) throw error
      return await connection.query<Row>(text, values, plain)
    } finally {
      connection.release()
    }
  }

  async transaction<T>(work: (tx: DBTX) => Promise<T>, options: RunOptions = {}): Promise<T> {
    const connection = await this.#connections.take(options)
    try {
      return await runTransaction(
        {
          query: (text, values) => connection.query(text, values, options),
          destroy: (reason) => connection.destroy(reason),
        },
        work,
      )
    } finally {
      connection.release()
    }
  }

  /** Another connection of the pool never waits for the caller's transaction. */
  refuseInsideTransaction(): void {}

  async openSession(options?: Pick<RunOptions, 'onWait' | 'signal'>): Promise<Session> {
    return new PgPoolSession(await this.#connections.takeForGood(options))
  }

  isConnectionError(error: unknown): boolean {
    return isConnectionError(error)
  }

  outcomeIsUnknown(error: unknown): boolean {
    return outcomeIsUnknown(error)
  }
}

/** One connection of the pool, kept for the session's life and then ended, so that no lock or LISTEN reaches the next user. */
class PgPoolSession implements Session {
  readonly isDedicated = true
  readonly #connection: PoolConnection
  readonly #lost = new AbortController()
  readonly #listeners = new Map<string, (payload: string) => void>()

  constructor(connection: PoolConnection) {
    this.#connection = connection
    connection.onLost((reason) => this.#lost.abort(reason))
    connection.onNotification(({ channel, payload }) =>
      this.#listeners.get(channel)?.(payload ?? ''),
    )
  }

  get lost(): AbortSignal {
    return this.#lost.signal
  }

  query<Row>(text: string, values?: readonly unknown[]): Promise<QueryResult<Row>> {
    return this.#connection.query<Row>(text, values)
  }

  readonly listen = async (channel: string, onNotify: (payload: string) => void): Promise<void> => {
    this.#listeners.set(channel, onNotify)
    await this.#connection.query(`listen ${quoteIdentifier(channel)}`)
  }

  close(): Promise<void> {
    return this.#connection.close()
  }
}
