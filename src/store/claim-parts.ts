import { JOB_DEFAULTS } from '../core/enqueue-options.ts'
import { isAmongThose } from './among.ts'
import { toMicros } from './instants.ts'

/** Arguments that are stored in more than this many bytes stay in the table until their job starts. */
const CARRIED_ARGS_BYTES = 65_536

/**
 * What a claim answers of each job. Most jobs have nothing but an id, a time and arguments of their own; the rest comes
 * in one column, null where it is as usual: to write, send and read twelve columns took a third of the claim's time.
 * It is text with blanks between (as JSON it took as long as all the rest of the claim), the metadata last, as they may
 * have blanks of their own; what most of a batch has in common reads the same in each row.
 */
const CLAIMED_COLUMNS = `
  id::text as "id",
  ${toMicros('run_at')} as "runAt",
  case when pg_column_size(args) <= ${CARRIED_ARGS_BYTES} then args::text end as "args",
  case
    when priority = ${JOB_DEFAULTS.priority}
      and created_at = run_at
      and attempt = 0
      and error_count = 0
      and max_retries = ${JOB_DEFAULTS.maxRetries}
      and retry_policy = '${JOB_DEFAULTS.retryPolicy}'
      and timeout_ms is null
      and not is_suspect
      and metadata = '${JOB_DEFAULTS.metadataJson}'
      then null
    else concat_ws(
      ' ',
      priority,
      case when created_at = run_at then '' else ${toMicros('created_at')} end,
      attempt,
      error_count,
      max_retries,
      retry_policy,
      coalesce(timeout_ms::text, ''),
      is_suspect,
      metadata
    )
  end as "rest"`

/**
 * That a job is due, where it is looked up by its id. The sum keeps the plan from `jobs_due`, of which
 * PostgreSQL 18 can skip the first columns: on a table that vacuum found empty and that then was filled, it
 * read all 300,000 jobs to find that there is no suspect (73 ms instead of none).
 */
export const IS_DUE = `jobs.run_at + interval '0' <= statement_timestamp()`

/** That a queue is not paused. A claim asks for itself: what a process knows of it may be old. */
export const IS_OPEN = `(queues.paused_at is null)`

/**
 * Whether jobs of `queues.id` wait to be run alone and are due. The `limit` keeps the join from being turned
 * round: on such a table the planner read all jobs for it, and every claim took 170 ms.
 */
export const HAS_DUE_SUSPECTS = `(${IS_OPEN} and exists (
    select
    from {schema}.suspects
    cross join lateral (
      select
      from {schema}.jobs
      where jobs.queue_id = suspects.queue_id
        and jobs.id = suspects.job_id
        and jobs.claimed_by = 0
        and ${IS_DUE}
      limit 1
    ) as due
    where suspects.queue_id = queues.id
  ))`

/**
 * Whether worker `$2` may claim from queue `$1`. A worker that was declared dead and has not heard of it claims nothing:
 * once its rescue is over, nobody would look for what it got.
 */
export const MAY_CLAIM = `exists (
    select
    from {schema}.workers
    where workers.id = $2::int4 and workers.dead_at is null and workers.stopped_at is null
  )
  and exists (select from {schema}.queues where queues.id = $1::int4 and ${IS_OPEN})`

/** The same of a FIFO queue. The dead own nothing: their rescue begins with ending every ownership. */
export const MAY_CLAIM_FIFO = `exists (
    select
    from {schema}.queues
    where queues.id = $1::int4 and queues.owner_id = $2::int4 and ${IS_OPEN}
  )`

/** The first row of every claim's answer has no job but what the claim says besides. */
export const ANSWER_HEAD = `
select
  json_build_object(
    'rewind', queues.rewind::text,
    'now', ${toMicros('statement_timestamp()')},
    'hasSuspects', ${HAS_DUE_SUSPECTS},
    'isOwner', queues.owner_id is not distinct from $2::int4,
    'isPaused', not ${IS_OPEN}
  )::text as "head",
  null::text as "id", null::text as "runAt", null::text as "args", null::text as "rest"
from {schema}.queues
where queues.id = $1::int4
union all
select null, claimed.* from claimed`

/** Claims the jobs of `chosen`. */
export const TAKE = `
  update {schema}.jobs
  set
    claimed_by = $2::int4,
    claim_no = $3::int8,
    started_at = case when $5::bool then statement_timestamp() end
  where queue_id = $1::int4 and ${isAmongThose('id', 'chosen')}
  returning ${CLAIMED_COLUMNS}`
