import { expect, test } from 'vitest'
import { Backoff } from '../../src/worker/backoff.ts'

test('the pauses double from 50 ms to 2 s, each spread by a quarter to either side', () => {
  const backoff = new Backoff()
  for (const about of [50, 100, 200, 400, 800, 1_600, 2_000, 2_000, 2_000]) {
    const ms = backoff.failed()
    expect(ms).toBeGreaterThanOrEqual(about * 0.75)
    expect(ms).toBeLessThanOrEqual(about * 1.25)
  }
})

test('the pauses of two processes are not alike', () => {
  const pauses = Array.from({ length: 20 }, () => new Backoff().failed())
  expect(new Set(pauses).size).toBeGreaterThan(1)
})

test('failures in a row are counted, and a success ends the row', () => {
  const backoff = new Backoff()
  expect(backoff.failures).toBe(0)
  backoff.failed()
  backoff.failed()
  expect(backoff.failures).toBe(2)
  backoff.succeeded()
  expect(backoff.failures).toBe(0)
  expect(backoff.failed()).toBeLessThanOrEqual(50 * 1.25)
})

test('an outage of days makes no pause longer', () => {
  const backoff = new Backoff()
  for (let tries = 0; tries < 2_000; tries++) backoff.failed()
  expect(backoff.failed()).toBeLessThanOrEqual(2_000 * 1.25)
})
