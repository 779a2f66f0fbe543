import type { QueuePause } from '../core/pause-options.ts'
import type { DBTX } from '../drivers/driver.ts'
import { countLive, liveSample, OLDEST_DUE, type Counted } from './glance.ts'
import { readSizes } from './sizes.ts'
import { microsToOptionalDate, toMicros, type Micros } from './instants.ts'
import { sqlArray } from './numerals.ts'
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
cross join lateral ${liveSample('$3::int4')} as live
cross join lateral ${OLDEST_DUE} as due
order by queues.name`,
})

/** As the survey counts them, of some queues and further: `$1` are their ids, `$2` is the size of each sample. */
export const COUNT_LIVE_JOBS = statement({
  name: 'count_live_jobs',
  parameters: ['int4[]', 'int4'],
  indexes: ['jobs_by_id'],
  sql: `
select queues.id as "id", live.sampled as "live", live.running as "running"
from {schema}.queues
cross join lateral ${liveSample('$2::int4')} as live
where queues.id = any($1::int4[])`,
})

/** So many jobs are counted further, of all queues together that hold more than their sample. */
const MOST_FURTHER = 20_000

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
    PauseColumns &
    LiveCount & { oldestDueAt: Micros | null }
  const values = [afterName, limit, sample, nameContains]
  const rows = await store.run<Row>(SURVEY_QUEUES, values, tx)
  const countOf = await countFurther(store, rows, sample, tx)
  return rows.map((row) => {
    const { id, name, fifo, dlq, isDlq } = row
    return {
      ...{ id, name, fifo, dlq, isDlq, paused: pauseOf(row) },
      ...countOf(row),
      oldestDueAt: microsToOptionalDate(row.oldestDueAt),
    }
  })
}

interface LiveCount {
  readonly id: number
  readonly live: number
  readonly running: number
}

/** Where few queues hold more than the sample, they are counted further; what is still more is estimated. */
async function countFurther(
  store: Store,
  rows: readonly LiveCount[],
  sample: number,
  tx: DBTX,
): Promise<(row: LiveCount) => Pick<SurveyedQueue, 'available' | 'running'>> {
  const full = rows.filter(({ live }) => live === sample).map(({ id }) => id)
  if (full.length === 0) return (row) => countLive(row, sample, undefined)
  const further = Math.max(sample, Math.floor(MOST_FURTHER / full.length))
  const counts =
    further === sample
      ? []
      : await store.run<LiveCount>(COUNT_LIVE_JOBS, [sqlArray(full), further], tx)
  const counted = new Map(counts.map((count) => [count.id, count]))
  const sizes = await readSizes(store, tx)
  return (row) =>
    countLive(counted.get(row.id) ?? row, counted.has(row.id) ? further : sample, sizes)
}
