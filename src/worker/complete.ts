import type { EventBus } from '../core/event-bus.ts'
import { MillraceError } from '../core/errors.ts'
import { encodeResult } from '../core/json.ts'
import type { DBTX } from '../drivers/driver.ts'
import { executorFor } from '../drivers/recognise.ts'
import { addPartition } from '../store/history.ts'
import { storeNotes } from '../store/notes.ts'
import { finish, finishWithoutTrace } from '../store/settle.ts'
import type { Store } from '../store/store.ts'
import type { Complete } from './handler.ts'
import type { SettlingRules } from './settlement.ts'

const DAY_MS = 24 * 3_600_000

/**
 * Settles a job in the transaction of its own handler, so that its effects in this database happen
 * exactly once. Whether that transaction commits is found out after the handler has returned.
 */
export function completer(
  store: Store,
  events: EventBus,
  rules: Pick<SettlingRules, 'queueName' | 'keepFinishedMs'>,
): Complete {
  const ensureDay = dayKeeper(store)
  const { queueName, keepFinishedMs } = rules
  const done = new WeakSet<object>()
  return async (performance, tx, result) => {
    const { job, claimNo, holder, startedAt, run } = performance
    const executor = executorFor(tx)
    const names = { queueName, jobId: job.id, attempt: job.attempt + 1 }
    const json = storable(result, (error) =>
      events.emit({ type: 'result.not_stored', ...names, error }),
    )
    const held = { id: job.id, claimNo, startedAt, result: json }
    let ids: string[]
    if (keepFinishedMs === null) {
      ids = await finishWithoutTrace(store, holder, [held], executor)
    } else {
      await ensureDay(keepFinishedMs, executor)
      const note = run.unstored()
      if (note !== undefined) await storeNotes(store, holder, [note], executor)
      ids = await finish(store, holder, [held], keepFinishedMs, job.errorCount > 0, executor)
    }
    if (ids.length === 0) throw leaseLost(job.id, done.has(performance))
    done.add(performance)
    run.completed()
  }
}

function leaseLost(jobId: string, wasCalled: boolean): MillraceError {
  const message = wasCalled
    ? 'The job is settled already: complete was called before, and that was not rolled back. Call it once.'
    : undefined
  return new MillraceError('LEASE_LOST', { jobId }, { message })
}

/**
 * Sees to it that the day of history exists in which a row expires: its absence would abort the
 * caller's transaction. A day that this transaction makes is not remembered, as it may roll back.
 */
function dayKeeper(store: Store): (keepMs: number, tx: DBTX) => Promise<void> {
  let known: number | undefined
  return async (keepMs, tx) => {
    const day = Math.floor((Date.now() + keepMs) / DAY_MS)
    if (day === known) return
    const isNew = await addPartition(store, keepMs, tx)
    if (!isNew) known = day
  }
}

/** A result that JSON cannot carry does not undo the run: the job is finished without it. */
function storable(result: unknown, refuse: (error: unknown) => void): string | undefined {
  try {
    return encodeResult(result)
  } catch (error) {
    refuse(error)
    return undefined
  }
}
