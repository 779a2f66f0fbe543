import type { QueuePause } from '../core/pause-options.ts'
import type { DBTX } from '../drivers/driver.ts'
import { countLive, LIVE_SAMPLE, OLDEST_DUE, readSizes, type Counted } from './glance.ts'
import { microsToOptionalDate, toMicros, type Micros } from './instants.ts'
import { pauseOf, type PauseColumns } from './pause.ts'
import { statement } from './statement.ts'
import type { Store } from './store.ts'

/**
 * What is in queues now, without what was: what a page shows that somebody keeps open. `$1` is the name before the
 * page, `$2` how many queues, `$3` the size of each sample, `$4` what their names contain, in whatever case.
 */
export const SURVEY_QUEUES = statement({
  name: 'survey_queues',
  parameters: ['text', 'int4', 'int4', 'text'],
  indexes: ['queue_names', 'jobs_by_id', 'jobs_due'],
  sql: `
select
  queues.id as "id",
  queues.name as "name",
  queues.is_fifo as "fifo",
  dlqs.name as "dlq",
  queues.id in (
    select origins.dlq_id from {schema}.queues as origins where origins.dlq_id is not null
  ) as "isDlq",
  ${toMicros('queues.paused_at')} as "pausedAt",
  queues.paused_by as "pausedBy",
  queues.pause_reason as "pauseReason",
  live.sampled as "live",
  live.running as "running",
  ${toMicros('due.since')} as "oldestDueAt"
from (
  select *
  from {schema}.queues
  where queues.name > $1::text and strpos(lower(queues.name), lower($4::text)) > 0
  order by queues.name
  limit $2::int4
) as queues
left join {schema}.queues as dlqs on dlqs.id = queues.dlq_id
cross join lateral ${LIVE_SAMPLE} as live
cross join lateral ${OLDEST_DUE} as due
order by queues.name`,
})

/** A queue with what is in it now. */
export interface SurveyedQueue {
  readonly id: number
  readonly name: string
  readonly fifo: boolean | null
  readonly dlq: string | null
  /** Whether it is the dead-letter queue of another one. */
  readonly isDlq: boolean
  readonly paused: QueuePause | null
  readonly available: Counted
  readonly running: Counted
  /** Since when the job has been due that has waited longest; null: none is due. */
  readonly oldestDueAt: Date | null
}

/** Which queues are surveyed, and how many jobs of each are counted. */
export interface SurveyRequest {
  /** The name before the page. */
  readonly afterName: string
  readonly limit: number
  readonly sample: number
  /** Empty: all of them. */
  readonly nameContains: string
}

/** A page of queues in the order of their names, with what is in them now. */
export async function surveyQueues(
  store: Store,
  { afterName, limit, sample, nameContains }: SurveyRequest,
  tx: DBTX,
): Promise<SurveyedQueue[]> {
  type Row = Pick<SurveyedQueue, 'id' | 'name' | 'fifo' | 'dlq' | 'isDlq'> &
    PauseColumns & { live: number; running: number; oldestDueAt: Micros | null }
  const values = [afterName, limit, sample, nameContains]
  const rows = await store.run<Row>(SURVEY_QUEUES, values, tx)
  const sizes = rows.some(({ live }) => live === sample) ? await readSizes(store, tx) : undefined
  return rows.map((row) => {
    const { id, name, fifo, dlq, isDlq } = row
    return {
      ...{ id, name, fifo, dlq, isDlq, paused: pauseOf(row) },
      ...countLive(row, sample, sizes),
      oldestDueAt: microsToOptionalDate(row.oldestDueAt),
    }
  })
}
