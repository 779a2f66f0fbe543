import { sqlState } from '../store/store.ts'
import { grant, grantMembership } from './commands.ts'
import { withCommands } from './finding.ts'
import type { Server } from './subject.ts'

const INSUFFICIENT_PRIVILEGE = '42501'

/** Whether an error says that the role of the connection may not. */
export function isRefused(error: unknown): boolean {
  return sqlState(error) === INSUFFICIENT_PRIVILEGE
}

/** What a role needs that only looks at Millrace's tables. */
export function grantToLook({ quotedSchema, quotedUser }: Server): string {
  return withCommands(
    'Let it look, as the owner of the schema:',
    grant('usage', `schema ${quotedSchema}`, quotedUser),
    grant('select', `all tables in schema ${quotedSchema}`, quotedUser),
  )
}

/** What a role needs that is to see what the sessions of others do. */
export function grantToSeeSessions({ quotedUser }: Server): string {
  return withCommands(
    'Let it see them, as an administrator:',
    grantMembership('pg_read_all_stats', quotedUser),
  )
}
