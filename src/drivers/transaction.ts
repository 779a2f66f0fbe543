import { isConnectionError, isStatementError, markWithoutEffect } from './connection-errors.ts'
import type { DBTX, QueryResult } from './driver.ts'
import type { PgResult } from './pg-shapes.ts'

/** A connection that one transaction has for itself. */
export interface TransactionConnection {
  query<Row>(text: string, values?: readonly unknown[]): Promise<PgResult<Row>>
  /** The connection is in an unknown state and must not be used again. */
  destroy(reason: unknown): void
}

/**
 * Runs `work` between `begin` and `commit` on a connection of its own; rolls back when it rejects.
 * An error from before the commit is known to have left nothing behind; only the commit's own may leave a doubt.
 */
export async function runTransaction<T>(
  connection: TransactionConnection,
  work: (tx: DBTX) => Promise<T>,
): Promise<T> {
  const tx = new OpenTransaction(connection)
  let result: T
  try {
    await connection.query('begin')
    result = await work(tx)
    tx.close()
  } catch (error) {
    tx.close()
    await rollBack(connection, error)
    if (isConnectionError(error)) markWithoutEffect(error)
    throw error
  }
  await commit(connection, tx)
  return result
}

async function commit(connection: TransactionConnection, tx: OpenTransaction): Promise<void> {
  const { command } = await connection.query('commit').catch((error: unknown) => {
    // Only the server's own refusal has ended the transaction; in any other case its connection must not be used again.
    if (!isStatementError(error)) connection.destroy(error)
    throw error
  })
  // PostgreSQL answers a commit after a failed statement with ROLLBACK and no error.
  if (command === 'ROLLBACK') throw tx.failure ?? rolledBack()
}

async function rollBack(connection: TransactionConnection, reason: unknown): Promise<void> {
  try {
    await connection.query('rollback')
  } catch {
    connection.destroy(reason) // the transaction ends with its connection; `reason` is what the caller hears
  }
}

/** What PostgreSQL itself says about a statement in a failed transaction. */
function rolledBack(): Error {
  const error = new Error('The transaction was rolled back: a statement in it had failed.')
  return Object.assign(error, { code: '25P02' })
}

/** The transaction as its work sees it. Of no use after its end, so that a late statement cannot run outside it. */
class OpenTransaction implements DBTX {
  readonly #connection: TransactionConnection
  #isOpen = true
  /** The first error of the server: it doomed the transaction, whatever the work made of it. */
  failure: Error | undefined

  constructor(connection: TransactionConnection) {
    this.#connection = connection
  }

  async query(text: string, values?: unknown[]): Promise<QueryResult> {
    if (!this.#isOpen) throw closedTransaction()
    try {
      return await this.#connection.query(text, values)
    } catch (error) {
      if (isStatementError(error)) this.failure ??= error
      throw error
    }
  }

  close(): void {
    this.#isOpen = false
  }
}

/** The words of PGlite for the same mistake. */
export function closedTransaction(): Error {
  return new Error('Transaction is closed: a statement was sent after its work had ended.')
}
