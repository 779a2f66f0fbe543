import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  addBuckets,
  bucketAbove,
  bucketOf,
  BUCKETS,
  percentile,
  sparse,
  totalOf,
  upperBound,
} from '../../src/core/histogram.ts'

/** Times that a queue may see: from nanoseconds to a year. */
const times = fc.array(fc.double({ min: 1e-6, max: 3e10, noNaN: true }), { maxLength: 200 })

function histogramOf(all: readonly number[]): Float64Array {
  const counts = new Float64Array(BUCKETS)
  for (const ms of all) counts[bucketOf(ms)] = (counts[bucketOf(ms)] ?? 0) + 1
  return counts
}

/** As PostgreSQL answers what we write. */
function stored(all: readonly number[]): string {
  return JSON.stringify(sparse(histogramOf(all))).replaceAll(/[:,]/g, '$& ')
}

describe('a bucket', () => {
  test('ends with its upper bound and begins behind the one before', () => {
    for (let bucket = 1; bucket < BUCKETS - 1; bucket++) {
      const bound = upperBound(bucket)
      expect(bucketOf(bound * 0.999)).toBe(bucket)
      expect(bucketOf(bound * 1.001)).toBe(bucket + 1)
    }
  })

  test('has exact bounds at the powers of two', () => {
    for (let exponent = -4; exponent <= 35; exponent++) {
      const ms = 2 ** exponent
      expect(bucketOf(ms)).toBe(bucketAbove(exponent) - 1)
      expect(upperBound(bucketAbove(exponent) - 1)).toBe(ms)
    }
  })

  test('takes what is out of range at the ends, and what is no time at all as none', () => {
    expect([0, -1, -Infinity, Number.NaN, 0.06].map(bucketOf)).toEqual([0, 0, 0, 0, 0])
    expect([2 ** 36, Infinity].map(bucketOf)).toEqual([BUCKETS - 1, BUCKETS - 1])
    expect(upperBound(BUCKETS - 1)).toBe(Infinity)
  })
})

test('a sum of histograms is the histogram of everything, in any order', () => {
  fc.assert(
    fc.property(times, times, times, (one, two, three) => {
      const sum = new Float64Array(BUCKETS)
      addBuckets(sum, stored(three))
      addBuckets(sum, stored(one) + stored(two))
      expect(sum).toEqual(histogramOf([...one, ...two, ...three]))
    }),
  )
})

test('a percentile is the nearest rank, at most 4.43 % off', () => {
  const within = times.filter((all) => all.length > 0)
  fc.assert(
    fc.property(within, fc.double({ min: 0, max: 1, noNaN: true }), (all, share) => {
      const inRange = all.map((ms) => Math.max(0.0625, ms))
      const sorted = inRange.toSorted((left, right) => left - right)
      const exact = sorted[Math.max(1, Math.ceil(share * all.length)) - 1] ?? 0
      const answered = percentile(histogramOf(inRange), all.length, share) ?? 0
      expect(answered / exact).toBeGreaterThan(0.957)
      expect(answered / exact).toBeLessThan(1.0444)
    }),
  )
})

test('of nothing there is no percentile', () => {
  expect(percentile(new Float64Array(BUCKETS), 0, 0.5)).toBeNull()
})

test('what a later release may have put behind the last bucket is counted there', () => {
  const counts = new Float64Array(BUCKETS)
  addBuckets(counts, '{"0": 3, "7": 12, "5000": 1234567890123, "313": 1}')
  addBuckets(counts, '{}')
  expect([counts[0], counts[7], counts[BUCKETS - 1]]).toEqual([3, 12, 1_234_567_890_124])
  expect(totalOf(counts)).toBe(1_234_567_890_139)
})
