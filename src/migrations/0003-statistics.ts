import type { Migration } from './migration.ts'

const COUNTS = `
  enqueued bigint not null,
  started bigint not null,
  finished bigint not null,
  retried bigint not null,
  failed bigint not null,
  dead_lettered bigint not null,
  snoozed bigint not null,
  interrupted bigint not null,
  crashed bigint not null,
  cancelled bigint not null,
  wait_us bigint not null, -- the sum of the times that stand in waits
  run_us bigint not null,
  waits jsonb not null,    -- counts by bucket, as src/core/histogram.ts says
  runs jsonb not null`

/**
 * What was done, by the minute. A process writes its tallies into rows of its own, a few times a minute and never once
 * for each job; those of minutes that are over are folded into statistics. So no row is changed by many, or often.
 */
export const statisticsMigration: Migration = {
  version: 3,
  name: 'statistics',
  oldestCode: 1,
  up: [
    `
create table {schema}.tallies (
  queue_id int not null,
  at timestamptz not null, -- the minute
  writer uuid not null,    -- the process, and which of its tallies: nobody else writes this row
  part int not null,${COUNTS},
  constraint tallies_of_queue primary key (queue_id, at, writer, part)
) with (fillfactor = 50)`,
    `
create table {schema}.statistics (
  queue_id int not null,
  step text not null,      -- how long it is: a minute, an hour, or all that ever was
  at timestamptz not null, -- when it begins; of all that ever was: 1970${COUNTS},
  constraint statistics_of_queue primary key (queue_id, step, at),
  constraint statistics_step check (step in ('minute', 'hour', 'ever'))
) with (fillfactor = 50)`,
  ],
  down: ['drop table {schema}.statistics', 'drop table {schema}.tallies'],
}
