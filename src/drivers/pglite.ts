import { isConnectionError, outcomeIsUnknown, refuseAborted } from './connection-errors.ts'
import type { DBTX, Driver, QueryResult, RunOptions, Session } from './driver.ts'
import { listeningOf } from './pglite-listening.ts'
import { type PGliteInstance, runStatement } from './pglite-shapes.ts'
import { markTransactions, refuseInside } from './pglite-transactions.ts'

/** PGlite: PostgreSQL in this process, with a single session that everybody shares. */
export class PGliteDriver implements Driver {
  readonly name = 'PGlite'
  readonly identity: object
  readonly cannotReceive = undefined
  readonly isSingleSession = true
  readonly isExclusive: boolean
  readonly #pglite: PGliteInstance

  /** `identity` is what the user holds: the PGlite itself, or the embedded database around it. */
  constructor(
    pglite: PGliteInstance,
    { identity = pglite, isExclusive = false }: { identity?: object; isExclusive?: boolean } = {},
  ) {
    this.#pglite = pglite
    this.identity = identity
    this.isExclusive = isExclusive
    markTransactions(pglite)
  }

  async query<Row>(
    text: string,
    values?: readonly unknown[],
    options: RunOptions = {},
  ): Promise<QueryResult<Row>> {
    refuseAborted(options.signal)
    refuseInside(this.#pglite)
    return runStatement<Row>(this.#pglite, text, values)
  }

  async transaction<T>(work: (tx: DBTX) => Promise<T>, options: RunOptions = {}): Promise<T> {
    refuseAborted(options.signal)
    refuseInside(this.#pglite)
    return this.#pglite.transaction((tx) =>
      work({ query: (text, values) => runStatement(tx, text, values) }),
    )
  }

  refuseInsideTransaction(): void {
    refuseInside(this.#pglite)
  }

  async openSession(): Promise<Session> {
    await this.#pglite.query('select 1') // a closed one says so here, not at the first heartbeat
    return new PGliteSession(this.#pglite)
  }

  isConnectionError(error: unknown): boolean {
    return isConnectionError(error)
  }

  outcomeIsUnknown(error: unknown): boolean {
    return outcomeIsUnknown(error)
  }
}

/**
 * The engine's own use of the shared session. It is not refused inside a transaction: the engine's background work
 * may have been set off by a call from there, and only waits until the transaction ends.
 */
class PGliteSession implements Session {
  readonly isDedicated = true
  readonly #pglite: PGliteInstance
  readonly #lost = new AbortController()
  readonly #listeners: { channel: string; onNotify: (payload: string) => void }[] = []

  constructor(pglite: PGliteInstance) {
    this.#pglite = pglite
  }

  get lost(): AbortSignal {
    return this.#lost.signal
  }

  async query<Row>(text: string, values?: readonly unknown[]): Promise<QueryResult<Row>> {
    try {
      return await runStatement<Row>(this.#pglite, text, values)
    } catch (error) {
      if (isConnectionError(error)) this.#lost.abort(error)
      throw error
    }
  }

  readonly listen = async (channel: string, onNotify: (payload: string) => void): Promise<void> => {
    this.#listeners.push({ channel, onNotify })
    await listeningOf(this.#pglite).add(channel, onNotify)
  }

  async close(): Promise<void> {
    this.#lost.abort(new Error('The session was closed by its owner.'))
    for (const { channel, onNotify } of this.#listeners.splice(0)) {
      // On a database that is closed or broken there is nothing left to listen to.
      await listeningOf(this.#pglite)
        .remove(channel, onNotify)
        .catch(() => {})
    }
  }
}
