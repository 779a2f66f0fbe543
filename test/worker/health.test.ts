import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { Health } from '../../src/worker/health.ts'
import { describeEachDatabase } from '../support/fixtures.ts'

describe('the health of a process', () => {
  let now: number
  let health: Health

  beforeEach(() => {
    now = 0
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] })
    vi.spyOn(performance, 'now').mockImplementation(() => now)
    health = new Health(() => 3)
    health.begin()
  })

  afterEach(() => {
    health.end()
    vi.restoreAllMocks()
    vi.useRealTimers()
  })

  /** The event loop turns, and its timers are so late. */
  function turn(count: number, lateMs = 0): void {
    for (let time = 0; time < count; time++) {
      now += 50 + lateMs
      vi.advanceTimersByTime(50)
    }
  }

  test('tells how late the event loop was at worst since it was told', () => {
    turn(100)
    expect(health.read().eventLoopLagMs).toBe(0)
    health.told()
    turn(1, 30)
    turn(1, 700)
    turn(10, 4)
    expect(health.read().eventLoopLagMs).toBe(700)
    health.told()
    turn(1, 2)
    expect(health.read().eventLoopLagMs).toBe(2)
  })

  test('tells of what ended just now, once', () => {
    turn(1)
    now += 830 // nothing was due before: a heartbeat may be the first to have its turn
    expect(health.read().eventLoopLagMs).toBe(780)
    health.told()
    turn(1)
    expect(health.read().eventLoopLagMs).toBe(0)
  })

  test('keeps what a heartbeat told that was not acknowledged', () => {
    turn(1, 700)
    expect(health.read().eventLoopLagMs).toBe(700)
    turn(1, 20)
    expect(health.read().eventLoopLagMs).toBe(700)
    turn(1, 900) // before the answer comes
    health.told()
    expect(health.read().eventLoopLagMs).toBe(900)
  })

  test('tells a number that can be stored, however long the process was stopped', () => {
    turn(1, 1e12)
    expect(health.read().eventLoopLagMs).toBe(2_147_483_647)
  })

  test('is the runs in hand, and the memory where that is known', () => {
    const { inFlight, rssBytes, heapBytes } = health.read()
    expect(inFlight).toBe(3)
    expect(rssBytes).toBeGreaterThan(heapBytes ?? 0)
    expect(heapBytes).toBeGreaterThan(1_000_000)
    vi.spyOn(process, 'memoryUsage').mockImplementation(() => {
      throw new Error('not permitted')
    })
    expect(health.read()).toMatchObject({ inFlight: 3, rssBytes: null, heapBytes: null })
  })
})

describeEachDatabase('a heartbeat', (test) => {
  test('says how the process is', async ({ openQueue, receive, untilRow }) => {
    const queue = openQueue<string, void>(async ({ args }, { signal }) => {
      if (args === 'compute') for (const end = Date.now() + 900; Date.now() < end;);
      else await sleep(60_000, undefined, { signal }).catch(() => undefined)
    })
    await queue.enqueueMany([{ args: 'wait' }, { args: 'wait' }])
    receive(queue, { leaseTimeout: '5s', shutdownTimeout: 0 })
    const row = await untilRow(
      `select rss_bytes::text as rss, heap_bytes::text as heap, event_loop_lag_ms as lag
       from {schema}.workers where in_flight = 2`,
    )
    expect(Number(row['rss'])).toBeGreaterThan(Number(row['heap']))
    expect(Number(row['heap'])).toBeGreaterThan(1_000_000)
    expect(Number(row['lag'])).toBeGreaterThanOrEqual(0)
    await queue.enqueue('compute')
    await untilRow('select from {schema}.workers where event_loop_lag_ms >= 800')
  })
})
