import { isConnectionError, outcomeIsUnknown, refuseAborted } from './connection-errors.ts'
import type { DBTX, Driver, QueryResult, RunOptions, Session } from './driver.ts'
import { answerTo } from './postgres-js-answer.ts'
import { openPostgresSession } from './postgres-js-session.ts'
import type { PostgresSql } from './postgres-js-shapes.ts'
import { queryOf, refuseRowTransform, resultOf } from './postgres-js-statement.ts'
import { PostgresTransactionRun } from './postgres-js-transaction.ts'

/**
 * postgres.js.
 *
 * It queues what waits for a connection, sends nothing twice, and never gives up an answer that does not
 * come: the watch over silent connections is its own timeouts' (docs/connections.md). Receivers get a connection
 * beside its pool, as a connection of the pool can neither hear notifications nor be closed for good.
 */
export class PostgresJsDriver implements Driver {
  readonly name = 'postgres.js'
  readonly identity: object
  readonly cannotReceive = undefined
  readonly isSingleSession = false
  readonly isExclusive = false
  readonly #sql: PostgresSql

  constructor(sql: PostgresSql) {
    refuseRowTransform(sql.options)
    this.#sql = sql
    this.identity = sql
  }

  async query<Row>(
    text: string,
    values?: readonly unknown[],
    options: RunOptions = {},
  ): Promise<QueryResult<Row>> {
    refuseAborted(options.signal)
    const query = queryOf(this.#sql, text, values)
    return resultOf<Row>(await answerTo(query, options), text)
  }

  async transaction<T>(work: (tx: DBTX) => Promise<T>, options: RunOptions = {}): Promise<T> {
    refuseAborted(options.signal)
    return new PostgresTransactionRun(work, options).on(this.#sql)
  }

  /** Another connection of the pool never waits for the caller's transaction. */
  refuseInsideTransaction(): void {}

  openSession(options?: Pick<RunOptions, 'onWait' | 'signal'>): Promise<Session> {
    return openPostgresSession(this.#sql.options, options)
  }

  isConnectionError(error: unknown): boolean {
    return isConnectionError(error)
  }

  outcomeIsUnknown(error: unknown): boolean {
    return outcomeIsUnknown(error)
  }
}
