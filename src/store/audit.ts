import type { DBTX } from '../drivers/driver.ts'
import { toMicros, type Micros } from './instants.ts'
import { sqlArray } from './numerals.ts'
import { statement } from './statement.ts'
import type { Store } from './store.ts'

/** Entries are kept for so many days. */
export const KEEP_AUDIT_DAYS = 90

/** The intention is written before anything is done, so that nothing is done that nobody wrote down. */
export const ADD_AUDIT_ENTRY = statement({
  name: 'add_audit_entry',
  parameters: ['text', 'text', 'text', 'text', 'int8[]', 'int4', 'text', 'text'],
  indexes: [],
  sql: `
insert into {schema}.audit (actor, role, action, queue_name, job_ids, job_count, request, outcome)
values ($1::text, $2::text, $3::text, $4::text, $5::int8[], $6::int4, $7::text, $8::text)
returning audit.id::text as "id"`,
})

/** What became of it. */
export const CLOSE_AUDIT_ENTRY = statement({
  name: 'close_audit_entry',
  parameters: ['int8', 'text', 'int4', 'int8[]'],
  indexes: ['audit_pkey'],
  sql: `
update {schema}.audit
set
  outcome = $2::text,
  changed = $3::int4,
  job_ids = case when cardinality(audit.job_ids) = 0 then $4::int8[] else audit.job_ids end
where audit.id = $1::int8 and audit.outcome = 'started'
returning audit.id::text as "id"`,
})

/** From the newest on: `$1` is the id before the page, `$2` how many. */
export const LIST_AUDIT = statement({
  name: 'list_audit',
  parameters: ['int8', 'int4'],
  indexes: ['audit_pkey'],
  sql: `
select
  audit.id::text as "id",
  ${toMicros('audit.at')} as "at",
  audit.actor as "actor",
  audit.role as "role",
  audit.action as "action",
  audit.queue_name as "queueName",
  array_to_json(audit.job_ids::text[])::text as "jobIds",
  audit.job_count as "jobCount",
  audit.request as "request",
  audit.changed as "changed",
  audit.outcome as "outcome"
from {schema}.audit
where audit.id < $1::int8
order by audit.id desc
limit $2::int4`,
})

/** Forgets the oldest entries when their time is over, so many at a time. */
export const FORGET_AUDIT = statement({
  name: 'forget_audit',
  parameters: ['int4', 'int4'],
  indexes: ['audit_pkey'],
  sql: `
with oldest as (
  select audit.id, audit.at
  from {schema}.audit
  order by audit.id
  limit $2::int4
),
forgotten as (
  delete from {schema}.audit
  where audit.id = any(array(
    select oldest.id from oldest where oldest.at < statement_timestamp() - $1::int4 * interval '1 day'
  ))
  returning audit.id
)
select count(*)::int4 as "count" from forgotten`,
})

/** What somebody is about to do. */
export interface AuditIntention {
  readonly actor: string
  readonly role: string
  readonly action: string
  readonly queueName: string | null
  /** At most a hundred of the ids; `jobCount` says how many there were. */
  readonly jobIds: readonly string[]
  readonly jobCount: number | null
  /** JSON of what was asked for besides: a filter, a limit, the settings of a queue. */
  readonly requestJson: string | null
}

/** An entry as it is listed. */
export interface AuditRow {
  id: string
  at: Micros
  actor: string
  role: string
  action: string
  queueName: string | null
  /** JSON array. */
  jobIds: string
  jobCount: number | null
  request: string | null
  changed: number | null
  outcome: string
}

/** At most so many ids of jobs are kept of an action. */
export const AUDITED_IDS = 100

/** Writes the intention; `outcome` is `started`, or why it was refused. Answers the entry's id. */
export async function addAuditEntry(
  store: Store,
  { actor, role, action, queueName, jobIds, jobCount, requestJson }: AuditIntention,
  outcome: string,
): Promise<string> {
  const kept = sqlArray(jobIds.slice(0, AUDITED_IDS))
  const values = [actor, role, action, queueName, kept, jobCount, requestJson, outcome]
  const [row] = await store.run<{ id: string }>(ADD_AUDIT_ENTRY, values)
  if (row === undefined) throw new Error('add_audit_entry answered no row')
  return row.id
}

/** Writes what became of it. `jobIds` are kept when the intention named none, as those of new jobs. */
export async function closeAuditEntry(
  store: Store,
  id: string,
  { outcome, changed, jobIds }: { outcome: string; changed: number; jobIds: readonly string[] },
): Promise<void> {
  const kept = sqlArray(jobIds.slice(0, AUDITED_IDS))
  await store.run(CLOSE_AUDIT_ENTRY, [id, outcome, changed, kept])
}

const LAST_ID = '9223372036854775807'

export async function listAudit(
  store: Store,
  { beforeId, limit }: { beforeId: string | null; limit: number },
  tx: DBTX,
): Promise<AuditRow[]> {
  return store.run<AuditRow>(LIST_AUDIT, [beforeId ?? LAST_ID, limit], tx)
}

const FORGOTTEN_AT_ONCE = 5_000

/** Forgets what is older than `KEEP_AUDIT_DAYS`. */
export async function forgetAudit(store: Store): Promise<void> {
  for (;;) {
    const [row] = await store.run<{ count: number }>(FORGET_AUDIT, [
      KEEP_AUDIT_DAYS,
      FORGOTTEN_AT_ONCE,
    ])
    if ((row?.count ?? 0) < FORGOTTEN_AT_ONCE) return
  }
}
