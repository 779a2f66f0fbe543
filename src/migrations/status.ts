import { resolveSchema } from '../core/identifiers.ts'
import type { Database } from '../drivers/database.ts'
import { driverFor } from '../drivers/recognise.ts'
import { LATEST_VERSION, migrations } from './all.ts'
import type { MigrationName } from './migrate.ts'
import { resolveOptions } from './options.ts'
import { readState } from './state.ts'

/** What `migrationStatus` takes. */
export interface MigrationStatusOptions {
  /** The schema that is asked about. @default 'millrace' */
  schema?: string | undefined
}

/** How far a schema has been migrated. */
export interface MigrationStatus {
  /** The newest migration that was applied; 0 when there is none. It may be newer than `latest`. */
  readonly current: number
  /** The newest migration that this release knows. */
  readonly latest: number
  /** What `migrateUp` would apply, in order. */
  readonly pending: readonly MigrationName[]
}

/** Says how far the schema has been migrated. Changes nothing, and a missing schema is no error. */
export async function migrationStatus(
  db: Database,
  options?: MigrationStatusOptions,
): Promise<MigrationStatus> {
  const schema = resolveSchema(resolveOptions('migrationStatus', options, ['schema']).schema)
  const { current } = await readState(driverFor(db), schema)
  const pending = migrations.slice(current).map(({ version, name }) => ({ version, name }))
  return { current, latest: LATEST_VERSION, pending }
}
