import { Pool, type PoolClient } from 'pg'
import type { DB, DBTX, QueryResult } from '../../src/drivers/driver.ts'

/** A statement that ran: its text as the store has it, and what it answered. */
export interface Ran {
  readonly text: string
  readonly values: readonly unknown[]
  readonly rows: readonly Record<string, unknown>[]
}

/**
 * PostgreSQL with a clock that we set. All of Millrace's statements ask `statement_timestamp()` for
 * the time and nothing else, so here every statement has the model's time in its place: time passes
 * without waiting, and goes back when a test says so. (What only informs has the real time: when an
 * error happened, when a mark was raised.)
 */
export class ClockedDatabase implements DB {
  /** What ran since it was last emptied. */
  journal: Ran[] = []
  /** The database's time, in milliseconds since 1970. */
  now: () => number
  readonly #pool: Pool
  #losesAfter = 0

  constructor(databaseUrl: string, now: () => number) {
    this.now = now
    // No test here is about what survives a crash of the server.
    const options = '-c synchronous_commit=off'
    this.#pool = new Pool({ connectionString: databaseUrl, max: 6, options })
  }

  /** The answer to the `nth` statement from now is lost on the way, after it was carried out. */
  loseAnswer(nth: number): void {
    this.#losesAfter = nth
  }

  /** Nothing is lost any more. Answers whether something was. */
  keepAnswers(): boolean {
    const wasLost = this.#losesAfter === 0
    this.#losesAfter = 0
    return wasLost
  }

  async query(text: string, values: unknown[] = []): Promise<QueryResult> {
    return this.#run(this.#pool, text, values)
  }

  async transaction<T>(work: (tx: DBTX) => Promise<T>): Promise<T> {
    const client = await this.#pool.connect()
    try {
      await client.query('begin')
      const answer = await work({
        query: (text, values = []) => this.#run(client, text, values),
      })
      await client.query('commit')
      return answer
    } catch (error) {
      await client.query('rollback')
      throw error
    } finally {
      client.release()
    }
  }

  async close(): Promise<void> {
    await this.#pool.end()
  }

  async #run(on: Pool | PoolClient, text: string, values: unknown[]): Promise<QueryResult> {
    const now = `timestamptz '${new Date(this.now()).toISOString()}'`
    const answer = await on.query<Record<string, unknown>>(
      text.replaceAll('statement_timestamp()', now),
      values,
    )
    this.journal.push({ text, values, rows: answer.rows })
    if (this.#losesAfter > 0) {
      this.#losesAfter -= 1
      if (this.#losesAfter === 0) throw new AnswerLost()
    }
    return answer
  }
}

/** As a connection that broke between a statement and its answer. */
export class AnswerLost extends Error {
  readonly code = 'ECONNRESET'

  constructor() {
    super('The model lost this answer.')
  }
}
