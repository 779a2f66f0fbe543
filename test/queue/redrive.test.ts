import { JobQueue, Querier, type DB } from '../../src/index.ts'
import { describeEachDatabase, expect, test } from '../support/fixtures.ts'
import { errorOf } from './arrange.ts'

describeEachDatabase('redrive', (test) => {
  test('sends jobs back whose arguments together are more than one statement carries', async ({
    openQueue,
  }) => {
    const queue = openQueue<string, void>(
      () => {
        throw new Error('on purpose')
      },
      { dlq: 'dead' },
    )
    // Random text, so that it does not shrink to nothing where it is stored.
    const text = (n: number): string =>
      Array.from({ length: 30_000 }, (_, index) =>
        ((index * 7_919 * (n + 1)) ** 2).toString(36),
      ).join()
    const items = Array.from({ length: 8 }, (_, n) => ({ args: text(n), maxRetries: 0 }))
    const jobs = await queue.enqueueMany(items)
    expect(await queue.drain()).toMatchObject({ failed: 8 })
    expect(await openQueue({ queueName: 'dead' }).redrive()).toBe(8)
    for (const [n, job] of jobs.entries()) {
      const record = await queue.get(job.id)
      expect(record).toMatchObject({ status: 'available', queueName: 'default' })
      expect(record?.args === items[n]?.args).toBe(true)
    }
  })

  test('ends, although what it sends back fails again at once', async ({
    openQueue,
    receive,
    seen,
  }) => {
    const queue = openQueue(
      () => {
        throw new Error('for ever')
      },
      { dlq: 'dead' },
    )
    receive(queue, { concurrency: 100 })
    const items = Array.from({ length: 1_100 }, (_, args) => ({ args, maxRetries: 0 }))
    await queue.enqueueMany(items)
    await seen('job.dead_lettered', undefined, { nth: 1_100 })
    const dead = openQueue({ queueName: 'dead' })
    expect(await dead.redrive()).toBe(1_100)
    await seen('job.dead_lettered', undefined, { nth: 2_200 })
    expect(await dead.counts()).toMatchObject({ available: 1_100 })
  })
})

test('a list that the database refuses rejects once, and nothing is left unhandled', async ({
  schema,
}) => {
  let lists = 0
  const down = Object.assign(new Error('the database is down'), { code: '57P03' })
  const db: DB = {
    query: async (text) => {
      if (text.includes('where queues.name =')) {
        const queue = { id: 1, name: 'q', isFifo: false, dlqId: null }
        const settings = { keepFinishedMs: null, keepFailedMs: null, baseRetryDelayMs: '0' }
        const row = { ...queue, ...settings, maxRetryDelayMs: '0', retryJitter: '0' }
        return { rows: [row], rowCount: 1 }
      }
      lists += 1
      throw down
    },
    transaction: () => Promise.reject(down),
  }
  expect(await errorOf(new Querier(db, { schema }).list('q'))).toBe(down)
  expect(lists).toBe(1)
  expect(await errorOf(new JobQueue(db, { schema, queueName: 'q' }).counts())).toBe(down)
})
