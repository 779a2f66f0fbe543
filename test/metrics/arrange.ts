import type { Fixtures } from '../support/fixtures.ts'

/** What the rows of a table add up to, of one queue. */
export async function sumOf(
  rows: Fixtures['rows'],
  table: 'tallies' | 'statistics',
  { queueName = 'default', where = 'true' } = {},
): Promise<Record<string, number>> {
  const [row] = await rows(
    `select
       coalesce(sum(enqueued), 0)::int as enqueued, coalesce(sum(started), 0)::int as started,
       coalesce(sum(finished), 0)::int as finished, coalesce(sum(retried), 0)::int as retried,
       coalesce(sum(failed), 0)::int as failed, coalesce(sum(dead_lettered), 0)::int as "deadLettered",
       coalesce(sum(snoozed), 0)::int as snoozed, coalesce(sum(crashed), 0)::int as crashed,
       coalesce(sum(cancelled), 0)::int as cancelled,
       coalesce(sum((select sum(value::int) from jsonb_each_text(waits))), 0)::int as waits,
       coalesce(sum((select sum(value::int) from jsonb_each_text(runs))), 0)::int as runs
     from {schema}.${table}
     where ${where}
       and queue_id in (select id from {schema}.queues where name = $1)`,
    [queueName],
  )
  return row as Record<string, number>
}
