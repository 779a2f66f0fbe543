import type { DBTX } from '../drivers/driver.ts'
import { readOnly } from '../store/read-only.ts'
import { statement } from '../store/statement.ts'
import type { Store } from '../store/store.ts'
import type { Check } from './check.ts'
import { failure, ok } from './finding.ts'
import { readClocks } from './round-trip.ts'

/** Of a connection through a pooler: between the pooler and the server. */
export const READ_ENCRYPTION = statement({
  name: 'read_encryption',
  parameters: [],
  indexes: [],
  sql: `
select encryption.ssl as "isEncrypted", encryption.version::text as "protocol"
from pg_catalog.pg_stat_ssl as encryption
where encryption.pid = pg_backend_pid()`,
})

/** How the database is reached. That it cannot be reached at all is said before any check. */
export const connection: Check = {
  name: 'connection',
  group: 'Connection',
  async run({ store, server }) {
    const { roundTripMs, protocol } = await readOnly(store, async (tx) => {
      const reading = await readClocks(store, tx)
      return { ...reading, protocol: await readProtocol(store, tx) }
    })
    const how = store.driver.isSingleSession
      ? 'in this process'
      : protocol === null
        ? 'without TLS'
        : `over ${protocol}`
    const details = { roundTripMs: Number(roundTripMs.toFixed(3)), tls: protocol }
    const reached = ok(`PostgreSQL answers in ${roundTripMs.toFixed(1)} ms, ${how}.`, details)
    return server.isStandby ? [reached, STANDBY] : [reached]
  },
}

const STANDBY = failure(
  'This server is a standby: jobs can neither be enqueued nor run here.',
  'Connect to the primary. Only looking works on a standby.',
)

/** `TLSv1.3`; null without TLS. */
async function readProtocol(store: Store, tx: DBTX): Promise<string | null> {
  type Row = { isEncrypted: boolean; protocol: string | null }
  const [row] = await store.run<Row>(READ_ENCRYPTION, [], tx)
  return row?.isEncrypted === true ? (row.protocol ?? 'TLS') : null
}
