import type { DBTX } from '../drivers/driver.ts'
import { readClock } from '../store/poll.ts'
import { readStatistics } from '../store/statistics.ts'
import type { Store } from '../store/store.ts'
import { Sums, type StatsFigures } from './sums.ts'

const MINUTE_MS = 60_000

/** How long a series is, and one step of it, in milliseconds: whole minutes; beyond a day whole hours. */
export interface SeriesRequest {
  readonly spanMs: number
  readonly stepMs: number
}

/** What happened in a step. */
export interface SeriesStep extends StatsFigures {
  /** When it begins, in milliseconds since 1970. */
  readonly at: number
  /** How long it is: the last one may not be over. */
  readonly ms: number
}

/** What happened to a queue, step by step, also where nothing did. */
export interface Series {
  /** In milliseconds since 1970. */
  readonly from: number
  readonly to: number
  readonly steps: readonly SeriesStep[]
  /** The whole span. */
  readonly total: StatsFigures
}

/**
 * Reads the statistics of a queue in steps of equal length. It ends with the last minute that is over: of the current
 * one not all has been written down, and every line would fall at its end.
 */
export async function readSeries(
  store: Store,
  queueId: number,
  { spanMs, stepMs }: SeriesRequest,
  tx?: DBTX,
): Promise<Series> {
  const now = Number(await readClock(store, tx)) / 1_000
  const to = floor(now, MINUTE_MS)
  const from = floor(to - spanMs, stepMs)
  const rows = await readStatistics(store, queueId, { from: from * 1_000, to: to * 1_000 }, tx)
  const total = new Sums()
  const sums = Array.from({ length: Math.ceil((to - from) / stepMs) }, () => new Sums())
  for (const { at, figures } of rows) {
    total.add(figures)
    sums[Math.floor((Number(at) / 1_000 - from) / stepMs)]?.add(figures)
  }
  const steps = sums.map((each, index) => {
    const at = from + index * stepMs
    const ms = Math.min(at + stepMs, to) - at
    return { at, ms, ...each.over(ms) }
  })
  return { from, to, steps, total: total.over(to - from) }
}

function floor(ms: number, step: number): number {
  return Math.floor(ms / step) * step
}
