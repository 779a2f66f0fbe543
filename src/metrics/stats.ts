import { spanOf, type StatsRequest } from '../core/stats-options.ts'
import type { DBTX } from '../drivers/driver.ts'
import { readBacklog, type ReadyJobs } from '../store/backlog.ts'
import { readClock } from '../store/poll.ts'
import { readPaces, readStatistics, type StatisticsRow } from '../store/statistics.ts'
import type { Store } from '../store/store.ts'
import { Sums, type StatsFigures } from './sums.ts'

const MINUTE_MS = 60_000
const HOUR_MS = 60 * MINUTE_MS
const DAY_MS = 24 * HOUR_MS

/** What happened in one minute or hour. */
export interface StatsPoint extends StatsFigures {
  /** When it begins. */
  readonly at: Date
  /** How long it is, in milliseconds. */
  readonly ms: number
}

/** What waits to be run now: the signal for an autoscaler. */
export interface Backlog {
  /** Jobs that are due and in nobody's hands. */
  readonly ready: number
  /** False: there are so many that `ready` is an estimate. */
  readonly isExact: boolean
  /** How long the one has been due that has waited longest, in milliseconds; null when none is ready. */
  readonly oldestReadyMs: number | null
  /** Jobs that ended in a second, over the last five minutes. */
  readonly perSecond: number
  /** How long it takes to work `ready` off at that pace, in milliseconds; null when there is something, and no pace. */
  readonly drainMs: number | null
}

/** The statistics of a queue. */
export interface QueueStats {
  readonly since: Date
  readonly until: Date
  /** The whole span. */
  readonly total: StatsFigures
  /** Minute by minute, or hour by hour, in order; those in which nothing happened are not there. */
  readonly series: readonly StatsPoint[]
  readonly backlog: Backlog
}

/** Reads the statistics of a queue, of all processes; undefined is a queue that nobody made yet. */
export async function readStats(
  store: Store,
  queueId: number | undefined,
  request: StatsRequest,
  tx?: DBTX,
): Promise<QueueStats> {
  const now = Number(await readClock(store, tx)) / 1_000
  const asked = spanOf(request, now)
  const { until } = asked
  const isByHour = request.by === 'hour' || asked.since < now - DAY_MS
  const since = floor(asked.since, isByHour ? HOUR_MS : MINUTE_MS)
  const span = { from: since * 1_000, to: Math.ceil(until * 1_000) }
  const rows = queueId === undefined ? [] : await readStatistics(store, queueId, span, tx)
  const points = addUp(rows, request.by)
  const total = new Sums()
  for (const { sums } of points) total.merge(sums)
  return {
    since: new Date(since),
    until: new Date(until),
    total: total.over(Math.min(until, now) - since),
    series: points.map((point) => pointOf(point, Math.min(until, now))),
    backlog: queueId === undefined ? NO_BACKLOG : await backlogOf(store, queueId, tx),
  }
}

const NO_BACKLOG: Backlog = {
  ...{ ready: 0, isExact: true, oldestReadyMs: null, perSecond: 0, drainMs: 0 },
}

/** What waits in a queue, and how long it takes at the pace of the last five minutes. */
export async function backlogOf(store: Store, queueId: number, tx?: DBTX): Promise<Backlog> {
  const paces = await readPaces(store, tx)
  return backlogAt(await readBacklog(store, queueId, tx), paces.get(queueId))
}

/** What so many ready jobs mean where so many end in a second. */
export function backlogAt(jobs: ReadyJobs, perSecond = 0): Backlog {
  return { ...jobs, perSecond, drainMs: drainMs(jobs.ready, perSecond) }
}

function drainMs(ready: number, perSecond: number): number | null {
  if (ready === 0) return 0
  return perSecond > 0 ? (ready / perSecond) * 1_000 : null
}

/** What is known of a minute or an hour. */
interface Known {
  readonly start: number
  readonly ms: number
  readonly sums: Sums
}

/** Of one minute there are rows of several processes, and of an hour there may be minutes. In order. */
function addUp(rows: readonly StatisticsRow[], by: StatsRequest['by']): Known[] {
  const points = new Map<number, Known>()
  for (const { at, step, figures } of rows) {
    const ms = by === 'hour' || step === 'hour' ? HOUR_MS : MINUTE_MS
    const start = floor(Number(at) / 1_000, ms)
    const point = points.get(start) ?? { start, ms, sums: new Sums() }
    point.sums.add(figures)
    points.set(start, point)
  }
  return [...points.values()].sort((left, right) => left.start - right.start)
}

function pointOf({ start, ms, sums }: Known, until: number): StatsPoint {
  const lastedMs = Math.min(start + ms, until) - start // the current one is not over
  return { at: new Date(start), ms, ...sums.over(lastedMs) }
}

function floor(ms: number, step: number): number {
  return Math.floor(ms / step) * step
}
