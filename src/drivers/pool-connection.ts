import { MillraceError } from '../core/errors.ts'
import { isStatementError, markWithoutEffect, refuseAborted } from './connection-errors.ts'
import { answerWithin } from './deadline.ts'
import type { RunOptions } from './driver.ts'
import {
  destroySocket,
  ignore,
  lastResult,
  statement,
  type PgClient,
  type PgPoolClient,
  type PgResult,
} from './pg-shapes.ts'
import type { SentStatement } from './silent-backends.ts'

/** How long a closing connection may take to say goodbye before its socket is cut. */
const GOODBYE_MS = 1_000

/** `name` prepares the statement on this connection. */
export type SendOptions = Omit<RunOptions, 'isPrepared'> & { readonly name?: string | undefined }

/** What a connection tells the one who handed it out. */
export interface ConnectionOwner {
  /** How long a statement may go without an answer. */
  readonly answerMs: number
  /** The client gave an answer, so it is alive. */
  answered(client: PgClient): void
  /** The last of these statements got no answer, and the connection was cut. */
  silent(client: PgClient, statements: readonly SentStatement[]): void
}

/**
 * A client checked out of a pool, with a watch over each statement.
 * One statement is under way at a time; the next is sent when the answer came, so that the watch counts
 * from the sending. A connection that broke or went silent leaves the pool for good.
 */
export class PoolConnection {
  readonly #client: PgPoolClient
  readonly #owner: ConnectionOwner
  #last: Promise<unknown> = Promise.resolve()
  /** The last statement that was answered: what the server shows if the next never reached it. */
  #answered: SentStatement | undefined
  /** Why the connection is of no use any more. Once set it never changes. */
  #brokenBy: { error: unknown } | undefined
  /** Once true the client belongs to the pool again and is not touched. */
  #isReturned = false
  #onLost: (reason: unknown) => void = ignore

  constructor(client: PgPoolClient, owner: ConnectionOwner) {
    this.#client = client
    this.#owner = owner
    client.on('error', this.#onError)
    client.on('end', this.#onEnd)
  }

  /** Runs one statement after those before it. A patient one waits for its answer as long as it takes. */
  query<Row>(
    text: string,
    values: readonly unknown[] = [],
    options: SendOptions = {},
  ): Promise<PgResult<Row>> {
    const answer = this.#last.then(() => this.#send<Row>(text, values, options))
    this.#last = answer.catch(ignore)
    return answer
  }

  /** Calls back once, when the connection is lost or closed. */
  onLost(listener: (reason: unknown) => void): void {
    this.#onLost = listener
    if (this.#brokenBy !== undefined) listener(this.#brokenBy.error)
  }

  /** Calls back for each notification on this connection. */
  onNotification(listener: (message: { channel: string; payload?: string }) => void): void {
    this.#client.on('notification', listener)
  }

  /** Gives the connection back to the pool; a broken one is removed from it. */
  release(): void {
    if (this.#isReturned) return
    if (this.#brokenBy !== undefined) return this.destroy(this.#brokenBy.error)
    this.#isReturned = true
    this.#client.removeListener('error', this.#onError)
    this.#client.removeListener('end', this.#onEnd)
    this.#client.release()
  }

  /** Removes the connection from the pool and cuts its socket at once. */
  destroy(reason: unknown): void {
    this.#break(reason)
    if (this.#isReturned) return
    this.#isReturned = true
    // Our listeners stay: what a cut socket may still report has somebody to hear it.
    this.#client.release(reason instanceof Error ? reason : true)
    destroySocket(this.#client)
  }

  /** Ends the connection with a goodbye, so that the server drops its locks and LISTENs at once. Never rejects. */
  async close(): Promise<void> {
    if (this.#isReturned) return
    this.#isReturned = true
    this.#break(new Error('The connection was closed by its owner.'))
    const client = this.#client
    const ended = new Promise<void>((resolve) => client.on('end', () => resolve()))
    client.release(true)
    await answerWithin(ended, { ms: GOODBYE_MS }).catch(ignore)
    destroySocket(client)
  }

  async #send<Row>(
    text: string,
    values: readonly unknown[],
    { isPatient, signal, name }: SendOptions,
  ): Promise<PgResult<Row>> {
    if (this.#brokenBy !== undefined) throw this.#unsendable(this.#brokenBy.error)
    refuseAborted(signal)
    const sent = { text, sentAt: performance.now() }
    try {
      const answer = this.#client.query(statement(text, values, name))
      const patience = { ms: isPatient === true ? Infinity : this.#owner.answerMs, signal }
      const result = await answerWithin(answer, patience, (why) =>
        why === 'abort' ? this.#cutOff(signal) : this.#giveUp(sent),
      )
      this.#owner.answered(this.#client)
      this.#answered = sent
      return lastResult<Row>(result)
    } catch (error) {
      if (isStatementError(error)) this.#owner.answered(this.#client)
      else this.destroy(error)
      throw error
    }
  }

  /** The same words that pg uses, as pg must not be asked about a client that is the pool's again. */
  #unsendable(cause: unknown): Error {
    return markWithoutEffect(new Error('Client was closed and is not queryable', { cause }))
  }

  #giveUp(sent: SentStatement): MillraceError {
    const waitedMs = Math.round(performance.now() - sent.sentAt)
    const error = new MillraceError(
      'OUTCOME_UNKNOWN',
      { waitedMs, statement: sent.text.trim().slice(0, 200) },
      {
        message: `PostgreSQL gave no answer for ${waitedMs} ms, so the connection was closed; the statement may have been carried out.`,
      },
    )
    this.destroy(error)
    this.#owner.silent(this.#client, this.#answered ? [this.#answered, sent] : [sent])
    return error
  }

  #cutOff(signal: AbortSignal | undefined): MillraceError {
    const error = new MillraceError(
      'OUTCOME_UNKNOWN',
      {},
      {
        message: 'The wait for the answer was ended; the statement may have been carried out.',
        cause: signal?.reason,
      },
    )
    this.destroy(error)
    return error
  }

  #break(error: unknown): void {
    if (this.#brokenBy !== undefined) return
    this.#brokenBy = { error }
    this.#onLost(error)
  }

  readonly #onError = (error: unknown): void => this.#break(error)
  readonly #onEnd = (): void => this.#break(new Error('Connection terminated unexpectedly'))
}
