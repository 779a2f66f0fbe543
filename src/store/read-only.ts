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

/**
 * The same for who reads a bounded part of a long table in the order of an index: no plan may gather and sort the
 * whole of a queue first because the statistics say that it is short.
 */
export const LIMIT_AND_BOUND_TRANSACTION = statement({
  name: 'limit_and_bound_transaction',
  parameters: [],
  indexes: [],
  sql: `${LIMIT_TRANSACTION.sql},
  set_config('enable_seqscan', 'off', true) as "seqscan",
  set_config('enable_bitmapscan', 'off', true) as "bitmapscan",
  set_config('jit', 'off', true) as "jit"`,
})

/** Runs `look` in a transaction that can change nothing, whose statements take 5 s at most and wait 1 s for a lock. */
export function readOnly<T>(store: Store, look: (tx: DBTX) => Promise<T>): Promise<T> {
  return store.transaction(async (tx) => {
    await store.run(LIMIT_TRANSACTION, [], tx)
    return look(tx)
  })
}

/** As `readOnly`, for statements that follow an index as far as their limit. */
export function readBounded<T>(store: Store, look: (tx: DBTX) => Promise<T>): Promise<T> {
  return store.transaction(async (tx) => {
    await store.run(LIMIT_AND_BOUND_TRANSACTION, [], tx)
    return look(tx)
  })
}
