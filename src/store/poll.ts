import type { DBTX } from '../drivers/driver.ts'
import { HAS_DUE_SUSPECTS, IS_OPEN } from './claim-parts.ts'
import type { LaneFloor } from './claim.ts'
import { sqlArray } from './numerals.ts'
import { fromMicros, toMicros, type Micros } from './instants.ts'
import { statement } from './statement.ts'
import type { Store } from './store.ts'
import type { Connection } from './workers.ts'

/** A sleeping queue as a poll finds it. */
export interface PolledQueue {
  queueId: number
  /** Whether a claim would find something now. */
  isDue: boolean
  /** When the next job is due that is not due yet; null when none waits. */
  nextDueInMs: string | null
  rewind: string
  hasSuspects: boolean
  /** For FIFO queues: the worker that owns it. */
  ownerId: number | null
  /** Whether it is paused: then nothing of it is due. */
  isPaused: boolean
}

/**
 * Looks into all queues that sleep in this process, in one statement. (The only statement that
 * names several queues: an idle process with twenty of them is to cost one transaction a second.)
 */
export const POLL_QUEUES = statement({
  name: 'poll_queues',
  parameters: ['int4[]', 'int4[]', 'int2[]', 'int8[]', 'int8[]'],
  indexes: ['jobs_due'],
  isPrepared: true,
  sql: `
select
  queues.id as "queueId",
  coalesce(lanes.is_due, false) as "isDue",
  ceil(date_part('epoch', lanes.next_run_at - statement_timestamp()) * 1000)::int8::text as "nextDueInMs",
  queues.rewind::text as "rewind",
  ${HAS_DUE_SUSPECTS} as "hasSuspects",
  queues.owner_id as "ownerId",
  not ${IS_OPEN} as "isPaused"
from {schema}.queues
left join lateral (
  select bool_or(due.id is not null) as is_due, min(waiting.run_at) as next_run_at
  from unnest($2::int4[], $3::int2[], $4::int8[], $5::int8[]) as lane (queue_id, priority, floor_at, floor_id)
  left join lateral (
    select jobs.id
    from {schema}.jobs
    where jobs.queue_id + 0 = lane.queue_id
      and jobs.priority = lane.priority
      and (jobs.run_at, jobs.id + 0) > (${fromMicros('lane.floor_at')}, lane.floor_id)
      and jobs.run_at <= statement_timestamp()
      and jobs.claimed_by is null
    order by jobs.run_at, jobs.id + 0
    limit 1
  ) as due on true
  left join lateral (
    select jobs.run_at
    from {schema}.jobs
    where jobs.queue_id + 0 = lane.queue_id
      and jobs.priority = lane.priority
      and jobs.run_at > statement_timestamp()
    order by jobs.run_at, jobs.id + 0
    limit 1
  ) as waiting on true
  where lane.queue_id = queues.id and ${IS_OPEN}
) as lanes on true
where queues.id = any($1::int4[])
order by queues.id`,
})

/** Says on the listening connection that receivers of these queues sleep (see wake.ts). */
export const FALL_ASLEEP = statement({
  name: 'fall_asleep',
  parameters: ['int4', 'int4[]'],
  indexes: [],
  sql: `
select pg_advisory_lock_shared($1::int4, sleeper.queue_id) is not null as "isAsleep"
from unnest($2::int4[]) as sleeper (queue_id)`,
})

export const AWAKE = statement({
  name: 'awake',
  parameters: ['int4', 'int4[]'],
  indexes: [],
  sql: `
select pg_advisory_unlock_shared($1::int4, sleeper.queue_id) as "isAwake"
from unnest($2::int4[]) as sleeper (queue_id)`,
})

/** A notification to ourselves, by which a process finds out whether LISTEN works here. */
export const NOTIFY = statement({
  name: 'notify',
  parameters: ['text', 'text'],
  indexes: [],
  sql: `select pg_notify($1::text, $2::text)::text as "sent"`,
})

export const READ_CLOCK = statement({
  name: 'read_clock',
  parameters: [],
  indexes: [],
  sql: `select ${toMicros('statement_timestamp()')} as "now"`,
})

/** What `POLL_QUEUES` asks of one queue: its id and from where its lanes are scanned. */
export interface Sleeper {
  readonly queueId: number
  readonly floors: readonly LaneFloor[]
}

export async function pollQueues(
  store: Store,
  sleepers: readonly Sleeper[],
): Promise<PolledQueue[]> {
  const lanes = sleepers.flatMap(({ queueId, floors }) =>
    floors.map((floor) => ({ queueId, ...floor })),
  )
  return store.run<PolledQueue>(POLL_QUEUES, [
    sqlArray(sleepers.map((sleeper) => sleeper.queueId)),
    sqlArray(lanes.map((lane) => lane.queueId)),
    sqlArray(lanes.map((lane) => lane.priority)),
    sqlArray(lanes.map((lane) => lane.runAt)),
    sqlArray(lanes.map((lane) => lane.id)),
  ])
}

export async function fallAsleep(
  store: Store,
  queueIds: readonly number[],
  connection: Connection,
): Promise<void> {
  await connection.query(store.text(FALL_ASLEEP), [store.wake.lockClass, sqlArray(queueIds)])
}

export async function awake(
  store: Store,
  queueIds: readonly number[],
  connection: Connection,
): Promise<void> {
  await connection.query(store.text(AWAKE), [store.wake.lockClass, sqlArray(queueIds)])
}

export async function notify(store: Store, payload: string, tx?: DBTX): Promise<void> {
  await store.run(NOTIFY, [store.wake.channel, payload], tx)
}

export async function readClock(store: Store, tx?: DBTX): Promise<Micros> {
  const rows = await store.run<{ now: Micros }>(READ_CLOCK, [], tx)
  return rows[0]?.now ?? '0'
}
