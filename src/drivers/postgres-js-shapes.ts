/**
 * What this room uses of postgres.js, beyond what a user's object must have.
 *
 * What is optional here is not documented there; each use says what happens without it.
 */

/** A column of an answer; its name is what the user's `transform` made of it. */
export interface PostgresColumn {
  readonly name: string
  readonly type: number
}

/** An answer in raw form: each row an array of the bytes that came. */
export interface PostgresAnswer extends Array<(Uint8Array | null)[]> {
  readonly count: number | null
  readonly columns: readonly PostgresColumn[] | null
}

/** A statement that postgres.js sends as soon as somebody waits for it and a connection is free. */
export interface PostgresQuery extends PromiseLike<PostgresAnswer | PostgresAnswer[]> {
  raw(): PostgresQuery
  /** Null until a connection takes the statement (src/connection.js execute). */
  readonly state?: unknown
  strings?: string[]
  args?: unknown[]
  readonly options?: { simple?: boolean }
}

/** What `sql`, its transactions and its reserved connections have in common. */
export interface PostgresQueryable {
  unsafe(
    text: string,
    values: unknown[],
    options: { prepare: boolean; onexecute?: () => boolean },
  ): PostgresQuery
  typed(value: unknown, type: number): unknown
}

/** The options of a `sql` as postgres.js completed them. */
export interface PostgresOptions {
  readonly host: readonly string[]
  readonly port: readonly number[]
  readonly path?: string | false | undefined
  readonly connect_timeout?: number | null | undefined
  readonly socket?: unknown
  readonly target_session_attrs?: string | null | undefined
  readonly transform?: { readonly row?: { readonly from?: unknown } }
}

/** A `sql`: the pool of postgres.js. */
export interface PostgresSql extends PostgresQueryable {
  readonly options: PostgresOptions
  begin(work: (tx: PostgresQueryable) => Promise<unknown>): Promise<unknown>
  end(options?: { timeout?: number }): Promise<void>
}
