import type { Migration } from './migration.ts'
import { historyPartitionFunctions } from './0001-history-functions.ts'

/**
 * The queue itself. The reasons for every table option and index are in docs/architecture.md;
 * two rules bind whoever changes this schema: nothing that a claim changes may enter an index
 * (a claim is a HOT update), and no row but the job itself may change once for each job.
 */
export const queueMigration: Migration = {
  version: 1,
  name: 'queue',
  oldestCode: 1,
  up: [
    `create type {schema}.retry_policy as enum ('constant', 'linear', 'exponential')`,
    `create type {schema}.outcome as enum ('finished', 'failed', 'cancelled', 'moved')`,
    `
create table {schema}.queues (
  id int generated always as identity primary key,
  name text not null constraint queue_name_length check (char_length(name) between 1 and 200),
  is_fifo boolean, -- null: known only as somebody's dead-letter queue
  dlq_id int references {schema}.queues (id),
  keep_finished_ms bigint, -- null: deleted at once
  keep_failed_ms bigint,
  base_retry_delay_ms float8 not null,
  max_retry_delay_ms float8 not null,
  retry_jitter float8 not null,
  rewind bigint not null default 0, -- raised when jobs come back behind the claim floors
  owner_id int,                     -- the worker that owns this FIFO queue
  created_at timestamptz not null default statement_timestamp(),
  constraint queue_names unique (name),
  constraint queue_is_not_its_own_dlq check (dlq_id <> id)
) with (fillfactor = 50)`,
    `
create table {schema}.workers (
  id int generated always as identity primary key,
  token text not null,
  host text not null,
  pid int not null,
  version text not null,
  queue_ids int[] not null default '{}', -- every queue it ever claimed from
  lease_ms bigint not null,
  beat bigint not null default 0,
  beat_at timestamptz not null default statement_timestamp(),
  started_at timestamptz not null default statement_timestamp(),
  sighted_beat bigint,     -- the heartbeat that passers-by saw last, when, and how long it stood still
  sighted_at timestamptz,
  sighted_ms bigint not null default 0,
  stopped_at timestamptz, -- it stopped by itself and holds nothing
  dead_at timestamptz,    -- an observer found it silent for a whole lease
  looked_at timestamptz,  -- when its queues were last looked through for what it held
  rescued_at timestamptz  -- everything that it held has been freed
) with (fillfactor = 50)`,
    'create sequence {schema}.job_ids as bigint',
    `
create table {schema}.jobs (
  id bigint not null default nextval('{schema}.job_ids'),
  run_at timestamptz not null,
  created_at timestamptz not null,
  queue_id int not null,
  priority smallint not null,
  max_retries smallint not null,
  retry_policy {schema}.retry_policy not null,
  attempt int not null default 0,     -- runs that counted so far
  error_count int not null default 0,
  is_suspect boolean not null default false, -- was running when its worker died; runs alone
  claimed_by int,      -- null: free; 0: parked as a suspect; else a worker
  claim_no bigint,     -- the fence: which claim of that worker
  started_at timestamptz, -- set by a claim whose jobs start at once; else see marks
  timeout_ms bigint,
  origin_queue_id int, -- set in a dead-letter queue: where the job came from
  args jsonb not null,
  metadata jsonb not null,
  constraint jobs_by_id primary key (queue_id, id),
  constraint job_priority check (priority between 0 and 9),
  constraint job_max_retries check (max_retries >= 0)
) with (
  -- Room for the claimed version, which is some bytes longer, beside the free one: the update stays HOT.
  -- At 50 it did so for 75 to 100 % of the rows, depending on their size; at 45 for 92 to 100 %.
  fillfactor = 45,
  vacuum_truncate = off,
  autovacuum_vacuum_scale_factor = 0,
  autovacuum_vacuum_threshold = 20000,
  autovacuum_vacuum_insert_scale_factor = 0,
  autovacuum_vacuum_insert_threshold = 100000,
  autovacuum_analyze_scale_factor = 0,
  autovacuum_analyze_threshold = 50000
)`,
    `
-- Behind expressions, so that no plan looks jobs up by id in it: on a table that vacuum found empty
-- the planner believes that both indexes cost the same, and took 740 ms for a settle of 2 ms.
create index jobs_due on {schema}.jobs ((queue_id + 0), priority, run_at, (id + 0))`,
    `
create table {schema}.job_errors (
  job_id bigint not null,
  number int not null, -- 1 is the first error of the job
  attempt int not null,
  at timestamptz not null default statement_timestamp(),
  name text not null,
  message text not null,
  stack text,
  worker_id int,
  claim_no bigint,
  constraint job_errors_in_order primary key (job_id, number)
)`,
    `
-- Jobs that were running when their worker died and wait to be run alone.
create table {schema}.suspects (
  queue_id int not null,
  job_id bigint not null,
  constraint suspects_of_queue primary key (queue_id, job_id)
)`,
    `
-- How far into a claim its worker has started; only for claims larger than what starts at once.
create table {schema}.marks (
  worker_id int not null,
  queue_id int not null,
  claim_no bigint not null,
  priority smallint not null,
  run_at timestamptz not null,
  job_id bigint not null,
  marked_at timestamptz not null default statement_timestamp()
)`,
    'create index marks_of_claim on {schema}.marks (worker_id, queue_id, claim_no)',
    `
create table {schema}.history (
  id bigint not null,
  expires_at timestamptz not null,
  finished_at timestamptz not null,
  started_at timestamptz,
  run_at timestamptz not null,
  created_at timestamptz not null,
  queue_id int not null,
  priority smallint not null,
  max_retries smallint not null,
  retry_policy {schema}.retry_policy not null,
  outcome {schema}.outcome not null,
  attempt int not null,
  error_count int not null,
  worker_id int,
  claim_no bigint,
  timeout_ms bigint,
  origin_queue_id int,
  moved_to int, -- outcome 'moved': the queue that the job went to
  args jsonb not null,
  metadata jsonb not null,
  result jsonb,
  errors jsonb
) partition by range (expires_at)`,
    'create index history_of_job on {schema}.history (queue_id, id)',
    ...historyPartitionFunctions,
  ],
  down: [
    'drop function {schema}.drop_history_partition(date)',
    'drop function {schema}.add_history_partition(date)',
    'drop table {schema}.history',
    'drop table {schema}.marks',
    'drop table {schema}.suspects',
    'drop table {schema}.job_errors',
    'drop table {schema}.jobs',
    'drop sequence {schema}.job_ids',
    'drop table {schema}.workers',
    'drop table {schema}.queues',
    'drop type {schema}.outcome',
    'drop type {schema}.retry_policy',
  ],
}
