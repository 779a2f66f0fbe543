import { statement } from '../store/statement.ts'

export const READ_AUTOVACUUM = statement({
  name: 'read_autovacuum',
  parameters: [],
  indexes: [],
  sql: `
select
  current_setting('autovacuum')::bool as "isOn",
  current_setting('track_counts')::bool as "isCounting",
  current_setting('autovacuum_max_workers')::int4 as "maxWorkers"`,
})

/** The autovacuum workers of the whole server; none are seen without the right to see the sessions of others. */
export const LIST_VACUUMS = statement({
  name: 'list_vacuums',
  parameters: [],
  indexes: [],
  sql: `
select
  coalesce(activity.query, '') as "query",
  coalesce(date_part('epoch', clock_timestamp() - activity.xact_start) * 1000, 0)::int8::text as "busyForMs"
from pg_catalog.pg_stat_activity as activity
where activity.backend_type = 'autovacuum worker'
order by activity.xact_start, activity.pid`,
})

/** What autovacuum knows of each table, and from how many dead rows on it begins there. */
export const LIST_DEAD_ROWS = statement({
  name: 'list_dead_rows',
  parameters: ['text'],
  indexes: [],
  sql: `
select
  relation.relname::text as "table",
  options.is_enabled as "isEnabled",
  coalesce(pg_stat_get_dead_tuples(relation.oid), 0)::text as "deadRows",
  least(
    coalesce(options.threshold, current_setting('autovacuum_vacuum_threshold')::float8)
      + coalesce(options.scale_factor, current_setting('autovacuum_vacuum_scale_factor')::float8)
        * greatest(relation.reltuples, 0),
    nullif(current_setting('autovacuum_vacuum_max_threshold', true)::float8, -1)
  )::int8::text as "beginsAt",
  (
    date_part('epoch', statement_timestamp() - greatest(
      pg_stat_get_last_autovacuum_time(relation.oid),
      pg_stat_get_last_vacuum_time(relation.oid)
    )) * 1000
  )::int8::text as "vacuumedForMs"
from pg_catalog.pg_namespace as namespace
join pg_catalog.pg_class as relation on relation.relnamespace = namespace.oid
cross join lateral (
  select
    coalesce(bool_and(case when option.option_name = 'autovacuum_enabled' then option.option_value::bool end), true) as is_enabled,
    max(case when option.option_name = 'autovacuum_vacuum_threshold' then option.option_value::float8 end) as threshold,
    max(case when option.option_name = 'autovacuum_vacuum_scale_factor' then option.option_value::float8 end) as scale_factor
  from pg_options_to_table(relation.reloptions) as option
) as options
where namespace.nspname = $1::text and relation.relkind = 'r'
order by relation.relname`,
})

/** How the server is set. */
export interface Settings {
  readonly isOn: boolean
  readonly isCounting: boolean
  readonly maxWorkers: number
}

/** An autovacuum worker at work. */
export interface Vacuum {
  readonly query: string
  readonly busyForMs: string
}

/** A table, as autovacuum sees it. */
export interface Table {
  readonly table: string
  readonly isEnabled: boolean
  readonly deadRows: string
  /** How many dead rows it takes before it comes. */
  readonly beginsAt: string
  /** How long ago it was vacuumed; null: never. */
  readonly vacuumedForMs: string | null
}
