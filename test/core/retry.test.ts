import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { delayBeforeRetry, RetryPolicy, type RetryPolicyName } from '../../src/core/retry.ts'

const HOUR = 3_600_000

function delays(
  policy: RetryPolicyName,
  baseRetryDelayMs: number,
  count = 5,
  max = HOUR,
): number[] {
  const rule = { baseRetryDelayMs, maxRetryDelayMs: max, retryJitter: 0 }
  return Array.from({ length: count }, (_, made) => delayBeforeRetry(policy, made, rule))
}

describe('the formulas of the interface', () => {
  test('constant waits the base each time', () => {
    expect(delays('constant', 2_000)).toEqual([2_000, 2_000, 2_000, 2_000, 2_000])
  })

  test('linear waits the base once, twice, three times', () => {
    expect(delays('linear', 2_000)).toEqual([2_000, 4_000, 6_000, 8_000, 10_000])
  })

  test('exponential with 2 s waits 2, 4, 8, 16, 32 s', () => {
    expect(delays('exponential', 2_000)).toEqual([2_000, 4_000, 8_000, 16_000, 32_000])
  })

  test('exponential with more than 2 s takes powers of the base in seconds', () => {
    expect(delays('exponential', 3_000)).toEqual([3_000, 9_000, 27_000, 81_000, 243_000])
  })

  test('exponential below 2 s doubles', () => {
    expect(delays('exponential', 500)).toEqual([500, 1_000, 2_000, 4_000, 8_000])
    expect(delays('exponential', 1_000)).toEqual([1_000, 2_000, 4_000, 8_000, 16_000])
  })

  test('there is no jump at 2 s', () => {
    const below = delays('exponential', 1_999.999)
    delays('exponential', 2_000).forEach((delay, made) => {
      expect(below[made]).toBeCloseTo(delay, 0)
    })
  })

  test('a base of 0 never waits', () => {
    const rule = { baseRetryDelayMs: 0, maxRetryDelayMs: HOUR, retryJitter: 1 }
    for (const policy of Object.values(RetryPolicy)) {
      expect(delayBeforeRetry(policy, 32_767, rule)).toBe(0)
    }
  })

  test('nothing is longer than the maximum, not even the base', () => {
    expect(delays('exponential', 2_000, 14).slice(-3)).toEqual([HOUR, HOUR, HOUR])
    expect(delays('constant', 2_000, 2, 100)).toEqual([100, 100])
  })
})

describe('jitter', () => {
  const rule = { baseRetryDelayMs: 10_000, maxRetryDelayMs: HOUR, retryJitter: 0.2 }

  test.each([
    [0, 8_000],
    [0.5, 10_000],
    [1, 12_000],
  ])('with the random number %d a delay of 10 s and a share of 0.2 is %d ms', (random, delay) => {
    expect(delayBeforeRetry('constant', 0, rule, () => random)).toBe(delay)
  })

  test('never leads beyond the maximum', () => {
    const capped = { ...rule, maxRetryDelayMs: 11_000 }
    expect(delayBeforeRetry('constant', 0, capped, () => 1)).toBe(11_000)
  })
})

test('every delay is finite, not negative, within its share and the maximum', () => {
  const ms = fc.oneof(
    fc.constant(0),
    fc.integer({ min: 0, max: 315_360_000_000 }),
    fc.double({ min: 0, max: 5_000, noNaN: true }),
  )
  fc.assert(
    fc.property(
      fc.constantFrom(...Object.values(RetryPolicy)),
      fc.integer({ min: 0, max: 32_767 }),
      ms,
      ms,
      fc.double({ min: 0, max: 1, noNaN: true }),
      fc.double({ min: 0, max: 1, noNaN: true, maxExcluded: true }),
      (policy, made, baseRetryDelayMs, maxRetryDelayMs, retryJitter, random) => {
        const steady = { baseRetryDelayMs, maxRetryDelayMs, retryJitter: 0 }
        const plain = delayBeforeRetry(policy, made, steady)
        const delay = delayBeforeRetry(policy, made, { ...steady, retryJitter }, () => random)
        expect(delay).toBeGreaterThanOrEqual(0)
        expect(delay).toBeLessThanOrEqual(maxRetryDelayMs)
        expect(delay).toBeGreaterThanOrEqual(plain * (1 - retryJitter) * 0.999_999)
        expect(delay).toBeLessThanOrEqual(plain * (1 + retryJitter) * 1.000_001)
      },
    ),
    { numRuns: 1_000 },
  )
})

test('a later retry never waits less than an earlier one', () => {
  fc.assert(
    fc.property(
      fc.constantFrom(...Object.values(RetryPolicy)),
      fc.integer({ min: 0, max: 5_000 }),
      fc.integer({ min: 0, max: 100_000 }),
      (policy, made, baseRetryDelayMs) => {
        const rule = { baseRetryDelayMs, maxRetryDelayMs: HOUR, retryJitter: 0 }
        return delayBeforeRetry(policy, made, rule) <= delayBeforeRetry(policy, made + 1, rule)
      },
    ),
  )
})
