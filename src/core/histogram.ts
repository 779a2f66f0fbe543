/*
 * Histograms of times on a fixed logarithmic scale. Every process and every release puts a time into the same bucket,
 * so counts of processes and minutes are added bucket by bucket, and the sum is exactly the histogram that one process
 * would have made of all of them.
 *
 * The scale is that of OpenTelemetry's exponential histograms at scale 3, with its bounds (upper one included):
 * https://opentelemetry.io/docs/specs/otel/metrics/data-model/#exponentialhistogram. Eight buckets to a doubling: bounds
 * are powers of 2^(1/8), each 9.05 % above the one before, and what is answered for a bucket is its geometric middle, at
 * most 4.43 % off. The range is fixed, from 2^-4 ms (62.5 µs) to 2^35 ms (397 days); what is shorter is in the first
 * bucket and what is longer in the last, so that a histogram has no more than 314 counts.
 */

/** Buckets to a doubling. */
const PER_DOUBLING = 8
/** The first bucket ends at 2^-4 ms. */
const LEAST_EXPONENT = -4
/** The last bucket begins at 2^35 ms. */
const MOST_EXPONENT = 35

/** How many buckets there are. */
export const BUCKETS = (MOST_EXPONENT - LEAST_EXPONENT) * PER_DOUBLING + 2

const LAST = BUCKETS - 1

/** A histogram as it is stored: counts by bucket, without those that are 0. */
export type Buckets = Readonly<Record<string, number>>

/** The bucket of a time in milliseconds. */
export function bucketOf(ms: number): number {
  const bucket = Math.ceil((Math.log2(ms) - LEAST_EXPONENT) * PER_DOUBLING)
  return bucket > 0 ? Math.min(bucket, LAST) : 0 // also for 0 ms, and for what a clock that went back makes of it
}

/** The upper bound of a bucket in milliseconds, which is in it; of the last one: Infinity. */
export function upperBound(bucket: number): number {
  return bucket >= LAST ? Infinity : 2 ** (bucket / PER_DOUBLING + LEAST_EXPONENT)
}

/** The first bucket above 2^`exponent` ms: those before it hold exactly what took no longer. */
export function bucketAbove(exponent: number): number {
  return (exponent - LEAST_EXPONENT) * PER_DOUBLING + 1
}

/** The counts by bucket that are not 0. */
export function sparse(counts: ArrayLike<number>): Buckets {
  const buckets: Record<string, number> = {}
  for (let bucket = 0; bucket < counts.length; bucket++) {
    const count = counts[bucket] ?? 0
    if (count > 0) buckets[bucket] = count
  }
  return buckets
}

const ZERO = '0'.charCodeAt(0)

/**
 * Adds a histogram as it is stored, JSON text of counts by bucket, or several, one behind the other. It is read digit
 * by digit (1.0 µs for 30 buckets), as a day has thousands of them: to make an object first takes 2.2 µs, and garbage.
 */
export function addBuckets(counts: Float64Array, stored: string): void {
  let [bucket, number] = [-1, -1]
  for (let at = 0; at < stored.length; at++) {
    const digit = stored.charCodeAt(at) - ZERO
    if (digit >= 0 && digit <= 9) {
      number = number === -1 ? digit : number * 10 + digit
      continue
    }
    if (number === -1) continue
    if (bucket === -1) bucket = Math.min(number, LAST)
    else {
      counts[bucket] = (counts[bucket] ?? 0) + number
      bucket = -1
    }
    number = -1
  }
}

/** How many times a histogram has. */
export function totalOf(counts: Float64Array): number {
  return counts.reduce((sum, count) => sum + count, 0)
}

/**
 * The time in milliseconds that the given share of all times (there are `total`) does not exceed: the nearest rank,
 * answered as the middle of its bucket. Null when there are none.
 */
export function percentile(counts: Float64Array, total: number, share: number): number | null {
  if (total === 0) return null
  const rank = Math.max(1, Math.ceil(share * total))
  let seen = 0
  for (let bucket = 0; bucket < counts.length; bucket++) {
    seen += counts[bucket] ?? 0
    if (seen >= rank) return middleOf(bucket)
  }
  return middleOf(LAST)
}

function middleOf(bucket: number): number {
  if (bucket >= LAST) return 2 ** MOST_EXPONENT
  return upperBound(bucket) * 2 ** (-1 / (2 * PER_DOUBLING))
}
