import type { ResolvedJobChanges } from './core/job-changes.ts'
import type { JobRecord } from './core/job.ts'
import type { DBTX } from './drivers/driver.ts'
import type { Engine } from './engine.ts'
import { toJobRecord } from './job-record.ts'
import { editWaitingJob } from './store/edit.ts'

/** Changes a job that waits in the queue or where it went from there, and tells the receivers of this process. */
export async function editJob<Args, Result>(
  engine: Engine,
  queueId: number,
  jobId: string,
  changes: ResolvedJobChanges,
  tx?: DBTX,
): Promise<JobRecord<Args, Result> | undefined> {
  const edited = await editWaitingJob(engine.store, queueId, jobId, changes, tx)
  if (edited === undefined) return undefined
  if (edited.job === 'kept in order') {
    changes.refuseInFifo()
    return undefined
  }
  if (tx === undefined) engine.wake(edited.queueId)
  return toJobRecord<Args, Result>(edited.job)
}
