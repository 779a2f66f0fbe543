import { showBytes, showCount } from '../core/words.ts'
import type { DBTX } from '../drivers/driver.ts'
import { readOnly } from '../store/read-only.ts'
import { statement } from '../store/statement.ts'
import type { Check } from './check.ts'
import { rebuildIndex, rewriteTable } from './commands.ts'
import { OUR_TABLES } from './expected-schema.ts'
import { ok, warning, withCommands, type Observation } from './finding.ts'
import type { Subject } from './subject.ts'

/** A row's header and its pointer; of an index's entry the same, with the largest key that our indexes have. */
const ROW_OVERHEAD_BYTES = 28
const INDEX_ENTRY_BYTES = 40
/** What a row is taken for where nobody analyzed the table, or may read its statistics. */
const USUAL_ROW_BYTES = 250
/** How full the pages of an index are that was not bloated. */
const INDEX_FILL = 0.6

/**
 * Tables and indexes by their files' sizes and what PostgreSQL counts anyway: no row is read. Partitions are left out,
 * as they go with their day.
 */
export const LIST_SIZES = statement({
  name: 'list_sizes',
  parameters: ['text'],
  indexes: [],
  sql: `
select
  relation.relname::text as "name",
  measured.relname::text as "table",
  relation.relkind = 'i' as "isIndex",
  pg_relation_size(relation.oid)::text as "bytes",
  greatest(0, relation.reltuples, pg_stat_get_live_tuples(measured.oid))::int8::text as "rows",
  pg_stat_get_dead_tuples(measured.oid)::text as "deadRows",
  coalesce((
    select option.option_value::int4
    from pg_options_to_table(measured.reloptions) as option
    where option.option_name = 'fillfactor'
  ), 100) as "fillfactor",
  (
    select sum(pg_stats.avg_width)::int4
    from pg_catalog.pg_stats
    where pg_stats.schemaname = namespace.nspname and pg_stats.tablename = measured.relname
  ) as "rowBytes"
from pg_catalog.pg_namespace as namespace
join pg_catalog.pg_class as relation on relation.relnamespace = namespace.oid
left join pg_catalog.pg_index as entry on entry.indexrelid = relation.oid
join pg_catalog.pg_class as measured on measured.oid = coalesce(entry.indrelid, relation.oid)
where namespace.nspname = $1::text
  and relation.relkind in ('r', 'i')
  and not relation.relispartition
order by relation.relname`,
})

/** What history takes, as of the last vacuum of each of its days: their files are not asked one by one. */
export const READ_HISTORY_SIZE = statement({
  name: 'read_history_size',
  parameters: ['text'],
  indexes: [],
  sql: `
select
  (sum(relation.relpages::int8) * current_setting('block_size')::int8)::int8::text as "bytes"
from pg_catalog.pg_namespace as namespace
join pg_catalog.pg_class as relation on relation.relnamespace = namespace.oid
where namespace.nspname = $1::text and relation.relispartition`,
})

interface Size {
  readonly name: string
  readonly table: string
  readonly isIndex: boolean
  readonly bytes: string
  readonly rows: string
  readonly deadRows: string
  readonly fillfactor: number
  readonly rowBytes: number | null
}

/** Whether tables or indexes are far larger than what they hold. */
export const bloat: Check = {
  name: 'bloat',
  group: 'Upkeep',
  readsTables: true,
  run: (subject) => readOnly(subject.store, (tx) => look(subject, tx)),
}

async function look(subject: Subject, tx: DBTX): Promise<Observation[]> {
  const { store, limits } = subject
  const all = await store.run<Size>(LIST_SIZES, [store.schema], tx)
  const sizes = all.filter(({ table }) => OUR_TABLES.has(table))
  const bloated = sizes.filter(({ bytes }) => Number(bytes) >= limits.bloatBytes)
  const observations = bloated
    .filter((size) => Number(size.bytes) > limits.bloatFactor * neededBytes(size))
    .map((size) => bloatedOne(size, subject))
  if (observations.length > 0) return observations
  const bytes = sizes.reduce((sum, size) => sum + Number(size.bytes), 0)
  const [history] = await store.run<{ bytes: string | null }>(READ_HISTORY_SIZE, [store.schema], tx)
  const historyBytes = Number(history?.bytes ?? 0)
  const message = `The tables and indexes take ${showBytes(bytes)}, history some ${showBytes(historyBytes)}: nothing is far larger than its rows.`
  return [ok(message, { bytes, historyBytes })]
}

/** What the live rows would take. */
function neededBytes({ isIndex, rows, rowBytes, fillfactor }: Size): number {
  if (isIndex) return (Number(rows) * INDEX_ENTRY_BYTES) / INDEX_FILL
  const width = (rowBytes ?? USUAL_ROW_BYTES) + ROW_OVERHEAD_BYTES
  return (Number(rows) * width) / (fillfactor / 100)
}

function bloatedOne(size: Size, { server }: Subject): Observation {
  const [bytes, rows, deadRows] = [Number(size.bytes), Number(size.rows), Number(size.deadRows)]
  const dead = deadRows > 0 ? ` and ${showCount(deadRows, 'dead one')}` : ''
  const what = size.isIndex ? `The index ${size.name} of ${size.table}` : `The table ${size.name}`
  const message = `${what} takes ${showBytes(bytes)} for ${showCount(rows, 'row')}${dead}.`
  const details = { name: size.name, isIndex: size.isIndex, bytes, rows, deadRows }
  return warning(message, remedyFor(size, server.quotedSchema), details)
}

function remedyFor({ name, isIndex }: Size, quotedSchema: string): string {
  const cause =
    'End whatever holds a snapshot (snapshots); vacuum then makes the space free for new rows, and nothing more has to be done.'
  if (isIndex) {
    const sentence = `${cause} To have it back, while jobs go on:`
    return withCommands(sentence, rebuildIndex(quotedSchema, name))
  }
  const sentence = `${cause} To give it back to the disk, stop all workers and producers, then:`
  return withCommands(sentence, rewriteTable(quotedSchema, name))
}
