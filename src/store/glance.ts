import type { QueuePause } from '../core/pause-options.ts'
import type { DBTX } from '../drivers/driver.ts'
import { pauseOf, type PauseColumns } from './pause.ts'
import { SETTINGS_COLUMNS } from './queues.ts'
import { readSizes, type Sizes } from './sizes.ts'
import { statement } from './statement.ts'
import type { Store } from './store.ts'

/*
 * What many queues hold, at a bounded cost: of each queue a sample is counted, and for what has more jobs than the
 * sample the statistics of the tables say how many there are. The planner says the same of one queue (`estimateJobs`),
 * but asking it for each of 200 queues is 400 statements.
 */

/** Of a queue of `queues`: how many live jobs are there, as far as `limit` says, and how many of them are claimed. */
export function liveSample(limit: string): string {
  return `(
  select
    count(*)::int4 as sampled,
    (count(*) filter (where sample.claimed_by > 0))::int4 as running
  from (
    select jobs.claimed_by
    from {schema}.jobs
    where jobs.queue_id = queues.id
    order by jobs.queue_id, jobs.id
    limit ${limit}
  ) as sample
)`
}

/**
 * Of a queue of `queues`: since when the job has been due that has waited longest. The lanes name the queue only as
 * `jobs_due` has it: beside the plain column the planner takes both to be independent, expects next to nothing, and
 * sorts all that is due (150 rows for each lane of a test, where one was asked for).
 */
export const OLDEST_DUE = `(
  select min(first.run_at) as since
  from generate_series(0, 9) as lane (priority)
  cross join lateral (
    select jobs.run_at
    from {schema}.jobs
    where jobs.queue_id + 0 = queues.id
      and jobs.priority = lane.priority
      and jobs.run_at <= statement_timestamp()
      and (jobs.claimed_by is null or jobs.claimed_by = 0)
    order by jobs.run_at, jobs.id + 0
    limit 1
  ) as first
)`

/** `$1` is the name before the page, `$2` how many queues, `$3` the size of each sample, `$4` the only one. */
export const GLANCE_AT_QUEUES = statement({
  name: 'glance_at_queues',
  parameters: ['text', 'int4', 'int4', 'text'],
  indexes: ['queue_names', 'jobs_by_id', 'history_of_job', 'jobs_due'],
  sql: `
select
  queues.id as "id",
  queues.name as "name",
  queues.is_fifo as "fifo",
  dlqs.name as "dlq",
${SETTINGS_COLUMNS},
  live.sampled as "live",
  live.running as "running",
  past.sampled as "past",
  past.finished as "finished",
  past.failed as "failed",
  past.cancelled as "cancelled",
  (date_part('epoch', statement_timestamp() - due.since) * 1000)::int8::text as "longestWaitMs"
from (
  select *
  from {schema}.queues
  where queues.name > $1::text and ($4::text is null or queues.name = $4::text)
  order by queues.name
  limit $2::int4
) as queues
left join {schema}.queues as dlqs on dlqs.id = queues.dlq_id
cross join lateral ${liveSample('$3::int4')} as live
cross join lateral (
  select
    count(*)::int4 as sampled,
    (count(*) filter (where sample.outcome = 'finished'))::int4 as finished,
    (count(*) filter (where sample.outcome = 'failed'))::int4 as failed,
    (count(*) filter (where sample.outcome = 'cancelled'))::int4 as cancelled
  from (
    select history.outcome
    from {schema}.history
    where history.queue_id = queues.id
    order by history.queue_id, history.id desc
    limit $3::int4
  ) as sample
) as past
cross join lateral ${OLDEST_DUE} as due
order by queues.name`,
})

/** How exact a number is: as counted, from statistics, or where counting ended. */
export type Precision = 'exact' | 'estimate' | 'atLeast'

/** A number of jobs. */
export interface Counted {
  readonly value: number
  readonly precision: Precision
}

/** A queue with what it holds. */
export interface QueueAtAGlance {
  readonly name: string
  readonly fifo: boolean | null
  readonly dlq: string | null
  readonly keepFinishedMs: number | null
  readonly keepFailedMs: number | null
  readonly baseRetryDelayMs: number
  readonly maxRetryDelayMs: number
  readonly retryJitter: number
  readonly paused: QueuePause | null
  readonly counts: Readonly<
    Record<'available' | 'running' | 'finished' | 'failed' | 'cancelled', Counted>
  >
  readonly longestWaitMs: number | null
}

