import {
  type AnswerRow,
  type ClaimAnswer,
  compareIds,
  compareUrgency,
  readAnswer,
} from './claim-answer.ts'
import { isAmongThose } from './among.ts'
import { ANSWER_HEAD, IS_DUE, MAY_CLAIM, MAY_CLAIM_FIFO, TAKE } from './claim-parts.ts'
import { fromMicros, type Micros } from './instants.ts'
import { sqlArray } from './numerals.ts'
import { statement } from './statement.ts'
import type { Store } from './store.ts'

/** From where a lane (the jobs of one priority) is scanned: the first entry behind this pair. */
export interface LaneFloor {
  readonly priority: number
  readonly runAt: Micros
  readonly id: string
}

export interface ClaimRequest {
  readonly queueId: number
  readonly workerId: number
  readonly claimNo: number
  readonly limit: number
  /** Whether all jobs of this claim start as soon as it answers; otherwise marks tell how far it got. */
  readonly startsAtOnce: boolean
}

/**
 * Claims due jobs of a queue, the most urgent lane first. It is a HOT update: no index holds what
 * it changes. It says only `claimed_by is null`; whether another worker is alive is decided
 * elsewhere, because a claim whose snapshot is old would steal from a worker it cannot see yet.
 */
export const CLAIM_JOBS = statement({
  name: 'claim_jobs',
  parameters: ['int4', 'int4', 'int8', 'int4', 'bool', 'int2[]', 'int8[]', 'int8[]', 'int8'],
  indexes: ['jobs_due', 'jobs_by_id'],
  isPrepared: true,
  sql: `
with lanes as (
  select priority, ${fromMicros('floor_at')} as floor_at, floor_id
  from unnest($6::int2[], $7::int8[], $8::int8[]) as lane (priority, floor_at, floor_id)
  where ${MAY_CLAIM}
),
chosen as materialized (
  select due.id
  from lanes
  cross join lateral (
    select jobs.id
    from {schema}.jobs
    where jobs.queue_id = $1::int4
      and jobs.queue_id + 0 = $1::int4
      and jobs.priority = lanes.priority
      and (jobs.run_at, jobs.id + 0) > (lanes.floor_at, lanes.floor_id)
      and jobs.run_at <= least(${fromMicros('$9::int8')}, statement_timestamp())
      and jobs.claimed_by is null
    order by jobs.run_at, jobs.id + 0
    limit $4::int4
    for no key update skip locked
  ) as due
  limit $4::int4
),
claimed as (${TAKE}
)
${ANSWER_HEAD}`,
})

/**
 * Claims from the head of a FIFO queue, in the order of ids, as far as every job before is due and
 * free or already this worker's. It waits for a locked row rather than skipping it: skipping would
 * break the order. What the owner claimed before and has not started is taken again, so that a job
 * committed meanwhile with a lower id comes first; but no suspect: that was claimed to run alone. One that is to be
 * cancelled is passed by: whoever dropped it gives it back, and so ends it.
 * `$6` is an id below which nothing is left, `$7` are jobs that run, or ran and are not written down
 * yet.
 *
 * It walks from id to id: asked for the first thousand at once, the planner, before the table's
 * first analyze, expects few rows of a queue, and reads and sorts all of them.
 */
export const CLAIM_FIFO = statement({
  name: 'claim_fifo',
  parameters: ['int4', 'int4', 'int8', 'int4', 'bool', 'int8', 'int8[]'],
  indexes: ['jobs_by_id'],
  isPrepared: true,
  sql: `
with recursive walk as (
  select $6::int8 as id, 0 as steps
  where ${MAY_CLAIM_FIFO}
  union all
  select next.id, walk.steps + 1
  from walk
  cross join lateral (
    select jobs.id
    from {schema}.jobs
    where jobs.queue_id = $1::int4 and jobs.id > walk.id
    order by jobs.queue_id, jobs.id
    limit 1
  ) as next
  where walk.steps < $4::int4 + cardinality($7::int8[])
),
passed as materialized (
  select walk.id from walk where walk.steps > 0
),
head as materialized (
  select jobs.id, jobs.run_at, jobs.claimed_by, jobs.is_suspect
  from {schema}.jobs
  where jobs.queue_id = $1::int4
    and ${isAmongThose('jobs.id', 'passed')}
    and (jobs.cancel_requested_at is null or jobs.claimed_by is distinct from $2::int4)
  order by jobs.queue_id, jobs.id
  for no key update
),
ready as (
  select
    head.id,
    bool_and(
      head.run_at <= statement_timestamp()
      and (head.claimed_by is null or (head.claimed_by = $2::int4 and not head.is_suspect))
    ) over (order by head.id) as is_ready
  from head
  where head.id <> all($7::int8[])
),
chosen as materialized (
  select ready.id from ready where ready.is_ready order by ready.id limit $4::int4
),
claimed as (${TAKE}
)
${ANSWER_HEAD}`,
})

