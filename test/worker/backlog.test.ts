import { expect, test } from 'vitest'
import type { Mark } from '../../src/store/marks.ts'
import { Backlog } from '../../src/worker/backlog.ts'
import { Registration } from '../../src/worker/registration.ts'
import { gate } from '../queue/arrange.ts'
import { claimAnswer } from './claimed.ts'

const registration = new Registration(7, 'token', 30_000, 0)

/** Adds a claim of these jobs; each is due at its id times ten. */
function add(backlog: Backlog, claimNo: number, ids: number[], startsAtOnce: boolean): void {
  const jobs = ids.map((id) => ({ id: String(id), runAt: String(id * 10) }))
  backlog.add(claimAnswer(jobs), { registration, claimNo, queueId: 3, startsAtOnce })
}

function takeAllStartable(backlog: Backlog): string[] {
  const taken: string[] = []
  for (let next = backlog.take(); next !== undefined; next = backlog.take()) taken.push(next.job.id)
  return taken
}

const written = async (): Promise<void> => {}

test('jobs of a claim that starts at once start in the order of the claim', () => {
  const backlog = new Backlog()
  add(backlog, 1, [1, 2], true)
  add(backlog, 2, [3], true)
  expect(backlog.size).toBe(3)
  expect(takeAllStartable(backlog)).toEqual(['1', '2', '3'])
  expect(backlog.size).toBe(0)
})

test('a job that was taken knows its claim and whose it is', () => {
  const backlog = new Backlog()
  add(backlog, 12, [1], true)
  expect(backlog.take()).toMatchObject({ claimNo: '12', queueId: 3, registration })
})

test('jobs of a larger claim do not start before a mark is written', async () => {
  const backlog = new Backlog()
  add(backlog, 1, [1, 2, 3], false)
  expect(backlog.take()).toBeUndefined()
  const marks: Mark[] = []
  const answer = gate()
  const raising = backlog.allowMore(2, async (mark) => {
    marks.push(mark)
    await answer.opened
  })
  expect(backlog.take()).toBeUndefined()
  answer.open()
  expect(await raising).toBe(true)
  expect(marks).toEqual([
    { workerId: 7, queueId: 3, claimNo: '1', priority: 5, runAt: '20', id: '2' },
  ])
  expect(takeAllStartable(backlog)).toEqual(['1', '2'])
  expect(backlog.size).toBe(1)
})

test('a claim that starts at once still waits for those before it that need a mark', () => {
  const backlog = new Backlog()
  add(backlog, 1, [1, 2], false)
  add(backlog, 2, [3], true)
  expect(backlog.startable).toBe(0)
})

test('a mark never reaches beyond its own claim', async () => {
  const backlog = new Backlog()
  add(backlog, 1, [1, 2], false)
  add(backlog, 2, [3, 4], false)
  const marks: string[] = []
  const raise = async (mark: Mark): Promise<void> => void marks.push(`${mark.claimNo}:${mark.id}`)
  await backlog.allowMore(10, raise)
  await backlog.allowMore(10, raise)
  expect(await backlog.allowMore(10, raise)).toBe(false)
  expect(marks).toEqual(['1:2', '2:4'])
  expect(backlog.startable).toBe(4)
})

test('while a mark is under way, what may start already starts and what is claimed waits behind', async () => {
  const backlog = new Backlog()
  add(backlog, 1, [1, 2, 3, 4], false)
  await backlog.allowMore(2, written)
  const answer = gate()
  const raising = backlog.allowMore(2, () => answer.opened)
  expect(takeAllStartable(backlog)).toEqual(['1', '2'])
  add(backlog, 2, [5], true)
  answer.open()
  expect(await raising).toBe(true)
  expect(takeAllStartable(backlog)).toEqual(['3', '4'])
})

test('a mark that could not be written lets nothing start, and may be tried again', async () => {
  const backlog = new Backlog()
  add(backlog, 1, [1], false)
  await expect(backlog.allowMore(1, () => Promise.reject(new Error('away')))).rejects.toThrow(
    'away',
  )
  expect(backlog.take()).toBeUndefined()
  expect(await backlog.allowMore(1, written)).toBe(true)
  expect(takeAllStartable(backlog)).toEqual(['1'])
})

test('a mark that arrives after everything was taken out lets nothing of the next claim start', async () => {
  const backlog = new Backlog()
  add(backlog, 1, [1, 2], false)
  const answer = gate()
  const raising = backlog.allowMore(2, () => answer.opened)
  expect(backlog.takeAll().map(({ job }) => job.id)).toEqual(['1', '2'])
  add(backlog, 2, [3, 4], false)
  answer.open()
  expect(await raising).toBe(false)
  expect(backlog.take()).toBeUndefined()
  expect(backlog.size).toBe(2)
})

test('it knows the claims that it holds jobs of, and how long the first one has been waiting', () => {
  const backlog = new Backlog()
  const before = performance.now()
  expect(backlog.claimNos).toEqual(new Set())
  expect(backlog.waitedMs(before + 1_000)).toBe(0)
  add(backlog, 9, [1], true)
  add(backlog, 10, [2, 3], true)
  expect(backlog.claimNos).toEqual(new Set(['9', '10']))
  expect(backlog.waitedMs(performance.now() + 1_000)).toBeGreaterThanOrEqual(1_000)
  backlog.take()
  expect(backlog.claimNos).toEqual(new Set(['10']))
})
