import { createHash } from 'node:crypto'
import { show } from '../core/show.ts'
import { Refusal } from './refusal.ts'

/*
 * Where the next page begins, as a text that is nobody's business. It says of which list it is, so that it is not used on
 * another one. It is no secret and no proof: whoever makes one up gets a page that they may read anyway.
 */

/** The cursor of the page behind `after`, of the list that these words name. */
export function writeCursor(list: readonly string[], after: string): string {
  return Buffer.from(JSON.stringify([nameOf(list), after])).toString('base64url')
}

/** What stands in a cursor of this list; null without one. Throws a `Refusal` for another list's, or that nobody wrote. */
export function readCursor(
  list: readonly string[],
  cursor: unknown,
  isAfter: (text: string) => boolean,
): string | null {
  if (cursor === undefined) return null
  const [name, after] = typeof cursor === 'string' ? partsOf(cursor) : []
  if (name === nameOf(list) && typeof after === 'string' && isAfter(after)) return after
  throw new Refusal(400, 'INVALID_CURSOR', `The cursor ${show(cursor)} is not of this list.`, {
    field: 'cursor',
    value: typeof cursor === 'string' ? cursor.slice(0, 300) : null,
    remedy:
      'pass the text that "next" had in the answer of the page before, with the same parameters',
  })
}

function nameOf(list: readonly string[]): string {
  return createHash('sha256').update(JSON.stringify(list)).digest('base64url').slice(0, 12)
}

function partsOf(cursor: string): readonly unknown[] {
  try {
    const parts: unknown = JSON.parse(Buffer.from(cursor, 'base64url').toString('utf8'))
    return Array.isArray(parts) ? parts : []
  } catch {
    return []
  }
}
