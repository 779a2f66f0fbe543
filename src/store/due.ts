/** The run times of what is free and due in queue `$1`: of each lane the first, so many as `limit` says. */
export function dueByLane(limit: string): string {
  return `generate_series(0, 9) as lane (priority)
cross join lateral (
  select jobs.run_at
  from {schema}.jobs
  where jobs.queue_id = $1::int4
    and jobs.queue_id + 0 = $1::int4
    and jobs.priority = lane.priority
    and jobs.run_at <= statement_timestamp()
    and (jobs.claimed_by is null or jobs.claimed_by = 0)
  order by jobs.run_at, jobs.id + 0
  limit ${limit}
) as due`
}

/** How long ago an instant was, in milliseconds. */
export function msSince(instant: string): string {
  return `floor(date_part('epoch', statement_timestamp() - ${instant}) * 1000)::int8::text`
}
