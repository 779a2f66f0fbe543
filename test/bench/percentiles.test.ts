import { expect, test } from 'vitest'
import { median, percentiles } from '../../bench/harness/percentiles.ts'

test('percentiles go by the nearest rank', () => {
  const waits = Float64Array.from({ length: 200 }, (_, index) => 200 - index)
  expect(percentiles(waits)).toEqual({ p50Ms: 100, p95Ms: 190, p99Ms: 198 })
})

test('there are none of nothing', () => {
  expect(percentiles(new Float64Array(0))).toBeUndefined()
})

test('the median of an even number lies between the two in the middle', () => {
  expect(median([4, 1, 3, 2])).toBe(2.5)
  expect(median([3, 1, 2])).toBe(2)
})
