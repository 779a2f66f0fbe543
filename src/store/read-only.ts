import type { DBTX } from '../drivers/driver.ts'
import { statement } from './statement.ts'
import type { Store } from './store.ts'

/**
 * What a transaction of somebody who only looks begins with. It changes nothing, it is long nowhere, it waits for
 * nobody who holds a table, and no object of somebody else stands between it and the catalog.
 */
export const LIMIT_TRANSACTION = statement({
  name: 'limit_transaction',
  parameters: [],
  indexes: [],
  sql: `
select
  set_config('transaction_read_only', 'on', true) as "isReadOnly",
  set_config('statement_timeout', '5s', true) as "statementTimeout",
  set_config('lock_timeout', '1s', true) as "lockTimeout",
  set_config('search_path', 'pg_catalog, pg_temp', true) as "searchPath"`,
})

/** Runs `look` in a transaction that can change nothing, whose statements take 5 s at most and wait 1 s for a lock. */
export function readOnly<T>(store: Store, look: (tx: DBTX) => Promise<T>): Promise<T> {
  return store.transaction(async (tx) => {
    await store.run(LIMIT_TRANSACTION, [], tx)
    return look(tx)
  })
}
