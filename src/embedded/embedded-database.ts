import type { DB, DBTX, QueryResult } from '../drivers/driver.ts'
import { EMBEDDED } from '../drivers/embedded-mark.ts'
import { listeningOf } from '../drivers/pglite-listening.ts'
import { type PGliteInstance, runUserStatement } from '../drivers/pglite-shapes.ts'
import { markTransactions, refuseInside } from '../drivers/pglite-transactions.ts'
import type { DirectoryLock } from './directory-lock.ts'

/** An open embedded database, as `openEmbedded` returns it. */
export class EmbeddedDatabase implements DB, AsyncDisposable {
  /** Where its data is kept; undefined when it is in memory. */
  readonly directory: string | undefined
  /** @internal What the drivers work on. */
  readonly [EMBEDDED]: PGliteInstance
  readonly #lock: DirectoryLock | undefined
  #closing: Promise<void> | undefined

  /** @internal */
  constructor(
    pglite: PGliteInstance,
    directory: string | undefined,
    lock: DirectoryLock | undefined,
  ) {
    this[EMBEDDED] = pglite
    this.directory = directory
    this.#lock = lock
    markTransactions(pglite)
  }

  /** Runs one statement; without values also several, of which the last one's result is returned. */
  async query(text: string, values?: unknown[]): Promise<QueryResult> {
    refuseInside(this[EMBEDDED])
    return runUserStatement(this[EMBEDDED], text, values)
  }

  /** Runs `work` in one transaction: committed when it resolves, rolled back when it rejects. All other statements wait. */
  async transaction<T>(work: (tx: DBTX) => Promise<T>): Promise<T> {
    refuseInside(this[EMBEDDED])
    return this[EMBEDDED].transaction((tx) =>
      work({ query: (text, values) => runUserStatement(tx, text, values) }),
    )
  }

  /** Calls `onNotify` with the payload of every notification on `channel` until `signal` aborts. */
  async listen(
    channel: string,
    onNotify: (payload: string) => void,
    { signal }: { signal: AbortSignal },
  ): Promise<void> {
    if (signal.aborted) return
    const listening = listeningOf(this[EMBEDDED])
    const listener = (payload: string): void => onNotify(payload) // the same function may listen twice
    const stop = (): void => void listening.remove(channel, listener).catch(() => {})
    signal.addEventListener('abort', stop, { once: true })
    await listening.add(channel, listener)
  }

  /** Waits for what is under way, closes the database, and lets its directory go. May be called again. */
  async close(): Promise<void> {
    refuseInside(this[EMBEDDED])
    this.#closing ??= this.#close()
    return this.#closing
  }

  /** The same as `close`, for `await using`. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  async #close(): Promise<void> {
    try {
      await this[EMBEDDED].close()
    } finally {
      await this.#lock?.release()
    }
  }
}
