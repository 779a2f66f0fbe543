import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { EventBus } from '../../src/core/event-bus.ts'
import { FIND_MARKED } from '../../src/store/cancel.ts'
import type { Statement } from '../../src/store/statement.ts'
import type { Appetite } from '../../src/worker/appetite.ts'
import { Backlog } from '../../src/worker/backlog.ts'
import { Cancellations } from '../../src/worker/cancellations.ts'
import type { SharedParts } from '../../src/worker/parts.ts'
import { Registration } from '../../src/worker/registration.ts'
import type { JobInHand } from '../../src/worker/run.ts'
import type { Runs } from '../../src/worker/runs.ts'
import { claimAnswer, claimedJob } from './claimed.ts'

beforeEach(() => vi.useFakeTimers())
afterEach(() => vi.useRealTimers())

const registration = new Registration(1, 'token', 30_000, 0)

/** A receiver that runs job 1 and has claimed 2 and 3 ahead; the database says which of them are marked. */
function scene({ isHeard = true, runsFor = Infinity, fails = 0 } = {}) {
  const backlog = new Backlog()
  const claim = { registration, claimNo: 8, queueId: 1, startsAtOnce: true }
  backlog.add(claimAnswer([{ id: '2' }, { id: '3' }]), claim)
  const running: JobInHand = { job: claimedJob(), claimNo: '7', registration, queueId: 1 }
  const seen = {
    looks: [] as string[],
    marked: [] as string[],
    waiting: [] as string[],
    running: [] as string[],
    failures: 0,
  }
  const store = {
    run: async (statement: Statement, [, , ids]: readonly string[]) => {
      expect(statement).toBe(FIND_MARKED)
      seen.looks.push(ids ?? '')
      if (seen.looks.length <= fails) throw new Error('away')
      return Promise.resolve([{ ids: `{${seen.marked.join()}}` }])
    },
  }
  const runs = {
    runningFor: (ms: number) => (runsFor >= ms ? [running] : []),
    cancelWaiting: (jobs: JobInHand[]) => seen.waiting.push(...jobs.map(({ job }) => job.id)),
    cancel: (ids: Set<string>) => seen.running.push(...ids),
  } as unknown as Runs
  const appetite = { forget: () => undefined } as unknown as Appetite
  const events = new EventBus()
  events.on(({ type }) => void (seen.failures += type === 'poll.failed' ? 1 : 0))
  const shared = { store, events, waker: { isHeard } } as unknown as SharedParts
  const cancellations = new Cancellations(shared, { queueId: 1 }, { backlog, runs, appetite })
  const stop = new AbortController()
  const ended = cancellations.run(stop.signal)
  return { seen, backlog, cancellations, end: () => (stop.abort(), ended) }
}

test('when it is told, it ends what waits and is marked, and tells what runs', async () => {
  const { seen, backlog, cancellations, end } = scene()
  await vi.advanceTimersByTimeAsync(60_000)
  expect(seen.looks).toEqual([]) // where notifications arrive, nobody looks untold
  seen.marked = ['1', '2']
  cancellations.told()
  await vi.advanceTimersByTimeAsync(0)
  expect(seen.looks).toEqual(['{1,2,3}'])
  expect(seen.waiting).toEqual(['2'])
  expect(seen.running).toContain('1')
  expect(backlog.take()?.job.id).toBe('3')
  expect(backlog.take()).toBeUndefined()
  await vi.advanceTimersByTimeAsync(60_000)
  expect(seen.looks).toHaveLength(1)
  await end()
})

test('it looks again when a claim brings something that began before it was told', async () => {
  const { seen, cancellations, end } = scene()
  const before = performance.now()
  await vi.advanceTimersByTimeAsync(5)
  cancellations.took(before)
  await vi.advanceTimersByTimeAsync(5)
  expect(seen.looks).toHaveLength(0)
  cancellations.told()
  await vi.advanceTimersByTimeAsync(5)
  cancellations.took(before)
  await vi.advanceTimersByTimeAsync(5)
  expect(seen.looks).toHaveLength(2)
  cancellations.took(performance.now())
  await vi.advanceTimersByTimeAsync(5)
  expect(seen.looks).toHaveLength(2)
  await end()
})

test('where notifications do not arrive it looks twice a second, for what runs longer than a moment', async () => {
  const long = scene({ isHeard: false })
  await vi.advanceTimersByTimeAsync(2_100)
  expect(long.seen.looks).toEqual(['{1}', '{1}', '{1}', '{1}', '{1}'])
  await long.end()
  const short = scene({ isHeard: false, runsFor: 100 })
  await vi.advanceTimersByTimeAsync(2_100)
  expect(short.seen.looks).toEqual([])
  await short.end()
})

test('a look that failed is made again', async () => {
  const { seen, cancellations, end } = scene({ fails: 2 })
  seen.marked = ['1']
  cancellations.told()
  await vi.advanceTimersByTimeAsync(2_000)
  expect(seen).toMatchObject({ failures: 2, running: ['1'] })
  expect(seen.looks).toHaveLength(3)
  await end()
})
