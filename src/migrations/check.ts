import { MillraceError } from '../core/errors.ts'
import { migrateCall, schemaMissing } from '../core/missing-schema.ts'
import type { DBTX } from '../drivers/driver.ts'
import { LATEST_VERSION } from './all.ts'
import { readState, schemaTooNew, type SchemaState } from './state.ts'

/**
 * Rejects when this code cannot work on the schema as it is. Asked once, before its first use. A
 * schema that is newer and still admits this code passes; its `current` is above `LATEST_VERSION`.
 */
export async function checkSchema(db: DBTX, schema: string): Promise<SchemaState> {
  const state = await readState(db, schema)
  if (state.current === 0) throw schemaMissing(schema)
  if (state.oldestCode > LATEST_VERSION) throw schemaTooNew(schema, state)
  if (state.current < LATEST_VERSION) throw schemaOutdated(schema, state.current)
  return state
}

function schemaOutdated(schema: string, current: number): MillraceError {
  return new MillraceError(
    'SCHEMA_OUTDATED',
    { schema, current, latest: LATEST_VERSION },
    {
      message:
        `The schema "${schema}" is at version ${current}, and this release needs version ${LATEST_VERSION}. ` +
        `Run ${migrateCall(schema)}.`,
    },
  )
}
