import { expect } from 'vitest'
import { Querier, type ListOptions, type Metadata } from '../../src/index.ts'
import { describeEachDatabase, type Fixtures } from '../support/fixtures.ts'
import { refusal } from './arrange.ts'

/** A queue with a job that failed by a wrong gear, one that finished, one that retries, one that waits. */
async function stocked({ openQueue, rows }: Pick<Fixtures, 'openQueue' | 'rows'>) {
  const queue = openQueue(
    (job) => {
      if (job.args === 'gear') throw new TypeError('The Wrong gear')
      if (job.args === 'sail') throw new Error('no wind')
    },
    { baseRetryDelay: '1h' },
  )
  const items = [
    { args: 'gear', maxRetries: 0 },
    { args: 'stone' },
    { args: 'sail' },
    { args: 'later', delay: '1d' as const },
  ]
  const jobs = await queue.enqueueMany(items)
  await queue.drain()
  const [gear, stone, sail, later] = jobs.map((job) => job.id) as [string, string, string, string]
  // The first two were enqueued long ago, as far as the tables know.
  for (const table of ['jobs', 'history']) {
    await rows(
      `update {schema}.${table} set created_at = created_at - interval '2 hours' where id <= $1::int8`,
      [stone],
    )
  }
  return { gear, stone, sail, later }
}

describeEachDatabase('a list of jobs', (test) => {
  test('is filtered by age, status and error text', async ({ openQueue, rows, db, schema }) => {
    const { gear, stone, sail, later } = await stocked({ openQueue, rows })
    const querier = new Querier(db, { schema })
    const listed = async (options: ListOptions) =>
      (await querier.list('default', options)).map((job) => job.id)
    expect(await listed({ olderThan: '1h' })).toEqual([gear, stone])
    expect(await listed({ newerThan: '1h' })).toEqual([sail, later])
    expect(await listed({ newerThan: '3h', olderThan: '1h' })).toEqual([gear, stone])
    expect(await listed({ errorText: 'wrong GEAR' })).toEqual([gear])
    expect(await listed({ errorText: 'TypeError: the' })).toEqual([gear])
    expect(await listed({ errorText: 'wind' })).toEqual([sail])
    expect(await listed({ errorText: 'wind', status: 'available' })).toEqual([sail])
    expect(await listed({ errorText: '%' })).toEqual([])
    expect(await listed({ errorText: 'wind', olderThan: '1h' })).toEqual([])
  })

  test('is filtered by what the metadata contain', async ({ openQueue, db, schema }) => {
    const queue = openQueue((job) => job.args)
    const metadata = { tenant: 7, tags: ['a', 'b'], trace: { id: `it's "$8"`, flags: 1 } }
    const done = await queue.enqueue('done', { metadata })
    await queue.drain()
    const waits = await queue.enqueue('waits', { metadata: { ...metadata, tenant: 8 } })
    await queue.enqueue('without')
    const querier = new Querier(db, { schema })
    const listed = async (contained: object) => {
      const options = { metadata: contained as Metadata }
      const ids = await querier.listIds('default', options)
      expect((await querier.list('default', options)).map((job) => job.id)).toEqual(ids)
      return ids
    }
    expect(await listed({ tenant: 7 })).toEqual([done.id])
    expect(await listed({ tags: ['b'] })).toEqual([done.id, waits.id])
    expect(await listed({ trace: { id: `it's "$8"` }, tenant: 8 })).toEqual([waits.id])
    expect(await listed({ tenant: '7' })).toEqual([])
    expect(await listed({ tenant: null })).toEqual([])
  })

  test('goes from the newest on, page by page', async ({ openQueue, rows, db, schema }) => {
    const { gear, stone, sail, later } = await stocked({ openQueue, rows })
    const querier = new Querier(db, { schema })
    const page = async (after?: string) => {
      const options = { order: 'newest', limit: 3, after } as const
      return (await querier.list('default', options)).map((job) => job.id)
    }
    expect(await page()).toEqual([later, sail, stone])
    expect(await page(stone)).toEqual([gear])
    expect(await page(gear)).toEqual([])
  })

  test('can be of ids alone', async ({ openQueue, rows, db, schema }) => {
    const { gear, stone, sail, later } = await stocked({ openQueue, rows })
    const querier = new Querier(db, { schema })
    expect(await querier.listIds('default')).toEqual([gear, stone, sail, later])
    expect(await querier.listIds('default', { after: stone, limit: 1 })).toEqual([sail])
    expect(await querier.listIds('default', { status: 'failed', errorText: 'gear' })).toEqual([
      gear,
    ])
    expect(await querier.listIds('default', { olderThan: '1h' })).toEqual([gear, stone])
    expect(await querier.listIds('unknown')).toEqual([])
  })

  test('refuses options that are not valid', async ({ db, schema }) => {
    const querier = new Querier(db, { schema })
    const refused: [object, string][] = [
      [{ olderThan: '1 hour' }, 'olderThan'],
      [{ newerThan: -1 }, 'newerThan'],
      [{ errorText: '' }, 'errorText'],
      [{ errorText: 'a\u0000' }, 'errorText'],
      [{ metadata: {} }, 'metadata'],
      [{ metadata: [7] }, 'metadata'],
      [{ metadata: { tenant: 7n } }, 'metadata.tenant'],
      [{ order: 'down' }, 'order'],
      [{ limit: 1_001 }, 'limit'],
      [{ older: '1h' }, 'older'],
    ]
    for (const [options, option] of refused) {
      const { code, details } = await refusal(querier.list('default', options))
      expect({ code, option: details['option'] }).toEqual({ code: 'INVALID_OPTION', option })
    }
    const { details } = await refusal(querier.listIds('default', { limit: 10_001 }))
    expect(details['option']).toBe('limit')
  })
})

