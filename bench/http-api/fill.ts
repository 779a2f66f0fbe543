import type pg from 'pg'
import { migrateUp } from '../../dist/index.js'

/** How much there is. */
export interface Size {
  readonly jobs: number
  readonly queues: number
}

/** So many queues are the dead-letter queues of others, the last ones of all. */
export const DEAD_LETTER_QUEUES = 20
/** The first so many jobs have a log. */
export const LOGGED_JOBS = 1_000

const DAYS = 30
const AT_ONCE = 100_000
const MINUTES = 1_440
const HOURS = 192
const COUNTS =
  'enqueued, started, finished, retried, failed, dead_lettered, snoozed, interrupted, crashed, cancelled'

/**
 * Half of the jobs wait, half are in history, over 30 days; their queues take turns, so that those of one queue are on
 * as many pages as can be. Every third has tags, half of the queues have errors, and there are statistics of a week,
 * tallies of five minutes, living workers, and jobs that said something.
 */
export async function fill(db: pg.Pool, schema: string, size: Size): Promise<void> {
  await migrateUp(db, { schema })
  await db.query(`insert into ${schema}.queues (name, base_retry_delay_ms, max_retry_delay_ms, retry_jitter)
    select 'queue ' || to_char(n, 'fm000'), 2000, 3600000, 0 from generate_series(1, ${size.queues}) as n`)
  await db.query(`update ${schema}.queues set dlq_id = dead.id from ${schema}.queues as dead
    where queues.id <= ${DEAD_LETTER_QUEUES} and dead.id = ${size.queues} - ${DEAD_LETTER_QUEUES} + queues.id`)
  for (let day = 0; day <= DAYS; day += 1) {
    await db.query(`select ${schema}.add_history_partition(current_date + ${day})`)
  }
  await fillJobs(db, schema, size)
  await fillStatistics(db, schema, size)
  await fillNotes(db, schema)
  await db.query(`insert into ${schema}.workers (token, host, pid, version, queue_ids, lease_ms)
    select 'worker ' || n, 'host ' || n, n, '0.1.0', array(select id from ${schema}.queues where id % 4 = n % 4), 30000000
    from generate_series(1, 20) as n`)
  await db.query('vacuum analyze')
}

const ARGS = `jsonb_build_object('to', 'user' || n || '@example.org', 'text', repeat('x', 100))`

async function fillJobs(db: pg.Pool, schema: string, { jobs, queues }: Size): Promise<void> {
  const half = Math.ceil(jobs / 2)
  const error = `'name', 'Error', 'message', 'the bank is closed ' || n, 'stack', repeat('at bank.ts:1', 30)`
  for (let from = 0; from < half; from += AT_ONCE) {
    const to = Math.min(half, from + AT_ONCE)
    const rows = `from generate_series(${from + 1}, ${to}) as n`
    const queueId = `n % ${queues} + 1`
    const inQueue = `n / ${queues}`
    const metadata = `jsonb_build_object('tenant', ${inQueue} % 50)`
    const tags = `case when n % 3 = 0 then array['customer:' || ${inQueue} % 100, 'mail'] end`
    const hasErrors = `n % 2 = 0 and ${inQueue} % 10 = 0`
    await db.query(`insert into ${schema}.jobs (id, run_at, created_at, queue_id, priority, max_retries, retry_policy,
        error_count, args, metadata, tags)
      select n, now() - n * interval '1 millisecond', now(), ${queueId}, ${inQueue} % 10, 3, 'exponential',
        case when ${hasErrors} then 2 else 0 end, ${ARGS}, ${metadata}, ${tags}
      ${rows}`)
    await db.query(`insert into ${schema}.job_errors (job_id, number, attempt, name, message, stack)
      select n, number, number, error ->> 'name', error ->> 'message', error ->> 'stack'
      from (select n, jsonb_build_object(${error}) as error ${rows} where ${hasErrors}) as failed
      cross join generate_series(1, 2) as number`)
    // Of every other queue each finished job has failed twice before.
    await db.query(`insert into ${schema}.history (id, expires_at, finished_at, started_at, run_at, created_at, queue_id,
        priority, max_retries, retry_policy, outcome, attempt, error_count, args, metadata, tags, errors)
      select ${half} + n, now() + n % ${DAYS} * interval '1 day', now(), now(), now(), now(), ${queueId}, 5, 3, 'exponential',
        (case when ${inQueue} % 50 < 2 then 'failed' else 'finished' end)::${schema}.outcome, 1,
        case when n % 2 = 0 then 2 else 0 end, ${ARGS}, ${metadata}, ${tags},
        case when n % 2 = 0 then jsonb_build_array(
          jsonb_build_object('attempt', 1, 'at', 1800000000000000, ${error}),
          jsonb_build_object('attempt', 2, 'at', 1800000000000000, ${error})
        ) end
      ${rows}`)
  }
  await db.query(`select setval('${schema}.job_ids', ${2 * half})`)
}

/** What many minutes look like: times in some 30 buckets. */
const HISTOGRAM = `(select jsonb_object_agg(40 + bucket, 1 + (bucket * 7919 + n) % 400) from generate_series(1, 30) as bucket)`

async function fillStatistics(db: pg.Pool, schema: string, { queues }: Size): Promise<void> {
  const figures = `9000, 9000, 8900, 60, 30, 10, 0, 0, 0, 0, 9000000000, 900000000, wait, run`
  const histograms = `(select ${HISTOGRAM} as wait, ${HISTOGRAM} as run) as histograms`
  const spans = [
    [`'minute'`, `date_trunc('minute', now()) - (n + 6) * interval '1 minute'`, MINUTES],
    [`'hour'`, `date_trunc('hour', now()) - (n + 24) * interval '1 hour'`, HOURS - 24],
    [`'ever'`, `'epoch'::timestamptz`, 1],
  ] as const
  for (const [step, at, count] of spans) {
    await db.query(`insert into ${schema}.statistics (queue_id, step, at, ${COUNTS}, wait_us, run_us, waits, runs)
      select queue_id, ${step}, ${at}, ${figures}
      from generate_series(1, ${count}) as n
      cross join lateral ${histograms}
      cross join generate_series(1, ${queues}) as queue_id`)
  }
  const writers = `generate_series(1, 5) as writer (part)`
  await db.query(`insert into ${schema}.tallies (queue_id, at, writer, part, ${COUNTS}, wait_us, run_us, waits, runs)
    select queue_id, date_trunc('minute', now()) - n * interval '1 minute', gen_random_uuid(), writer.part, ${figures}
    from generate_series(0, 5) as n
    cross join lateral ${histograms}
    cross join ${writers}
    cross join generate_series(1, ${queues}) as queue_id`)
}

async function fillNotes(db: pg.Pool, schema: string): Promise<void> {
  await db.query(`insert into ${schema}.job_progress (job_id, queue_id, attempt, value, at, line_count, review_at)
    select jobs.id, jobs.queue_id, 1, '{"done":5}', now(), 1000, now()
    from ${schema}.jobs
    where jobs.id <= ${LOGGED_JOBS}`)
  await db.query(`insert into ${schema}.job_logs (job_id, number, attempt, at, message, fields)
    select id, number, 1, now(), 'sent to user ' || number, '{"to":"ada@example.org"}'
    from generate_series(1, ${LOGGED_JOBS}) as id
    cross join generate_series(1, 1000) as number`)
}
