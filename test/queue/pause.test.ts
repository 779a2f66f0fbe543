import { setTimeout as sleep } from 'node:timers/promises'
import { Querier } from '../../src/index.ts'
import { wakeAddress } from '../../src/store/wake.ts'
import { describeEachDatabase, expect, test as onServer } from '../support/fixtures.ts'
import { gate, inTransaction, refusal, rolledBack } from './arrange.ts'

describeEachDatabase('pause and resume', (test) => {
  for (const fifo of [false, true]) {
    const kind = fifo ? 'FIFO queue' : 'queue'
    test(`nothing of a paused ${kind} starts, and what is due starts when it is resumed`, async ({
      openQueue,
      receive,
      seen,
      events,
    }) => {
      const queue = openQueue(() => undefined, { fifo, pollInterval: '1h' })
      expect(await queue.pause()).toBe(true)
      const first = await queue.enqueue(1)
      receive(queue)
      await seen('queue.paused', { queueName: 'default' })
      const second = await queue.enqueue(2)
      await sleep(50)
      expect(events.all('job.started')).toEqual([])
      expect(await queue.counts()).toMatchObject({ available: 2, running: 0 })

      expect(await queue.resume()).toBe(true)
      await seen('job.finished', first.id)
      await seen('job.finished', second.id)
      await seen('queue.resumed', { queueName: 'default' })
    })
  }

  test('what runs goes on to its end, and what was claimed ahead of it is given back', async ({
    openQueue,
    receive,
    seen,
    events,
    untilRow,
  }) => {
    const [started, end] = [gate(), gate()]
    const queue = openQueue<unknown, unknown>((job) => {
      if (job.args !== 'long') return undefined
      started.open()
      return end.opened
    })
    receive(queue, { concurrency: 1 })
    // Short runs first, so that it claims ahead.
    await queue.enqueueMany(Array.from({ length: 30 }, (_, args) => ({ args })))
    const long = await queue.enqueue('long', { priority: 4 })
    await started.opened
    await queue.enqueueMany(Array.from({ length: 10 }, (_, args) => ({ args })))
    await queue.pause()
    await untilRow('select count(*)::int4 as n from {schema}.jobs where claimed_by > 0', [], {
      fits: ({ n }) => n === 1,
    })
    const before = events.all('job.started').length
    end.open()
    await seen('job.finished', long.id)
    await seen('queue.paused')
    await sleep(50)
    expect(events.all('job.started')).toHaveLength(before)
    await queue.resume()
    await seen('job.finished', undefined, { nth: 41 })
  })

  test('a retry that becomes due in a paused queue waits for it to go on', async ({
    openQueue,
    receive,
    seen,
    events,
  }) => {
    const queue = openQueue(
      ({ attempt }) => {
        if (attempt === 1) throw new Error('on purpose')
      },
      { baseRetryDelay: '300ms', pollInterval: '20ms' },
    )
    receive(queue)
    const job = await queue.enqueue(1)
    await seen('job.retried', job.id)
    await queue.pause()
    await seen('queue.paused')
    await sleep(400)
    expect(events.all('job.started')).toHaveLength(1)
    await queue.resume()
    await seen('job.finished', job.id)
  })

  test('a drain of a paused queue finds nothing due, and ends', async ({ openQueue }) => {
    const queue = openQueue(() => undefined)
    await queue.enqueue(1)
    await queue.pause()
    expect(await queue.drain()).toEqual({ finished: 0, failed: 0, retried: 0 })
    await queue.resume()
    expect(await queue.drain()).toMatchObject({ finished: 1 })
  })

  test('a suspect waits as well', async ({ openQueue, rows, receive, seen, events }) => {
    const queue = openQueue(() => undefined, { pollInterval: '20ms' })
    const job = await queue.enqueue(1)
    await rows(
      'with parked as (update {schema}.jobs set claimed_by = 0, is_suspect = true returning queue_id, id) insert into {schema}.suspects select queue_id, id from parked',
    )
    await queue.pause()
    receive(queue)
    await seen('queue.paused')
    await sleep(100)
    expect(events.all('job.started')).toEqual([])
    await queue.resume()
    await seen('job.finished', job.id)
  })

  test('of two queues in a process only the paused one rests', async ({
    openQueue,
    receive,
    seen,
    events,
  }) => {
    const paused = openQueue(() => undefined, { queueName: 'paused' })
    const other = openQueue(() => undefined, { queueName: 'other' })
    await paused.pause()
    receive(paused)
    receive(other)
    const waits = await paused.enqueue(1)
    const job = await other.enqueue(1)
    await seen('job.finished', job.id)
    expect(events.all('job.started', waits.id)).toEqual([])
  })

  test('says who paused it, when and why', async ({ openQueue, db, schema }) => {
    const queue = openQueue()
    const querier = new Querier(db, { schema })
    await queue.pause({ by: 'ada', reason: 'the provider is down' })
    const paused = { at: expect.any(Date) as Date, by: 'ada', reason: 'the provider is down' }
    expect(await querier.queues()).toMatchObject([{ name: 'default', paused }])
    expect(await queue.pause({ by: 'grace' })).toBe(false) // and changes nothing
    expect(await querier.queues()).toMatchObject([{ paused }])
    expect(await queue.resume()).toBe(true)
    expect(await querier.queues()).toMatchObject([{ paused: null }])
    expect(await queue.resume()).toBe(false)
  })

  test('makes the queue where there is none yet; resuming does not', async ({
    openQueue,
    rows,
  }) => {
    const queue = openQueue({ fifo: true })
    expect(await queue.resume()).toBe(false)
    expect(await rows('select from {schema}.queues')).toEqual([])
    expect(await queue.pause()).toBe(true)
    expect(await rows('select is_fifo from {schema}.queues')).toEqual([{ is_fifo: true }])
    // Whoever pauses a queue at night need not know how it was opened.
    expect(await openQueue({ fifo: false }).resume()).toBe(true)
  })

  test('by a Querier, also in a transaction', async ({ openQueue, db, schema, receive, seen }) => {
    const queue = openQueue(() => undefined)
    const querier = new Querier(db, { schema })
    expect(await querier.pause('default')).toBe(false) // there is none yet
    const job = await queue.enqueue(1)
    await rolledBack(db, (tx) => querier.withTx(tx).pause('default'))
    expect(await querier.queues()).toMatchObject([{ paused: null }])
    await inTransaction(db, async (tx) => {
      expect(await querier.withTx(tx).pause('default', { by: 'tx' })).toBe(true)
    })
    receive(queue)
    await seen('queue.paused')
    await inTransaction(db, (tx) => querier.withTx(tx).resume('default'))
    await seen('job.finished', job.id)
  })

  const mistakes: readonly [options: unknown, option: string][] = [
    [{ by: '' }, 'by'],
    [{ by: 7 }, 'by'],
    [{ by: 'x'.repeat(201) }, 'by'],
    [{ reason: 'a\u0000b' }, 'reason'],
    [{ reason: null }, 'reason'],
    [{ why: 'x' }, 'why'],
  ]
  test('refuses what says nothing, before anything is written', async ({ openQueue, rows }) => {
    const untyped = openQueue() as unknown as { pause(options: unknown): Promise<boolean> }
    for (const [options, option] of mistakes) {
      const error = await refusal(untyped.pause(options))
      expect(error).toMatchObject({ code: 'INVALID_OPTION', details: { option } })
    }
    expect(await rows('select from {schema}.queues')).toEqual([])
  })
})

onServer(
  'an enqueue into a paused queue calls nobody who sleeps',
  async ({ openQueue, receive, seen, untilRow, schema, queue: producer }) => {
    const queue = openQueue(() => undefined)
    const asleep = (n: number): Promise<unknown> =>
      untilRow(
        `select count(*)::int4 as n from pg_locks
       where locktype = 'advisory' and mode = 'ShareLock' and granted and classid = $1::int8::oid`,
        [wakeAddress(schema).lockClass >>> 0],
        { fits: (row) => row['n'] === n },
      )
    receive(queue)
    await producer.enqueue(1)
    await seen('job.finished')
    await asleep(1)
    await queue.pause()
    await asleep(0)
    await queue.resume()
    await asleep(1)
  },
)
