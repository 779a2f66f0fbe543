/**
 * A transaction as its driver hands it out: a `pg` client after `begin`, PGlite's transaction, or any
 * `DBTX`. It is described by its shape here; the drivers tell the kinds apart when they get one.
 */
export interface TransactionLike {
  query(text: string, values?: unknown[]): Promise<{ rows: unknown[] }>
  /** A pool runs each statement on any of its connections: as a transaction it would be a silent mistake. */
  readonly totalCount?: never
  /** So would be a whole PGlite database. */
  readonly waitReady?: never
}
