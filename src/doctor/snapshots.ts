import type { DBTX } from '../drivers/driver.ts'
import { readOnly } from '../store/read-only.ts'
import type { Store } from '../store/store.ts'
import type { Check } from './check.ts'
import { ok } from './finding.ts'
import {
  LIST_PREPARED,
  LIST_SESSIONS,
  LIST_SLOTS,
  type Holding,
  type PreparedTransaction,
  type Session,
  type Slot,
} from './holders.ts'
import { observePrepared, observeSessions, observeSlots } from './holding.ts'

/** Whoever keeps vacuum from removing what was worked off: sessions, prepared transactions, replication. */
export const snapshots: Check = {
  name: 'snapshots',
  group: 'Upkeep',
  notEmbedded: 'The embedded database has one session, this one.',
  async run({ store, server, limits, hidesQueries }) {
    const { sessions, prepared, slots } = await readOnly(store, (tx) => look(store, tx))
    const told = hidesQueries === true ? sessions.map(withoutQuery) : sessions
    const observations = [
      ...observeSessions(told, server, limits),
      ...observePrepared(prepared, limits),
      ...observeSlots(slots, limits),
    ]
    if (observations.length > 0) return observations
    const transactions = Math.max(0, ...[...sessions, ...prepared, ...slots].map(ageOf))
    return [ok('Nobody has held a snapshot for long.', { oldestInTransactions: transactions })]
  },
}

async function look(
  store: Store,
  tx: DBTX,
): Promise<{ sessions: Session[]; prepared: PreparedTransaction[]; slots: Slot[] }> {
  return {
    sessions: await store.run<Session>(LIST_SESSIONS, [], tx),
    prepared: await store.run<PreparedTransaction>(LIST_PREPARED, [], tx),
    slots: await store.run<Slot>(LIST_SLOTS, [], tx),
  }
}

function withoutQuery(session: Session): Session {
  return { ...session, query: null }
}

function ageOf({ transactions }: Holding): number {
  return transactions
}
