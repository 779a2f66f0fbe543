import { Client } from 'pg'
import { quoteIdentifier } from '../../src/core/identifiers.ts'
import type { ModelJob } from './model-job.ts'
import type { QueueModel } from './queue-model.ts'
import { START_MS } from './queue-model.ts'
import { RULES } from './queue-rules.ts'

/** Everything that is stored, a line for each fact, so that a difference reads well. */
export type Lines = string[]

/** What must be stored, as the model has it. */
export function linesOf(model: QueueModel): Lines {
  const lines = [...model.jobs.values()].map((job) =>
    job.state.kind === 'ended' ? endedLine(job) : liveLine(job),
  )
  for (const [key, pointer] of model.pointers) {
    const [id, queue] = [key.slice(key.lastIndexOf(' ') + 1), key.slice(0, key.lastIndexOf(' '))]
    const { to, attempt, errorCount, by } = pointer
    lines.push(
      `${id} moved from ${queue} to ${to} attempt ${attempt} errors ${errorCount} by ${by.worker}/${by.claimNo}`,
    )
  }
  for (const { id, status } of model.workers.values()) lines.push(`worker ${id} ${status}`)
  for (const queue of model.queueNames) {
    if (model.paused.has(queue)) lines.push(`${queue} is paused`)
    if (RULES[queue].isFifo) lines.push(`${queue} owned by ${model.owner(queue) ?? '-'}`)
  }
  return lines.sort()
}

function liveLine(job: ModelJob): string {
  const { id, queue, state, priority, runAt, attempt, errors, isSuspect, isMarked, origin } = job
  const parked = isSuspect ? 'parked' : 'free'
  const holder = state.kind === 'held' ? `held ${state.worker}/${state.claimNo}` : parked
  const started = state.kind === 'held' && state.isStarted ? ' started' : ''
  const listed = holder === 'parked' ? ' listed' : ''
  return `${id} in ${queue} ${holder}${started}${listed} priority ${priority} at ${runAt - START_MS} attempt ${attempt} errors ${errors.length}/${errors.length}${isSuspect ? ' suspect' : ''} origin ${origin ?? '-'}${isMarked ? ' marked' : ''}`
}

function endedLine(job: ModelJob): string {
  const { id, queue, state, attempt, errors, origin } = job
  if (state.kind !== 'ended') return ''
  const by = state.by === null ? '-' : `${state.by.worker}/${state.by.claimNo}`
  return `${id} ${state.outcome} in ${queue} attempt ${attempt} errors ${errors.length}/${errors.length} by ${by} origin ${origin ?? '-'}`
}

