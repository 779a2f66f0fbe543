import type { DBTX } from '../drivers/driver.ts'
import { isAmong } from './among.ts'
import { arriveAtOrigins, chosenDeadLetters, departure, type MovingJob } from './dead-letters.ts'
import { LIVE_JOB_COLUMNS, LIVE_JOB_SOURCE, type JobRow } from './job-row.ts'
import { sqlArray } from './numerals.ts'
import { statement } from './statement.ts'
import type { Store } from './store.ts'

/* Dead letters that are named by their ids go back, as they are or with other arguments. */

/** They are sorted. */
const NAMED = isAmong('jobs.id', '$3')

/** Takes the named dead letters out of their queue, at most `$2`. */
export const DEPART_NAMED = statement({
  name: 'depart_named',
  parameters: ['int4', 'int4', 'int8[]'],
  indexes: ['jobs_by_id', 'suspects_of_queue'],
  sql: departure(NAMED),
})

/** Holds the dead letters that `DEPART_NAMED` would take, until the transaction ends. */
export const HOLD_NAMED = statement({
  name: 'hold_named',
  parameters: ['int4', 'int4', 'int8[]'],
  indexes: ['jobs_by_id'],
  sql: `
with ${chosenDeadLetters(NAMED)}
select chosen.id::text as "id" from chosen order by chosen.id`,
})

/** Jobs of a queue that have not ended, by their ids. */
export const READ_LIVE_JOBS = statement({
  name: 'read_live_jobs',
  parameters: ['int4', 'int8[]'],
  indexes: ['jobs_by_id'],
  sql: `
select ${LIVE_JOB_COLUMNS}
from ${LIVE_JOB_SOURCE}
where jobs.queue_id = $1::int4 and ${isAmong('jobs.id', '$2')}
order by jobs.queue_id, jobs.id`,
})

/** The JSON of the arguments with which a job goes back. It may throw: then nothing has changed. */
export type Rewrite = (job: JobRow) => string

/** What went back. */
export interface Redriven {
  /** In ascending order. */
  readonly ids: readonly string[]
  /** The queues that got jobs back. */
  readonly queueIds: readonly number[]
}

/**
 * Sends those of these jobs back that wait in the dead-letter queue and came from elsewhere: as many, from the first
 * on, as one statement carries. With `rewrite` their arguments are replaced on the way.
 */
export async function redriveNamed(
  store: Store,
  dlqId: number,
  ids: readonly string[],
  rewrite: Rewrite | undefined,
  tx?: DBTX,
): Promise<Redriven> {
  if (tx === undefined)
    return store.transaction((own) => redriveNamed(store, dlqId, ids, rewrite, own))
  const rewritten = rewrite && (await rewriteHeld(store, dlqId, ids, rewrite, tx))
  const chosen = rewritten === undefined ? ids : [...rewritten.keys()]
  const departed = await store.run<MovingJob>(DEPART_NAMED, namedValues(dlqId, chosen), tx)
  const moving = departed.map((job) => withArgs(job, rewritten?.get(job.id)))
  const queueIds = await arriveAtOrigins(store, moving, tx)
  return { ids: departed.map(({ id }) => id), queueIds }
}

/**
 * The new arguments of each job that will go. All of them are there before anything is changed: in a transaction of
 * the caller's, who may go on after an error, jobs that had departed would be lost.
 */
async function rewriteHeld(
  store: Store,
  dlqId: number,
  ids: readonly string[],
  rewrite: Rewrite,
  tx: DBTX,
): Promise<Map<string, string>> {
  const held = await store.run<{ id: string }>(HOLD_NAMED, namedValues(dlqId, ids), tx)
  // Another statement sees what was committed before the rows were held.
  const heldIds = sqlArray(held.map(({ id }) => id))
  const jobs = await store.run<JobRow>(READ_LIVE_JOBS, [dlqId, heldIds], tx)
  return new Map(jobs.map((job) => [job.id, rewrite(job)]))
}

/** Of an object that has a key twice, `jsonb` keeps the last; so the rest need not be read here, where digits could be lost. */
function withArgs(moving: MovingJob, argsJson: string | undefined): MovingJob {
  if (argsJson === undefined) return moving
  return { ...moving, job: `${moving.job.slice(0, -1)},"args":${argsJson}}` }
}

function namedValues(dlqId: number, ids: readonly string[]): unknown[] {
  return [dlqId, ids.length, sqlArray(ids)]
}
