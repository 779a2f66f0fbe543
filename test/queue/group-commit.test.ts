import { JobQueue, type DB } from '../../src/index.ts'
import { describeEachDatabase, expect, test, testOnPGlite } from '../support/fixtures.ts'
import { PATIENCE_MS } from '../support/until.ts'
import { errorOf, gate, inTransaction, refusal } from './arrange.ts'

describeEachDatabase('concurrent enqueues', (test) => {
  test('store every job of a thousand callers, each told of its own', async ({ openQueue }) => {
    const queue = openQueue<number, void>()
    const jobs = await Promise.all(Array.from({ length: 1_000 }, (_, n) => queue.enqueue(n)))
    expect(jobs.map((job) => job.args)).toEqual(Array.from({ length: 1_000 }, (_, n) => n))
    expect(new Set(jobs.map((job) => job.id)).size).toBe(1_000)
    expect(await queue.counts()).toMatchObject({ available: 1_000 })
    const [first, last] = [jobs[0], jobs[999]]
    expect(await queue.get(first?.id ?? '')).toMatchObject({ args: 0 })
    expect(await queue.get(last?.id ?? '')).toMatchObject({ args: 999 })
  })

  test('keep the order in which one process called', async ({ queue }) => {
    const jobs = await Promise.all(Array.from({ length: 50 }, (_, n) => queue.enqueue(n)))
    const ids = jobs.map((job) => Number(job.id))
    expect(ids).toEqual(ids.toSorted((left, right) => left - right))
  })

  test('are not taken down by a neighbour that the database refuses', async ({ queue, rows }) => {
    await queue.enqueue('opens the queue')
    await rows(`
      alter table {schema}.jobs add constraint nothing_bad check (args ->> 'bad' is null)`)
    const results = await Promise.allSettled(
      Array.from({ length: 40 }, (_, n) => queue.enqueue(n % 13 === 7 ? { bad: n } : { good: n })),
    )
    const refused = results.flatMap((result, n) => (result.status === 'rejected' ? [n] : []))
    expect(refused).toEqual([7, 20, 33])
    // The error of the database comes through as its driver threw it.
    expect(results[7]).toMatchObject({ reason: { code: '23514' } })
    expect(await queue.counts()).toMatchObject({ available: 38 })
  })

  test('are not held up by a caller who gave up', async ({ queue }) => {
    await queue.enqueue('opens the queue')
    const signals = Array.from({ length: 30 }, () => new AbortController())
    const enqueued = Promise.allSettled(
      signals.map(({ signal }, n) => queue.enqueue(n, { signal })),
    )
    signals.forEach((caller, n) => n % 2 === 0 && caller.abort(new Error(`gone ${n}`)))
    const statuses = (await enqueued).map((result) => result.status)
    expect(statuses).toEqual(signals.map((_, n) => (n % 2 === 0 ? 'rejected' : 'fulfilled')))
    expect(await queue.counts()).toMatchObject({ available: 16 })
  })
})

test('calls that come while an insert is under way share the next statement', async ({
  db,
  schema,
}) => {
  const sizes: number[] = []
  const first = gate()
  const counted: DB = {
    query: async (text, values) => {
      const answer = await db.query(text, values)
      if (text.includes('jobs (queue_id, args')) {
        const [row] = answer.rows as { ids?: string }[]
        sizes.push(row?.ids?.split(',').length ?? 1) // one job by itself answers its id
        if (sizes.length === 1) await first.opened
      }
      return answer
    },
    transaction: (work) => inTransaction(db, work),
  }
  const queue = new JobQueue<number>(counted, { schema })
  await queue.enqueueMany([]) // opens nothing
  const early = queue.enqueue(0)
  await expect.poll(() => sizes, { timeout: PATIENCE_MS }).toEqual([1])
  const second = queue.enqueue(1)
  await expect.poll(() => sizes, { timeout: PATIENCE_MS }).toEqual([1, 1])
  void second
  first.open()
  await early
  const rest = Array.from({ length: 100 }, (_, n) => queue.enqueue(n))
  await Promise.all(rest)
  expect(sizes).toEqual([1, 1, 100])
})

test('a lost answer is told as OUTCOME_UNKNOWN, and nothing is sent twice', async ({
  db,
  schema,
  rows,
}) => {
  let inserts = 0
  const lossy: DB = {
    query: async (text, values) => {
      const answer = await db.query(text, values)
      if (!text.includes('jobs (queue_id, args')) return answer
      inserts += 1
      throw Object.assign(new Error('Connection terminated unexpectedly'), { code: 'ECONNRESET' })
    },
    transaction: (work) => inTransaction(db, work),
  }
  const queue = new JobQueue<string>(lossy, { schema })
  const error = await refusal(queue.enqueue('perhaps'))
  expect(error).toMatchObject({ code: 'OUTCOME_UNKNOWN' })
  expect(error.cause).toMatchObject({ code: 'ECONNRESET' })
  expect(error.message).toContain('may or may not exist')
  expect(await refusal(queue.enqueueMany([{ args: 'many' }]))).toMatchObject({
    code: 'OUTCOME_UNKNOWN',
  })
  expect(inserts).toBe(2)
  expect(await rows('select args from {schema}.jobs order by id')).toEqual([
    { args: 'perhaps' },
    { args: 'many' },
  ])
})

testOnPGlite(
  'inside a PGlite transaction an enqueue without tx is refused, and its neighbour outside is not',
  async ({ db, queue }) => {
    await queue.enqueue('opens the queue')
    const go = gate()
    const outside = go.opened.then(() => queue.enqueue('outside'))
    const inside = await db.transaction(async () => {
      const single = errorOf(queue.enqueue('inside'))
      go.open()
      return [await single, await errorOf(queue.enqueueMany([{ args: 'inside too' }]))]
    })
    const refused = { code: 'INVALID_OPTION', details: { option: 'tx' } }
    expect(inside).toMatchObject([refused, refused])
    expect(await outside).toMatchObject({ args: 'outside' })
    expect(await queue.counts()).toMatchObject({ available: 2 })
  },
)
