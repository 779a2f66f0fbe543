import fc from 'fast-check'
import { expect, test } from 'vitest'
import { Pace } from '../../src/worker/pace.ts'

/** A pace that has seen many runs of one length. */
function paceOf(slots: number, runMs: number): Pace {
  const pace = new Pace(slots)
  for (let runs = 0; runs < 100; runs++) pace.ran(runMs)
  return pace
}

test('before a run has been measured nothing is claimed ahead', () => {
  const pace = new Pace(10)
  expect(pace.claimSize(10, 0)).toBe(10)
  expect(pace.claimSize(4, 1)).toBe(3)
  expect(pace.claimSize(0, 0)).toBe(0)
})

test('of slow jobs only as many are claimed as slots are free', () => {
  const pace = paceOf(10, 60_000)
  expect(pace.claimSize(10, 0)).toBe(10)
  expect(pace.claimSize(3, 0)).toBe(3)
  expect(pace.claimSize(0, 0)).toBe(0)
})

test('of quick jobs more are claimed than slots are free', () => {
  expect(paceOf(10, 10).claimSize(10, 0)).toBeGreaterThan(50)
  expect(paceOf(10, 0).claimSize(10, 0)).toBeGreaterThan(200)
})

test('as much as 150 ms are expected to need is claimed ahead only when the machine keeps up', () => {
  const sizes = (msForBatch: number): number[] => {
    const pace = new Pace(10)
    let now = performance.now()
    return Array.from({ length: 8 }, () => {
      const size = pace.claimSize(10, 0, now)
      for (let runs = 0; runs < size; runs++) pace.ran(0.1)
      now += msForBatch
      return size
    })
  }
  expect(sizes(20).at(-1)).toBe(2_000)
  expect(Math.max(...sizes(100))).toBeLessThan(600)
})

test('nothing is claimed while enough is in hand', () => {
  const pace = paceOf(10, 1)
  const size = pace.claimSize(10, 0)
  expect(pace.claimSize(10, size)).toBe(0)
  expect(pace.claimSize(10, Math.floor(size / 4))).toBeGreaterThan(0)
})

test('large arguments make claims smaller, never smaller than the free slots', () => {
  const pace = paceOf(10, 0)
  pace.carried(1024 * 1024)
  expect(pace.claimSize(10, 0)).toBeLessThanOrEqual(17)
  expect(pace.claimSize(100, 0)).toBe(100)
})

test('claims that could not start in time make the next ones small, until runs are quick again', () => {
  const pace = paceOf(10, 1)
  const before = pace.claimSize(10, 0)
  pace.slowDown()
  expect(pace.claimSize(10, 0)).toBeLessThanOrEqual(20)
  for (let runs = 0; runs < 100; runs++) pace.ran(1)
  expect(pace.claimSize(10, 0)).toBeGreaterThan(before / 2)
})

test('a claim for the free slots alone never needs a mark', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 10_000 }),
      fc.float({ min: 0, noNaN: true }),
      (slots, ms) => {
        const pace = paceOf(slots, ms)
        expect(pace.startingAtOnce(slots)).toBeGreaterThanOrEqual(slots)
      },
    ),
  )
})

test('a claim fills the free slots and is bounded, whatever was measured', () => {
  const measured = fc.array(
    fc.oneof(fc.nat(1_000_000), fc.double({ min: 0, max: 1e6, noNaN: true })),
  )
  const sizes = fc.array(fc.nat(2_000_000))
  const concurrency = fc.integer({ min: 1, max: 10_000 })
  fc.assert(
    fc.property(
      measured,
      sizes,
      concurrency,
      fc.nat(),
      fc.nat(4_000),
      (runs, bytes, slots, used, inHand) => {
        const pace = new Pace(slots)
        for (const ms of runs) pace.ran(ms)
        for (const size of bytes) pace.carried(size)
        const free = used % (slots + 1)
        const size = pace.claimSize(free, inHand)
        expect(Number.isInteger(size)).toBe(true)
        expect(size).toBeGreaterThanOrEqual(Math.max(0, free - inHand))
        expect(size).toBeLessThanOrEqual(Math.max(free, 2_000))
      },
    ),
  )
})
