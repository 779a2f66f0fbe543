import { Pool } from 'pg'
import { JobQueue, migrateDown, Querier } from '../../src/index.ts'
import type { DB } from '../../src/index.ts'
import { describeEachDatabase, expect, test } from '../support/fixtures.ts'
import { countRows, refusal } from './arrange.ts'

describeEachDatabase('opening a queue', (test) => {
  test('makes its row and that of its dead-letter queue at the first enqueue', async ({
    openQueue,
    rows,
  }) => {
    const queue = openQueue({ queueName: 'emails', dlq: 'emails-dead' })
    expect(await countRows(rows)).toMatchObject({ queues: 0 })
    await queue.enqueue(1)
    const stored = await rows(`
      select queues.name, queues.is_fifo, dead.name as dlq
      from {schema}.queues
      left join {schema}.queues as dead on dead.id = queues.dlq_id
      order by queues.name`)
    expect(stored).toEqual([
      { name: 'emails', is_fifo: false, dlq: 'emails-dead' },
      // Nobody has opened it, so that it may still become a FIFO queue.
      { name: 'emails-dead', is_fifo: null, dlq: null },
    ])
  })

  test('makes its row at the first receive', async ({ openQueue, receive, untilRow }) => {
    receive(openQueue(() => undefined, { queueName: 'received' }))
    expect(await untilRow('select name from {schema}.queues')).toEqual({ name: 'received' })
  })

  test('makes no row only to look at it', async ({ openQueue, rows }) => {
    const queue = openQueue({ queueName: 'only looked at' })
    expect(await queue.get('1')).toBeUndefined()
    expect(await queue.counts()).toEqual({
      ...{ available: 0, running: 0, finished: 0, failed: 0, cancelled: 0 },
    })
    expect(await queue.counts({ estimate: true })).toMatchObject({ available: 0 })
    expect(await queue.cancel('1')).toBe(false)
    expect(await queue.retry('1')).toBe(false)
    expect(await queue.delete('1')).toBe(false)
    expect(await queue.redrive()).toBe(0)
    expect(await countRows(rows)).toMatchObject({ queues: 0 })
  })

  test('finds a queue that another one has made since it was looked for', async ({ openQueue }) => {
    const [looking, making] = [openQueue(), openQueue()]
    expect(await looking.get('1')).toBeUndefined()
    const job = await making.enqueue('made')
    expect(await looking.get(job.id)).toMatchObject({ args: 'made' })
  })

  test.for([
    { stored: true, opened: false },
    { stored: false, opened: true },
  ])(
    'is refused by enqueue and by receive when fifo is $opened and stored as $stored',
    async ({ stored, opened }, { openQueue, db, schema, rows }) => {
      const options = { queueName: 'strict', fifo: stored }
      await openQueue(options).enqueue(1)
      const other = openQueue(() => undefined, { ...options, fifo: opened })
      const before = await countRows(rows)
      const { signal } = new AbortController()
      for (const refused of [
        other.enqueue(2),
        other.enqueueMany([{ args: 2 }]),
        other.receive({ signal }),
        other.drain(),
      ]) {
        const error = await refusal(refused)
        expect(error).toMatchObject({
          code: 'QUEUE_MODE_MISMATCH',
          details: {
            queueName: 'strict',
            stored: stored ? 'fifo' : 'concurrent',
            requested: opened ? 'fifo' : 'concurrent',
          },
        })
        expect(error.message).toContain(`fifo: ${stored}`)
      }
      expect(await countRows(rows)).toEqual(before)
      expect(await new Querier(db, { schema }).queues()).toMatchObject([{ fifo: stored }])
    },
  )

  test('decides how a queue works that was only known as a dead-letter queue', async ({
    openQueue,
  }) => {
    await openQueue({ dlq: 'dead' }).enqueue(1)
    await openQueue({ queueName: 'dead', fifo: true }).enqueue(2)
    const error = await refusal(openQueue({ queueName: 'dead' }).enqueue(3))
    expect(error.code).toBe('QUEUE_MODE_MISMATCH')
    await openQueue({ dlq: 'dead' }).enqueue(4) // whose dead-letter queue it is does not matter
  })

  test('takes the settings of a queue with a worker, not of one that only enqueues', async ({
    openQueue,
    rows,
  }) => {
    const stored = (): Promise<unknown[]> =>
      rows(
        'select keep_finished_ms::text as kept, base_retry_delay_ms as base from {schema}.queues',
      )
    await openQueue({ keepFinished: '1h' }).enqueue(1)
    await openQueue(() => undefined, { keepFinished: '2h', baseRetryDelay: '5s' }).enqueue(2)
    expect(await stored()).toEqual([{ kept: '7200000', base: 5000 }])
    await openQueue({ keepFinished: '3h' }).enqueue(3)
    expect(await stored()).toEqual([{ kept: '7200000', base: 5000 }])
  })

  test('opens again after it was refused', async ({ openQueue, rows }) => {
    const queue = openQueue({ queueName: 'late' })
    await rows('alter table {schema}.queues rename to elsewhere')
    expect(await refusal(queue.enqueue(1))).toMatchObject({ code: 'SCHEMA_MISSING' })
    await rows('alter table {schema}.elsewhere rename to queues')
    expect(await queue.enqueue(2)).toMatchObject({ args: 2 })
  })
})

test('the constructor does no I/O', async () => {
  const touched: string[] = []
  const db = new Proxy({ query: () => undefined, transaction: () => undefined } as unknown as DB, {
    get: (target, name, receiver): unknown => {
      const value: unknown = Reflect.get(target, name, receiver)
      return typeof value === 'function' ? () => touched.push(String(name)) : value
    },
  })
  expect(new JobQueue(db, () => undefined, { dlq: 'dead', fifo: true }).queueName).toBe('default')
  const pool = new Pool({ host: 'nowhere.invalid' })
  expect(new JobQueue(pool, { queueName: 'emails' }).queueName).toBe('emails')
  expect({ touched, connections: pool.totalCount }).toEqual({ touched: [], connections: 0 })
  await pool.end()
})

test('a schema that is missing is said with what to run, by everything that needs it', async ({
  db,
  schema,
}) => {
  await migrateDown(db, { to: 0, schema })
  const queue = new JobQueue(db, () => undefined, { schema })
  const { signal } = new AbortController()
  const client = await db.connect()
  await client.query('begin')
  const refused = [
    () => queue.enqueue(1),
    () => queue.enqueue(1, { tx: client }),
    () => queue.receive({ signal }),
    () => queue.drain(),
    () => queue.get('1'),
    () => queue.counts(),
    () => new Querier(db, { schema }).list('default'),
  ]
  for (const refuse of refused) {
    const error = await refusal(refuse())
    expect(error).toMatchObject({ code: 'SCHEMA_MISSING', details: { schema } })
    expect(error.message).toContain(`migrateUp(db, { schema: ${JSON.stringify(schema)} })`)
  }
  // The refusal did not take the caller's transaction with it.
  expect((await client.query('select 1 as one')).rows).toEqual([{ one: 1 }])
  await client.query('rollback')
  client.release()
})
