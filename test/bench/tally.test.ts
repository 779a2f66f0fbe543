import { expect, test } from 'vitest'
import { payload } from '../../bench/harness/payload.ts'
import { Tally } from '../../bench/harness/tally.ts'

test('a job that runs twice is done once and counted twice', async () => {
  const tally = new Tally('noop', 3)
  for (const n of [0, 1, 1, 2]) await tally.handler(payload(n))
  expect(tally.progress.done).toBe(3)
  expect([...tally.runs]).toEqual([1, 2, 1])
})

test('every fifth job fails on its first run only', async () => {
  const tally = new Tally('fail-once', 6)
  const handle = tally.handler
  expect(() => handle(payload(5))).toThrow('Job 5 fails once')
  expect(tally.progress.done).toBe(0)
  await handle(payload(5))
  await handle(payload(4))
  expect(tally.progress.done).toBe(2)
})

test('a job that begins after a later one is out of order', async () => {
  const tally = new Tally('noop', 4)
  for (const n of [0, 2, 1, 3]) await tally.handler(payload(n))
  expect(tally.outOfOrder).toBe(1)
})

test('a job that was never enqueued is refused', () => {
  const tally = new Tally('noop', 2)
  expect(() => tally.handler(payload(2))).toThrow('never enqueued')
})
