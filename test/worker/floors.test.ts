import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { LaneFloor } from '../../src/store/claim.ts'
import { compareUrgency } from '../../src/store/claim-answer.ts'
import { compareNumerals } from '../../src/store/numerals.ts'
import { Floors } from '../../src/worker/floors.ts'
import { claimAnswer, claimedJob } from './claimed.ts'

const ALL_LANES = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]

function floorOf(floors: Floors, priority: number, backMs = 0): Omit<LaneFloor, 'priority'> {
  const { runAt, id } = floors.lowered(backMs)[priority] ?? { runAt: '', id: '' }
  return { runAt, id }
}

test('a first claim looks from the front of all ten lanes', () => {
  const floors = new Floors().lowered(0)
  expect(floors.map((lane) => lane.priority)).toEqual(ALL_LANES)
  expect(new Set(floors.map((lane) => `${lane.runAt} ${lane.id}`))).toEqual(new Set(['0 0']))
})

test('a claim that found less than it could take leaves every floor at its own time', () => {
  const floors = new Floors()
  const answer = claimAnswer([{ priority: 3, runAt: '700', id: '9' }], { now: '1000' })
  expect(floors.learn(answer, 2)).toBe(true)
  for (const lane of ALL_LANES) expect(floorOf(floors, lane)).toEqual({ runAt: '1000', id: '0' })
})

test('a full claim leaves the floor of its last lane at its last job, and the lanes behind alone', () => {
  const floors = new Floors()
  const first = { priority: 2, runAt: '600', id: '4' }
  const last = { priority: 4, runAt: '500', id: '7' }
  floors.learn(claimAnswer([first, last], { now: '1000' }), 2)
  expect(floorOf(floors, 2)).toEqual({ runAt: '1000', id: '0' })
  expect(floorOf(floors, 3)).toEqual({ runAt: '1000', id: '0' })
  expect(floorOf(floors, 4)).toEqual({ runAt: '500', id: '7' })
  expect(floorOf(floors, 5)).toEqual({ runAt: '0', id: '0' })
})

test('a look back starts so much below each floor, before every id, and never before the front', () => {
  const floors = new Floors()
  floors.learn(claimAnswer([], { now: '5000000' }), 1)
  expect(floorOf(floors, 5, 200)).toEqual({ runAt: '4800000', id: '0' })
  expect(floorOf(floors, 5, 20_000)).toEqual({ runAt: '0', id: '0' })
  expect(floorOf(floors, 5, Infinity)).toEqual({ runAt: '0', id: '0' })
})

test('a raised rewind sends every lane back to the front, once', () => {
  const floors = new Floors()
  floors.learn(claimAnswer([], { now: '1000', rewind: '7' }), 1)
  expect(floors.isOutdated('7')).toBe(false)
  expect(floors.isOutdated('8')).toBe(true)
  expect(floors.learn(claimAnswer([], { now: '2000', rewind: '8' }), 1)).toBe(false)
  expect(floorOf(floors, 0)).toEqual({ runAt: '0', id: '0' })
  expect(floors.learn(claimAnswer([], { now: '3000', rewind: '8' }), 1)).toBe(true)
  expect(floorOf(floors, 0)).toEqual({ runAt: '3000', id: '0' })
})

test('the first rewind that is seen outdates nothing', () => {
  expect(new Floors().isOutdated('12')).toBe(false)
  expect(new Floors().learn(claimAnswer([], { rewind: '12' }), 1)).toBe(true)
})

test('a clock of the database that went back sends every lane back to the front', () => {
  const floors = new Floors()
  floors.learn(claimAnswer([], { now: '10000' }), 1)
  expect(floors.learn(claimAnswer([], { now: '9999' }), 1)).toBe(false)
  expect(floorOf(floors, 0)).toEqual({ runAt: '0', id: '0' })
})