describeEachDatabase('a queue at a glance', (test) => {
  test('has its counts, and how long somebody waits', async ({ openQueue, rows, db, schema }) => {
    const { sail } = await stocked({ openQueue, rows })
    const querier = new Querier(db, { schema })
    const counts = { available: 2, running: 0, finished: 1, failed: 1, cancelled: 0 }
    expect(await querier.glance('default')).toEqual({ counts, isExact: true, longestWaitMs: null })
    expect(await querier.counts('default', { estimate: true })).toEqual(counts)
    await rows(
      `update {schema}.jobs set run_at = statement_timestamp() - interval '90 s' where id = $1::int8`,
      [sail],
    )
    const { longestWaitMs } = await querier.glance('default')
    expect(longestWaitMs).toBeGreaterThanOrEqual(90_000)
    expect(longestWaitMs).toBeLessThan(3_600_000)
    expect((await querier.glance('unknown')).counts.available).toBe(0)
  })
})

describeEachDatabase('a job without its queue', (test) => {
  test('is found in whichever it is, also among dead letters', async ({
    openQueue,
    db,
    schema,
  }) => {
    const querier = new Querier(db, { schema })
    const failing = openQueue(
      () => {
        throw new Error('no')
      },
      { queueName: 'failing', dlq: 'dead' },
    )
    const others = ['a', 'b', 'c', 'd', 'e'].map((queueName) => openQueue({ queueName }))
    const jobs = await Promise.all(others.map((queue) => queue.enqueue(queue.queueName)))
    const { id } = await failing.enqueue(1, { maxRetries: 0 })
    await failing.drain()
    for (const job of jobs) {
      expect(await querier.find(job.id)).toMatchObject({ id: job.id, queueName: job.args })
    }
    expect(await querier.find(id)).toMatchObject({ queueName: 'dead', originQueue: 'failing' })
    expect(await querier.find('999999')).toBeUndefined()
    expect((await refusal(querier.find('1x'))).code).toBe('INVALID_JOB_ID')
  })
})
