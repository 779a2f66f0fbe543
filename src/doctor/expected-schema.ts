/**
 * What migrations make, part by part, as the catalog describes it. Whoever adds a migration changes it here too: a test
 * compares it with a schema that was just migrated.
 */
const EXPECTED_SCHEMA = `
enum outcome: finished, failed, cancelled, moved
enum retry_policy: constant, linear, exponential
sequence job_ids: bigint increment 1
function add_history_partition(date): returns boolean language plpgsql security definer set search_path=pg_catalog, pg_temp body as migrated
function drop_history_partition(date): returns boolean language plpgsql security definer set search_path=pg_catalog, pg_temp; lock_timeout=100ms body as migrated

table migrations: permanent
options migrations: none
column migrations.version: integer not null
column migrations.name: text not null
column migrations.oldest_code: integer not null
column migrations.applied_at: timestamp with time zone not null default statement_timestamp()
constraint migrations.migrations_pkey: PRIMARY KEY (version)

table queues: permanent
options queues: fillfactor=50
column queues.id: integer not null generated always as identity
column queues.name: text not null
column queues.is_fifo: boolean
column queues.dlq_id: integer
column queues.keep_finished_ms: bigint
column queues.keep_failed_ms: bigint
column queues.base_retry_delay_ms: double precision not null
column queues.max_retry_delay_ms: double precision not null
column queues.retry_jitter: double precision not null
column queues.rewind: bigint not null default 0
column queues.owner_id: integer
column queues.created_at: timestamp with time zone not null default statement_timestamp()
column queues.paused_at: timestamp with time zone
column queues.paused_by: text
column queues.pause_reason: text
constraint queues.queues_pkey: PRIMARY KEY (id)
constraint queues.queue_names: UNIQUE (name)
constraint queues.queue_name_length: CHECK (((char_length(name) >= 1) AND (char_length(name) <= 200)))
constraint queues.queue_is_not_its_own_dlq: CHECK ((dlq_id <> id))
constraint queues.queues_dlq_id_fkey: FOREIGN KEY (dlq_id) REFERENCES {schema}.queues(id)

table workers: permanent
options workers: fillfactor=50
column workers.id: integer not null generated always as identity
column workers.token: text not null
column workers.host: text not null
column workers.pid: integer not null
column workers.version: text not null
column workers.queue_ids: integer[] not null default '{}'::integer[]
column workers.lease_ms: bigint not null
column workers.beat: bigint not null default 0
column workers.beat_at: timestamp with time zone not null default statement_timestamp()
column workers.started_at: timestamp with time zone not null default statement_timestamp()
column workers.sighted_beat: bigint
column workers.sighted_at: timestamp with time zone
column workers.sighted_ms: bigint not null default 0
column workers.stopped_at: timestamp with time zone
column workers.dead_at: timestamp with time zone
column workers.looked_at: timestamp with time zone
column workers.rescued_at: timestamp with time zone
column workers.in_flight: integer
column workers.rss_bytes: bigint
column workers.heap_bytes: bigint
column workers.event_loop_lag_ms: integer
constraint workers.workers_pkey: PRIMARY KEY (id)

table jobs: permanent
options jobs: autovacuum_analyze_scale_factor=0, autovacuum_analyze_threshold=50000, autovacuum_vacuum_insert_scale_factor=0, autovacuum_vacuum_insert_threshold=100000, autovacuum_vacuum_scale_factor=0, autovacuum_vacuum_threshold=20000, fillfactor=45, vacuum_truncate=off
column jobs.id: bigint not null default nextval('{schema}.job_ids'::regclass)
column jobs.run_at: timestamp with time zone not null
column jobs.created_at: timestamp with time zone not null
column jobs.queue_id: integer not null
column jobs.priority: smallint not null
column jobs.max_retries: smallint not null
column jobs.retry_policy: {schema}.retry_policy not null
column jobs.attempt: integer not null default 0
column jobs.error_count: integer not null default 0
column jobs.is_suspect: boolean not null default false
column jobs.claimed_by: integer
column jobs.claim_no: bigint
column jobs.started_at: timestamp with time zone
column jobs.timeout_ms: bigint
column jobs.origin_queue_id: integer
column jobs.args: jsonb not null
column jobs.metadata: jsonb not null
column jobs.tags: text[]
column jobs.cancel_requested_at: timestamp with time zone
constraint jobs.jobs_by_id: PRIMARY KEY (queue_id, id)
constraint jobs.job_priority: CHECK (((priority >= 0) AND (priority <= 9)))
constraint jobs.job_max_retries: CHECK ((max_retries >= 0))
index jobs_due: CREATE INDEX jobs_due ON {schema}.jobs USING btree (((queue_id + 0)), priority, run_at, ((id + 0)))

table job_errors: permanent
options job_errors: none
column job_errors.job_id: bigint not null
column job_errors.number: integer not null
column job_errors.attempt: integer not null
column job_errors.at: timestamp with time zone not null default statement_timestamp()
column job_errors.name: text not null
column job_errors.message: text not null
column job_errors.stack: text
column job_errors.worker_id: integer
column job_errors.claim_no: bigint
column job_errors.started_at: timestamp with time zone
constraint job_errors.job_errors_in_order: PRIMARY KEY (job_id, number)

table suspects: permanent
options suspects: none
column suspects.queue_id: integer not null
column suspects.job_id: bigint not null
constraint suspects.suspects_of_queue: PRIMARY KEY (queue_id, job_id)

table marks: permanent
options marks: none
column marks.worker_id: integer not null
column marks.queue_id: integer not null
column marks.claim_no: bigint not null
column marks.priority: smallint not null
column marks.run_at: timestamp with time zone not null
column marks.job_id: bigint not null
column marks.marked_at: timestamp with time zone not null default statement_timestamp()
index marks_of_claim: CREATE INDEX marks_of_claim ON {schema}.marks USING btree (worker_id, queue_id, claim_no)

table job_progress: permanent
options job_progress: fillfactor=70
column job_progress.job_id: bigint not null
column job_progress.queue_id: integer not null
column job_progress.attempt: integer
column job_progress.value: jsonb
column job_progress.at: timestamp with time zone
column job_progress.line_count: bigint not null default 0
column job_progress.review_at: timestamp with time zone not null
constraint job_progress.progress_of_job: PRIMARY KEY (job_id)
index progress_to_review: CREATE INDEX progress_to_review ON {schema}.job_progress USING btree (queue_id, review_at)

table job_logs: permanent
options job_logs: none
column job_logs.job_id: bigint not null
column job_logs.number: bigint not null
column job_logs.attempt: integer not null
column job_logs.at: timestamp with time zone not null
column job_logs.message: text not null
column job_logs.fields: jsonb
constraint job_logs.job_logs_in_order: PRIMARY KEY (job_id, number)

table history: permanent partition by RANGE (expires_at)
options history: none
column history.id: bigint not null
column history.expires_at: timestamp with time zone not null
column history.finished_at: timestamp with time zone not null
column history.started_at: timestamp with time zone
column history.run_at: timestamp with time zone not null
column history.created_at: timestamp with time zone not null
column history.queue_id: integer not null
column history.priority: smallint not null
column history.max_retries: smallint not null
column history.retry_policy: {schema}.retry_policy not null
column history.outcome: {schema}.outcome not null
column history.attempt: integer not null
column history.error_count: integer not null
column history.worker_id: integer
column history.claim_no: bigint
column history.timeout_ms: bigint
column history.origin_queue_id: integer
column history.moved_to: integer
column history.args: jsonb not null
column history.metadata: jsonb not null
column history.result: jsonb
column history.errors: jsonb
column history.tags: text[]
index history_of_job: CREATE INDEX history_of_job ON ONLY {schema}.history USING btree (queue_id, id)

table tallies: permanent
options tallies: fillfactor=50
column tallies.queue_id: integer not null
column tallies.at: timestamp with time zone not null
column tallies.writer: uuid not null
column tallies.part: integer not null
column tallies.enqueued: bigint not null
column tallies.started: bigint not null
column tallies.finished: bigint not null
column tallies.retried: bigint not null
column tallies.failed: bigint not null
column tallies.dead_lettered: bigint not null
column tallies.snoozed: bigint not null
column tallies.interrupted: bigint not null
column tallies.crashed: bigint not null
column tallies.cancelled: bigint not null
column tallies.wait_us: bigint not null
column tallies.run_us: bigint not null
column tallies.waits: jsonb not null
column tallies.runs: jsonb not null
constraint tallies.tallies_of_queue: PRIMARY KEY (queue_id, at, writer, part)

table statistics: permanent
options statistics: fillfactor=50
column statistics.queue_id: integer not null
column statistics.step: text not null
column statistics.at: timestamp with time zone not null
column statistics.enqueued: bigint not null
column statistics.started: bigint not null
column statistics.finished: bigint not null
column statistics.retried: bigint not null
column statistics.failed: bigint not null
column statistics.dead_lettered: bigint not null
column statistics.snoozed: bigint not null
column statistics.interrupted: bigint not null
column statistics.crashed: bigint not null
column statistics.cancelled: bigint not null
column statistics.wait_us: bigint not null
column statistics.run_us: bigint not null
column statistics.waits: jsonb not null
column statistics.runs: jsonb not null
constraint statistics.statistics_of_queue: PRIMARY KEY (queue_id, step, at)
constraint statistics.statistics_step: CHECK ((step = ANY (ARRAY['minute'::text, 'hour'::text, 'ever'::text])))

table audit: permanent
options audit: none
column audit.id: bigint not null generated always as identity
column audit.at: timestamp with time zone not null default statement_timestamp()
column audit.actor: text not null
column audit.role: text not null
column audit.action: text not null
column audit.queue_name: text
column audit.job_ids: bigint[] not null default '{}'::bigint[]
column audit.job_count: integer
column audit.request: text
column audit.changed: integer
column audit.outcome: text not null
constraint audit.audit_pkey: PRIMARY KEY (id)
`

