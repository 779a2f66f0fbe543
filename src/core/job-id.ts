import { MillraceError } from './errors.ts'
import { show, showDetail } from './show.ts'

/** The largest `bigint` of PostgreSQL. */
const MAX_JOB_ID = '9223372036854775807'

/** Checks a job's id: a decimal string without leading zeros, within PostgreSQL's `bigint`. */
export function parseJobId(value: unknown): string {
  if (typeof value === 'string' && isJobId(value)) return value
  const hint = typeof value === 'number' || typeof value === 'bigint' ? `, such as "42"` : ''
  throw new MillraceError(
    'INVALID_JOB_ID',
    { value: showDetail(value) },
    {
      message: `A job id cannot be ${show(value)}; pass the decimal string that job.id holds${hint}.`,
    },
  )
}

/** Whether a text is the id of a job that could be. */
export function isJobId(text: string): boolean {
  if (!/^(0|[1-9]\d{0,18})$/.test(text)) return false
  return text.length < MAX_JOB_ID.length || text <= MAX_JOB_ID
}
