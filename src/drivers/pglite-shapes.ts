import type { QueryResult } from './driver.ts'
import { toText } from './parameters.ts'

/** What PGlite answers. `rowCount` came with 0.5; before, `affectedRows` has to do. */
export interface PGliteResult {
  rows: unknown[]
  rowCount?: number
  affectedRows?: number
}

/** What a PGlite database and a transaction in it have in common. */
export interface PGliteQueryable {
  query(text: string, values?: unknown[], options?: object): Promise<PGliteResult>
  exec(text: string, options?: object): Promise<PGliteResult[]>
}

/** The parts of PGlite that this room uses. */
export interface PGliteInstance extends PGliteQueryable {
  readonly closed: boolean
  readonly waitReady: Promise<void>
  transaction<T>(work: (tx: PGliteTransaction) => Promise<T>): Promise<T>
  onNotification(onNotify: (channel: string, payload: string) => void): () => void
  close(): Promise<void>
}

/** What `PGlite.transaction` gives to its work. */
export interface PGliteTransaction extends PGliteQueryable {
  readonly closed: boolean
}

const BOOL = 16
const INT4 = 23
const TEXT = 25

/** Text in, and the three types that the engine's statements return, whatever the user registered for them. */
const CONVERSIONS = {
  serializers: new Proxy({}, { get: () => (value: string) => value }),
  parsers: {
    [BOOL]: (value: string) => value === 't',
    [INT4]: (value: string) => Number(value),
    [TEXT]: (value: string) => value,
  },
}

/** Runs a statement of the engine with conversions of its own. */
export async function runStatement<Row>(
  target: PGliteQueryable,
  text: string,
  values: readonly unknown[] = [],
): Promise<QueryResult<Row>> {
  return toQueryResult<Row>(await send(target, text, values.map(toText), CONVERSIONS))
}

/** Runs a statement of the user, with the conversions that they registered. */
export async function runUserStatement(
  target: PGliteQueryable,
  text: string,
  values: readonly unknown[] = [],
): Promise<QueryResult> {
  return toQueryResult(await send(target, text, values, {}))
}

/** Only PGlite's `exec` takes several statements; pg takes them wherever there are no values, and so do we. */
async function send(
  target: PGliteQueryable,
  text: string,
  values: readonly unknown[],
  options: object,
): Promise<PGliteResult> {
  if (values.length > 0) return target.query(text, [...values], options)
  const results = await target.exec(text, options)
  return results.at(-1) ?? { rows: [] }
}

function toQueryResult<Row>(result: PGliteResult): QueryResult<Row> {
  const counted = result.rows.length > 0 ? result.rows.length : (result.affectedRows ?? 0)
  return { rows: result.rows as Row[], rowCount: result.rowCount ?? counted }
}
