import { describe } from 'vitest'
import { Querier, type WhereBatch } from '../../src/index.ts'
import { expect, test } from '../support/fixtures.ts'
import { openTransaction, SOMEBODY_WAITS } from './arrange.ts'

describe('jobs that a filter chooses, beside others', () => {
  test('are refused when a worker took them since they were found', async ({
    queue,
    db,
    schema,
    untilRow,
  }) => {
    const jobs = await queue.enqueueMany([{ args: 1 }, { args: 2 }, { args: 3 }])
    const [, taken = ''] = jobs.map(({ id }) => id)
    const claim = await openTransaction({ db, schema })
    await claim.client.query(
      `update "${schema}".jobs set claimed_by = 77, claim_no = 1 where id = $1::int8`,
      [taken],
    )
    const refused: string[] = []
    const onBatch = (batch: WhereBatch): void => void refused.push(...batch.refused)
    const cancelled = queue.cancelWhere({ all: true }, { onBatch })
    await untilRow(SOMEBODY_WAITS, ['delete', schema])
    await claim.end('commit')
    expect(await cancelled).toEqual({ changed: 2, refused: 1 })
    expect(refused).toEqual([taken])
    expect(await queue.get(taken)).toMatchObject({ status: 'running' })
  })

  test('stay when they were revived since they were found among those that ended', async ({
    queue,
    db,
    schema,
    untilRow,
  }) => {
    const { id } = await queue.enqueue(1)
    await queue.cancel(id)
    const revival = await openTransaction({ db, schema })
    expect(await revival.querier.retry('default', id)).toBe(true)
    const deleted = queue.deleteWhere({ status: 'cancelled' })
    await untilRow(SOMEBODY_WAITS, ['delete', schema])
    await revival.end('commit')
    expect(await deleted).toEqual({ changed: 0, refused: 1 })
    expect(await queue.get(id)).toMatchObject({ status: 'available' })
  })

  test('are each changed once by two who do it at the same time, while workers run them', async ({
    openQueue,
    receive,
    db,
    schema,
    untilRow,
  }) => {
    const ran = new Set<string>()
    const queue = openQueue((job) => void ran.add(job.id))
    const querier = new Querier(db, { schema })
    const items = Array.from({ length: 6_000 }, (_, n) => ({ args: n, metadata: { n: n % 2 } }))
    await queue.enqueueMany(items)
    for (let receivers = 0; receivers < 2; receivers++) receive(queue, { concurrency: 4 })
    const cancelled = new Set<string>()
    const onBatch = ({ changed }: WhereBatch): void => {
      for (const id of changed) {
        expect(cancelled.has(id)).toBe(false)
        cancelled.add(id)
      }
    }
    const odd = { metadata: { n: 1 } }
    const [one, two] = await Promise.all([
      queue.cancelWhere(odd, { onBatch }),
      querier.cancelWhere({ ...odd, queueName: 'default' }, { onBatch }),
    ])
    await untilRow(`select from {schema}.queues where not exists (select from {schema}.jobs)`)
    expect(one.changed + two.changed).toBe(cancelled.size)
    expect(await queue.counts()).toMatchObject({ finished: ran.size, cancelled: cancelled.size })
    expect(ran.size + cancelled.size).toBe(6_000)
  })

  test('are changed in batches that are not too large, however large their arguments', async ({
    queue,
    rows,
  }) => {
    await queue.enqueue('opens the queue')
    // Hashes, so that they do not shrink to nothing where they are stored.
    await rows(
      `insert into {schema}.jobs (run_at, created_at, queue_id, priority, max_retries, retry_policy, args, metadata)
       select now(), now(), queue_id, 5, 3, 'constant', (
         select to_jsonb(string_agg(md5(concat(n, ' ', m)), '')) from generate_series(1, 32768) as m
       ), '{}'
       from {schema}.jobs, generate_series(1, 12) as n`,
    )
    const sizes: number[] = []
    const onBatch = ({ changed }: WhereBatch): void => void sizes.push(changed.length)
    expect(await queue.cancelWhere({ all: true }, { onBatch })).toEqual({ changed: 13, refused: 0 })
    expect(sizes.length).toBeGreaterThan(1)
  })

  test('are counted up to 100,000, and then said to be at least so many', async ({
    queue,
    rows,
  }) => {
    await queue.enqueue('opens the queue')
    await rows(
      `insert into {schema}.jobs (run_at, created_at, queue_id, priority, max_retries, retry_policy, args, metadata)
       select now(), now(), queue_id, 5, 3, 'constant', '1', '{}'
       from {schema}.jobs, generate_series(1, 104000) as n`,
    )
    const { count, isExact } = await queue.cancelWhere({ all: true }, { dryRun: true })
    expect({ count, isExact }).toEqual({ count: 100_000, isExact: false })
  })
})
