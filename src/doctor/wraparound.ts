import { showNumber } from '../core/show.ts'
import { readOnly } from '../store/read-only.ts'
import { statement } from '../store/statement.ts'
import type { Check } from './check.ts'
import { FREEZE_TABLE, LIST_OLDEST_TABLES } from './commands.ts'
import { failure, ok, warning, withCommands } from './finding.ts'

export const READ_AGE = statement({
  name: 'read_age',
  parameters: [],
  indexes: [],
  sql: `
select
  age(pg_database.datfrozenxid) as "transactions",
  mxid_age(pg_database.datminmxid) as "multixacts"
from pg_catalog.pg_database
where pg_database.datname = current_database()`,
})

/** How far the database is from the point at which PostgreSQL takes no more writes. */
export const wraparound: Check = {
  name: 'wraparound',
  group: 'Upkeep',
  async run({ store, limits }) {
    type Ages = { transactions: number; multixacts: number }
    const [ages] = await readOnly(store, (tx) => store.run<Ages>(READ_AGE, [], tx))
    const { transactions = 0, multixacts = 0 } = ages ?? {}
    const age = Math.max(transactions, multixacts)
    const details = { transactions, multixacts }
    const message = `The oldest rows of this database are ${showNumber(age)} transactions old; at 2,146,483,647 it takes no more writes.`
    if (age >= limits.dangerousTransactions) return [failure(message, REMEDY, details)]
    if (age >= limits.oldTransactions) return [warning(message, REMEDY, details)]
    return [
      ok(`The oldest rows of this database are ${showNumber(age)} transactions old.`, details),
    ]
  },
}

const REMEDY = withCommands(
  'See who keeps autovacuum from its work (autovacuum, snapshots), then freeze the oldest tables, found by the first of these:',
  LIST_OLDEST_TABLES,
  FREEZE_TABLE,
)
