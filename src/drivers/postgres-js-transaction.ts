import { isConnectionError, isStatementError, markWithoutEffect } from './connection-errors.ts'
import type { DBTX, QueryResult, RunOptions } from './driver.ts'
import { onAbort } from './on-abort.ts'
import { NOTICE_MS, waitEnded } from './postgres-js-answer.ts'
import type { PostgresQueryable, PostgresSql } from './postgres-js-shapes.ts'
import { queryOf, resultOf } from './postgres-js-statement.ts'
import { closedTransaction } from './transaction.ts'

/** `given up`: nobody waits any more; what comes later is rolled back. `lost`: its connection is gone. */
type Phase = 'waiting' | 'working' | 'committing' | 'given up' | 'lost'

/**
 * One transaction by `sql.begin`.
 *
 * When a connection ends, `sql.begin` rejects; if then its callback rejects too, as it does with the error of the
 * statement that was under way, it sends `rollback` over that same connection, which by then is closed (an uncaught
 * TypeError ends the process: seen with 3.4.9) or connected anew for somebody else. So after a loss the callback
 * settles no more and sends nothing.
 */
export class PostgresTransactionRun<T> implements DBTX {
  readonly #work: (tx: DBTX) => Promise<T>
  readonly #options: RunOptions
  #phase: Phase = 'waiting'
  #isOpen = true
  #tx: PostgresQueryable | undefined
  /** The first error of the server: it doomed the transaction, whatever the work made of it. */
  #failure: Error | undefined
  #settle: { resolve: (value: T) => void; reject: (error: unknown) => void } | undefined

  constructor(work: (tx: DBTX) => Promise<T>, options: RunOptions) {
    this.#work = work
    this.#options = options
  }

  /** Begins, works, and commits or rolls back; called once. */
  on(sql: PostgresSql): Promise<T> {
    const { onWait, signal } = this.#options
    const startedAt = performance.now()
    const notice = setTimeout(() => {
      if (this.#phase === 'waiting') onWait?.(Math.round(performance.now() - startedAt))
    }, NOTICE_MS)
    const outcome = new Promise<T>((resolve, reject) => {
      this.#settle = { resolve, reject }
      const forget = onAbort(signal, () => this.#giveUp())
      sql
        .begin((tx) => this.#begun(tx))
        .then(
          (result) => resolve(result as T),
          (error: unknown) => this.#ended(error),
        )
        .finally(forget)
    })
    return outcome.finally(() => clearTimeout(notice))
  }

  async query(text: string, values?: unknown[]): Promise<QueryResult> {
    if (!this.#isOpen || this.#tx === undefined) throw closedTransaction()
    try {
      return resultOf(await queryOf(this.#tx, text, values), text)
    } catch (error) {
      if (isStatementError(error)) this.#failure ??= error
      else if (isConnectionError(error)) this.#lose(error)
      throw error
    }
  }

  /** The callback of `sql.begin`: it rejects for a rollback, resolves for a commit, and does neither after a loss. */
  #begun(tx: PostgresQueryable): Promise<T> {
    if (this.#phase !== 'waiting') return Promise.reject(closedTransaction())
    this.#phase = 'working'
    this.#tx = tx
    return new Promise((commit, rollBack) => {
      this.#rollBack = rollBack
      this.#work(this).then(
        (result) => {
          this.#isOpen = false
          if (this.#phase !== 'working') return
          if (this.#failure !== undefined) return rollBack(this.#failure)
          this.#phase = 'committing'
          commit(result)
        },
        (error: unknown) => {
          this.#isOpen = false
          if (this.#phase === 'working') rollBack(error)
        },
      )
    })
  }

  #rollBack: (error: unknown) => void = () => {}

  /** `sql.begin` rejected. Only a commit may leave a doubt; before it nothing has an effect. */
  #ended(error: unknown): void {
    if (this.#phase !== 'committing') markConnectionError(error)
    this.#isOpen = false
    if (this.#phase === 'working') this.#phase = isConnectionError(error) ? 'lost' : 'given up'
    this.#settle?.reject(error)
  }

  #lose(error: unknown): void {
    if (this.#phase !== 'working') return
    this.#phase = 'lost'
    this.#isOpen = false
    this.#settle?.reject(markWithoutEffect(error))
  }

  #giveUp(): void {
    const { signal } = this.#options
    const phase = this.#phase
    if (phase === 'lost' || phase === 'given up') return
    this.#isOpen = false
    if (phase === 'committing') return this.#settle?.reject(waitEnded(signal))
    this.#phase = 'given up'
    if (phase === 'waiting') return this.#settle?.reject(markWithoutEffect(signal?.reason))
    const error = markWithoutEffect(waitEnded(signal))
    this.#rollBack(error)
    this.#settle?.reject(error)
  }
}

function markConnectionError(error: unknown): void {
  if (isConnectionError(error)) markWithoutEffect(error)
}
