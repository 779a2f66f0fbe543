import type { Migration } from './migration.ts'

/**
 * Who did what over HTTP. A table of its own that nothing else reads: it is written once or twice for each request
 * that changes something, and its oldest entries are forgotten by a chore, so the key is the only index.
 */
export const auditMigration: Migration = {
  version: 5,
  name: 'audit',
  oldestCode: 1,
  up: [
    `
create table {schema}.audit (
  id bigint generated always as identity primary key,
  at timestamptz not null default statement_timestamp(),
  actor text not null,
  role text not null,
  action text not null,
  queue_name text,     -- as it was asked for: the queue need not exist, or exist still
  job_ids bigint[] not null default '{}', -- at most a hundred of them
  job_count int,       -- how many jobs were named
  request text,        -- the filter, the limit, the settings, as JSON; no jsonb, which cannot hold all that is asked for
  changed int,         -- how many jobs or queues were changed; null: not known, or nothing was tried
  outcome text not null -- 'started', 'done', or the code of an error
)`,
  ],
  down: ['drop table {schema}.audit'],
}
