import type { DBTX } from '../drivers/driver.ts'
import { readSizes, total, type Counted } from './glance.ts'
import { statement } from './statement.ts'
import type { Store } from './store.ts'

/** Of each dead-letter queue so many jobs are counted; how many more there are is estimated. */
const SAMPLE = 1_000
/** So many of the queues behind one are named. */
const MOST_NAMED = 20

const NAMES = `
  (
    select coalesce(jsonb_agg(named.name order by named.name), '[]')::text
    from (
      select behind.name
      from {schema}.queues as behind
      where behind.dlq_id = dlqs.id
      order by behind.name
      limit ${MOST_NAMED}
    ) as named
  ) as "behind",
  (select count(*)::int4 from {schema}.queues as behind where behind.dlq_id = dlqs.id) as "behindCount"`

/** The queues that are the dead-letter queue of another, in the order of their names, and how many jobs they hold. */
export const LIST_DEAD_LETTER_QUEUES = statement({
  name: 'list_dead_letter_queues',
  parameters: ['int4', 'int4'],
  indexes: ['jobs_by_id'],
  sql: `
select
  dlqs.id as "id",
  dlqs.name as "name",${NAMES},
  depth.sampled as "sampled"
from (
  select queues.id, queues.name
  from {schema}.queues
  where queues.id in (select behind.dlq_id from {schema}.queues as behind)
  order by queues.name
  limit $1::int4
) as dlqs
cross join lateral (
  select count(*)::int4 as sampled
  from (
    select
    from {schema}.jobs
    where jobs.queue_id = dlqs.id
    order by jobs.queue_id, jobs.id
    limit $2::int4
  ) as sample
) as depth
order by dlqs.name`,
})

/** Whose dead-letter queue a queue is. */
export const FIND_QUEUES_BEHIND = statement({
  name: 'find_queues_behind',
  parameters: ['int4'],
  indexes: ['queues_pkey'],
  sql: `
select${NAMES}
from {schema}.queues as dlqs
where dlqs.id = $1::int4`,
})

/**
 * How many jobs went from the queues of today's settings to each dead-letter queue within the last hour and the last
 * day, to the minute: minutes of a day are not folded yet.
 */
export const READ_DEAD_LETTERED = statement({
  name: 'read_dead_lettered',
  parameters: [],
  indexes: [],
  sql: `
select
  queues.dlq_id as "id",
  coalesce(sum(known.dead_lettered) filter (where known.at > statement_timestamp() - interval '1 hour'), 0)::text as "hour",
  sum(known.dead_lettered)::text as "day"
from {schema}.queues
cross join lateral (
  select statistics.at, statistics.dead_lettered
  from {schema}.statistics
  where statistics.queue_id = queues.id
    and statistics.step = 'minute'
    and statistics.at > statement_timestamp() - interval '1 day'
  union all
  select tallies.at, tallies.dead_lettered
  from {schema}.tallies
  where tallies.queue_id = queues.id
    and tallies.at > statement_timestamp() - interval '1 day'
) as known
where queues.dlq_id is not null
group by queues.dlq_id
order by queues.dlq_id`,
})

/** Whose dead-letter queue a queue is. */
export interface QueuesBehind {
  /** The first of their names. */
  readonly names: readonly string[]
  readonly count: number
}

/** A dead-letter queue. */
export interface DeadLetterQueue {
  readonly id: number
  readonly name: string
  readonly behind: QueuesBehind
  readonly depth: Counted
}

/** Jobs that went to a dead-letter queue, in the last hour and in the last day. */
export interface DeadLettered {
  readonly hour: number
  readonly day: number
}

interface NamesRow {
  /** JSON array. */
  behind: string
  behindCount: number
}

export async function listDeadLetterQueues(
  store: Store,
  limit: number,
  tx: DBTX,
): Promise<DeadLetterQueue[]> {
  type Row = NamesRow & { id: number; name: string; sampled: number }
  const rows = await store.run<Row>(LIST_DEAD_LETTER_QUEUES, [limit, SAMPLE], tx)
  const isBeyond = rows.some(({ sampled }) => sampled === SAMPLE)
  const sizes = isBeyond ? await readSizes(store, tx) : undefined
  return rows.map((row) => ({
    id: row.id,
    name: row.name,
    behind: behindOf(row),
    depth: total(row.sampled, SAMPLE, sizes?.live(row.id)),
  }))
}

export async function findQueuesBehind(
  store: Store,
  queueId: number,
  tx: DBTX,
): Promise<QueuesBehind> {
  const [row] = await store.run<NamesRow>(FIND_QUEUES_BEHIND, [queueId], tx)
  return row === undefined ? { names: [], count: 0 } : behindOf(row)
}

/** By the ids of dead-letter queues; those to which nothing went are not there. */
export async function readDeadLettered(
  store: Store,
  tx: DBTX,
): Promise<ReadonlyMap<number, DeadLettered>> {
  type Row = { id: number; hour: string; day: string }
  const rows = await store.run<Row>(READ_DEAD_LETTERED, [], tx)
  return new Map(rows.map(({ id, hour, day }) => [id, { hour: Number(hour), day: Number(day) }]))
}

function behindOf({ behind, behindCount }: NamesRow): QueuesBehind {
  return { names: JSON.parse(behind) as string[], count: behindCount }
}
