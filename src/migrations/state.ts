import { MillraceError } from '../core/errors.ts'
import { fillSchema } from '../core/identifiers.ts'
import { isMissingRelation } from '../core/missing-schema.ts'
import type { DBTX } from '../drivers/driver.ts'
import { LATEST_VERSION } from './all.ts'

/** How far a schema has been migrated, as its own bookkeeping says. */
export interface SchemaState {
  /** The newest migration that was applied; 0 when there is none. */
  readonly current: number
  /** The `LATEST_VERSION` of the oldest code that works on it. */
  readonly oldestCode: number
}

const HAS_BOOKKEEPING = `
  select
    count(*)::int as columns,
    (count(*) filter (where attribute.attname in ('version', 'name', 'oldest_code', 'applied_at')))::int as ours
  from pg_catalog.pg_namespace as namespace
    join pg_catalog.pg_class as class on class.relnamespace = namespace.oid
    join pg_catalog.pg_attribute as attribute on attribute.attrelid = class.oid
  where namespace.nspname = {schema_name}
    and class.relname = 'migrations'
    and attribute.attnum > 0
    and not attribute.attisdropped`

const READ_STATE = `
  select
    coalesce(max(version), 0)::int as current,
    coalesce(max(oldest_code), 0)::int as oldest_code
  from {schema}.migrations`

/**
 * Reads how far the schema has been migrated. It asks the catalog first: a statement that fails
 * would take the transaction of a caller with it.
 */
export async function readState(db: DBTX, schema: string): Promise<SchemaState> {
  const { columns, ours } = await readRow(db, fillSchema(HAS_BOOKKEEPING, schema))
  if (columns === 0) return { current: 0, oldestCode: 0 }
  if (ours !== 4) throw foreignBookkeeping(schema)
  try {
    const row = await readRow(db, fillSchema(READ_STATE, schema))
    return { current: row['current'] as number, oldestCode: row['oldest_code'] as number }
  } catch (error) {
    // Somebody took the schema away between the two statements.
    if (isMissingRelation(error)) return { current: 0, oldestCode: 0 }
    throw error
  }
}

/** The refusal of a schema that says it needs newer code than this. */
export function schemaTooNew(schema: string, state: SchemaState): MillraceError {
  return new MillraceError(
    'SCHEMA_TOO_NEW',
    { schema, current: state.current, latest: LATEST_VERSION, oldestCode: state.oldestCode },
    {
      message:
        `The schema "${schema}" is at version ${state.current} and needs code of version ${state.oldestCode} or newer, ` +
        `but this release knows versions up to ${LATEST_VERSION}. Install a newer release of millrace.`,
    },
  )
}

async function readRow(db: DBTX, sql: string): Promise<Record<string, unknown>> {
  const { rows } = await db.query(sql)
  return rows[0] ?? {}
}

function foreignBookkeeping(schema: string): MillraceError {
  return new MillraceError(
    'INVALID_OPTION',
    { option: 'schema', value: schema },
    {
      message:
        `The schema "${schema}" has a table "migrations" that is not of millrace. ` +
        `Pass another schema, such as 'millrace'.`,
    },
  )
}
