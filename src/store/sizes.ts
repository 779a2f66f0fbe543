import type { DBTX } from '../drivers/driver.ts'
import { readArray } from './numerals.ts'
import { statement } from './statement.ts'
import type { Store } from './store.ts'

/* How many jobs queues have, as the statistics of the tables say: for all of them at the cost of one statement. */

/**
 * How many rows a table has, and how they are shared among queues, as its statistics have it. Of history each
 * partition has its own. Nothing comes of a table whose statistics this role may not see.
 */
export const READ_SIZES = statement({
  name: 'read_sizes',
  parameters: ['text', 'text'],
  indexes: [],
  sql: `
select
  tables.relname = $2::text as "isLive",
  (tables.reltuples / greatest(tables.relpages, 1) * (pg_relation_size(tables.oid) / current_setting('block_size')::int8))::int8::text
    as "rows",
  stats.most_common_vals::text as "queueIds",
  stats.most_common_freqs::text as "shares",
  stats.n_distinct::text as "distinct"
from pg_catalog.pg_class as tables
join pg_catalog.pg_namespace as schemas on schemas.oid = tables.relnamespace
join pg_catalog.pg_stats as stats
  on stats.schemaname = schemas.nspname and stats.tablename = tables.relname and stats.attname = 'queue_id'
where schemas.nspname = $1::text
  and tables.reltuples > 0
  and (
    tables.relname = $2::text
    or tables.relispartition and tables.relkind = 'r'
  )
order by tables.oid`,
})

/** How many rows each queue has in `jobs` and in `history`; undefined where no statistics say it. */
export interface Sizes {
  /** Of all queues together, in `jobs`. */
  readonly allLive: number
  live(queueId: number): number | undefined
  past(queueId: number): number | undefined
}

interface SizeRow {
  isLive: boolean
  rows: string
  queueIds: string | null
  shares: string | null
  distinct: string
}

export async function readSizes(store: Store, tx?: DBTX): Promise<Sizes> {
  const rows = await store.run<SizeRow>(READ_SIZES, [store.schema, 'jobs'], tx)
  const tables = rows.map((row) => ({ isLive: row.isLive, sizeOf: sizesIn(row) }))
  const sum = (isLive: boolean, queueId: number): number | undefined => {
    const those = tables.filter((table) => table.isLive === isLive)
    if (those.length === 0) return undefined
    return those.reduce((rows, { sizeOf }) => rows + sizeOf(queueId), 0)
  }
  const allLive = rows.reduce((all, row) => all + (row.isLive ? Number(row.rows) : 0), 0)
  return { allLive, live: (queueId) => sum(true, queueId), past: (queueId) => sum(false, queueId) }
}

/** As the planner does it: the common values have their share, the others share the rest evenly. */
function sizesIn(row: SizeRow): (queueId: number) => number {
  const rows = Number(row.rows)
  const shares = readArray(row.shares ?? '{}').map(Number)
  const common = new Map(readArray(row.queueIds ?? '{}').map((id, at) => [Number(id), shares[at]]))
  const distinct = Number(row.distinct) < 0 ? -Number(row.distinct) * rows : Number(row.distinct)
  const others = Math.max(1, distinct - common.size)
  const rest = Math.max(0, 1 - shares.reduce((sum, share) => sum + share, 0)) / others
  return (queueId) => rows * (common.get(queueId) ?? (distinct > common.size ? rest : 0))
}
