import type { DBTX } from '../drivers/driver.ts'
import { statement } from './statement.ts'
import type { Store } from './store.ts'

/*
 * Finding the queue of a job of which nothing is known but its id. The limit keeps the look-up inside of its queue: as
 * "exists" the planner may read the jobs of all queues at once.
 */

export const LOCATE_LIVE_JOB = statement({
  name: 'locate_live_job',
  parameters: ['int8'],
  indexes: ['jobs_by_id'],
  sql: `
select queues.id as "queueId"
from {schema}.queues
cross join lateral (
  select jobs.id
  from {schema}.jobs
  where jobs.queue_id = queues.id and jobs.id = $1::int8
  limit 1
) as job
limit 1`,
})

export const LOCATE_PAST_JOB = statement({
  name: 'locate_past_job',
  parameters: ['int8'],
  indexes: ['history_of_job'],
  sql: `
select queues.id as "queueId"
from {schema}.queues
cross join lateral (
  select history.id
  from {schema}.history
  where history.queue_id = queues.id and history.id = $1::int8 and history.outcome <> 'moved'
  limit 1
) as job
limit 1`,
})

/** The queue in which a job is now; undefined when it is nowhere. It looks twice: a job may move between two statements. */
export async function locateJob(store: Store, id: string, tx?: DBTX): Promise<number | undefined> {
  for (const locate of [LOCATE_LIVE_JOB, LOCATE_PAST_JOB, LOCATE_LIVE_JOB]) {
    const [row] = await store.run<{ queueId: number }>(locate, [id], tx)
    if (row !== undefined) return row.queueId
  }
  return undefined
}
