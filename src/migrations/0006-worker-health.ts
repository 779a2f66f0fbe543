import type { Migration } from './migration.ts'

/**
 * How each worker is, as its heartbeat says. Null until one has said it: from code that came before, and where the
 * system does not tell. In no index, so that a heartbeat is a HOT update as before.
 *
 * And when each failed run started, beside when it failed. Null where nobody noted it, as code that came before.
 */
export const workerHealthMigration: Migration = {
  version: 6,
  name: 'worker-health',
  oldestCode: 1,
  up: [
    `
alter table {schema}.workers
  add column in_flight int,     -- handlers that have not returned
  add column rss_bytes bigint,  -- resident memory of the process
  add column heap_bytes bigint, -- what of its JavaScript heap is used
  -- How late its event loop was at worst since the heartbeat before.
  add column event_loop_lag_ms int`,
    'alter table {schema}.job_errors add column started_at timestamptz',
  ],
  down: [
    'alter table {schema}.job_errors drop column started_at',
    `
alter table {schema}.workers
  drop column in_flight,
  drop column rss_bytes,
  drop column heap_bytes,
  drop column event_loop_lag_ms`,
  ],
}
