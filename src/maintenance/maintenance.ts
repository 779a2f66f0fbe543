import type { EventBus } from '../core/event-bus.ts'
import type { Store } from '../store/store.ts'
import {
  addSightings,
  declareDead,
  readDeadWorkers,
  readLivingWorkers,
  type LivingWorker,
} from '../store/workers.ts'
import { DeathWatch } from './death-watch.ts'
import { LAST_LOOK_MS, rescue } from './rescuer.ts'
import { retain } from './retention.ts'

const RETENTION_EVERY_MS = 3_600_000
const RETENTION_RETRY_MS = 60_000
/** Workers that another process declared dead are left to it for so long. */
const OTHERS_TURN_MS = 10_000
const SHORTEST_READ_MS = 200
const LONGEST_READ_MS = 5_000

export interface MaintenanceParts {
  readonly store: Store
  readonly events: EventBus
  /** The lease of this process's own worker: about how quickly deaths should be noticed. */
  leaseMs(): number
  /** Waits; whoever hands it in decides about timers. */
  pause(ms: number, signal: AbortSignal): Promise<void>
  /** Called after each look: what the dead held whom it found is free, or that failed. */
  looked(): void
}

/** The chores of one process, until `signal` aborts: watches the other workers, rescues, retains. Never rejects. */
export async function maintain(parts: MaintenanceParts, signal: AbortSignal): Promise<void> {
  await Promise.all([watchWorkers(parts, signal), keepHistory(parts, signal)])
}

async function watchWorkers(parts: MaintenanceParts, signal: AbortSignal): Promise<void> {
  const watch = new DeathWatch(LONGEST_READ_MS * 3)
  const ours = new Set<number>()
  let isPassingBy = true
  while (!signal.aborted) {
    const hasRead = await attempt(parts, signal, 'watch workers', async () => {
      await declareSilentDead(parts, watch, ours)
      if (isPassingBy) await declareDeadTogether(parts, ours)
      isPassingBy = false
    })
    if (!hasRead) watch.interrupted()
    else await attempt(parts, signal, 'rescue jobs', () => rescueDead(parts, ours, signal))
    parts.looked()
    const everyMs = Math.min(LONGEST_READ_MS, Math.max(SHORTEST_READ_MS, parts.leaseMs() / 5))
    await parts.pause(everyMs, signal)
  }
}

/** By what this process saw itself, over a whole lease. */
async function declareSilentDead(
  parts: MaintenanceParts,
  watch: DeathWatch,
  ours: Set<number>,
): Promise<void> {
  const workers = await readLivingWorkers(parts.store)
  await declare(parts, watch.observe(workers, performance.now()), ours)
}

/**
 * By what this process and others before it saw in passing. Where everybody only drains, nobody stays
 * for a lease, and without this the jobs of a process that was killed would be held for ever.
 */
async function declareDeadTogether(parts: MaintenanceParts, ours: Set<number>): Promise<void> {
  await declare(parts, await addSightings(parts.store), ours)
}

async function declare(
  { store, events }: MaintenanceParts,
  silent: readonly LivingWorker[],
  ours: Set<number>,
): Promise<void> {
  for (const worker of silent) {
    if (!(await declareDead(store, worker.id, worker.beat))) continue
    ours.add(worker.id)
    events.emit({ type: 'worker.died', workerId: worker.id, silentMs: Number(worker.leaseMs) })
  }
}

async function rescueDead(
  parts: MaintenanceParts,
  ours: ReadonlySet<number>,
  signal: AbortSignal,
): Promise<void> {
  const { store, events } = parts
  for (const worker of await readDeadWorkers(store)) {
    if (signal.aborted) return
    const isOurs = ours.has(worker.id) || store.driver.isExclusive
    const othersTurnMs = isOurs ? 0 : OTHERS_TURN_MS
    const isTime = worker.deadForMs >= othersTurnMs + (worker.isLookedAt ? LAST_LOOK_MS : 0)
    // One whose rescue fails does not keep the others waiting.
    if (isTime)
      await attempt(parts, signal, 'rescue jobs', () => rescue(store, events, worker, signal))
  }
}

async function keepHistory(parts: MaintenanceParts, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    const isKept = await attempt(parts, signal, 'keep history', () =>
      retain(parts.store, parts.events),
    )
    await parts.pause(isKept ? RETENTION_EVERY_MS : RETENTION_RETRY_MS, signal)
  }
}

/** Does a chore. Answers whether it succeeded; that it failed is an event, unless a stop gave it up. */
async function attempt(
  { events }: MaintenanceParts,
  signal: AbortSignal,
  chore: string,
  work: () => Promise<void>,
): Promise<boolean> {
  try {
    await work()
    return true
  } catch (error) {
    if (!signal.aborted) events.emit({ type: 'maintenance.failed', chore, error })
    return false
  }
}
