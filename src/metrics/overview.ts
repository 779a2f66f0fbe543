import type { DBTX } from '../drivers/driver.ts'
import type { Counted } from '../store/glance.ts'
import { surveyQueues, type SurveyedQueue } from '../store/overview.ts'
import { readClock } from '../store/poll.ts'
import { readMinutes, readPaces, sumMinutes } from '../store/statistics.ts'
import type { Store } from '../store/store.ts'
import { sumUpWorkers } from '../store/worker-list.ts'
import { Sums, type StatsFigures } from './sums.ts'

const MINUTE_MS = 60_000
/** How many minutes are looked back. */
const MINUTES = 60
/** So many queues are added up at most, and so many jobs of each are counted for it. */
const MOST_QUEUES = 1_000
const SAMPLE = 100

/** How a queue did in the last hour. */
export interface LastHour {
  /** Since the first of the last 60 whole minutes. */
  readonly figures: StatsFigures
  /** Jobs that ended in a second, over the last five minutes. */
  readonly perSecond: number
  /** Jobs that ended in each of the last 60 whole minutes, the oldest first. */
  readonly endedByMinute: readonly number[]
}

/** Reads how these queues did in the last hour, by their ids: all of them by the same few statements. */
export async function readLastHours(
  store: Store,
  queueIds: readonly number[],
  tx: DBTX,
): Promise<Map<number, LastHour>> {
  const { now, since } = await lastHour(store, tx)
  const queues = new Map(
    queueIds.map((id) => [
      id,
      { sums: new Sums(), ended: Array.from({ length: MINUTES }, () => 0) },
    ]),
  )
  for (const { queueId, at, figures } of await readMinutes(store, queueIds, since * 1_000, tx)) {
    const queue = queues.get(queueId)
    if (queue === undefined) continue
    queue.sums.add(figures)
    const minute = Math.floor((Number(at) / 1_000 - since) / MINUTE_MS)
    const { finished, failed, deadLettered } = figures.counts
    // The current minute is not over: at the end of a line it would look like a fall.
    if (minute < MINUTES)
      queue.ended[minute] = (queue.ended[minute] ?? 0) + finished + failed + deadLettered
  }
  const paces = await readPaces(store, tx)
  return new Map(
    [...queues].map(([id, { sums, ended }]) => [
      id,
      { figures: sums.over(now - since), perSecond: paces.get(id) ?? 0, endedByMinute: ended },
    ]),
  )
}

/** What all queues together hold now. */
export interface Holdings {
  readonly queues: Counted
  readonly available: Counted
  readonly running: Counted
}

/** Adds up what queues hold now: all of them, or of very many a part, which is said. */
export async function readHoldings(store: Store, tx: DBTX): Promise<Holdings> {
  const page = { afterName: '', limit: MOST_QUEUES, sample: SAMPLE, nameContains: '' }
  const queues = await surveyQueues(store, page, tx)
  return addUp(queues, queues.length < MOST_QUEUES)
}

/** What these queues hold, which are all of them or not. */
export function addUp(queues: readonly SurveyedQueue[], isAll: boolean): Holdings {
  return {
    queues: { value: queues.length, precision: isAll ? 'exact' : 'atLeast' },
    available: sumOf(queues, 'available', isAll),
    running: sumOf(queues, 'running', isAll),
  }
}

/** How all queues together did lately, and who works on them. */
export interface Doings {
  /** Processes that receive. */
  readonly workers: number
  /** Jobs that ended in a second, over the last five minutes. */
  readonly perSecond: number
  /** Jobs that failed for good in the last hour. */
  readonly failed: number
  /** The share of runs that failed in the last hour, from 0 to 1; null when none ended. */
  readonly failureRate: number | null
}

/** Adds up how all queues did in the last hour. */
export async function readDoings(store: Store, tx: DBTX): Promise<Doings> {
  const { now, since } = await lastHour(store, tx)
  const sums = new Sums()
  sums.add(await sumMinutes(store, since * 1_000, tx))
  const paces = await readPaces(store, tx)
  const { count: workers } = await sumUpWorkers(store, tx)
  return {
    workers,
    perSecond: [...paces.values()].reduce((sum, each) => sum + each, 0),
    failed: sums.counts.failed + sums.counts.deadLettered,
    failureRate: sums.over(now - since).failureRate,
  }
}

/** As exact as the least exact of them. */
function sumOf(
  queues: readonly SurveyedQueue[],
  name: 'available' | 'running',
  isAll: boolean,
): Counted {
  const counts = queues.map((queue) => queue[name])
  const value = counts.reduce((sum, count) => sum + count.value, 0)
  const precisions = new Set(counts.map(({ precision }) => precision))
  if (!isAll || precisions.has('atLeast')) return { value, precision: 'atLeast' }
  return { value, precision: precisions.has('estimate') ? 'estimate' : 'exact' }
}

/** Now, and the beginning of the last 60 whole minutes, in milliseconds by the database's clock. */
async function lastHour(store: Store, tx: DBTX): Promise<{ now: number; since: number }> {
  const now = Number(await readClock(store, tx)) / 1_000
  return { now, since: (Math.floor(now / MINUTE_MS) - MINUTES) * MINUTE_MS }
}