const STORED = `
select line
from (
  select format(
    '%s in %s %s%s%s priority %s at %s attempt %s errors %s/%s%s origin %s%s',
    jobs.id, queues.name,
    case when jobs.claimed_by is null then 'free' when jobs.claimed_by = 0 then 'parked'
      else format('held %s/%s', jobs.claimed_by, jobs.claim_no) end,
    case when jobs.claimed_by > 0 and (jobs.started_at is not null or exists (
      select from {schema}.marks
      where marks.worker_id = jobs.claimed_by and marks.queue_id = jobs.queue_id
        and marks.claim_no = jobs.claim_no
        and (marks.priority, marks.run_at, marks.job_id) >= (jobs.priority, jobs.run_at, jobs.id)
    )) then ' started' end,
    case when exists (
      select from {schema}.suspects where suspects.queue_id = jobs.queue_id and suspects.job_id = jobs.id
    ) then ' listed' end,
    jobs.priority,
    round(extract(epoch from jobs.run_at) * 1000 - $1),
    jobs.attempt,
    jobs.error_count,
    (select count(*) from {schema}.job_errors where job_errors.job_id = jobs.id),
    case when jobs.is_suspect then ' suspect' end,
    coalesce(origins.name, '-'),
    case when jobs.cancel_requested_at is not null then ' marked' end
  ) as line
  from {schema}.jobs
  join {schema}.queues on queues.id = jobs.queue_id
  left join {schema}.queues as origins on origins.id = jobs.origin_queue_id
  union all
  select case when history.outcome = 'moved' then format(
      '%s moved from %s to %s attempt %s errors %s by %s/%s',
      history.id, queues.name, targets.name, history.attempt, history.error_count,
      history.worker_id, history.claim_no
    ) else format(
      '%s %s in %s attempt %s errors %s/%s by %s origin %s',
      history.id, history.outcome, queues.name, history.attempt, history.error_count,
      coalesce(jsonb_array_length(history.errors), 0),
      coalesce(history.worker_id || '/' || history.claim_no, '-'),
      coalesce(origins.name, '-')
    ) end
  from {schema}.history
  join {schema}.queues on queues.id = history.queue_id
  left join {schema}.queues as origins on origins.id = history.origin_queue_id
  left join {schema}.queues as targets on targets.id = history.moved_to
  union all
  select format('worker %s %s', workers.id, case
    when workers.rescued_at is not null then 'rescued' when workers.dead_at is not null then 'dead'
    when workers.stopped_at is not null then 'stopped' else 'alive' end)
  from {schema}.workers
  union all
  select format('%s owned by %s', queues.name, coalesce(queues.owner_id::text, '-'))
  from {schema}.queues
  where queues.is_fifo
  union all
  select format('%s is paused', queues.name)
  from {schema}.queues
  where queues.paused_at is not null
  union all
  select format('errors of the vanished job %s', job_errors.job_id)
  from {schema}.job_errors
  where not exists (select from {schema}.jobs where jobs.id = job_errors.job_id)
  union all
  select format('suspect %s that is none', suspects.job_id)
  from {schema}.suspects
  where not exists (select from {schema}.jobs where jobs.id = suspects.job_id and jobs.claimed_by = 0)
) as stored
order by line collate "C"`

const EMPTY = `
delete from {schema}.jobs;
delete from {schema}.history;
delete from {schema}.job_errors;
delete from {schema}.suspects;
delete from {schema}.marks;
update {schema}.queues set owner_id = null, paused_at = null where owner_id is not null or paused_at is not null;
delete from {schema}.workers;
alter table {schema}.workers alter column id restart;
alter sequence {schema}.job_ids restart;`

/** The tables of one schema, looked at and emptied over a connection of its own. */
export class StoredRows {
  readonly #client: Client
  readonly #schema: string

  constructor(databaseUrl: string, schema: string) {
    this.#client = new Client({
      connectionString: databaseUrl,
      options: '-c synchronous_commit=off',
    })
    this.#schema = quoteIdentifier(schema)
  }

  async open(): Promise<void> {
    await this.#client.connect()
  }

  async lines(): Promise<Lines> {
    // Prepared: to plan it takes longer than to run it.
    const look = { name: 'stored', text: this.#text(STORED), values: [START_MS] }
    const answer = await this.#client.query<{ line: string }>(look)
    return answer.rows.map((row) => row.line).sort()
  }

  /** Makes the days of history in which the model's jobs expire: one for each number of days from its start. */
  async addDays(days: readonly number[]): Promise<void> {
    for (const day of days) {
      const date = new Date(START_MS + day * 86_400_000).toISOString().slice(0, 10)
      await this.#client.query(this.#text('select {schema}.add_history_partition($1::date)'), [
        date,
      ])
    }
  }

  /** As if nothing had ever happened; the queues stay. */
  async empty(): Promise<void> {
    await this.#client.query(this.#text(EMPTY))
  }

  async drop(): Promise<void> {
    await this.#client.query(this.#text('drop schema {schema} cascade'))
  }

  async close(): Promise<void> {
    await this.#client.end()
  }

  #text(sql: string): string {
    return sql.replaceAll('{schema}', this.#schema)
  }
}
