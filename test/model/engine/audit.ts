import type { Pool } from 'pg'
import { quoteIdentifier } from '../../../src/core/identifiers.ts'

/** One change of a row of `jobs`, as a trigger saw it. */
export interface Change {
  readonly seq: number
  readonly at: number
  readonly by: string
  readonly op: 'INSERT' | 'UPDATE' | 'DELETE'
  readonly queue: string
  readonly id: string
  readonly holder: number | null
  readonly oldHolder: number | null
  readonly claimNo: number | null
  readonly oldClaimNo: number | null
  readonly runAt: number
  readonly attempt: number
  readonly oldAttempt: number | null
  readonly isSuspect: boolean
}

/** A row of history or, with status `available` or `running`, of `jobs`. */
export interface Stored {
  readonly id: string
  readonly tag: number
  readonly queue: string
  readonly status: string
  readonly attempt: number
  readonly maxRetries: number
  readonly errorCount: number
  readonly errors: readonly { readonly name: string; readonly message: string }[]
  readonly origin: string | null
  readonly finishedAt: number | null
}

export interface WorkerRow {
  readonly id: number
  readonly diedAt: number | null
  readonly stoppedAt: number | null
}

const INSTALL = `
create table {schema}.test_audit (
  seq bigint generated always as identity,
  at timestamptz not null default clock_timestamp(),
  by text not null default current_setting('application_name'),
  op text not null,
  queue_id int not null,
  id bigint not null,
  holder int, old_holder int, claim_no bigint, old_claim_no bigint,
  run_at timestamptz, attempt int, old_attempt int, is_suspect bool
);
create function {schema}.test_audit() returns trigger language plpgsql as $body$
begin
  insert into {schema}.test_audit
    (op, queue_id, id, holder, old_holder, claim_no, old_claim_no, run_at, attempt, old_attempt, is_suspect)
  values (
    tg_op, coalesce(new.queue_id, old.queue_id), coalesce(new.id, old.id),
    new.claimed_by, old.claimed_by, new.claim_no, old.claim_no,
    coalesce(new.run_at, old.run_at), coalesce(new.attempt, old.attempt), old.attempt,
    coalesce(new.is_suspect, old.is_suspect)
  );
  return null;
end
$body$;
create trigger audit after insert or update or delete on {schema}.jobs
for each row execute function {schema}.test_audit()`

const CHANGES = `
select
  audit.seq::int as seq, (extract(epoch from audit.at) * 1000)::float8 as at, audit.by, audit.op,
  queues.name as queue, audit.id::text as id, audit.holder, audit.old_holder as "oldHolder",
  audit.claim_no::int as "claimNo", audit.old_claim_no::int as "oldClaimNo",
  (extract(epoch from audit.run_at) * 1000)::float8 as "runAt",
  audit.attempt, audit.old_attempt as "oldAttempt", audit.is_suspect as "isSuspect"
from {schema}.test_audit as audit
join {schema}.queues on queues.id = audit.queue_id
order by audit.seq`

const STORED = `
select
  jobs.id::text as id, (jobs.args ->> 'tag')::int as tag, queues.name as queue,
  case when jobs.claimed_by > 0 then 'running' else 'available' end as status,
  jobs.attempt, jobs.max_retries::int as "maxRetries", jobs.error_count as "errorCount",
  coalesce((
    select jsonb_agg(jsonb_build_object('name', job_errors.name, 'message', job_errors.message) order by number)
    from {schema}.job_errors where job_errors.job_id = jobs.id
  ), '[]') as errors,
  origins.name as origin, null::float8 as "finishedAt"
from {schema}.jobs
join {schema}.queues on queues.id = jobs.queue_id
left join {schema}.queues as origins on origins.id = jobs.origin_queue_id
union all
select
  history.id::text, (history.args ->> 'tag')::int, queues.name, history.outcome::text,
  history.attempt, history.max_retries::int, history.error_count, coalesce(history.errors, '[]'),
  origins.name, (extract(epoch from history.finished_at) * 1000)::float8
from {schema}.history
join {schema}.queues on queues.id = history.queue_id
left join {schema}.queues as origins on origins.id = history.origin_queue_id
where history.outcome <> 'moved'`

const WORKERS = `
select
  workers.id,
  (extract(epoch from workers.dead_at) * 1000)::float8 as "diedAt",
  (extract(epoch from workers.stopped_at) * 1000)::float8 as "stoppedAt"
from {schema}.workers`

const EMPTY = `
truncate {schema}.jobs, {schema}.history, {schema}.job_errors, {schema}.suspects, {schema}.marks,
  {schema}.workers, {schema}.queues, {schema}.test_audit`

/** The tables of one schema, with a trigger that notes every change of a job. */
export class Audit {
  readonly #pool: Pool
  readonly #schema: string

  constructor(pool: Pool, schema: string) {
    this.#pool = pool
    this.#schema = quoteIdentifier(schema)
  }

  async install(): Promise<void> {
    await this.#read(INSTALL)
  }

  async empty(): Promise<void> {
    await this.#read(EMPTY)
  }

  async drop(): Promise<void> {
    await this.#read('drop schema {schema} cascade')
  }

  changes(): Promise<Change[]> {
    return this.#read<Change>(CHANGES)
  }

  stored(): Promise<Stored[]> {
    return this.#read<Stored>(STORED)
  }

  workers(): Promise<WorkerRow[]> {
    return this.#read<WorkerRow>(WORKERS)
  }

  async #read<Row extends object>(sql: string): Promise<Row[]> {
    const answer = await this.#pool.query<Row>(sql.replaceAll('{schema}', this.#schema))
    return answer.rows
  }
}
