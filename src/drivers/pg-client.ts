import { MillraceError } from '../core/errors.ts'
import { isConnectionError, outcomeIsUnknown, refuseAborted } from './connection-errors.ts'
import type { DBTX, Driver, QueryResult, RunOptions, Session } from './driver.ts'
import {
  destroySocket,
  ignore,
  lastResult,
  statement,
  type PgClient,
  type PgResult,
} from './pg-shapes.ts'
import { runTransaction } from './transaction.ts'
import { Turns } from './turns.ts'

const CANNOT_RECEIVE =
  'A single pg.Client can enqueue, but receiving needs a connection that only listens. Pass a pg.Pool.'

/**
 * node-postgres with one client.
 *
 * Its one connection is the user's too: what the user sends while a transaction of ours is under way becomes
 * part of it, which nobody can prevent. Our own statements take turns. The watch over silent connections is
 * for pools: here there is no other connection to go on with.
 */
export class PgClientDriver implements Driver {
  readonly name = 'pg.Client'
  readonly identity: object
  readonly cannotReceive = CANNOT_RECEIVE
  readonly isSingleSession = false
  readonly isExclusive = false
  readonly #client: PgClient
  readonly #turns = new Turns()
  #isListening = false

  constructor(client: PgClient) {
    this.#client = client
    this.identity = client
  }

  query<Row>(
    text: string,
    values?: readonly unknown[],
    options: RunOptions = {},
  ): Promise<QueryResult<Row>> {
    return this.#turns.take(() => {
      refuseAborted(options.signal)
      this.#check()
      return this.#send<Row>(text, values)
    })
  }

  transaction<T>(work: (tx: DBTX) => Promise<T>, options: RunOptions = {}): Promise<T> {
    return this.#turns.take(() => {
      refuseAborted(options.signal)
      this.#check()
      const turns = new Turns() // of the transaction's own statements: pg will no longer queue them
      return runTransaction(
        {
          query: (text, values) => turns.take(() => this.#send(text, values)),
          destroy: () => destroySocket(this.#client),
        },
        work,
      )
    })
  }

  /** Nothing waits here; a statement that would slip into the user's transaction is refused when its turn comes. */
  refuseInsideTransaction(): void {}

  async openSession(): Promise<Session> {
    throw new MillraceError(
      'INVALID_DATABASE',
      { database: this.name },
      { message: CANNOT_RECEIVE },
    )
  }

  isConnectionError(error: unknown): boolean {
    return isConnectionError(error)
  }

  outcomeIsUnknown(error: unknown): boolean {
    return outcomeIsUnknown(error)
  }

  async #send<Row>(text: string, values?: readonly unknown[]): Promise<PgResult<Row>> {
    return lastResult<Row>(await this.#client.query(statement(text, values)))
  }

  #check(): void {
    if (!this.#isListening) {
      this.#isListening = true
      this.#client.on('error', ignore) // a lost connection is heard of by the next statement; unheard it ends the process
    }
    refuseUnconnected(this.#client)
    refuseOpenTransaction(this.#client)
  }
}

/** pg keeps the statements of a client that never connects waiting for ever. */
function refuseUnconnected(client: PgClient): void {
  if (client._connected !== false || client._connecting !== false || client._ending === true) return
  throw new MillraceError(
    'INVALID_DATABASE',
    { database: 'pg.Client' },
    { message: 'This pg.Client is not connected. Call `await client.connect()` first.' },
  )
}

/** Within the user's own transaction, "enqueued" would not mean committed, and our commit would end theirs. */
function refuseOpenTransaction(client: PgClient): void {
  const status = client.getTransactionStatus?.()
  if (status !== 'T' && status !== 'E') return
  throw new MillraceError(
    'INVALID_OPTION',
    { option: 'tx', value: undefined },
    {
      message:
        'This pg.Client is in a transaction. Pass it as { tx: client }, or use querier.withTx(client), so that the statement is part of it.',
    },
  )
}
