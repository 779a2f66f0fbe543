import type { PgPoolClientLike } from './database.ts'
import type { QueryResult } from './driver.ts'

/**
 * What this room uses of pg and pg-pool, beyond what a user's object must have.
 *
 * What is optional here is missing in some relatives of pg (pg-native, Neon's pool) or is not
 * documented; each use says what happens without it.
 */

/** An answer of pg: of the last statement, where there were several. */
export type PgResult<Row> = QueryResult<Row> & { command?: string }

/** A statement as pg takes it; with a name, pg prepares it once for each connection. */
export interface PgStatement {
  name?: string
  text: string
  values: unknown[]
  types?: { getTypeParser(oid: number, format?: string): (value: never) => unknown }
}

/** A client of pg, checked out of a pool or standing alone. */
export interface PgClient {
  query(statement: PgStatement): Promise<PgResult<never> | PgResult<never>[]>
  on(event: string, listener: (argument: never) => void): unknown
  removeListener(event: string, listener: (argument: never) => void): unknown
  connect?(): Promise<unknown>
  end?(): Promise<void>
  release?(error?: Error | boolean): void
  /** The server's process; pg sets it when the connection is made. */
  processID?: number | null
  connection?: { stream?: { destroy(error?: Error): unknown } }
  getTransactionStatus?(): string | null
  _connected?: boolean
  _connecting?: boolean
  _ending?: boolean
  _ended?: boolean
}

/** A client that goes back to its pool. */
export type PgPoolClient = PgClient & Pick<PgPoolClientLike, 'release'>

/** A pool of pg. */
export interface PgPool {
  connect(): Promise<PgPoolClient>
  on(event: string, listener: (argument: never, second: never) => void): unknown
  readonly totalCount: number
  readonly options?: { max?: number }
  /** The class of its clients. */
  readonly Client?: new (options: unknown) => PgClient
  /** All its clients, those that are still connecting included. */
  readonly _clients?: readonly PgClient[]
}

const BOOL = 16
const INT4 = 23

/** Our own reading of what the engine's statements return, whatever types the user registered with pg. */
const TYPES = {
  getTypeParser: (oid: number, format = 'text') =>
    format === 'binary' ? binaryParser(oid) : textParser(oid),
}

/** A statement of the engine. */
export function statement(
  text: string,
  values: readonly unknown[] = [],
  name?: string,
): PgStatement {
  const plain = { text, values: [...values], types: TYPES }
  return name === undefined ? plain : { name, ...plain }
}

function textParser(oid: number): (value: string) => unknown {
  if (oid === BOOL) return (value) => value === 't'
  if (oid === INT4) return (value) => Number(value)
  return (value) => value
}

/** For pools with `binary: true`. */
function binaryParser(oid: number): (value: Buffer) => unknown {
  if (oid === BOOL) return (value) => value[0] === 1
  if (oid === INT4) return (value) => value.readInt32BE(0)
  return (value) => value.toString('utf8')
}

/** The result of the last statement: pg gives an array when a text without values held several. */
export function lastResult<Row>(answer: PgResult<never> | PgResult<never>[]): PgResult<Row> {
  const result = Array.isArray(answer) ? answer.at(-1) : answer
  return result ?? { rows: [], rowCount: null }
}

/**
 * Cuts a connection at once. Without this a dead TCP connection would be closed by the goodbye that pg
 * sends, whose acknowledgement never comes. pg-native has no socket; then the pool's own `end` must do.
 */
export function destroySocket(client: PgClient, error?: Error): void {
  client.connection?.stream?.destroy(error)
}

/** For errors that are known already, or that belong to what nobody waits for any more. */
export function ignore(): void {}
