import type { JobStatus } from '../core/job.ts'
import { afterMillis } from './instants.ts'
import { sqlTexts } from './numerals.ts'

/** What jobs have to meet. Null: anything. */
export interface JobCondition {
  readonly status: JobStatus | null
  readonly olderThanMs: number | null
  readonly newerThanMs: number | null
  readonly errorText: string | null
  /** JSON text of an object that their metadata contain. */
  readonly metadataJson: string | null
  /** All of them. */
  readonly tags: readonly string[] | null
}

/** Types of `$4` to `$9`, which are what `conditionValues` gives. */
export const CONDITION_PARAMETERS = ['text', 'float8', 'float8', 'text', 'text', 'text'] as const

/** `$5` and `$6`: at least, and less than, so many milliseconds ago. */
const ageOf = (createdAt: string): string => `
  and ($5::float8 is null or ${createdAt} <= ${afterMillis('- $5::float8')})
  and ($6::float8 is null or ${createdAt} > ${afterMillis('- $6::float8')})`

const saysTheText = (name: string, message: string): string =>
  `strpos(lower(concat(${name}, ': ', ${message})), lower($7::text)) > 0`

const holds = (metadata: string): string =>
  `and ($8::text is null or ${metadata} @> $8::text::jsonb)`

const hasTags = (tags: string): string => `and ($9::text is null or ${tags} @> $9::text::text[])`

/** Goes on with a `where` about `jobs`. */
export const LIVE_FILTER = `
  and ($4::text is null or $4::text = case when jobs.claimed_by > 0 then 'running' else 'available' end)
  ${ageOf('jobs.created_at')}
  ${holds('jobs.metadata')}
  ${hasTags('jobs.tags')}
  and ($7::text is null or jobs.error_count > 0 and (
    -- Not "exists", for which the planner may read the errors of all jobs of all queues at once.
    select count(*)
    from {schema}.job_errors
    where job_errors.job_id = jobs.id
      and ${saysTheText('job_errors.name', 'job_errors.message')}
  ) > 0)`

/** Goes on with a `where` about `history`. */
export const PAST_FILTER = `
  and history.outcome <> 'moved'
  and ($4::text is null or history.outcome::text = $4::text)
  ${ageOf('history.created_at')}
  ${holds('history.metadata')}
  ${hasTags('history.tags')}
  and ($7::text is null or exists (
    select
    from jsonb_array_elements(history.errors) as past (error)
    where ${saysTheText(`past.error ->> 'name'`, `past.error ->> 'message'`)}
  ))`

/** The values of `$4` to `$9`. */
export function conditionValues(condition: JobCondition): unknown[] {
  const { status, olderThanMs, newerThanMs, errorText, metadataJson, tags } = condition
  return [status, olderThanMs, newerThanMs, errorText, metadataJson, tags && sqlTexts(tags)]
}
