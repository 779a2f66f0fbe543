/**
 * Parameters in PostgreSQL's text format, for clients whose own conversion depends on the column's type or
 * on what the user registered. The engine's parameters are strings, numbers, booleans, null, and arrays of them.
 */
export function toText(value: unknown): string | null {
  if (value === null || value === undefined) return null
  return Array.isArray(value) ? arrayToText(value) : scalarToText(value)
}

/** An array literal: every element quoted, so that `NULL`, commas and braces in a string stay what they are. */
function arrayToText(values: readonly unknown[]): string {
  return `{${values.map(elementToText).join(',')}}`
}

function elementToText(value: unknown): string {
  if (value === null || value === undefined) return 'NULL'
  if (Array.isArray(value)) return arrayToText(value)
  return `"${scalarToText(value).replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`
}

/** Objects become JSON, as pg does it; the engine never sends one. */
function scalarToText(value: unknown): string {
  if (typeof value === 'string') return value
  return typeof value === 'object' ? JSON.stringify(value) : `${value as number | boolean | bigint}`
}