type Text = 'baseRetryDelayMs' | 'maxRetryDelayMs' | 'retryJitter'
type OptionalText = 'keepFinishedMs' | 'keepFailedMs' | 'longestWaitMs'
type SampleOf = 'live' | 'running' | 'past' | 'finished' | 'failed' | 'cancelled' | 'id'
type GlanceRow = Pick<QueueAtAGlance, 'name' | 'fifo' | 'dlq'> &
  PauseColumns &
  Record<Text, string> &
  Record<OptionalText, string | null> &
  Record<SampleOf, number>

/** Which queues are glanced at, and how many jobs of each are counted. */
export interface GlanceRequest {
  /** The name before the page. */
  readonly afterName: string
  readonly limit: number
  readonly sample: number
}

/** A page of queues in the order of their names, with what they hold. */
export function glanceAtQueues(
  store: Store,
  { afterName, limit, sample }: GlanceRequest,
  tx: DBTX,
): Promise<QueueAtAGlance[]> {
  return glance(store, [afterName, limit, sample, null], sample, tx)
}

/** One queue with what it holds; undefined when there is none of that name. */
export async function glanceAtQueue(
  store: Store,
  { name, sample }: { name: string; sample: number },
  tx: DBTX,
): Promise<QueueAtAGlance | undefined> {
  const [queue] = await glance(store, ['', 1, sample, name], sample, tx)
  return queue
}

async function glance(
  store: Store,
  values: readonly unknown[],
  sample: number,
  tx: DBTX,
): Promise<QueueAtAGlance[]> {
  const rows = await store.run<GlanceRow>(GLANCE_AT_QUEUES, values, tx)
  const isBeyond = rows.some(({ live, past }) => live === sample || past === sample)
  const sizes = isBeyond ? await readSizes(store, tx) : undefined
  return rows.map((row) => readGlance(row, sample, sizes))
}

function readGlance(row: GlanceRow, sample: number, sizes: Sizes | undefined): QueueAtAGlance {
  const live = countLive(row, sample, sizes)
  const past = total(row.past, sample, sizes?.past(row.id))
  const share = (part: number): Counted => ({
    value: row.past === 0 ? 0 : Math.round((part * past.value) / row.past),
    precision: past.precision,
  })
  return {
    name: row.name,
    fifo: row.fifo,
    dlq: row.dlq,
    keepFinishedMs: optionalNumber(row.keepFinishedMs),
    keepFailedMs: optionalNumber(row.keepFailedMs),
    baseRetryDelayMs: Number(row.baseRetryDelayMs),
    maxRetryDelayMs: Number(row.maxRetryDelayMs),
    retryJitter: Number(row.retryJitter),
    paused: pauseOf(row),
    counts: {
      ...live,
      finished: share(row.finished),
      failed: share(row.failed),
      cancelled: share(row.cancelled),
    },
    longestWaitMs: optionalNumber(row.longestWaitMs),
  }
}

/** What a sample says of the live jobs of a queue. */
export function countLive(
  { id, live, running }: { id: number; live: number; running: number },
  sample: number,
  sizes: Sizes | undefined,
): { available: Counted; running: Counted } {
  const { value, precision } = total(live, sample, sizes?.live(id))
  return {
    available: { value: value - running, precision },
    // Claims are at the front, but those of a busy queue may be more than the sample.
    running: { value: running, precision: precision === 'exact' ? 'exact' : 'atLeast' },
  }
}

/** A sample that is not full has seen everything. */
export function total(sampled: number, sample: number, estimate: number | undefined): Counted {
  if (sampled < sample) return { value: sampled, precision: 'exact' }
  if (estimate === undefined || estimate <= sampled) {
    return { value: sampled, precision: 'atLeast' }
  }
  return { value: Math.round(estimate), precision: 'estimate' }
}

function optionalNumber(text: string | null): number | null {
  return text === null ? null : Number(text)
}
