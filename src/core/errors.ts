/** Every code that a `MillraceError` can carry, with the sentence that it says when no other is given. */
const DEFAULT_MESSAGES = {
  INVALID_OPTION: 'An option is not valid.',
  INVALID_ARGS: 'The arguments cannot be stored as they are.',
  ARGS_TOO_LARGE: 'The arguments are too large.',
  INVALID_DATABASE: 'The database that was given cannot be used for this.',
  INVALID_JOB_ID: 'A job id is a decimal string such as "42".',
  NO_WORKER: 'This queue was opened without a worker; pass one to the constructor to receive.',
  QUEUE_MODE_MISMATCH: 'The queue is stored in another mode.',
  SCHEMA_MISSING: 'The schema is missing; run migrateUp(db) first.',
  SCHEMA_OUTDATED: 'The schema is older than this release; run migrateUp(db).',
  SCHEMA_TOO_NEW: 'The schema needs a newer release of millrace.',
  ENQUEUE_SKIPPED: 'An enqueue middleware returned without calling next, so nothing was enqueued.',
  LEASE_LOST: 'This worker no longer holds the job; somebody else may be running it.',
  TIMEOUT: 'The run took longer than the timeout of its job.',
  SHUTDOWN: 'The worker is shutting down and the run did not end in time.',
  CANCELLED: 'The job was cancelled.',
  COMPLETE_ROLLED_BACK:
    'The handler returned, but the transaction that completed the job was rolled back.',
  RESULT_NOT_STORED: 'The job finished, but its result cannot be stored as JSON.',
  OUTCOME_UNKNOWN:
    'The connection was lost before the answer came; the statement may have been carried out.',
  EMBEDDED_IN_USE: 'Another process has this embedded database open.',
  EMBEDDED_MISSING:
    'The embedded database needs @electric-sql/pglite; run: npm install @electric-sql/pglite',
} as const satisfies Record<string, string>

/** What went wrong, as a word that programs can compare. `docs/errors.md` has a line for each. */
export type MillraceErrorCode = keyof typeof DEFAULT_MESSAGES

/** The one class of every error that Millrace itself throws. An error of the database comes through as the driver threw it. */
export class MillraceError extends Error {
  override readonly name = 'MillraceError'
  /** What went wrong, as a word that programs can compare. */
  readonly code: MillraceErrorCode
  /** The facts behind the message: the option or path, the value, the ids. */
  readonly details: Readonly<Record<string, unknown>>

  constructor(
    code: MillraceErrorCode,
    details: Readonly<Record<string, unknown>> = {},
    options: { message?: string; cause?: unknown } = {},
  ) {
    super(
      options.message ?? DEFAULT_MESSAGES[code],
      options.cause === undefined ? undefined : { cause: options.cause },
    )
    this.code = code
    this.details = details
  }
}
