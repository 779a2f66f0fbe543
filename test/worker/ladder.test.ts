import fc from 'fast-check'
import { expect, test } from 'vitest'
import { Ladder } from '../../src/worker/ladder.ts'

test('nothing is looked for below the floors until the first step is due', () => {
  const ladder = new Ladder(1_000)
  expect(ladder.backMs(1_000)).toBe(0)
  expect(ladder.backMs(1_199)).toBe(0)
  expect(ladder.backMs(1_200)).toBe(200)
})

test('the deepest look that is due is taken', () => {
  const ladder = new Ladder(0)
  expect([200, 500, 1_000, 2_000, 5_000].map((now) => ladder.backMs(now))).toEqual([
    200,
    2_000,
    20_000,
    200_000,
    Infinity,
  ])
})

test('a look takes the lesser ones with it', () => {
  const ladder = new Ladder(0)
  ladder.taken(Infinity, 5_000, 0)
  expect(ladder.backMs(5_000)).toBe(0)
  expect(ladder.backMs(5_200)).toBe(200)
})

test('a lesser look leaves the deeper ones due', () => {
  const ladder = new Ladder(0)
  ladder.taken(200, 500, 0)
  expect(ladder.backMs(500)).toBe(2_000)
})

test('a claim that did not look back changes nothing', () => {
  const ladder = new Ladder(0)
  ladder.taken(0, 200, 1_000)
  expect(ladder.backMs(200)).toBe(200)
})

test('somebody who hurries gets the deepest look at once', () => {
  const ladder = new Ladder(0)
  ladder.hurry()
  expect(ladder.backMs(0)).toBe(Infinity)
})

test('an expensive look is not repeated soon, however much it is wanted; cheaper ones are', () => {
  const ladder = new Ladder(0)
  ladder.taken(Infinity, 1_000, 1_000)
  ladder.hurry()
  expect(ladder.backMs(1_000)).toBe(200_000)
  ladder.taken(200_000, 1_000, 0)
  expect(ladder.backMs(50_999)).not.toBe(Infinity)
  expect(ladder.backMs(51_000)).toBe(Infinity)
})

test('whatever looks cost and whoever hurries, each kind takes a fiftieth of the time', () => {
  const look = fc.record({
    passesMs: fc.integer({ min: 1, max: 3_000 }),
    tookMs: fc.integer({ min: 0, max: 2_000 }),
    isHurried: fc.boolean(),
  })
  fc.assert(
    fc.property(fc.array(look, { maxLength: 80 }), (looks) => {
      const ladder = new Ladder(0)
      const allowedAt = new Map<number, number>()
      let now = 0
      for (const { passesMs, tookMs, isHurried } of looks) {
        now += passesMs
        if (isHurried) ladder.hurry()
        const backMs = ladder.backMs(now)
        if (backMs === 0) continue
        expect(now).toBeGreaterThanOrEqual(allowedAt.get(backMs) ?? 0)
        now += tookMs
        ladder.taken(backMs, now, tookMs)
        allowedAt.set(backMs, now + 50 * tookMs)
      }
    }),
  )
})

test('as long as looks are cheap, everything is looked at every five seconds', () => {
  const ladder = new Ladder(0)
  let lastLook = 0
  for (let now = 0; now <= 60_000; now += 50) {
    const backMs = ladder.backMs(now)
    ladder.taken(backMs, now, 2)
    if (backMs === Infinity) lastLook = now
    expect(now - lastLook).toBeLessThanOrEqual(5_000)
  }
})
