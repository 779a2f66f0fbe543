import type { JobLogLine } from './core/job.ts'
import { checkInteger, invalidOption, readOptions } from './core/validate.ts'
import type { DBTX } from './drivers/driver.ts'
import { microsToDate } from './store/instants.ts'
import { listLogRows, type LogRequest, type LogRow } from './store/notes.ts'
import type { Store } from './store/store.ts'

const DEFAULT_PAGE = 100
const MAX_PAGE = 1_000

/** Which lines of a job's log `logs` answers, and in which order. */
export interface LogsOptions {
  /** Only lines behind the one with this `number`, in the order that is asked for. From 0. @default from the first */
  after?: number | undefined
  /** As they were written, or the newest first. @default 'oldest' */
  order?: 'oldest' | 'newest' | undefined
  /** How many at most. From 1 to 1,000. @default 100 */
  limit?: number | undefined
}

type Page = Omit<LogRequest, 'queueId' | 'jobId'>

/** Checks the options of `logs`. Throws `INVALID_OPTION`. */
export function resolveLogsOptions(options: unknown): Page {
  const { after, order, limit } = readOptions(options, {
    of: 'logs',
    known: ['after', 'order', 'limit'],
  })
  if (order !== undefined && order !== 'oldest' && order !== 'newest') {
    throw invalidOption('order', order, `it is 'oldest' or 'newest'`)
  }
  return {
    after: after === undefined ? null : checkInteger('after', after, 0, Number.MAX_SAFE_INTEGER),
    isNewestFirst: order === 'newest',
    limit: limit === undefined ? DEFAULT_PAGE : checkInteger('limit', limit, 1, MAX_PAGE),
  }
}

/** A page of the log of a job. */
export async function readLogs(
  store: Store,
  request: LogRequest,
  tx?: DBTX,
): Promise<JobLogLine[]> {
  const rows = await listLogRows(store, request, tx)
  return rows.map(toLine)
}

function toLine({ number, attempt, at, message, fields }: LogRow): JobLogLine {
  return {
    number: Number(number),
    attempt,
    at: microsToDate(at),
    message,
    fields: fields === null ? undefined : (JSON.parse(fields) as JobLogLine['fields']),
  }
}
