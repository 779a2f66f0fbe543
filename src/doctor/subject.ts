import type { DBTX } from '../drivers/driver.ts'
import { LATEST_VERSION } from '../migrations/all.ts'
import { readState, type SchemaState } from '../migrations/state.ts'
import { readOnly } from '../store/read-only.ts'
import { statement } from '../store/statement.ts'
import type { Store } from '../store/store.ts'
import type { Limits } from './limits.ts'

/** What the doctor looks at: one schema in one database. */
export interface Subject {
  readonly store: Store
  readonly limits: Limits
  readonly server: Server
  readonly standing: Standing
  /** Whose rights are looked at; that of the connection unless somebody named another. */
  readonly role: Role
  /** The release of Millrace that looks. */
  readonly version: string
  /** Whether nothing is told of what others ask the database. @default false */
  readonly hidesQueries?: boolean
}

/** The server, as the connection sees it. */
export interface Server {
  /** As PostgreSQL says it: `18.1`. */
  readonly version: string
  /** 180001 for 18.1. */
  readonly versionNumber: number
  /** It only follows another server, and nothing can be written here. */
  readonly isStandby: boolean
  /** The role of the connection, for SQL. */
  readonly quotedUser: string
  /** The schema, for SQL. */
  readonly quotedSchema: string
  /** Whether the connection's role is shown what the sessions of other roles do. */
  readonly seesAllSessions: boolean
}

/** A role by its name, and for SQL. */
export interface Role {
  readonly name: string
  readonly quotedName: string
  readonly exists: boolean
}

/** What this code can do with the schema as it is. */
export type Standing =
  | { readonly kind: 'missing' }
  | ({ readonly kind: 'usable' | 'outdated' | 'too new' } & SchemaState)
  /** Its bookkeeping could not be read, or is not ours. */
  | { readonly kind: 'unknown'; readonly error: Error }

export const READ_SERVER = statement({
  name: 'read_server',
  parameters: ['text', 'text'],
  indexes: [],
  sql: `
select
  current_setting('server_version') as "version",
  current_setting('server_version_num')::int4 as "versionNumber",
  pg_is_in_recovery() as "isStandby",
  quote_ident(current_user) as "quotedUser",
  quote_ident($1::text) as "quotedSchema",
  pg_has_role('pg_read_all_stats', 'usage') as "seesAllSessions",
  coalesce($2::text, current_user::text) as "name",
  quote_ident(coalesce($2::text, current_user::text)) as "quotedName",
  exists (
    select
    from pg_catalog.pg_roles
    where pg_roles.rolname = coalesce($2::text, current_user::text)
  ) as "exists"`,
})

/** The server, and the role whose rights are looked at: `roleName`, or that of the connection. */
export async function readServer(
  store: Store,
  roleName: string | undefined,
): Promise<{ server: Server; role: Role }> {
  const values = [store.schema, roleName ?? null]
  const [row] = await readOnly(store, (tx) => store.run<Server & Role>(READ_SERVER, values, tx))
  if (row === undefined) throw new Error('read_server answered no row')
  const { name, quotedName, exists, ...server } = row
  return { server, role: { name, quotedName, exists } }
}

/** How the schema stands to this code. Rejects only when there is no connection. */
export async function readStanding(store: Store): Promise<Standing> {
  try {
    return standingOf(await readOnly(store, (tx: DBTX) => readState(tx, store.schema)))
  } catch (error) {
    if (store.driver.isConnectionError(error) || !(error instanceof Error)) throw error
    return { kind: 'unknown', error }
  }
}

function standingOf(state: SchemaState): Standing {
  if (state.current === 0) return { kind: 'missing' }
  if (state.oldestCode > LATEST_VERSION) return { kind: 'too new', ...state }
  if (state.current < LATEST_VERSION) return { kind: 'outdated', ...state }
  return { kind: 'usable', ...state }
}
