import { statement } from '../store/statement.ts'

/** More than this of a kind are not told one by one; those who hold back most come first. */
const MOST = 10

/** Somebody who holds back what vacuum may remove. */
export interface Holding {
  /** How many transactions have begun since the oldest that it still sees. */
  readonly transactions: number
}

/** A session with a transaction. What another role's session does is null unless one may see it. */
export interface Session extends Holding {
  readonly processId: number
  readonly user: string | null
  readonly application: string | null
  readonly address: string | null
  readonly state: string | null
  readonly kind: string | null
  readonly openForMs: string | null
  readonly query: string | null
}

/**
 * Sessions whose snapshot or transaction holds back vacuum in this database. A walsender belongs to no database and
 * holds back all of them. Vacuum itself does not count, whoever began it; of a parallel query only the leader does.
 */
export const LIST_SESSIONS = statement({
  name: 'list_sessions',
  parameters: [],
  indexes: [],
  sql: `
select
  activity.pid as "processId",
  activity.usename::text as "user",
  activity.application_name as "application",
  host(activity.client_addr) as "address",
  activity.state as "state",
  activity.backend_type as "kind",
  (date_part('epoch', clock_timestamp() - activity.xact_start) * 1000)::int8::text as "openForMs",
  activity.query as "query",
  greatest(age(activity.backend_xid), age(activity.backend_xmin)) as "transactions"
from pg_catalog.pg_stat_activity as activity
where activity.pid <> pg_backend_pid()
  and (activity.backend_xid is not null or activity.backend_xmin is not null)
  and activity.leader_pid is null
  and (activity.datname is null or activity.datname = current_database())
  and not exists (
    select
    from pg_catalog.pg_stat_progress_vacuum as vacuum
    where vacuum.pid = activity.pid
  )
order by "transactions" desc, activity.xact_start, activity.pid
limit ${MOST}`,
})

/** A transaction that was prepared for a commit in two phases, and waits for the second. */
export interface PreparedTransaction extends Holding {
  readonly name: string
  readonly owner: string
  readonly openForMs: string
}

export const LIST_PREPARED = statement({
  name: 'list_prepared',
  parameters: [],
  indexes: [],
  sql: `
select
  prepared.gid as "name",
  prepared.owner::text as "owner",
  (date_part('epoch', clock_timestamp() - prepared.prepared) * 1000)::int8::text as "openForMs",
  age(prepared.transaction) as "transactions"
from pg_catalog.pg_prepared_xacts as prepared
where prepared.database = current_database()
order by prepared.prepared, prepared.gid
limit ${MOST}`,
})

/** A replication slot that holds back what its standby may still want to see. */
export interface Slot extends Holding {
  readonly name: string
  readonly isActive: boolean
}

export const LIST_SLOTS = statement({
  name: 'list_slots',
  parameters: [],
  indexes: [],
  sql: `
select
  slots.slot_name::text as "name",
  slots.active as "isActive",
  age(slots.xmin) as "transactions"
from pg_catalog.pg_replication_slots as slots
where slots.xmin is not null
order by "transactions" desc, slots.slot_name
limit ${MOST}`,
})
