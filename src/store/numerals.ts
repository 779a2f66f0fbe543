/** Orders decimal numerals without sign (ids, microseconds) by their number, without losing digits. */
export function compareNumerals(left: string, right: string): number {
  return left.length - right.length || (left < right ? -1 : left > right ? 1 : 0)
}

/** An array literal of numbers, which every driver passes on as it is. */
export function sqlArray(numbers: readonly (number | string)[]): string {
  return `{${numbers.join()}}`
}

/** The same of ids, in ascending order. */
export function sortedIds(ids: readonly string[]): string {
  return sqlArray([...ids].sort(compareNumerals))
}

/** The same of texts; null for none at all, which takes no room. */
export function sqlTexts(texts: readonly string[]): string | null {
  if (texts.length === 0) return null
  return `{${texts.map((text) => `"${text.replaceAll(/["\\]/g, '\\$&')}"`).join()}}`
}

/** The numerals in an array literal of PostgreSQL's. */
export function readArray(literal: string): string[] {
  return literal === '{}' ? [] : literal.slice(1, -1).split(',')
}
