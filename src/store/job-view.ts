import type { DBTX } from '../drivers/driver.ts'
import {
  liveJobColumns,
  LIVE_JOB_SOURCE,
  pastJobColumns,
  PAST_JOB_SOURCE,
  type JobRow,
} from './job-row.ts'
import { whereverItIs } from './jobs.ts'
import { statement } from './statement.ts'
import type { Store } from './store.ts'

/*
 * A job for who looks at it again and again: what it carries is read up to a bound. Arguments of many megabytes stay
 * where they are.
 */

/** A value that is stored in at most `$3` bytes. */
const small = (column: string): string =>
  `case when pg_column_size(${column}) <= $3::int4 then ${column}::text end`

/** The names of those that are stored in more. */
function omitted(table: string, columns: readonly string[]): string {
  const names = columns.map(
    (column) => `case when pg_column_size(${table}.${column}) > $3::int4 then '${column}' end`,
  )
  return `concat_ws(',', ${names.join(', ')}) as "omitted"`
}

export const VIEW_LIVE_JOB = statement({
  name: 'view_live_job',
  parameters: ['int4', 'int8', 'int4'],
  indexes: ['jobs_by_id'],
  sql: `
select ${liveJobColumns(small)},
  ${omitted('jobs', ['args', 'metadata'])}
from ${LIVE_JOB_SOURCE}
where jobs.queue_id = $1::int4 and jobs.id = $2::int8`,
})

export const VIEW_PAST_JOB = statement({
  name: 'view_past_job',
  parameters: ['int4', 'int8', 'int4'],
  indexes: ['history_of_job'],
  sql: `
select ${pastJobColumns(small)},
  ${omitted('history', ['args', 'metadata', 'result'])}
from ${PAST_JOB_SOURCE}
where history.queue_id = $1::int4 and history.id = $2::int8 and history.outcome <> 'moved'
order by history.finished_at desc, history.id
limit 1`,
})

/** A job, and what of it was too large to be read: in the place of that there is nothing. */
export interface ViewedJob {
  readonly row: JobRow
  readonly omitted: readonly string[]
}

type Row = Omit<JobRow, 'args' | 'metadata'> & {
  readonly args: string | null
  readonly metadata: string | null
  readonly omitted: string
}

/** The job of the queue, wherever it is now, without what is stored in more than so many bytes. */
export function viewJob(
  store: Store,
  { queueId, id, maxBytes }: { queueId: number; id: string; maxBytes: number },
  tx?: DBTX,
): Promise<ViewedJob | undefined> {
  return whereverItIs(store, queueId, id, tx, async (place) => {
    for (const view of [VIEW_LIVE_JOB, VIEW_PAST_JOB]) {
      const [found] = await store.run<Row>(view, [place, id, maxBytes], tx)
      if (found !== undefined) return toViewed(found)
    }
    return undefined
  })
}

function toViewed({ omitted, ...row }: Row): ViewedJob {
  return {
    row: { ...row, args: row.args ?? 'null', metadata: row.metadata ?? '{}' },
    omitted: omitted === '' ? [] : omitted.split(','),
  }
}
