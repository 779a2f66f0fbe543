export { JobQueue } from './job-queue.ts'
export { receiveAll } from './receive-all.ts'
export type { DrainResult } from './reception.ts'
export { Querier, type QuerierOptions } from './querier.ts'
export type { QueueGlance, QueueInfo } from './queue-info.ts'
export type { LogsOptions } from './job-logs.ts'
export type { JobFilter } from './job-filter.ts'
export type { ListIdsOptions, ListOptions } from './list-options.ts'
export type { RedriveManyOptions } from './redrive-many.ts'
export type {
  JobSelection,
  QuerierSelection,
  RedriveWhereOptions,
  WhereAnswer,
  WhereBatch,
  WhereOptions,
  WherePreview,
  WhereResult,
} from './where-options.ts'
export { prometheusMetrics, type PrometheusOptions } from './prometheus.ts'
export type { MetricsText } from './metrics/prometheus.ts'
export type { Backlog, QueueStats, StatsPoint } from './metrics/stats.ts'
export type { StatsCounts, StatsFigures, StatsTimes } from './metrics/sums.ts'
export {
  migrateDown,
  migrateUp,
  type MigrateDownOptions,
  type MigrateUpOptions,
  type MigrationName,
  type MigrationResult,
} from './migrations/migrate.ts'
export {
  migrationStatus,
  type MigrationStatus,
  type MigrationStatusOptions,
} from './migrations/status.ts'
export { migrationSql, type MigrationSqlOptions } from './migrations/print.ts'

export type { CountsOptions, RedriveOptions } from './core/call-options.ts'
export type { JobEnqueueContext, JobProcessContext, WorkContext } from './core/contexts.ts'
export { Discard } from './core/discard.ts'
export type { Duration } from './core/duration.ts'
export type {
  EnqueueCallOptions,
  EnqueueItem,
  EnqueueOptions,
  JobOptions,
} from './core/enqueue-options.ts'
export { MillraceError, type MillraceErrorCode } from './core/errors.ts'
export type { EventListener, EventOf, EventType, MillraceEvent } from './core/events.ts'
export type {
  Job,
  JobCounts,
  JobError,
  JobLogLine,
  JobRecord,
  JobStatus,
  Worker,
  WorkFunction,
} from './core/job.ts'
export type { PauseOptions, QueuePause } from './core/pause-options.ts'
export type { JobChanges } from './core/job-changes.ts'
export {
  pinoLogger,
  type LogFields,
  type Logger,
  type LogLevel,
  type PinoLike,
} from './core/logger.ts'
export type { Metadata } from './core/metadata.ts'
export {
  UnimplementedMiddleware,
  type EnqueueHandler,
  type Middleware,
  type ProcessHandler,
} from './core/middleware.ts'
export type { QueueOptions } from './core/queue-options.ts'
export type { DrainOptions, ReceiveOptions } from './core/receive-options.ts'
export { RetryPolicy, type RetryPolicyName } from './core/retry.ts'
export { Snooze } from './core/snooze.ts'
export type { StatsOptions } from './core/stats-options.ts'
export type { TransactionLike } from './core/transaction.ts'
export type { ErrorRecord } from './core/thrown.ts'
export type { Database } from './drivers/database.ts'
export type { DB, DBTX, QueryResult } from './drivers/driver.ts'
