import { readDeadLettered } from '../store/dead-letter-queues.ts'
import { lookFreely, type Parts } from './route.ts'
import type { Shared } from './shared.ts'

const HOUR_MS = 3_600_000
const HOUR_MAX_AGE_MS = 10_000
/** Those of a day are the sum of many minutes: who looks does not wait for it. */
const DAY_INTERVAL_MS = 5 * 60_000

/** How many dead letters came, by the ids of their queues. */
export interface Arrivals {
  readonly hour: ReadonlyMap<number, number>
  /** Undefined: it is being counted. */
  readonly day: ReadonlyMap<number, number> | undefined
}

/** How many dead letters came in the last hour and the last day. */
export async function readArrivals(parts: Parts, shared: Shared): Promise<Arrivals> {
  const read = (withinMs: number): Promise<ReadonlyMap<number, number>> =>
    lookFreely(parts, (tx) => readDeadLettered(parts.store, withinMs, tx))
  const day = shared.lately(
    'dead letters of a day',
    () => read(24 * HOUR_MS).catch(() => undefined), // as if it were not counted yet
    DAY_INTERVAL_MS,
  )
  // Read later than those of the day, of which they are a part.
  const hour = await shared.read('dead letters of an hour', () => read(HOUR_MS), HOUR_MAX_AGE_MS)
  return {
    hour,
    day: day && new Map([...day].map(([id, count]) => [id, Math.max(count, hour.get(id) ?? 0)])),
  }
}
