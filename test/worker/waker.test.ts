import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { EventBus } from '../../src/core/event-bus.ts'
import { NOTIFY, POLL_QUEUES } from '../../src/store/poll.ts'
import type { Statement } from '../../src/store/statement.ts'
import type { Store } from '../../src/store/store.ts'
import type { Membership } from '../../src/worker/membership.ts'
import { QuietSession } from '../../src/worker/quiet-session.ts'
import { type Sleeper, Waker } from '../../src/worker/waker.ts'

beforeEach(() => vi.useFakeTimers())
afterEach(() => vi.useRealTimers())

const POLL_INTERVAL_MS = 1_000

/** A receiver of queue 1 that finds nothing. */
const sleeper: Sleeper = {
  queueId: 1,
  pollIntervalMs: POLL_INTERVAL_MS,
  isCallable: true,
  pollFloors: () => [],
  looked: () => {},
  notified: () => {},
  askedToCancel: () => {},
}

/** The times between the looks of a queue that fell asleep and of which nothing is heard, in milliseconds. */
async function gapsBetweenLooks({ areNotified }: { areNotified: boolean }): Promise<number[]> {
  let hear: (payload: string) => void = () => {}
  const looks: number[] = []
  const store = {
    wake: { channel: 'channel', lockClass: 1 },
    driver: { isSingleSession: false },
    text: ({ name }: Statement) => name,
    run: async (statement: Statement, [, payload]: readonly string[]) => {
      if (statement === NOTIFY && areNotified) hear(payload ?? '')
      if (statement === POLL_QUEUES) looks.push(performance.now())
      return Promise.resolve([{ queueId: 1, nextDueInMs: null }])
    },
  } as unknown as Store
  const session = new QuietSession({
    isDedicated: true,
    lost: new AbortController().signal,
    listen: async (_channel, onNotify) => Promise.resolve(void (hear = onNotify)),
    query: async () => Promise.resolve({ rows: [], rowCount: 0 }),
    close: () => Promise.resolve(),
  })
  const membership = {
    session,
    onSession: (listener: (session: QuietSession) => void) => {
      listener(session)
      return () => {}
    },
  } as unknown as Membership
  const waker = new Waker(store, membership, new EventBus())
  const stop = new AbortController()
  waker.attach(sleeper)
  const ended = waker.run(stop.signal)
  await vi.advanceTimersByTimeAsync(10_000) // whether notifications arrive is known by then
  waker.fallAsleep(sleeper, true)
  looks.length = 0
  const fellAsleepAt = performance.now()
  await vi.advanceTimersByTimeAsync(15_000)
  stop.abort()
  await ended
  return looks.map((at, index) => Math.round(at - (looks[index - 1] ?? fellAsleepAt)))
}

test('a queue that is quiet is looked into half as often, as notifications of it arrive', async () => {
  const gaps = await gapsBetweenLooks({ areNotified: true })
  expect(gaps.slice(0, 3)).toEqual([5, 50, 500])
  expect(gaps.slice(3)).toEqual([1_000, 1_000, 1_000, 1_000, 1_000, 2_000, 2_000, 2_000, 2_000])
})

test('without notifications it is looked into each poll interval, however quiet it is', async () => {
  const gaps = await gapsBetweenLooks({ areNotified: false })
  expect(gaps.slice(0, 3)).toEqual([5, 50, 500])
  expect(new Set(gaps.slice(3))).toEqual(new Set([POLL_INTERVAL_MS]))
  expect(gaps.length).toBeGreaterThan(15)
})
