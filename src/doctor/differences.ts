import { OUR_TABLES, tableOf, type Part } from './expected-schema.ts'

/** A part that is not as migrations make it. */
export interface Difference extends Part {
  readonly change: 'missing' | 'different' | 'additional'
  /** How it is; undefined: it is not there. */
  readonly found: string | undefined
}

/** In the order of what is expected; what nobody expects comes last. Of a missing table only itself. */
export function compare(expected: readonly Part[], found: readonly Part[]): Difference[] {
  const texts = new Map(found.map((part) => [keyOf(part), part.text]))
  const isThere = (table: string | undefined): boolean =>
    table === undefined || texts.has(keyOf({ kind: 'table', name: table }))
  const changed = expected.flatMap((part): Difference[] => {
    const text = texts.get(keyOf(part))
    if (text !== undefined)
      return isAlike(text, part.text) ? [] : [{ ...part, change: 'different', found: text }]
    if (part.kind !== 'table' && !isThere(tableOf(part))) return []
    return [{ ...part, change: 'missing', found: undefined }]
  })
  const known = new Set(expected.map(keyOf))
  const additional = found
    .filter((part) => !known.has(keyOf(part)) && OUR_TABLES.has(tableOf(part) ?? ''))
    .map((part): Difference => ({ ...part, change: 'additional', found: part.text }))
  return [...changed, ...additional]
}

function keyOf({ kind, name }: Pick<Part, 'kind' | 'name'>): string {
  return `${kind} ${name}`
}

/** Releases of PostgreSQL set parentheses and blanks differently. */
function isAlike(left: string, right: string): boolean {
  const bare = (text: string): string => text.replaceAll(/[\s()]/g, '')
  return bare(left) === bare(right)
}
