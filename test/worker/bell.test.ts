import { getEventListeners } from 'node:events'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { Bell, MAX_TIMER_MS, pause } from '../../src/worker/bell.ts'

beforeEach(() => vi.useFakeTimers())
afterEach(() => vi.useRealTimers())

const never = new AbortController().signal

/** Whether it has resolved, once everything has had its turn that was due. */
async function hasEnded(waiting: Promise<void>): Promise<boolean> {
  let ended = false
  void waiting.then(() => (ended = true))
  await vi.advanceTimersByTimeAsync(0)
  return ended
}

test('a ring ends the wait that is under way', async () => {
  const bell = new Bell()
  const waiting = bell.wait(Infinity, never)
  expect(await hasEnded(waiting)).toBe(false)
  bell.ring()
  expect(await hasEnded(waiting)).toBe(true)
})

test('a ring before the wait ends it at once, and only that one', async () => {
  const bell = new Bell()
  bell.ring()
  bell.ring()
  expect(await hasEnded(bell.wait(Infinity, never))).toBe(true)
  expect(await hasEnded(bell.wait(Infinity, never))).toBe(false)
})

test('a ring that ended a wait does not end the next one', async () => {
  const bell = new Bell()
  const first = bell.wait(Infinity, never)
  bell.ring()
  await first
  expect(await hasEnded(bell.wait(Infinity, never))).toBe(false)
})

test('a wait ends after its time', async () => {
  const waiting = new Bell().wait(1_000, never)
  await vi.advanceTimersByTimeAsync(999)
  expect(await hasEnded(waiting)).toBe(false)
  await vi.advanceTimersByTimeAsync(1)
  expect(await hasEnded(waiting)).toBe(true)
})

test('a wait of months does not end at once', async () => {
  expect(await hasEnded(pause(MAX_TIMER_MS * 3, never))).toBe(false)
})

test('an aborted signal ends the wait, whether it aborts before or meanwhile', async () => {
  const stop = new AbortController()
  const waiting = pause(Infinity, stop.signal)
  expect(await hasEnded(waiting)).toBe(false)
  stop.abort()
  expect(await hasEnded(waiting)).toBe(true)
  expect(await hasEnded(pause(Infinity, stop.signal))).toBe(true)
})

test('many waits under one signal leave neither timers nor a growing number of listeners', async () => {
  const stop = new AbortController()
  const bell = new Bell()
  for (let waits = 0; waits < 50; waits++) {
    const waiting = bell.wait(1_000, stop.signal)
    bell.ring()
    await waiting
  }
  expect(vi.getTimerCount()).toBe(0)
  expect(getEventListeners(stop.signal, 'abort').length).toBeLessThanOrEqual(1)
})