/** A part of the schema: `index jobs_due`, and how the catalog describes it. */
export interface Part {
  readonly kind: string
  readonly name: string
  /** `{schema}` stands for the schema. */
  readonly text: string
}

/** All that migrations make, in an order in which people think of it. */
export const EXPECTED_PARTS: readonly Part[] = EXPECTED_SCHEMA.split('\n')
  .filter((line) => line !== '')
  .map(readPart)

/** The tables of Millrace; whatever else is in the schema is somebody else's. */
export const OUR_TABLES: ReadonlySet<string> = new Set(
  EXPECTED_PARTS.filter(({ kind }) => kind === 'table').map(({ name }) => name),
)

function readPart(line: string): Part {
  const [, kind = '', name = '', text = ''] = /^(\w+) (.+?): (.*)$/.exec(line) ?? []
  return { kind, name, text }
}

/** The table that a part belongs to; undefined for what belongs to none. */
export function tableOf({ kind, name, text }: Part): string | undefined {
  switch (kind) {
    case 'table':
    case 'options':
      return name
    case 'column':
    case 'constraint':
    case 'trigger':
      return name.split('.')[0]
    case 'index':
      return / ON (?:ONLY )?\{schema\}\.(\w+) /.exec(text)?.[1]
    default:
      return undefined
  }
}
