import { sqlArray } from './numerals.ts'
import type { Micros } from './instants.ts'
import { fromMicros } from './instants.ts'
import { statement } from './statement.ts'
import type { Store } from './store.ts'

/** The last job, in the order of urgency, that a worker is about to start of a claim. */
export interface Mark {
  readonly workerId: number
  readonly queueId: number
  readonly claimNo: string
  readonly priority: number
  readonly runAt: Micros
  readonly id: string
}

/**
 * Says how far a worker has got in a claim, before those jobs start. Marks are rows that are only
 * added: one row updated for each batch would, under a transaction that holds back vacuum, grow a
 * chain of dead versions that slows down whoever reads it.
 *
 * Its commit does not wait for the disk, because jobs wait for it. What a crash of the server takes
 * with it is missed only if the worker died in the same moment: then a killer is not suspected once.
 */
export const RAISE_MARK = statement({
  name: 'raise_mark',
  parameters: ['int4', 'int4', 'int8', 'int2', 'int8', 'int8'],
  indexes: [],
  isPrepared: true,
  sql: `
insert into {schema}.marks (worker_id, queue_id, claim_no, priority, run_at, job_id)
select $1::int4, $2::int4, $3::int8, $4::int2, ${fromMicros('$5::int8')}, $6::int8
where set_config('synchronous_commit', 'off', true) is not null`,
})

/** Deletes the marks of a worker's claims of which nothing is left. */
export const CLEAR_MARKS = statement({
  name: 'clear_marks',
  parameters: ['int4', 'int4', 'int8[]'],
  indexes: ['marks_of_claim'],
  sql: `
delete from {schema}.marks
where marks.worker_id = $1::int4 and marks.queue_id = $2::int4 and marks.claim_no = any($3::int8[])`,
})

export async function raiseMark(store: Store, mark: Mark): Promise<void> {
  const { workerId, queueId, claimNo, priority, runAt, id } = mark
  await store.run(RAISE_MARK, [workerId, queueId, claimNo, priority, runAt, id])
}

export async function clearMarks(
  store: Store,
  workerId: number,
  queueId: number,
  claimNos: readonly string[],
): Promise<void> {
  await store.run(CLEAR_MARKS, [workerId, queueId, sqlArray(claimNos)])
}
