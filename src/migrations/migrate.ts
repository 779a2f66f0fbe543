import { setTimeout } from 'node:timers/promises'
import { resolveSchema } from '../core/identifiers.ts'
import type { Database } from '../drivers/database.ts'
import type { DBTX, Driver } from '../drivers/driver.ts'
import { driverFor } from '../drivers/recognise.ts'
import { LATEST_VERSION, migrations } from './all.ts'
import type { Migration } from './migration.ts'
import { resolveOptions, resolveSignal, resolveVersion } from './options.ts'
import { readState, schemaTooNew, type SchemaState } from './state.ts'
import { downStatements, tryLockStatement, upStatements } from './steps.ts'

/** A migration by number and name. */
export interface MigrationName {
  readonly version: number
  readonly name: string
}

/** What `migrateUp` takes. */
export interface MigrateUpOptions {
  /** The schema to bring up to date; it is made when it is missing. @default 'millrace' */
  schema?: string | undefined
  /** Stops between two steps, each of which is one transaction; rejects with the signal's reason. @default none */
  signal?: AbortSignal | undefined
}

/** What `migrateDown` takes. */
export interface MigrateDownOptions extends MigrateUpOptions {
  /** The version to go back to; 0 removes everything, jobs included. Required. */
  to: number
}

/** What `migrateUp` and `migrateDown` did. */
export interface MigrationResult {
  /** The steps that this call took, in the order in which it took them. */
  readonly steps: readonly MigrationName[]
}

/**
 * Brings the schema up to what this release needs. Several processes may call it at once, and a
 * schema that is newer already is left alone as long as it still admits this release.
 */
export async function migrateUp(
  db: Database,
  options?: MigrateUpOptions,
): Promise<MigrationResult> {
  const given = resolveOptions('migrateUp', options, ['schema', 'signal'])
  const schema = resolveSchema(given.schema)
  return takeSteps(driverFor(db), schema, resolveSignal(given.signal), (state) => {
    if (state.oldestCode > LATEST_VERSION) throw schemaTooNew(schema, state)
    const migration = migrations[state.current]
    return migration && { migration, statements: upStatements(migration, schema) }
  })
}

/**
 * Takes the schema back to version `to`, with the data in it. Nothing that is not of Millrace is
 * dropped: what depends on its tables makes this reject, and the schema itself goes only when
 * Millrace made it and it is empty.
 */
export async function migrateDown(
  db: Database,
  options: MigrateDownOptions,
): Promise<MigrationResult> {
  const given = resolveOptions('migrateDown', options, ['schema', 'signal', 'to'])
  const schema = resolveSchema(given.schema)
  const to = resolveVersion('to', given.to)
  return takeSteps(driverFor(db), schema, resolveSignal(given.signal), (state) => {
    if (state.current > LATEST_VERSION) throw schemaTooNew(schema, state)
    const migration = state.current > to ? migrations[state.current - 1] : undefined
    return migration && { migration, statements: downStatements(migration, schema) }
  })
}

interface Step {
  readonly migration: Migration
  readonly statements: readonly string[]
}

/** From a state to the next step; undefined when there is nothing left to do. */
type NextStep = (state: SchemaState) => Step | undefined

/** How long to wait before asking again whether another process is done with its step. */
const LOCK_RETRY_MS = 50
/** A step that got no lock on a table in use leaves it to the others for so long. */
const TABLE_RETRY_MS = 1_000
const LOCK_NOT_AVAILABLE = '55P03'

async function takeSteps(
  driver: Driver,
  schema: string,
  signal: AbortSignal | undefined,
  next: NextStep,
): Promise<MigrationResult> {
  const steps: MigrationName[] = []
  signal?.throwIfAborted()
  // Looked at without the lock first, so that a role without DDL may call migrateUp in vain.
  if (next(await readState(driver, schema)) === undefined) return { steps }
  for (;;) {
    signal?.throwIfAborted()
    const taken = await driver
      .transaction((tx) => takeStep(tx, schema, next), { isPatient: true })
      .catch(laterIfInUse)
    if (taken === 'none left') return { steps }
    if (taken === 'in use') await sleep(TABLE_RETRY_MS, signal)
    else // Waiting outside the transaction can be aborted, and no statement_timeout ends it.
    if (taken === 'locked') await sleep(LOCK_RETRY_MS, signal)
    else steps.push({ version: taken.version, name: taken.name })
  }
}

/** A step may say how long it waits for a table that is in use (`lock_timeout`); then it is rolled back, and taken later. */
function laterIfInUse(error: unknown): 'in use' {
  if ((error as { code?: unknown } | undefined)?.code === LOCK_NOT_AVAILABLE) return 'in use'
  throw error
}

/** Decides under the lock, as another process may have taken the step meanwhile. */
async function takeStep(
  tx: DBTX,
  schema: string,
  next: NextStep,
): Promise<Migration | 'none left' | 'locked'> {
  await seeOthersCommits(tx)
  const { rows } = await tx.query(tryLockStatement(schema))
  if (rows[0]?.['is_ours'] !== true) return 'locked'
  const step = next(await readState(tx, schema))
  if (step === undefined) return 'none left'
  for (const statement of step.statements) await tx.query(statement)
  return step.migration
}

/**
 * Under `repeatable read` (a default that a role may have) the snapshot would be as old as the
 * lock's own statement, and miss what the process before us committed. SHOW takes no snapshot.
 */
async function seeOthersCommits(tx: DBTX): Promise<void> {
  const { rows } = await tx.query('show transaction_isolation')
  if (rows[0]?.['transaction_isolation'] === 'read committed') return
  await tx.query('set transaction isolation level read committed')
}

async function sleep(milliseconds: number, signal: AbortSignal | undefined): Promise<void> {
  try {
    await setTimeout(milliseconds, undefined, { signal })
  } catch {
    signal?.throwIfAborted() // with the reason of the caller rather than an AbortError
  }
}
