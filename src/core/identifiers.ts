import { invalidOption } from './validate.ts'

/** PostgreSQL cuts longer identifiers short without an error, so that two schemas would be one. */
const MAX_IDENTIFIER_BYTES = 63

/** Double quotes around a name, so that SQL takes it as it is. */
export function quoteIdentifier(name: string): string {
  return `"${name.replaceAll('"', '""')}"`
}

/** Single quotes around a text, so that SQL takes it as it is, whatever `standard_conforming_strings` says. */
export function quoteLiteral(text: string): string {
  const quoted = `'${text.replaceAll("'", "''")}'`
  return quoted.includes('\\') ? `E${quoted.replaceAll('\\', '\\\\')}` : quoted
}

/**
 * Puts a schema's name into SQL, once:
 *
 * - `{schema}` becomes the quoted identifier,
 * - `'{schema}.job_ids'` the same inside a literal, for `regclass` and its kin,
 * - `{schema_name}` the bare name as a literal,
 * - `{body}` a dollar quote for a function's body that does not occur in the name.
 */
export function fillSchema(sql: string, schema: string): string {
  const identifier = quoteIdentifier(schema)
  return sql.replaceAll(PLACEHOLDERS, (placeholder, relation: string | undefined) => {
    if (relation !== undefined) return quoteLiteral(`${identifier}.${relation}`)
    if (placeholder === '{schema}') return identifier
    if (placeholder === '{schema_name}') return quoteLiteral(schema)
    return dollarQuote(schema)
  })
}

const PLACEHOLDERS = /'\{schema\}\.(\w+)'|\{schema\}|\{schema_name\}|\{body\}/g

function dollarQuote(schema: string): string {
  let tag = 'body'
  while (schema.includes(`$${tag}$`)) tag += '_'
  return `$${tag}$`
}

/** The default schema. */
export const DEFAULT_SCHEMA = 'millrace'

/** Checks the `schema` option: any name that PostgreSQL accepts for a schema. */
export function resolveSchema(value: unknown): string {
  if (value === undefined) return DEFAULT_SCHEMA
  const problem = describeProblem(value)
  if (problem === undefined) return value as string
  throw invalidOption('schema', value, `it ${problem}; pass a name such as 'millrace'`)
}

function describeProblem(value: unknown): string | undefined {
  if (typeof value !== 'string') return 'must be a string'
  if (value === '') return 'must not be empty'
  if (value.includes('\u0000')) return 'must not contain \\u0000'
  if (/\p{Surrogate}/u.test(value)) return 'must not contain half a surrogate pair'
  if (Buffer.byteLength(value) > MAX_IDENTIFIER_BYTES) {
    return `has ${Buffer.byteLength(value)} bytes in UTF-8, and at most ${MAX_IDENTIFIER_BYTES} fit into a name`
  }
  if (value.startsWith('pg_')) return 'must not begin with "pg_", which PostgreSQL keeps for itself'
  return undefined
}
