import { expect } from 'vitest'
import { percentile, totalOf } from '../../src/core/histogram.ts'
import { driverFor } from '../../src/drivers/recognise.ts'
import { readSeries } from '../../src/metrics/series.ts'
import { Store } from '../../src/store/store.ts'
import { describeEachDatabase, type Fixtures } from '../support/fixtures.ts'

const MINUTE_MS = 60_000
const NAMES = `queue_id, at, enqueued, started, finished, retried, failed, dead_lettered, snoozed, interrupted, crashed,
  cancelled, wait_us, run_us, waits, runs`

/** So many jobs finished in the minute that began so many minutes ago, each in a bucket of its own from 40 on. */
async function finished(rows: Fixtures['rows'], minutesAgo: number, count: number): Promise<void> {
  const buckets = Object.fromEntries(Array.from({ length: count }, (_, n) => [40 + n, 1]))
  const table = minutesAgo < 3 ? 'tallies (writer, part, ' : 'statistics (step, '
  const first = minutesAgo < 3 ? 'gen_random_uuid(), 1' : `'minute'`
  await rows(
    `insert into {schema}.${table}${NAMES})
     select ${first}, 1, date_trunc('minute', now()) - $1::int * interval '1 minute', 0, $2::int, $2::int, 0, 0, 0, 0, 0, 0, 0,
       1000, 1000, $3::text::jsonb, $3::text::jsonb`,
    [minutesAgo, count, JSON.stringify(buckets)],
  )
}

describeEachDatabase('a series of statistics', (test) => {
  test('has every step, with all that happened in it', async ({ db, schema, rows, queue }) => {
    await queue.enqueue(1)
    for (const [ago, count] of [
      [0, 100],
      [1, 3],
      [2, 5],
      [25, 7],
      [26, 8],
      [70, 9],
    ] as const) {
      await finished(rows, ago, count)
    }
    const store = new Store(driverFor(db), schema)
    const series = await readSeries(store, 1, { spanMs: 60 * MINUTE_MS, stepMs: 60 * MINUTE_MS })
    const all = series.steps.reduce((sum, { counts }) => sum + counts.finished, 0)
    expect([22, 23, 24, 32]).toContain(all) // the span begins where a step does
    expect(series.total.counts.finished).toBe(all)

    const fine = await readSeries(store, 1, { spanMs: 60 * MINUTE_MS, stepMs: MINUTE_MS })
    expect(fine.steps).toHaveLength(60)
    expect(fine.to - fine.from).toBe(60 * MINUTE_MS)
    // Of the current minute nothing, which may have turned meanwhile.
    const counts = fine.steps.map(({ counts }) => counts.finished)
    expect(counts.slice(-3).toString()).toMatch(/^0,5,3$|^5,3,100$/)
    expect(counts.filter((count) => count > 0).length).toBeGreaterThanOrEqual(4)
    const [empty] = fine.steps
    expect(empty).toMatchObject({
      perSecond: 0,
      failureRate: null,
      ms: MINUTE_MS,
      run: { p50Ms: null },
    })
    expect(fine.steps.at(-1)?.perSecond).toBeCloseTo((counts.at(-1) ?? 0) / 60)

    const merged = new Float64Array(314)
    for (const count of counts)
      for (let n = 0; n < count; n++) merged[40 + n] = (merged[40 + n] ?? 0) + 1
    expect(fine.total.run.p95Ms).toBe(percentile(merged, totalOf(merged), 0.95))
    expect(fine.total.wait.p50Ms).toBe(percentile(merged, totalOf(merged), 0.5))
  })
})
