import { createHash } from 'node:crypto'
import { isStatementError } from './connection-errors.ts'

/** No statement of that name, or one already: connections of the server change hands behind a pooler. */
const REFUSALS = new Set(['26000', '42P05'])
/** The answer's types are others than when it was planned. */
const OUTDATED = '0A000'

const names = new Map<string, string>()

/**
 * The name under which a statement is prepared: a digest of its text, so that whoever has prepared a statement of that
 * name has prepared this one, over whatever pooler and in whatever release.
 */
export function preparedName(text: string): string {
  const name = names.get(text) ?? digest(text)
  names.set(text, name)
  return name
}

/**
 * The names of one pool.
 *
 * PgBouncer before 1.21, and others that share connections by the transaction, do not carry names. The server then
 * refuses the statement before it is carried out; it is sent without a name, and so are all after it.
 */
export class PreparedNames {
  #isRefused = false

  /** The name of a statement, or undefined where names are refused. */
  of(text: string): string | undefined {
    return this.#isRefused ? undefined : preparedName(text)
  }

  /** Whether the error says that the name was refused; then the statement had no effect. */
  refusedBy(error: unknown): boolean {
    if (!isStatementError(error)) return false
    const state = String((error as { code?: unknown }).code)
    if (state === OUTDATED) return true
    const isRefusal = REFUSALS.has(state)
    this.#isRefused ||= isRefusal
    return isRefusal
  }
}

function digest(text: string): string {
  return `millrace_${createHash('sha256').update(text).digest('hex').slice(0, 24)}`
}
