import type { EventBus } from '../core/event-bus.ts'
import { forgetAudit } from '../store/audit.ts'
import type { Store } from '../store/store.ts'
import {
  addSightings,
  declareDead,
  readWorkers,
  type DeadWorker,
  type LivingWorker,
} from '../store/workers.ts'
import { DeathWatch } from './death-watch.ts'
import { LAST_LOOK_MS, rescue } from './rescuer.ts'
import { retain } from './retention.ts'
import { foldStatistics, retainStatistics } from './statistics.ts'

const RETENTION_EVERY_MS = 3_600_000
const RETENTION_RETRY_MS = 60_000
const FOLD_EVERY_MS = 120_000
/** Workers that another process declared dead are left to it for so long. */
const OTHERS_TURN_MS = 10_000
const SHORTEST_READ_MS = 200
const LONGEST_READ_MS = 5_000
/** Who is alone looks so much more rarely whether somebody has come. */
const ALONE_FACTOR = 3

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

/** The chores of one process, until `signal` aborts: watches the other workers, rescues, retains, folds. Never rejects. */
export async function maintain(parts: MaintenanceParts, signal: AbortSignal): Promise<void> {
  await Promise.all([
    watchWorkers(parts, signal),
    keepHistory(parts, signal),
    keepStatistics(parts, signal),
  ])
}

async function watchWorkers(parts: MaintenanceParts, signal: AbortSignal): Promise<void> {
  const watch = new DeathWatch(LONGEST_READ_MS * 3)
  const ours = new Set<number>()
  let isPassingBy = true
  while (!signal.aborted) {
    let dead: readonly DeadWorker[] = []
    let isAlone = false
    const hasRead = await attempt(parts, signal, 'watch workers', async () => {
      const workers = await readWorkers(parts.store)
      // By what this process saw itself, over a whole lease.
      let hasDeclared = await declare(parts, watch.observe(workers.living, performance.now()), ours)
      // By what this process and others before it saw in passing. Where everybody only drains, nobody stays
      // for a lease, and without this the jobs of a process that was killed would be held for ever.
      if (isPassingBy && (await declare(parts, await addSightings(parts.store), ours)))
        hasDeclared = true
      isPassingBy = false
      dead = hasDeclared ? (await readWorkers(parts.store)).dead : workers.dead
      isAlone = workers.living.length === 1 && dead.length === 0
    })
    if (!hasRead) watch.interrupted()
    else await rescueDead(parts, dead, ours, signal)
    parts.looked()
    const everyMs = Math.min(LONGEST_READ_MS, Math.max(SHORTEST_READ_MS, parts.leaseMs() / 5))
    await parts.pause(everyMs * (isAlone ? ALONE_FACTOR : 1), signal)
  }
}

/** Declares workers dead that fell silent. Answers whether it declared any: they may have beaten meanwhile, or others did. */
async function declare(
  { store, events }: MaintenanceParts,
  silent: readonly LivingWorker[],
  ours: Set<number>,
): Promise<boolean> {
  let hasDeclared = false
  for (const worker of silent) {
    if (!(await declareDead(store, worker.id, worker.beat))) continue
    hasDeclared = true
    ours.add(worker.id)
    events.emit({ type: 'worker.died', workerId: worker.id, silentMs: Number(worker.leaseMs) })
  }
  return hasDeclared
}

async function rescueDead(
  parts: MaintenanceParts,
  dead: readonly DeadWorker[],
  ours: ReadonlySet<number>,
  signal: AbortSignal,
): Promise<void> {
  const { store, events } = parts
  for (const worker of dead) {
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
    await attempt(parts, signal, 'forget audit', () => forgetAudit(parts.store))
    await parts.pause(isKept ? RETENTION_EVERY_MS : RETENTION_RETRY_MS, signal)
  }
}

async function keepStatistics(parts: MaintenanceParts, signal: AbortSignal): Promise<void> {
  let retainedAt = -Infinity
  while (!signal.aborted) {
    await attempt(parts, signal, 'keep statistics', async () => {
      await foldStatistics(parts.store, signal)
      if (performance.now() - retainedAt < RETENTION_EVERY_MS) return
      await retainStatistics(parts.store, signal)
      retainedAt = performance.now()
    })
    await parts.pause(FOLD_EVERY_MS, signal)
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
