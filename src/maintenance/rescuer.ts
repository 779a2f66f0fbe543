import type { EventBus } from '../core/event-bus.ts'
import { judge, type Outcome } from '../core/judge.ts'
import type { ErrorRecord } from '../core/thrown.ts'
import { cancelPassed } from '../store/cancel.ts'
import { bury } from '../store/dead-letters.ts'
import { withDayOfHistory } from '../store/history.ts'
import { compareNumerals } from '../store/numerals.ts'
import { DEFAULT_KEEP_MS, findQueueById, type QueueRow } from '../store/queues.ts'
import { readHeldSlice, type OrphanedJob, type SliceKey } from '../store/rescue.ts'
import { fail, giveBack, retry, type Holder } from '../store/settle.ts'
import type { Store } from '../store/store.ts'
import { disownAll, noteLook, type DeadWorker } from '../store/workers.ts'

const SLICE = 20_000
/**
 * A claim that was under way when its worker was declared dead may commit after the rescue, so the
 * worker's queues are looked through once more, when no statement of it can still be running.
 */
export const LAST_LOOK_MS = 60_000

/**
 * Frees what a dead worker held. What it had not started is simply free. What was running becomes
 * a suspect, to be run alone, free of charge: it may be an innocent bystander. What ran alone and
 * took its worker with it has failed once.
 */
export async function rescue(
  store: Store,
  events: EventBus,
  worker: DeadWorker,
  signal: AbortSignal,
): Promise<void> {
  await disownAll(store, worker.id)
  let count = 0
  for (const queueId of worker.queueIds) {
    const queue = await findQueueById(store, queueId)
    if (queue !== undefined) count += await rescueFrom(store, events, worker.id, queue, signal)
    if (signal.aborted) return
  }
  if (count > 0) events.emit({ type: 'worker.rescued', workerId: worker.id, count })
  await noteLook(store, worker.id, worker.deadForMs >= LAST_LOOK_MS)
}

async function rescueFrom(
  store: Store,
  events: EventBus,
  workerId: number,
  queue: QueueRow,
  signal: AbortSignal,
): Promise<number> {
  const holder = { queueId: queue.id, workerId }
  const scene = { store, events, holder, queue }
  let count = 0
  let key: SliceKey | undefined
  do {
    const slice = await readHeldSlice(store, queue.id, [workerId], SLICE, key)
    const orphans = [...slice.orphans].sort((left, right) => compareNumerals(left.id, right.id))
    const waiting = orphans.filter((orphan) => !orphan.isStarted)
    const bystanders = orphans.filter((orphan) => orphan.isStarted && !orphan.isSuspect)
    count += await settle(scene, waiting, () => giveBack(store, holder, waiting, false))
    count += await settle(scene, bystanders, () => giveBack(store, holder, bystanders, true))
    for (const orphan of orphans.filter((held) => held.isStarted && held.isSuspect)) {
      count += await settle(scene, [orphan], () => blame(scene, orphan))
    }
    key = slice.next
  } while (key !== undefined && !signal.aborted)
  return count
}

interface Scene {
  readonly store: Store
  readonly events: EventBus
  readonly holder: Holder
  readonly queue: QueueRow
}

/** Settles orphans; those that somebody wanted to be cancelled are passed by, and end so. Answers how many are free. */
async function settle(
  { store, events, holder, queue }: Scene,
  orphans: readonly OrphanedJob[],
  work: () => Promise<string[]>,
): Promise<number> {
  if (orphans.length === 0) return 0
  const settled = await work()
  const keepMs = queue.keepFailedMs ?? DEFAULT_KEEP_MS
  const runs = orphans.map(({ id, claimNo, isStarted, startedAt }) => {
    return { id, claimNo, startedAt: isStarted ? Number(startedAt) : 0 }
  })
  const cancelled = new Set(await cancelPassed(store, holder, runs, settled, keepMs))
  for (const { id, attempt, isStarted } of orphans) {
    if (!cancelled.has(id)) continue
    const run = { queueName: queue.name, jobId: id, attempt: attempt + (isStarted ? 1 : 0) }
    events.emit({ type: 'job.cancelled', ...run })
  }
  return settled.length + cancelled.size
}

/** A job ran alone and its worker died: that run has failed. */
async function blame(
  { store, events, holder, queue }: Scene,
  orphan: OrphanedJob,
): Promise<string[]> {
  const error = crashOf(holder.workerId)
  const outcome: Outcome = { kind: 'crashed', error, ranAlone: true }
  const attempt = orphan.attempt + 1
  const policy = { ...queue, hasDlq: queue.dlqId !== null }
  const verdict = judge({ ...orphan, attempt }, outcome, policy)
  const keepMs = queue.keepFailedMs ?? DEFAULT_KEEP_MS
  const startedAt = orphan.startedAt === null ? undefined : Number(orphan.startedAt)
  const run = { ...orphan, startedAt, error }
  const { workerId } = holder
  const settled = await withDayOfHistory(store, keepMs, undefined, async (): Promise<string[]> => {
    switch (verdict.to) {
      case 'available':
        return retry(store, holder, [{ ...run, afterMs: verdict.afterMs }])
      case 'dead-letter':
        if (queue.dlqId !== null) return bury(store, holder, [run], queue.dlqId, keepMs)
        return fail(store, holder, [run], keepMs)
      case 'failed':
      case 'finished':
      case 'cancelled':
        return fail(store, holder, [run], keepMs)
    }
  })
  if (settled.length > 0) {
    const names = { queueName: queue.name, jobId: orphan.id, attempt }
    events.emit({ type: 'job.rescued', ...names, workerId, ranAlone: true })
  }
  return settled
}

function crashOf(workerId: number): ErrorRecord {
  return {
    name: 'WorkerCrashed',
    message: `Worker ${workerId} died while this job was running alone in it.`,
    stack: null,
  }
}
