/** What a statement answered: its rows, each an object by column name, and how many rows it returned or changed. */
export interface QueryResult<Row = Record<string, unknown>> {
  rows: Row[]
  rowCount: number | null
}

/** Anything that runs one statement with `$1, $2 …` parameters: a database, or a transaction in it. */
export interface DBTX {
  query(text: string, values?: unknown[]): Promise<QueryResult>
}

/** A transaction of the caller's, as the engine uses it. */
export interface Executor extends DBTX {
  /** Runs a statement whose plan may be kept (see `RunOptions.isPrepared`). Undefined where none may. */
  queryPrepared?(text: string, values: unknown[]): Promise<QueryResult>
}

/** A database by the smallest interface that Millrace can work on. Implement it to bring a driver of your own. */
export interface DB extends DBTX {
  /** Runs `work` in one transaction: committed when it resolves, rolled back when it rejects. */
  transaction<T>(work: (tx: DBTX) => Promise<T>): Promise<T>
  /**
   * Calls `onNotify` with the payload of every notification on `channel` until `signal` aborts.
   * Resolves once the channel is listened to; reconnecting after a lost connection is the implementation's.
   */
  listen?(
    channel: string,
    onNotify: (payload: string) => void,
    options: { signal: AbortSignal },
  ): Promise<void>
}

/** How one statement or transaction of the engine is run. */
export interface RunOptions {
  /**
   * Called once, after 5 s of waiting for a free connection of the pool, with the milliseconds waited.
   * The wait goes on: whoever is told says so to the user.
   */
  onWait?: ((waitedMs: number) => void) | undefined
  /**
   * Whether answers are waited for as long as they take, as in migrations.
   * @default false: a statement on a `pg.Pool` is given up after 15 s without an answer
   */
  isPatient?: boolean | undefined
  /**
   * Whether the statement has one plan however full its tables are, so that a connection may keep it parsed and planned.
   * A client that cannot, or is refused, sends it as any other.
   */
  isPrepared?: boolean | undefined
  /**
   * Ends the wait when it aborts: for a connection, with the signal's reason (nothing was sent); for an answer, with
   * `OUTCOME_UNKNOWN`, and with pg a closed connection. Only a pool can give up what is under way, pg's or that of
   * postgres.js; other clients look once, at the start.
   */
  signal?: AbortSignal | undefined
}

/** What the rooms above ask of a database client. One file per client in this room implements it. */
export interface Driver {
  /** Which kind of client this is, for messages. */
  readonly name: 'pg.Pool' | 'pg.Client' | 'postgres.js' | 'PGlite' | 'DB'
  /** The object that the user passed: the identity by which receivers of one process find each other. */
  readonly identity: object
  /** Why this client cannot run receivers, with the remedy; undefined when it can. */
  readonly cannotReceive: string | undefined
  /** True where one session serves the whole database (PGlite), so that an advisory lock says nothing about sleepers. */
  readonly isSingleSession: boolean
  /** True where this process alone can have the database open, so that every worker registered before it is dead. */
  readonly isExclusive: boolean
  /**
   * Runs one statement on any connection. An answer that does not come is given up
   * (`OUTCOME_UNKNOWN`) on a pool. Without values, `text` may hold several statements; the last one's result is returned.
   */
  query<Row>(
    text: string,
    values?: readonly unknown[],
    options?: RunOptions,
  ): Promise<QueryResult<Row>>
  /** Runs `work` in one transaction, each statement under the same watch as `query`. */
  transaction<T>(work: (tx: DBTX) => Promise<T>, options?: RunOptions): Promise<T>
  /**
   * Throws `INVALID_OPTION` (tx) when the caller is inside a transaction of this client, and a statement
   * that is not part of it would wait for its end, for ever (PGlite). `query` and `transaction` ask for themselves; ask
   * here where a user's call comes in whose statement somebody else will send, as in a group commit.
   */
  refuseInsideTransaction(): void
  /** Opens the connection that listens and carries the heartbeat. It is never shared with other work. */
  openSession(options?: Pick<RunOptions, 'onWait' | 'signal'>): Promise<Session>
  /** True when `error` says that there is no connection, or that it broke: the same may succeed later. */
  isConnectionError(error: unknown): boolean
  /**
   * True when what was sent may or may not have been carried out: never send it again.
   * False for an error of the server (nothing was done) and for one that came before anything was sent.
   */
  outcomeIsUnknown(error: unknown): boolean
}

/** A connection of its own (or, where the client has only one, the client itself). */
export interface Session {
  /**
   * True when all statements of this session run on one connection, so that what belongs to a connection
   * (advisory locks, LISTEN) stays with it. False for a `DB`, whose connections we cannot tell apart.
   */
  readonly isDedicated: boolean
  query<Row>(text: string, values?: readonly unknown[]): Promise<QueryResult<Row>>
  /** Starts listening. Undefined where the client has no LISTEN; then polling alone wakes receivers. */
  readonly listen:
    | ((channel: string, onNotify: (payload: string) => void) => Promise<void>)
    | undefined
  /** Aborts when the connection is lost or closed; the owner then opens another session. */
  readonly lost: AbortSignal
  /** Ends the connection, its locks and its LISTENs. Never rejects. */
  close(): Promise<void>
}
