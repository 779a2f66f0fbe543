import { expect } from 'vitest'
import { quoteIdentifier } from '../../src/core/identifiers.ts'
import type { DBTX } from '../../src/drivers/driver.ts'
import { Querier } from '../../src/querier.ts'
import { test } from '../support/fixtures.ts'

/** A library's way to work in a transaction that it opens. */
export interface Library {
  /** Runs `work` in a transaction: `tx` for Millrace, `insert` for a row by the library's own means. */
  transaction(
    work: (tx: DBTX, insert: (item: string) => Promise<unknown>) => Promise<unknown>,
  ): Promise<unknown>
  end(): Promise<unknown>
}

/** What must hold for each library: `open` makes it, on the schema of the test with its table `orders`. */
export function describeLibrary(open: (url: string, schema: string) => Library): void {
  const ORDERS = `create table {schema}.orders (id int generated always as identity, item text not null)`
  const ITEMS = 'select item from {schema}.orders order by id'

  test('a job is enqueued if and only if the transaction commits', async ({
    databaseUrl,
    schema,
    rows,
    queue,
  }) => {
    await rows(ORDERS)
    const library = open(databaseUrl, schema)
    const args = { text: `it's $1 ? \\ "ü"`, list: [1, null, { deep: true }] }
    await library.transaction(async (tx, insert) => {
      await insert('kept')
      const job = await queue.enqueue(args, {
        tx,
        maxRetries: 7,
        priority: 2,
        metadata: { a: 'b' },
      })
      await queue.enqueueMany([{ args: 1, delay: '1h' }, { args: 'two' }], { tx })
      expect(job.args).toEqual(args)
    })
    const thrown = new Error('changed my mind')
    const failed = library.transaction(async (tx, insert) => {
      await insert('gone')
      await queue.enqueue('gone', { tx })
      throw thrown
    })
    await expect(failed).rejects.toThrow('changed my mind')
    expect(await rows(ITEMS)).toEqual([{ item: 'kept' }])
    const jobs = await rows(
      'select args, max_retries::int4 as "maxRetries", priority::int4 as priority, metadata from {schema}.jobs order by id',
    )
    expect(jobs).toEqual([
      { args, maxRetries: 7, priority: 2, metadata: { a: 'b' } },
      { args: 1, maxRetries: 3, priority: 5, metadata: {} },
      { args: 'two', maxRetries: 3, priority: 5, metadata: {} },
    ])
    await library.end()
  })

  test('a job is completed in the transaction of its handler, or not at all', async ({
    databaseUrl,
    schema,
    rows,
    openQueue,
  }) => {
    await rows(ORDERS)
    const library = open(databaseUrl, schema)
    const queue = openQueue(
      async (job: { args: string; attempt: number }, { complete }) => {
        await library.transaction(async (tx, insert) => {
          await insert(job.args)
          await complete(tx, { by: 'hand' })
          if (job.attempt === 1) throw new Error('not yet')
        })
      },
      { baseRetryDelay: 0 },
    )
    const job = await queue.enqueue('an order')
    expect(await queue.drain()).toEqual({ finished: 1, failed: 0, retried: 1 })
    expect(await rows(ITEMS)).toEqual([{ item: 'an order' }])
    expect(await queue.get(job.id)).toMatchObject({ status: 'finished', result: { by: 'hand' } })
    await library.end()
  })

  test('a Querier works in the transaction', async ({ databaseUrl, db, schema, queue }) => {
    const library = open(databaseUrl, schema)
    const [kept, gone] = await queue.enqueueMany([{ args: 1 }, { args: 2 }])
    await library.transaction(async (tx) => {
      const querier = new Querier(db, { schema }).withTx(tx)
      expect(await querier.counts('default')).toMatchObject({ available: 2 })
      expect(await querier.cancel('default', gone?.id ?? '')).toBe(true)
      expect(await querier.retry('default', gone?.id ?? '')).toBe(true)
      expect(await querier.delete('default', gone?.id ?? '')).toBe(true)
      expect(await querier.list('default')).toHaveLength(1)
    })
    expect(await queue.get(gone?.id ?? '')).toBeUndefined()
    expect(await queue.get(kept?.id ?? '')).toMatchObject({ status: 'available' })
    await library.end()
  })
}

/** The table by its full name. */
export function ordersOf(schema: string): string {
  return `${quoteIdentifier(schema)}.orders`
}
