import type { DB, DBTX } from './driver.ts'

/**
 * The databases and transactions that Millrace takes, described by what they can do.
 *
 * No driver's own types stand here: whoever installs Millrace need not install a driver that they do
 * not use, and a `pg.Pool` of any release fits without a cast. `recognise.ts` tells them apart.
 */

/** What is read from an answer of pg or PGlite. */
export interface RowsLike {
  rows: unknown[]
}

/** Runs a statement: the part that pools, clients, databases and transactions have in common. */
export interface QueryableLike {
  query(text: string, values?: unknown[]): Promise<RowsLike>
}

/** A `pg.Pool`, or what behaves like one. */
export interface PgPoolLike extends QueryableLike {
  readonly totalCount: number
  readonly idleCount: number
  readonly waitingCount: number
  connect(): Promise<PgPoolClientLike>
  end(): Promise<void>
  on(event: 'error', listener: (error: Error) => void): unknown
}

/** A connected `pg.Client`, or what behaves like one. */
export interface PgClientLike extends QueryableLike {
  escapeIdentifier(name: string): string
  on(event: 'error', listener: (error: Error) => void): unknown
}

/** A client that was taken from a `pg.Pool`. */
export interface PgPoolClientLike extends PgClientLike {
  release(error?: Error | boolean): void
}

/** A `PGlite` database. */
export interface PGliteLike extends QueryableLike {
  readonly waitReady: Promise<void>
  readonly closed: boolean
  exec(text: string): Promise<RowsLike[]>
  transaction<T>(work: (tx: PGliteTransactionLike) => Promise<T>): Promise<T>
}

/** What `PGlite.transaction` passes to its callback. */
export interface PGliteTransactionLike extends QueryableLike {
  readonly closed: boolean
  exec(text: string): Promise<RowsLike[]>
  rollback(): Promise<void>
}

/** Whatever Millrace takes as a database: a `pg.Pool` or `pg.Client`, a `PGlite`, or any object that satisfies `DB`. */
export type Database = DB | PgPoolLike | PgClientLike | PGliteLike

/** Whatever Millrace takes as a transaction: a `pg` client after `begin`, PGlite's transaction, or any `DBTX`. */
export type Transaction = (PgClientLike | PGliteTransactionLike | DBTX) & NotADatabase

/** A pool or a whole PGlite runs statements too, but each on its own: as a `tx` they would be a silent mistake. */
interface NotADatabase {
  readonly totalCount?: never
  readonly waitReady?: never
}
