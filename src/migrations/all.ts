import type { Migration } from './migration.ts'
import { queueMigration } from './0001-queue.ts'
import { progressMigration } from './0002-progress-and-tags.ts'

/** Every migration, in order: number n stands at index n - 1. */
export const migrations: readonly Migration[] = [queueMigration, progressMigration]

/** The version of the schema that this code is written for. */
export const LATEST_VERSION = migrations.length
