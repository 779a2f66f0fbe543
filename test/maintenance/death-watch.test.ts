import fc from 'fast-check'
import { expect, test } from 'vitest'
import { DeathWatch } from '../../src/maintenance/death-watch.ts'
import type { LivingWorker } from '../../src/store/workers.ts'

const LONGEST_GAP_MS = 15_000
const LEASE_MS = 1_000

function worker(beat: number | string, rest: Partial<LivingWorker> = {}): LivingWorker {
  return { id: 1, beat: String(beat), leaseMs: String(LEASE_MS), host: 'host', pid: 1, ...rest }
}

/** Reads every 200 ms from `from` until a worker is found silent, or until `to`. Answers when. */
function watchFrom(watch: DeathWatch, from: number, to: number, seen = worker(1)): number | null {
  for (let now = from; now <= to; now += 200) if (watch.observe([seen], now).length > 0) return now
  return null
}

test('a silent worker is found after a whole lease, and not before', () => {
  expect(watchFrom(new DeathWatch(LONGEST_GAP_MS), 0, 5_000)).toBe(1_000)
})

test('a worker that was silent long before this observer came is watched for a whole lease', () => {
  expect(watchFrom(new DeathWatch(LONGEST_GAP_MS), 900_000, 905_000)).toBe(901_000)
})

test('a heartbeat starts the lease anew', () => {
  const watch = new DeathWatch(LONGEST_GAP_MS)
  expect(watchFrom(watch, 0, 800)).toBeNull()
  expect(watchFrom(watch, 1_000, 5_000, worker(2))).toBe(2_000)
})

test('only the silent one of several is found, each by its own lease', () => {
  const watch = new DeathWatch(LONGEST_GAP_MS)
  const patient = worker(1, { id: 3, leaseMs: '1600' })
  const found: [number, number][] = []
  for (let now = 0; now <= 1_600; now += 200) {
    const workers = [worker(1), worker(now, { id: 2 }), patient]
    for (const { id } of watch.observe(workers, now)) found.push([id, now])
  }
  expect(found).toContainEqual([1, 1_000])
  expect(found).not.toContainEqual([3, 1_400])
  expect(found).toContainEqual([3, 1_600])
  expect(found.filter(([id]) => id === 2)).toEqual([])
})

test('a read that failed starts every watch anew', () => {
  const watch = new DeathWatch(LONGEST_GAP_MS)
  watchFrom(watch, 0, 800)
  watch.interrupted()
  expect(watchFrom(watch, 1_000, 5_000)).toBe(2_000)
})

test('a long pause of the observer starts every watch anew', () => {
  const watch = new DeathWatch(LONGEST_GAP_MS)
  watchFrom(watch, 0, 800)
  expect(watchFrom(watch, 60_000, 65_000)).toBe(61_000)
})

test('one pause longer than the lease is no proof: who was frozen too can beat before the next read', () => {
  const watch = new DeathWatch(LONGEST_GAP_MS)
  watch.observe([worker(1)], 0)
  expect(watch.observe([worker(1)], 14_000)).toEqual([])
  expect(watch.observe([worker(2)], 14_200)).toEqual([])
})

test('an observer that reads more seldom than a worker beats still finds it', () => {
  const watch = new DeathWatch(LONGEST_GAP_MS)
  expect(watch.observe([worker(1)], 0)).toEqual([])
  expect(watch.observe([worker(1)], 5_000)).toEqual([])
  expect(watch.observe([worker(1)], 10_000)).toEqual([worker(1)])
})

test('a worker that left the list and comes back is watched anew', () => {
  const watch = new DeathWatch(LONGEST_GAP_MS)
  watchFrom(watch, 0, 800)
  watch.observe([], 900)
  expect(watchFrom(watch, 1_000, 5_000)).toBe(2_000)
})

test('a silent worker that could not be declared dead is found again', () => {
  const watch = new DeathWatch(LONGEST_GAP_MS)
  watchFrom(watch, 0, 5_000)
  expect(watch.observe([worker(1)], 1_200)).toEqual([worker(1)])
})

/** What happens to the observer, to the worker, and to both. */
const stretch = fc.oneof(
  fc.record({ what: fc.constant('quiet' as const), ms: fc.nat(3_000) }),
  fc.record({ what: fc.constant('all is frozen' as const), ms: fc.nat(60_000) }),
  fc.record({ what: fc.constant('the observer is frozen' as const), ms: fc.nat(60_000) }),
  fc.record({ what: fc.constant('reads fail' as const), ms: fc.nat(20_000) }),
)

test('whatever stands still or fails, a worker that beats when it can is never found silent', () => {
  fc.assert(
    fc.property(fc.array(stretch, { maxLength: 20 }), fc.nat(199), (stretches, phase) => {
      const watch = new DeathWatch(LONGEST_GAP_MS)
      const found: LivingWorker[] = []
      let beat = 0
      let now = 0
      let nextRead = 0
      let nextBeat = phase
      for (const { what, ms } of stretches) {
        const until = now + ms
        if (what === 'all is frozen') now = until
        // When both wake up, the observer is quicker: the worst case.
        for (; now < until || nextRead <= now || nextBeat <= now; now += 1) {
          const reads = nextRead <= now && (what !== 'the observer is frozen' || now >= until)
          if (reads && what === 'reads fail') watch.interrupted()
          else if (reads) found.push(...watch.observe([worker(beat)], now))
          if (reads) nextRead = now + 200
          if (nextBeat <= now) {
            beat += 1
            nextBeat = now + 200
          }
        }
      }
      expect(found).toEqual([])
    }),
    { numRuns: 60 },
  )
})
