import type { Migration } from './migration.ts'

/**
 * What a run says of itself: its progress and its log lines. They have tables of their own because a job's row
 * changes once in its stay, and because they outlive it: a job keeps them when it ends, fails or moves. Why they
 * are not partitioned as history is: docs/adr/0021-notes-are-reviewed.md.
 *
 * And the tags of jobs, within the job's row: most have none, and a null takes no room. They are in no index, which
 * each insert and each settle would have to keep.
 */
export const progressMigration: Migration = {
  version: 2,
  name: 'progress-and-tags',
  oldestCode: 1,
  up: [
    // Whoever waits for these tables' locks holds up everybody behind: so not for long, and then again.
    `set local lock_timeout = '500ms'`,
    'alter table {schema}.jobs add column tags text[]',
    'alter table {schema}.history add column tags text[]',
    `
-- A row for each job of which a run has said something.
create table {schema}.job_progress (
  job_id bigint not null constraint progress_of_job primary key,
  queue_id int not null,  -- where the job is; a move takes it along
  attempt int,            -- the run that reported the progress
  value jsonb,            -- null: only log lines
  at timestamptz,
  line_count bigint not null default 0, -- log lines so far, those among them that were not kept
  review_at timestamptz not null        -- when to see whether the job is still there
) with (fillfactor = 70)`,
    'create index progress_to_review on {schema}.job_progress (queue_id, review_at)',
    `
create table {schema}.job_logs (
  job_id bigint not null,
  number bigint not null, -- 1 is the first line of the job
  attempt int not null,
  at timestamptz not null,
  message text not null,
  fields jsonb,
  constraint job_logs_in_order primary key (job_id, number)
)`,
  ],
  down: [
    'drop table {schema}.job_logs',
    'drop table {schema}.job_progress',
    `set local lock_timeout = '500ms'`,
    'alter table {schema}.history drop column tags',
    'alter table {schema}.jobs drop column tags',
  ],
}