test('a job of this process lowers the floor of its lane, and of no other', () => {
  const floors = new Floors()
  floors.learn(claimAnswer([], { now: '1000' }), 1)
  floors.include(5, '900')
  floors.include(6, '1000')
  floors.include(7, '1001')
  expect(floorOf(floors, 4)).toEqual({ runAt: '1000', id: '0' })
  expect(floorOf(floors, 5)).toEqual({ runAt: '899', id: '0' })
  expect(floorOf(floors, 6)).toEqual({ runAt: '999', id: '0' })
  expect(floorOf(floors, 7)).toEqual({ runAt: '1000', id: '0' })
})

/** A queue in memory, claimed from as `claim_jobs` does, with a receiver that remembers floors. */
class ModelQueue {
  readonly floors = new Floors()
  readonly jobs: { priority: number; runAt: string; id: string; isFree: boolean }[] = []
  now = 1_000_000
  rewind = 0
  #lastId = 0

  enqueue(priority: number, delay: number): void {
    this.#lastId += 1
    const runAt = String(this.now + delay)
    this.jobs.push({ priority, runAt, id: String(this.#lastId), isFree: true })
  }

  /** Answers whether the claim was sure to have seen all that was due, and found nothing. */
  claim(limit: number): boolean {
    const lanes = this.floors.lowered(0)
    const chosen = this.jobs
      .filter((job) => job.isFree && Number(job.runAt) <= this.now)
      .filter((job) => isAbove(job, lanes[job.priority]))
      .sort(compareUrgency)
      .slice(0, limit)
    for (const job of chosen) job.isFree = false
    const rest = { now: String(this.now), rewind: String(this.rewind) }
    const answer = { ...claimAnswer([], rest), jobs: chosen.map(claimedJob) }
    this.now += 1
    return this.floors.learn(answer, limit) && chosen.length === 0
  }

  giveBack(nth: number): void {
    const taken = this.jobs.filter((job) => !job.isFree)
    const job = taken[nth % Math.max(1, taken.length)]
    if (job === undefined) return
    job.isFree = true
    this.rewind += 1
  }
}

function isAbove(job: { runAt: string; id: string }, floor: LaneFloor | undefined): boolean {
  if (floor === undefined) return false
  const byTime = compareNumerals(job.runAt, floor.runAt)
  return byTime > 0 || (byTime === 0 && compareNumerals(job.id, floor.id) > 0)
}

const act = fc.oneof(
  fc.record({
    do: fc.constant('enqueue' as const),
    priority: fc.nat(9),
    delay: fc.constantFrom(0, 0, 0, 3, 50),
    times: fc.integer({ min: 1, max: 4 }),
  }),
  fc.record({ do: fc.constant('claim' as const), limit: fc.integer({ min: 1, max: 5 }) }),
  fc.record({ do: fc.constant('give back' as const), nth: fc.nat(20) }),
  fc.record({ do: fc.constant('let time pass' as const), ms: fc.nat(30) }),
  fc.record({ do: fc.constant('set the clock back' as const), ms: fc.nat(100) }),
)

test('whatever was enqueued, claimed and given back, nothing free stays behind the floors', () => {
  fc.assert(
    fc.property(fc.array(act, { maxLength: 60 }), (acts) => {
      const queue = new ModelQueue()
      for (const step of acts) {
        if (step.do === 'enqueue') {
          for (let times = 0; times < step.times; times++) queue.enqueue(step.priority, step.delay)
        } else if (step.do === 'claim') queue.claim(step.limit)
        else if (step.do === 'give back') queue.giveBack(step.nth)
        else if (step.do === 'let time pass') queue.now += step.ms
        else {
          queue.now -= step.ms
          queue.claim(1) // it sees the step before anything is enqueued in the repeated time
        }
      }
      let claims = 0
      while (!queue.claim(3)) expect((claims += 1)).toBeLessThan(1_000)
      const left = queue.jobs.filter((job) => job.isFree && Number(job.runAt) < queue.now)
      expect(left).toEqual([])
    }),
    { numRuns: 300 },
  )
})
