import { addBuckets, BUCKETS, percentile, totalOf } from '../core/histogram.ts'
import { COUNTS, type CountName } from '../core/tally.ts'
import type { Figures } from '../store/statistics.ts'

/** How often each thing happened. */
export interface StatsCounts extends Readonly<Record<CountName, number>> {
  /** Jobs that were stored, also in a transaction that rolled back later. */
  readonly enqueued: number
  /** Runs that started. */
  readonly started: number
  /** Jobs that finished. */
  readonly finished: number
  /** Runs that failed and are followed by another one. */
  readonly retried: number
  /** Jobs that failed for good and stayed. */
  readonly failed: number
  /** Jobs that failed for good and went to the dead-letter queue. */
  readonly deadLettered: number
  /** Runs that put their job off. */
  readonly snoozed: number
  /** Runs that a stop interrupted. */
  readonly interrupted: number
  /** Runs with which their process died, alone. */
  readonly crashed: number
  /** Jobs that were cancelled. */
  readonly cancelled: number
}

/** How long something took, in milliseconds; null where it never happened. Percentiles are at most 4.43 % off. */
export interface StatsTimes {
  readonly count: number
  readonly meanMs: number | null
  readonly p50Ms: number | null
  readonly p95Ms: number | null
  readonly p99Ms: number | null
}

/** What happened to a queue in some time. */
export interface StatsFigures {
  readonly counts: StatsCounts
  /** Jobs that ended in a second: finished, failed or went to the dead-letter queue. */
  readonly perSecond: number
  /** The share of runs that failed, from 0 to 1; null when none ended. */
  readonly failureRate: number | null
  /** From when a job was due until its run started. */
  readonly wait: StatsTimes
  /** From the start of a run to its end, of those that finished or failed. */
  readonly run: StatsTimes
}

/** Adds up figures of processes and minutes: exactly, as all put their times into the same buckets. */
export class Sums {
  readonly counts: Record<CountName, number>
  readonly waits = new Float64Array(BUCKETS)
  readonly runs = new Float64Array(BUCKETS)
  waitUs = 0
  runUs = 0

  constructor() {
    this.counts = Object.fromEntries(COUNTS.map((name) => [name, 0])) as typeof this.counts
  }

  add(figures: Figures): void {
    for (const name of COUNTS) this.counts[name] += figures.counts[name]
    this.waitUs += figures.waitUs
    this.runUs += figures.runUs
    addBuckets(this.waits, figures.waits)
    addBuckets(this.runs, figures.runs)
  }

  /** Adds what another one has added up. */
  merge(other: Sums): void {
    for (const name of COUNTS) this.counts[name] += other.counts[name]
    this.waitUs += other.waitUs
    this.runUs += other.runUs
    for (let bucket = 0; bucket < BUCKETS; bucket++) {
      this.waits[bucket] = (this.waits[bucket] ?? 0) + (other.waits[bucket] ?? 0)
      this.runs[bucket] = (this.runs[bucket] ?? 0) + (other.runs[bucket] ?? 0)
    }
  }

  /** Jobs that ended. */
  get ended(): number {
    const { finished, failed, deadLettered } = this.counts
    return finished + failed + deadLettered
  }

  /** What they say of a time of `ms`. */
  over(ms: number): StatsFigures {
    const { finished, retried, failed, deadLettered, crashed } = this.counts
    const failures = retried + failed + deadLettered + crashed
    const runs = finished + failures
    return {
      counts: { ...this.counts },
      perSecond: ms > 0 ? (this.ended / ms) * 1_000 : 0,
      failureRate: runs === 0 ? null : failures / runs,
      wait: timesOf(this.waits, this.waitUs),
      run: timesOf(this.runs, this.runUs),
    }
  }
}

function timesOf(buckets: Float64Array, sumUs: number): StatsTimes {
  const count = totalOf(buckets)
  return {
    count,
    meanMs: count === 0 ? null : sumUs / count / 1_000,
    p50Ms: percentile(buckets, count, 0.5),
    p95Ms: percentile(buckets, count, 0.95),
    p99Ms: percentile(buckets, count, 0.99),
  }
}
