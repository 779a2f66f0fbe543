import type { DBTX, Driver, Executor, RunOptions } from '../drivers/driver.ts'
import { quoteIdentifier } from '../core/identifiers.ts'
import { translateMissingSchema } from '../core/missing-schema.ts'
import type { Statement } from './statement.ts'
import { wakeAddress, type WakeAddress } from './wake.ts'

/** How often a statement is tried that lost a race with another transaction and was rolled back. */
const TRIES = 5
const SERIALIZATION_FAILURE = '40001'
const DEADLOCK = '40P01'

/** Runs the statements of this room on one database and one schema. */
export class Store {
  readonly driver: Driver
  /** The schema as the user wrote it, not quoted. */
  readonly schema: string
  /** Where sleeping receivers of this schema are woken. */
  readonly wake: WakeAddress
  readonly #quotedSchema: string
  readonly #texts = new Map<Statement, string>()
  /** Ends the waiting for connections and answers. */
  readonly #signal: AbortSignal | undefined

  constructor(driver: Driver, schema: string, signal?: AbortSignal) {
    this.driver = driver
    this.#signal = signal
    this.schema = schema
    this.#quotedSchema = quoteIdentifier(schema)
    this.wake = wakeAddress(schema)
  }

  /** The same store, whose statements are given up when `signal` aborts: for what a stop must not wait for. */
  until(signal: AbortSignal): Store {
    return new Store(this.driver, this.schema, signal)
  }

  /** The statement's text for this schema. */
  text(statement: Statement): string {
    let text = this.#texts.get(statement)
    if (text === undefined) {
      text = statement.sql.replaceAll('{schema}', () => this.#quotedSchema)
      this.#texts.set(statement, text)
    }
    return text
  }

  /** The quoted name of a relation of this schema, for PostgreSQL's functions that take names as text. */
  qualified(relation: string): string {
    return `${this.#quotedSchema}.${relation}`
  }

  /**
   * Runs a statement: in `tx` once, as its transaction decides what an error means; without one
   * again when it lost a race (deadlock, serialization failure) and PostgreSQL rolled it back.
   */
  async run<Row>(
    statement: Statement,
    values: readonly unknown[],
    tx?: Executor,
    options?: RunOptions,
  ): Promise<Row[]> {
    try {
      if (tx !== undefined) {
        const [text, given] = [this.text(statement), [...values]]
        const answer =
          statement.isPrepared && tx.queryPrepared !== undefined
            ? await tx.queryPrepared(text, given)
            : await tx.query(text, given)
        return answer.rows as Row[]
      }
      return await retryLostRaces(async () => {
        const answer = await this.driver.query<Row>(this.text(statement), values, {
          signal: this.#signal,
          isPrepared: statement.isPrepared,
          ...options,
        })
        return answer.rows
      })
    } catch (error) {
      throw translateMissingSchema(error, this.schema)
    }
  }

  /** Runs `work` in a transaction of its own, again when it lost a race and was rolled back. */
  transaction<T>(work: (tx: DBTX) => Promise<T>, options?: RunOptions): Promise<T> {
    return retryLostRaces(() => this.driver.transaction(work, { signal: this.#signal, ...options }))
  }
}

/** The SQLSTATE of a database error, or undefined. */
export function sqlState(error: unknown): string | undefined {
  if (typeof error !== 'object' || error === null || !('code' in error)) return undefined
  return typeof error.code === 'string' ? error.code : undefined
}

async function retryLostRaces<T>(attempt: () => Promise<T>): Promise<T> {
  for (let tries = 1; ; tries++) {
    try {
      return await attempt()
    } catch (error) {
      const state = sqlState(error)
      const lostRace = state === SERIALIZATION_FAILURE || state === DEADLOCK
      if (!lostRace || tries === TRIES) throw error
    }
  }
}
