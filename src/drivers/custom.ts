import { isConnectionError, outcomeIsUnknown, refuseAborted } from './connection-errors.ts'
import type { DB, DBTX, Driver, QueryResult, RunOptions, Session } from './driver.ts'

/**
 * Any object that satisfies `DB`.
 * Which connection runs a statement is its own affair, so nothing that belongs to a connection can be relied on.
 */
export class DbDriver implements Driver {
  readonly name = 'DB'
  readonly identity: object
  readonly cannotReceive = undefined
  readonly isSingleSession = false
  readonly isExclusive = false
  readonly #db: DB

  constructor(db: DB) {
    this.#db = db
    this.identity = db
  }

  async query<Row>(
    text: string,
    values: readonly unknown[] = [],
    options: RunOptions = {},
  ): Promise<QueryResult<Row>> {
    refuseAborted(options.signal)
    return (await this.#db.query(text, [...values])) as QueryResult<Row>
  }

  async transaction<T>(work: (tx: DBTX) => Promise<T>, options: RunOptions = {}): Promise<T> {
    refuseAborted(options.signal)
    return this.#db.transaction(work)
  }

  /** Whether its connections can wait for each other is its own affair. */
  refuseInsideTransaction(): void {}

  async openSession(): Promise<Session> {
    return new DbSession(this.#db)
  }

  isConnectionError(error: unknown): boolean {
    return isConnectionError(error)
  }

  outcomeIsUnknown(error: unknown): boolean {
    return outcomeIsUnknown(error)
  }
}

/** Statements through the `DB` like all others, and its `listen` where it has one. */
class DbSession implements Session {
  readonly isDedicated = false
  readonly listen: Session['listen']
  readonly #db: DB
  readonly #closed = new AbortController()

  constructor(db: DB) {
    this.#db = db
    if (typeof db.listen === 'function') {
      this.listen = async (channel, onNotify) =>
        db.listen?.(channel, onNotify, { signal: this.#closed.signal })
    }
  }

  get lost(): AbortSignal {
    return this.#closed.signal
  }

  async query<Row>(text: string, values: readonly unknown[] = []): Promise<QueryResult<Row>> {
    return (await this.#db.query(text, [...values])) as QueryResult<Row>
  }

  async close(): Promise<void> {
    this.#closed.abort(new Error('The session was closed by its owner.'))
  }
}
