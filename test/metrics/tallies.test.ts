import { Discard, Querier, Snooze } from '../../src/index.ts'
import { describeEachDatabase, expect, test as onServer, until } from '../support/fixtures.ts'
import { sumOf } from './arrange.ts'

const NOTHING = { retried: 0, failed: 0, deadLettered: 0, snoozed: 0, crashed: 0, cancelled: 0 }

describeEachDatabase('what a process counts', (test) => {
  test('is written down when it stops, by how each run ended', async ({ openQueue, rows }) => {
    const queue = openQueue<string, unknown>(
      ({ args, attempt }) => {
        if (args === 'discard') throw new Discard('no')
        if (args === 'fail once' && attempt === 1) throw new Error('once')
        if (args === 'snooze') throw new Snooze('1h')
        return args
      },
      { baseRetryDelay: 0 },
    )
    await queue.enqueue('fine')
    await queue.enqueueMany([{ args: 'fine' }, { args: 'fail once' }, { args: 'snooze' }])
    await queue.enqueue('discard')
    const waiting = await queue.enqueue('later', { delay: '1h' })
    await queue.cancel(waiting.id)
    await queue.drain()
    expect(await sumOf(rows, 'tallies')).toEqual({
      ...{ enqueued: 6, started: 6, finished: 3, retried: 1, failed: 1, deadLettered: 0 },
      ...{ snoozed: 1, crashed: 0, cancelled: 1, waits: 6, runs: 5 },
    })
  })

  test('tells dead letters from failures', async ({ openQueue, rows }) => {
    const queue = openQueue<string, unknown>(
      () => {
        throw new Discard('no')
      },
      { dlq: 'dead' },
    )
    await queue.enqueue('x')
    await queue.drain()
    expect(await sumOf(rows, 'tallies')).toMatchObject({ ...NOTHING, deadLettered: 1, finished: 0 })
  })

  test('counts a run that its handler completed in a transaction of its own', async ({
    openQueue,
    db,
    rows,
  }) => {
    const queue = openQueue<string, unknown>(async (_job, context) => {
      await (
        db as { transaction?: (work: (tx: never) => Promise<void>) => Promise<void> }
      ).transaction?.((tx) => context.complete(tx))
      return undefined
    })
    await queue.enqueue('x')
    await queue.drain()
    expect(await sumOf(rows, 'tallies')).toMatchObject({ ...NOTHING, finished: 1, runs: 1 })
  })

  test('says how long jobs waited, and how long they ran', async ({ openQueue, rows }) => {
    const queue = openQueue<string, unknown>(
      () => new Promise((resolve) => void setTimeout(resolve, 20)),
    )
    await queue.enqueue('x', { runAt: new Date(Date.now() + 20) })
    await until(async () => (await queue.drain()).finished > 0)
    const [row] = await rows(
      `select wait_us::int as "waitUs", run_us::int as "runUs" from {schema}.tallies
       where finished > 0`,
    )
    expect(row?.['runUs']).toBeGreaterThan(15_000)
    expect(row?.['waitUs']).toBeGreaterThanOrEqual(0)
  })

  test('does not fail over a schema that is gone', async ({ openQueue, rows, events }) => {
    const queue = openQueue<string, unknown>(() => undefined)
    await queue.enqueue('x')
    await rows('drop table {schema}.tallies')
    expect(await queue.drain()).toMatchObject({ finished: 1 })
    const failed = events.all('maintenance.failed', { chore: 'write statistics' })
    expect(failed.length).toBeGreaterThan(0)
  })
})

onServer('a queue whose name is hostile is counted as any other', async ({ openQueue, rows }) => {
  const queueName = `it's "a" \\ {schema} $1 \n 🐎`
  const queue = openQueue<string, unknown>(() => undefined, { queueName })
  await queue.enqueue('x')
  await queue.drain()
  expect(await sumOf(rows, 'tallies', { queueName })).toMatchObject({ enqueued: 1, finished: 1 })
})

onServer(
  'a Querier counts what it inserts and cancels',
  async ({ openQueue, db, schema, rows }) => {
    const queue = openQueue<string, unknown>(() => undefined)
    await queue.enqueue('x')
    const querier = new Querier(db, { schema })
    const jobs = await querier.insert('default', [{ args: 1 }, { args: 2 }])
    await querier.cancelMany(
      'default',
      jobs.map(({ id }) => id),
    )
    await queue.drain()
    expect(await sumOf(rows, 'tallies')).toMatchObject({ enqueued: 3, cancelled: 2, finished: 1 })
  },
)
