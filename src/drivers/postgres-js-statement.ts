import { MillraceError } from '../core/errors.ts'
import type { QueryResult } from './driver.ts'
import { toText } from './parameters.ts'
import type { PostgresAnswer, PostgresQuery, PostgresQueryable } from './postgres-js-shapes.ts'

const BOOL = 16
const INT4 = 23
/**
 * The type of a parameter whose real type PostgreSQL is to find out. postgres.js then sends the text as it is;
 * without it, it would look up what the user registered for the real type, turn JSON text into a JSON string,
 * and make every boolean in text false.
 */
const UNKNOWN = 705

/** By this answer postgres.js (src/connection.js execute) sends nothing more over the connection until ours is answered. */
const alone = (): false => false

/** The types of our parameters need no asking for (`describeFirst` in src/connection.js build). */
const NEVER_DESCRIBED = { get: (): false => false, set: (): void => {} }

/**
 * A statement of the engine for postgres.js: unnamed, so that it is planned for the table as it is now,
 * and answered in bytes, which no type or value transform of the user's touches.
 *
 * Left to itself, postgres.js first asks for the parameters' types, which takes two round trips, the first of them
 * without a Sync. Sent behind a statement without parameters, that one's answer makes PgBouncer 1.18 give
 * the server's connection to somebody else, and ours never comes (seen). So it is sent in one piece.
 */
export function queryOf(
  sql: PostgresQueryable,
  text: string,
  values: readonly unknown[] = [],
): PostgresQuery {
  const parameters = values.map((value) => sql.typed(toText(value), UNKNOWN))
  const query = sql.unsafe(text, parameters, { prepare: false, onexecute: alone }).raw()
  return Object.defineProperty(query, 'describeFirst', NEVER_DESCRIBED)
}

/** The result of the last statement of `text` that returned rows, or of the only one. */
export function resultOf<Row>(
  answer: PostgresAnswer | PostgresAnswer[],
  text: string,
): QueryResult<Row> {
  const last = isSeveral(answer) ? answer.at(-1) : answer
  if (last === undefined) return { rows: [], rowCount: null }
  const columns = last.columns ?? []
  const names = columns.map(({ name }) => originalName(name, text))
  const rows = last.map((row) => {
    if (!Array.isArray(row)) throw transformedRow()
    const named: Record<string, unknown> = {}
    for (const [index, { type }] of columns.entries()) {
      named[names[index] ?? ''] = read(row[index], type)
    }
    return named
  })
  return { rows: rows as Row[], rowCount: last.count }
}

/** Our own reading of what the engine's statements return: text, int4 and bool. */
function read(
  bytes: Uint8Array | null | undefined,
  type: number,
): string | number | boolean | null {
  if (bytes === null || bytes === undefined) return null
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8')
  if (type === BOOL) return text === 't'
  return type === INT4 ? Number(text) : text
}

function isSeveral(answer: PostgresAnswer | PostgresAnswer[]): answer is PostgresAnswer[] {
  return !('columns' in answer)
}

/**
 * The name that a column had before `transform.column` of the user's. A transaction does not show which transform its
 * `sql` has, but all of them change letter case and what stands between words only; so it is the name in the
 * statement's own text that is the same but for these.
 */
function originalName(name: string, text: string): string {
  if (text.includes(`"${name}"`) || name === '?column?') return name
  const quoted = [...text.matchAll(/"([^"]+)"/g)].map((match) => match[1] ?? '')
  const words = [...(text.match(/[a-z_][a-z0-9_]*/gi) ?? []), 'QUERY PLAN']
  const original =
    quoted.find((word) => bare(word) === bare(name)) ??
    words.find((word) => word === name) ??
    words.find((word) => bare(word) === bare(name))
  if (original === undefined) throw transformedName(name)
  return original
}

function bare(name: string): string {
  return name.replaceAll(/[^a-z0-9]/gi, '').toLowerCase()
}

function transformedName(name: string): MillraceError {
  return unusable(`its transform.column names a column "${name}" that no statement asked for`)
}

function transformedRow(): MillraceError {
  return unusable('its transform.row changes the rows of every statement')
}

/** A postgres.js that changes what our statements answer in a way that nobody can undo. */
function unusable(why: string): MillraceError {
  return new MillraceError(
    'INVALID_DATABASE',
    { database: 'postgres.js' },
    {
      message: `This postgres.js cannot be used: ${why}. Give Millrace a sql of its own without it.`,
    },
  )
}

/** Refuses a `sql` whose rows would come changed, before anything is sent. */
export function refuseRowTransform(options: {
  readonly transform?: { readonly row?: { readonly from?: unknown } }
}): void {
  if (typeof options.transform?.row?.from === 'function') throw transformedRow()
}
