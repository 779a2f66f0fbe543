import type { DBTX } from '../drivers/driver.ts'
import { total, type Counted } from './glance.ts'
import { readSizes } from './sizes.ts'
import { afterMillis } from './instants.ts'
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
 * How many jobs went to each dead-letter queue in the last `$1` milliseconds, a day at most, from the queues that have it
 * now: minutes of a day are not folded yet. It reads each minute of each queue: of 150 queues an hour takes some 30 ms,
 * a day 600.
 */
export const READ_DEAD_LETTERED = statement({
  name: 'read_dead_lettered',
  parameters: ['int8'],
  indexes: ['statistics_of_queue', 'tallies_of_queue'],
  sql: `
select queues.dlq_id as "id", sum(known.dead_lettered)::text as "count"
from {schema}.queues
cross join lateral (
  select statistics.dead_lettered
  from {schema}.statistics
  where statistics.queue_id = queues.id
    and statistics.step = 'minute'
    and statistics.at > ${afterMillis('- $1::int8')}
  union all
  select tallies.dead_lettered
  from {schema}.tallies
  where tallies.queue_id = queues.id and tallies.at > ${afterMillis('- $1::int8')}
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

/** By the ids of dead-letter queues; those to which nothing may have gone are not there. */
export async function readDeadLettered(
  store: Store,
  withinMs: number,
  tx: DBTX,
): Promise<ReadonlyMap<number, number>> {
  type Row = { id: number; count: string }
  const rows = await store.run<Row>(READ_DEAD_LETTERED, [withinMs], tx)
  return new Map(rows.map(({ id, count }) => [id, Number(count)]))
}

function behindOf({ behind, behindCount }: NamesRow): QueuesBehind {
  return { names: JSON.parse(behind) as string[], count: behindCount }
}
