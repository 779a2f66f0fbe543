import type { Migration } from './migration.ts'
import { queueMigration } from './0001-queue.ts'
import { steeringMigration } from './0002-steering.ts'
import { statisticsMigration } from './0003-statistics.ts'
import { progressMigration } from './0004-progress-and-tags.ts'
import { auditMigration } from './0005-audit.ts'
import { workerHealthMigration } from './0006-worker-health.ts'

/** Every migration, in order: number n stands at index n - 1. */
export const migrations: readonly Migration[] = [
  queueMigration,
  steeringMigration,
  statisticsMigration,
  progressMigration,
  auditMigration,
  workerHealthMigration,
]

/** The version of the schema that this code is written for. */
export const LATEST_VERSION = migrations.length
