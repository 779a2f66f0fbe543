import type { Migration } from './migration.ts'

/**
 * Steering from outside: a queue that is paused. Code that came before goes on claiming from it, until the last of it
 * is gone; everything else works as it did.
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
  ],
  down: [
    `
alter table {schema}.queues
  drop column paused_at,
  drop column paused_by,
  drop column pause_reason`,
  ],
}
