import { describe, expect, test } from 'vitest'
import { comparePairs, isSlower, pairUp, type Pair } from '../../bench/compare/comparison.ts'
import { readCompareOptions } from '../../bench/compare/options.ts'
import { hasAll } from '../../bench/compare/revision.ts'
import { repetitions, run } from './made-up.ts'

/** Rounds on a machine that gets slower and slower, of a build that is `ratio` as fast, give or take `noise`. */
function rounds(ratio: number, noise: number): Pair[] {
  return Array.from({ length: 8 }, (_, round) => {
    const before = 100_000 - 5_000 * round
    return { before, after: before * (ratio + (round % 2 === 0 ? noise : -noise)) }
  })
}

describe('a comparison', () => {
  test('is of the medians, with how far they spread', () => {
    const pairs = [
      { before: 100, after: 50 },
      { before: 300, after: 150 },
      { before: 200, after: 100 },
    ]
    expect(comparePairs(pairs)).toEqual({
      before: { median: 200, min: 100, max: 300, runs: 3 },
      after: { median: 100, min: 50, max: 150, runs: 3 },
      ratio: 0.5,
      least: expect.any(Number) as number,
      most: expect.any(Number) as number,
    })
    expect(comparePairs([])).toBeUndefined()
  })

  test('takes both builds of a round to have had the same machine', () => {
    const comparison = comparePairs(rounds(0.9, 0))
    expect(comparison?.least).toBeCloseTo(0.9)
    expect(comparison?.most).toBeCloseTo(0.9)
  })

  test('answers the same to the same figures', () => {
    expect(comparePairs(rounds(0.95, 0.05))).toEqual(comparePairs(rounds(0.95, 0.05)))
  })

  test('calls slower what is so beyond the noise', () => {
    const slower = (ratio: number, noise: number): boolean => {
      const comparison = comparePairs(rounds(ratio, noise))
      return comparison !== undefined && isSlower(comparison)
    }
    expect(slower(0.9, 0.01)).toBe(true)
    expect(slower(0.9, 0.2)).toBe(false)
    expect(slower(0.98, 0.001)).toBe(false)
    expect(slower(1.1, 0.01)).toBe(false)
    const few = comparePairs(rounds(0.5, 0).slice(0, 4))
    expect(few !== undefined && isSlower(few)).toBe(false)
  })

  test('turns a metric round of which less is better', () => {
    expect(comparePairs([{ before: 2, after: 4 }], 'less')?.ratio).toBe(0.5)
  })

  test('leaves out a round in which one build gave no figure', () => {
    const before = repetitions('fifo', 'millrace', 'jobsPerSecond', [10, 20, 30])
    const after = [
      run('fifo', 'millrace', { jobsPerSecond: 11 }, { repetition: 1 }),
      run('fifo', 'millrace', {}, { repetition: 2 }),
      run('fifo', 'millrace', { jobsPerSecond: 33 }, { repetition: 3 }),
    ]
    expect(pairUp(before, after, 'jobsPerSecond')).toEqual([
      { before: 10, after: 11 },
      { before: 30, after: 33 },
    ])
  })
})

describe('what a comparison is told', () => {
  test('is a revision, and little else', () => {
    expect(readCompareOptions(['v1'])).toEqual({
      revision: 'v1',
      rounds: 8,
      scenarios: ['drain-kept', 'drain-not-kept', 'bulk-enqueue'],
      scale: 'full',
    })
    const given = ['v1', '--rounds', '30', '--only', 'fifo,latency', '--quick']
    expect(readCompareOptions(given)).toEqual({
      revision: 'v1',
      rounds: 30,
      scenarios: ['fifo', 'latency-same-process', 'latency-other-process'],
      scale: 'quick',
    })
    expect(readCompareOptions(['--help'])).toBeUndefined()
  })

  test.each([
    [[], /Name one revision/],
    [['v1', 'v2'], /Name one revision/],
    [['v1', '--rounds', '0'], /--rounds 0 is no whole number/],
    [['v1', '--only', 'drian'], /--only drian is no scenario/],
    [['v1', '--quick', '--smoke'], /not both/],
    [['v1', '--fast'], /--fast/],
  ])('is refused as %j', (args, message) => {
    expect(() => readCompareOptions(args)).toThrow(message)
  })
})

test('an installation has all that a lock file asks for, or not', () => {
  const installed = { packages: { a: { version: '1.0.0' }, b: { version: '2.0.0' } } }
  const has = (packages: Record<string, { version?: string; optional?: boolean }>): boolean =>
    hasAll(installed, { packages })
  expect(has({ '': { version: '0.1.0' }, a: { version: '1.0.0' } })).toBe(true)
  expect(has({ a: { version: '1.0.1' } })).toBe(false)
  expect(has({ c: { version: '1.0.0' } })).toBe(false)
  expect(has({ c: { version: '1.0.0', optional: true } })).toBe(true)
  expect(has({ a: { version: '1.0.1', optional: true } })).toBe(false)
})
