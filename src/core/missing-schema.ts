import { MillraceError } from './errors.ts'

const UNDEFINED_TABLE = '42P01'
const INVALID_SCHEMA_NAME = '3F000'

/** Whether PostgreSQL says that a table, or the schema that it should be in, does not exist. */
export function isMissingRelation(error: unknown): boolean {
  if (typeof error !== 'object' || error === null || !('code' in error)) return false
  return error.code === UNDEFINED_TABLE || error.code === INVALID_SCHEMA_NAME
}

/** An error of one of our statements: `SCHEMA_MISSING` where a table was not found, else itself. */
export function translateMissingSchema(error: unknown, schema: string): unknown {
  return isMissingRelation(error) ? schemaMissing(schema, error) : error
}

/** There is nothing of Millrace in that schema; it says what to run. */
export function schemaMissing(schema: string, cause?: unknown): MillraceError {
  return new MillraceError(
    'SCHEMA_MISSING',
    { schema },
    {
      message: `There is no schema "${schema}" of millrace in this database. Run ${migrateCall(schema)} first.`,
      cause,
    },
  )
}

/** The call that brings a schema up to date, as a user would write it. */
export function migrateCall(schema: string): string {
  return schema === 'millrace'
    ? 'migrateUp(db)'
    : `migrateUp(db, { schema: ${JSON.stringify(schema)} })`
}