/** Claims one suspect, to be run alone in its process. */
export const CLAIM_SUSPECT = statement({
  name: 'claim_suspect',
  parameters: ['int4', 'int4', 'int8', 'int4', 'bool'],
  indexes: ['suspects_of_queue', 'jobs_by_id'],
  sql: `
with waiting as materialized (
  select suspects.job_id from {schema}.suspects where suspects.queue_id = $1::int4 and ${MAY_CLAIM}
),
chosen as materialized (
  select jobs.id
  from {schema}.jobs
  where jobs.queue_id = $1::int4
    and ${isAmongThose('jobs.id', 'waiting', 'job_id')}
    and jobs.claimed_by = 0
    and ${IS_DUE}
  order by jobs.priority, jobs.run_at, jobs.id
  limit $4::int4
  for no key update skip locked
),
released as (
  delete from {schema}.suspects
  where suspects.queue_id = $1::int4 and suspects.job_id = any(array(select chosen.id from chosen))
),
claimed as (${TAKE}
)
${ANSWER_HEAD}`,
})

/**
 * Says that a claimed suspect starts now, alone. Not said by the claim itself: its answer may be
 * lost, and then a later crash would be blamed on a job that never ran.
 */
export const START_ALONE = statement({
  name: 'start_alone',
  parameters: ['int4', 'int4', 'int8', 'int8'],
  indexes: ['jobs_by_id'],
  sql: `
update {schema}.jobs
set started_at = statement_timestamp()
where queue_id = $1::int4 and id = $4::int8 and claimed_by = $2::int4 and claim_no = $3::int8
returning id::text as "id"`,
})

/** Claims the head of a FIFO queue when it has to be run alone. */
export const CLAIM_FIFO_SUSPECT = statement({
  name: 'claim_fifo_suspect',
  parameters: ['int4', 'int4', 'int8', 'int4', 'bool'],
  indexes: ['jobs_by_id', 'suspects_of_queue'],
  sql: `
with head as materialized (
  select jobs.id, jobs.run_at, jobs.claimed_by
  from {schema}.jobs
  where jobs.queue_id = $1::int4
    and ${MAY_CLAIM_FIFO}
  order by jobs.queue_id, jobs.id
  limit least($4::int4, 1)
  for no key update
),
chosen as materialized (
  select head.id from head where head.claimed_by = 0 and head.run_at <= statement_timestamp()
),
released as (
  delete from {schema}.suspects
  where suspects.queue_id = $1::int4 and suspects.job_id = any(array(select chosen.id from chosen))
),
claimed as (${TAKE}
)
${ANSWER_HEAD}`,
})

/** Arguments that a claim did not carry. */
export const READ_ARGS = statement({
  name: 'read_args',
  parameters: ['int4', 'int8'],
  indexes: ['jobs_by_id'],
  sql: `
select args::text as "args"
from {schema}.jobs
where queue_id = $1::int4 and id = $2::int8`,
})

/** Claims due jobs from the floors on, up to `until` (null: up to now). */
export async function claimJobs(
  store: Store,
  request: ClaimRequest,
  floors: readonly LaneFloor[],
  until: Micros | null,
): Promise<ClaimAnswer> {
  const values = [
    ...requestValues(request),
    sqlArray(floors.map((floor) => floor.priority)),
    sqlArray(floors.map((floor) => floor.runAt)),
    sqlArray(floors.map((floor) => floor.id)),
    until,
  ]
  return readAnswer(await store.run<AnswerRow>(CLAIM_JOBS, values), compareUrgency)
}

/** Claims from the head of a FIFO queue that this worker owns; `running` are not taken again. */
export async function claimFifo(
  store: Store,
  request: ClaimRequest,
  floorId: string,
  running: readonly string[],
): Promise<ClaimAnswer> {
  const values = [...requestValues(request), floorId, sqlArray(running)]
  return readAnswer(await store.run<AnswerRow>(CLAIM_FIFO, values), compareIds)
}

/** Claims one suspect of a queue; of a FIFO queue only its head, and only for its owner. `startAlone` starts it. */
export async function claimSuspect(
  store: Store,
  request: Omit<ClaimRequest, 'limit' | 'startsAtOnce'>,
  isFifo: boolean,
): Promise<ClaimAnswer> {
  const claiming = isFifo ? CLAIM_FIFO_SUSPECT : CLAIM_SUSPECT
  const values = requestValues({ ...request, limit: 1, startsAtOnce: false })
  return readAnswer(await store.run<AnswerRow>(claiming, values), compareIds)
}

/** Says that a claimed suspect starts. Answers whether it is still in this hand. */
export async function startAlone(
  store: Store,
  { queueId, workerId, claimNo }: Omit<ClaimRequest, 'limit' | 'startsAtOnce'>,
  id: string,
): Promise<boolean> {
  const rows = await store.run(START_ALONE, [queueId, workerId, claimNo, id])
  return rows.length > 0
}

/** The arguments of a claimed job, as JSON text; undefined when the job is gone. */
export async function readArgs(
  store: Store,
  queueId: number,
  id: string,
): Promise<string | undefined> {
  const rows = await store.run<{ args: string }>(READ_ARGS, [queueId, id])
  return rows[0]?.args
}

function requestValues(request: ClaimRequest): unknown[] {
  const { queueId, workerId, claimNo, limit, startsAtOnce } = request
  return [queueId, workerId, claimNo, limit, startsAtOnce]
}
