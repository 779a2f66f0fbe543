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

/** Runs a statement in postgres.js: what its `sql` and its transactions have in common. */
export interface PostgresUnsafeLike {
  unsafe(text: string, values?: never[]): PromiseLike<unknown[]>
  typed(value: string, type: number): unknown
}

/** The `sql` of postgres.js. */
export interface PostgresSqlLike extends PostgresUnsafeLike {
  readonly options: object
  begin(work: never): Promise<unknown>
  reserve(): Promise<unknown>
  end(): Promise<void>
}

/** What `sql.begin` of postgres.js passes to its callback. */
export interface PostgresTransactionLike extends PostgresUnsafeLike {
  savepoint(work: never): Promise<unknown>
}

/** What `sql.reserve` of postgres.js resolves with: a transaction after `begin`. */
export interface PostgresReservedLike extends PostgresUnsafeLike {
  release(): void
}

/**
 * Whatever Millrace takes as a database: a `pg.Pool` or `pg.Client`, the `sql` of postgres.js, a `PGlite`, or any
 * object that satisfies `DB`.
 */
export type Database = DB | PgPoolLike | PgClientLike | PostgresSqlLike | PGliteLike

/**
 * Whatever Millrace takes as a transaction: a `pg` client after `begin`, what `sql.begin` of postgres.js passes on (or a
 * reserved connection after `begin`), PGlite's transaction, or any `DBTX`.
 */
export type Transaction = (
  | PgClientLike
  | PostgresTransactionLike
  | PostgresReservedLike
  | PGliteTransactionLike
  | DBTX
) &
  NotADatabase

/** A pool or a whole PGlite runs statements too, but each on its own: as a `tx` they would be a silent mistake. */
interface NotADatabase {
  readonly totalCount?: never
  readonly waitReady?: never
}
