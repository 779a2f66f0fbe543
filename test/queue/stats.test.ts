import { Discard, Querier, type StatsOptions } from '../../src/index.ts'
import { foldStatistics, retainStatistics } from '../../src/maintenance/statistics.ts'
import { driverFor } from '../../src/drivers/recognise.ts'
import { Store } from '../../src/store/store.ts'
import { describeEachDatabase, expect, test as onServer } from '../support/fixtures.ts'
import { refusal } from './arrange.ts'

const NEVER = new AbortController().signal

describeEachDatabase('stats', (test) => {
  test('says what happened, how quickly, and what waits', async ({ openQueue, db, schema }) => {
    const queue = openQueue<string, unknown>(({ args }) => {
      if (args === 'no') throw new Discard('no')
    })
    await queue.enqueueMany([{ args: 'yes' }, { args: 'yes' }, { args: 'yes' }, { args: 'no' }])
    await queue.drain()
    await queue.enqueueMany([{ args: 'waits' }, { args: 'waits' }])
    await queue.enqueue('later', { delay: '1h' })
    const stats = await queue.stats()
    expect(stats.total).toMatchObject({
      counts: { enqueued: 4, started: 4, finished: 3, failed: 1, retried: 0 },
      failureRate: 0.25,
      wait: { count: 4 },
      run: { count: 4 },
    })
    expect(stats.total.run.p50Ms).toBeLessThanOrEqual(stats.total.run.p99Ms ?? 0)
    expect(stats.total.perSecond).toBeGreaterThan(0)
    expect(stats.until.getTime() - stats.since.getTime()).toBeGreaterThanOrEqual(3_600_000)
    expect(stats.series.reduce((sum, point) => sum + point.counts.finished, 0)).toBe(3)
    for (const { at, ms } of stats.series) expect([at.getTime() % 60_000, ms]).toEqual([0, 60_000])
    expect(stats.backlog).toMatchObject({ ready: 2, isExact: true })
    expect(stats.backlog.oldestReadyMs).toBeGreaterThanOrEqual(0)
    const { perSecond, drainMs } = stats.backlog
    expect(drainMs).toBeCloseTo(2_000 / perSecond)
    const asked = await new Querier(db, { schema }).stats('default')
    expect(asked.total.counts).toEqual(stats.total.counts)
  })

  test('knows the same after minutes were folded, and by the hour after a day', async ({
    openQueue,
    db,
    schema,
    rows,
  }) => {
    const queue = openQueue<string, unknown>(() => undefined)
    await queue.enqueueMany([{ args: 1 }, { args: 2 }] as never)
    await queue.drain()
    const before = (await queue.stats()).total
    const store = new Store(driverFor(db), schema)
    await rows(`update {schema}.tallies set at = at - interval '10 minutes'`)
    await foldStatistics(store, NEVER)
    const after = await queue.stats()
    expect({ ...after.total, perSecond: 0 }).toEqual({ ...before, perSecond: 0 })
    expect(after.backlog.perSecond).toBe(0)

    await rows(`update {schema}.statistics set at = at - interval '30 hours' where step = 'minute'`)
    await retainStatistics(store, NEVER)
    expect((await queue.stats({ since: '1d' })).total.counts.finished).toBe(0)
    for (const by of ['minute', 'hour'] as const) {
      const { series } = await queue.stats({ since: '2d', by })
      expect(series).toMatchObject([{ ms: 3_600_000, counts: { finished: 2 }, run: { count: 2 } }])
    }
    const { total } = await queue.stats({ since: '2d', until: '1d' })
    expect(total.counts.finished).toBe(2)
  })

  test('of a queue that is not there says that nothing happened', async ({ openQueue }) => {
    const stats = await openQueue({ queueName: 'nobody made it' }).stats()
    expect(stats).toMatchObject({
      series: [],
      total: { perSecond: 0, failureRate: null, wait: { count: 0, meanMs: null, p99Ms: null } },
      backlog: { ready: 0, isExact: true, oldestReadyMs: null, perSecond: 0, drainMs: 0 },
    })
  })

  test('does not guess how long it takes where nothing was done', async ({ openQueue }) => {
    const queue = openQueue()
    await queue.enqueue('waits')
    expect((await queue.stats()).backlog).toMatchObject({ ready: 1, perSecond: 0, drainMs: null })
  })

  test.for([
    [{ since: new Date('nonsense') }, 'since'],
    [{ since: 'yesterday' }, 'since'],
    [{ until: null }, 'until'],
    [{ since: '1h', until: '2h' }, 'since'],
    [{ until: '1h' }, 'since'],
    [{ by: 'second' }, 'by'],
    [{ form: '1h' }, 'form'],
  ] as [StatsOptions, string][])('refuses %j', async ([options, option], { queue }) => {
    const error = await refusal(queue.stats(options))
    expect(error).toMatchObject({ code: 'INVALID_OPTION', details: { option } })
  })
})

onServer(
  'a queue of more ready jobs than are counted is estimated, and says so',
  async ({ queue, rows }) => {
    await queue.enqueueMany(Array.from({ length: 10_500 }, () => ({ args: 0 })))
    await rows('analyze {schema}.jobs')
    const { backlog } = await queue.stats()
    expect(backlog.isExact).toBe(false)
    expect(backlog.ready).toBeGreaterThanOrEqual(10_000)
    expect(backlog.ready).toBeLessThan(12_000)
  },
)
