import type { Migration } from './migration.ts'

/**
 * Steering from outside: queues that are paused, and jobs that are to be cancelled though somebody has them in hand.
 * Code that came before goes on claiming from a paused queue and does not look for marks, until the last of it is gone;
 * everything else works as it did.
 */
export const steeringMigration: Migration = {
  version: 2,
  name: 'steering',
  oldestCode: 1,
  up: [
    `
alter table {schema}.queues
  add column paused_at timestamptz, -- null: jobs of it may be claimed
  add column paused_by text,
  add column pause_reason text`,
    // In no index, so that marking a job is a HOT update as its claim is.
    'alter table {schema}.jobs add column cancel_requested_at timestamptz',
  ],
  down: [
    'alter table {schema}.jobs drop column cancel_requested_at',
    `
alter table {schema}.queues
  drop column paused_at,
  drop column paused_by,
  drop column pause_reason`,
  ],
}
