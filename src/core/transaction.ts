/**
 * A transaction as its driver hands it out: a `pg` client after `begin`, what `sql.begin` of postgres.js passes on,
 * PGlite's transaction, or any `DBTX`. It is described by its shape here; the drivers tell the kinds apart when they
 * get one.
 */
export type TransactionLike = QueryTransaction | PostgresJsTransaction

/** One that runs statements by `query`. */
interface QueryTransaction {
  query(text: string, values?: unknown[]): Promise<{ rows: unknown[] }>
  /** A pool runs each statement on any of its connections: as a transaction it would be a silent mistake. */
  readonly totalCount?: never
  /** So would be a whole PGlite database. */
  readonly waitReady?: never
}

/** One of postgres.js. A whole `sql` has neither of the last two: its statements would each commit alone. */
type PostgresJsTransaction = {
  unsafe(text: string, values?: never[]): PromiseLike<unknown[]>
  typed(value: string, type: number): unknown
} & ({ savepoint(work: never): Promise<unknown> } | { release(): void })
