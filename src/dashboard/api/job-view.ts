import { toJobRecord } from '../../job-record.ts'
import { readLogs } from '../../job-logs.ts'
import { viewJob } from '../../store/job-view.ts'
import { locateJob } from '../../store/locate.ts'
import type { OutgoingJob } from '../redact.ts'
import { look, type Parts } from '../route.ts'
import { showJob, showLogs } from './job-shape.ts'
import { jobNotFound } from './jobs.ts'
import { requireQueue } from './known-queue.ts'

/** What is stored in more bytes than this is not read for a page. */
const MAX_STORED_BYTES = 65_536
/** Everything. */
const MAX_INT4 = 2_147_483_647
/** So many lines of a log a page has. */
const LINES = 200

/** A job and the lines of its log, as they leave for a page. */
export interface JobView {
  readonly job: OutgoingJob
  /** What was too large to be read: names of the job's fields. */
  readonly omitted: readonly string[]
  readonly isOfFifo: boolean
  /** The latest ones, the last one first; or those behind a line, in the order in which they were written. */
  readonly lines: readonly unknown[]
  /** The lowest and the highest number of them; null: there is none. */
  readonly firstLine: number | null
  readonly lastLine: number | null
  /** So many lines that there may be more of them. */
  readonly isFull: boolean
}

/**
 * What a page shows of a job: all that is known but for large values, and of its log the latest lines, or those behind
 * the one with that number. A function that redacts may decide by anything in the job, and so is shown all of it.
 */
export async function readJobView(
  parts: Parts,
  id: string,
  logsAfter: number | null,
): Promise<JobView> {
  const { store, redactor } = parts
  const maxBytes = redactor.isActive ? MAX_INT4 : MAX_STORED_BYTES
  return look(parts, async (tx) => {
    const queueId = await locateJob(store, id, tx)
    const viewed =
      queueId === undefined ? undefined : await viewJob(store, { queueId, id, maxBytes }, tx)
    if (viewed === undefined) throw jobNotFound(id)
    const record = toJobRecord(viewed.row)
    const queue = await requireQueue(parts, record.queueName, tx)
    const page = { queueId: queue.id, jobId: id, after: logsAfter, limit: LINES }
    const lines = await readLogs(store, { ...page, isNewestFirst: logsAfter === null }, tx)
    const numbers = lines.map(({ number }) => number)
    return {
      job: showJob(record, redactor),
      omitted: viewed.omitted,
      isOfFifo: queue.isFifo === true,
      lines: showLogs(record, lines, redactor),
      firstLine: lines.length === 0 ? null : Math.min(...numbers),
      lastLine: lines.length === 0 ? null : Math.max(...numbers),
      isFull: lines.length === LINES,
    }
  })
}
