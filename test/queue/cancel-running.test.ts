import { Discard, MillraceError, Querier, Snooze, type JobQueue } from '../../src/index.ts'
import { describeEachDatabase, expect, type Fixtures } from '../support/fixtures.ts'
import { aborted, gate, inTransaction, rolledBack } from './arrange.ts'

/** A queue whose job runs until its signal aborts, and then ends as told. */
function cancellable(
  openQueue: Fixtures['openQueue'],
  end: () => unknown,
  options?: Parameters<Fixtures['openQueue']>[0],
): { queue: JobQueue; started: Promise<void>; reasons: unknown[] } {
  const started = gate()
  const reasons: unknown[] = []
  const queue: JobQueue = openQueue<unknown, unknown>(
    async (job, { signal }) => {
      if (job.args === 'quick') return undefined
      started.open()
      reasons.push(await aborted(signal))
      return end()
    },
    { pollInterval: '1h', ...(options as object) },
  )
  return { queue, started: started.opened, reasons }
}

describeEachDatabase('cancelling a job that runs', (test) => {
  test('aborts its signal with CANCELLED; if its handler throws, it is cancelled', async ({
    openQueue,
    receive,
    seen,
    events,
  }) => {
    const { queue, started, reasons } = cancellable(
      openQueue,
      () => {
        throw new Error('stopped half-way')
      },
      { dlq: 'letters' },
    )
    const job = await queue.enqueue(1, { maxRetries: 5 })
    receive(queue)
    await started
    expect(await queue.cancel(job.id)).toBe(true)
    await seen('job.cancel_requested', job.id)
    await seen('job.cancelled', job.id)
    expect(reasons).toEqual([expect.any(MillraceError)])
    expect(reasons[0]).toMatchObject({ code: 'CANCELLED', details: { jobId: job.id } })
    const record = await queue.get(job.id)
    expect(record).toMatchObject({ status: 'cancelled', queueName: 'default', attempt: 1 })
    expect(record).toMatchObject({ errorCount: 0, cancelRequestedAt: null })
    expect(record?.startedAt).toEqual(expect.any(Date))
    expect(events.all('job.retried')).toEqual([])
    expect(await queue.cancel(job.id)).toBe(false)
    expect(await queue.retry(job.id)).toBe(true) // as of any cancelled job
  })

  test('if its handler returns all the same, it is finished', async ({
    openQueue,
    receive,
    seen,
    events,
  }) => {
    const { queue, started } = cancellable(openQueue, () => 'done after all')
    const job = await queue.enqueue(1)
    receive(queue)
    await started
    expect(await queue.cancel(job.id)).toBe(true)
    await seen('job.finished', job.id)
    expect(await queue.get(job.id)).toMatchObject({ status: 'finished', result: 'done after all' })
    expect(events.all('job.cancelled')).toEqual([])
  })

  const endings: readonly [name: string, end: () => never][] = [
    [
      'snoozes',
      () => {
        throw new Snooze('1h')
      },
    ],
    [
      'discards it',
      () => {
        throw new Discard('no')
      },
    ],
  ]
  for (const [name, end] of endings) {
    test(`if its handler ${name}, it is cancelled`, async ({ openQueue, receive, seen }) => {
      const { queue, started } = cancellable(openQueue, end)
      const job = await queue.enqueue(1)
      receive(queue)
      await started
      await queue.cancel(job.id)
      await seen('job.cancelled', job.id)
      expect(await queue.counts()).toMatchObject({ cancelled: 1, available: 0, failed: 0 })
    })
  }

  test('a failure that comes before the process heard of it ends as cancelled as well', async ({
    openQueue,
    receive,
    rows,
    seen,
  }) => {
    const [started, end] = [gate(), gate()]
    const queue = openQueue<unknown, unknown>(async () => {
      started.open()
      await end.opened
      throw new Error('on purpose')
    })
    const job = await queue.enqueue(1)
    receive(queue)
    await started.opened
    // Nobody is told: the process hears of it from the settle, unless it happens to look before.
    await rows('update {schema}.jobs set cancel_requested_at = now()')
    expect((await queue.get(job.id))?.cancelRequestedAt).toEqual(expect.any(Date))
    end.open()
    await seen('job.cancelled', job.id)
    expect(await queue.get(job.id)).toMatchObject({ status: 'cancelled', attempt: 1 })
  })

  test('in a FIFO queue the next one runs', async ({ openQueue, receive, seen }) => {
    const { queue, started } = cancellable(
      openQueue,
      () => {
        throw new Error('stopped')
      },
      { fifo: true },
    )
    const [head, next] = [await queue.enqueue(1), await queue.enqueue('quick')]
    receive(queue)
    await started
    await queue.cancel(head.id)
    await seen('job.cancelled', head.id)
    await seen('job.finished', next.id)
  })

  test('many at once: by ids, and by a filter that names running jobs', async ({
    openQueue,
    receive,
    db,
    schema,
    seen,
    events,
  }) => {
    const { queue } = cancellable(openQueue, () => {
      throw new Error('stopped')
    })
    const [one, two] = [await queue.enqueue(1), await queue.enqueue(2)]
    receive(queue)
    await seen('job.started', one.id)
    await seen('job.started', two.id)
    const later = await queue.enqueue(3, { delay: '1h' })
    const querier = new Querier(db, { schema })
    expect(await queue.cancelWhere({ status: 'running' }, { dryRun: true })).toMatchObject({
      count: 2,
    })
    const many = await querier.cancelMany('default', [later.id, one.id, '987654'])
    expect(many.toSorted()).toEqual([one.id, later.id].toSorted())
    await seen('job.cancelled', one.id)
    // Without that status only what waits is meant.
    expect(await queue.cancelWhere({ all: true })).toEqual({ changed: 0, refused: 0 })
    expect(events.all('job.cancelled', two.id)).toEqual([])
    expect(await queue.cancelWhere({ status: 'running' })).toEqual({ changed: 1, refused: 0 })
    await seen('job.cancelled', two.id)
  })

  test('in a transaction of the caller, its process is asked when that commits', async ({
    openQueue,
    receive,
    db,
    schema,
    seen,
    events,
  }) => {
    const { queue, started } = cancellable(openQueue, () => {
      throw new Error('stopped')
    })
    const job = await queue.enqueue(1)
    receive(queue)
    await started
    const querier = new Querier(db, { schema })
    expect(await rolledBack(db, (tx) => querier.withTx(tx).cancel('default', job.id))).toBe(true)
    expect(await queue.get(job.id)).toMatchObject({ status: 'running', cancelRequestedAt: null })
    expect(events.all('job.cancel_requested')).toEqual([])
    await inTransaction(db, (tx) => querier.withTx(tx).cancel('default', job.id))
    await seen('job.cancelled', job.id)
  })

  test('a drain counts a cancelled job as nothing', async ({ openQueue, seen }) => {
    const { queue, started } = cancellable(openQueue, () => {
      throw new Error('stopped')
    })
    const job = await queue.enqueue(1)
    const drained = queue.drain()
    await started
    await queue.cancel(job.id)
    expect(await drained).toEqual({ finished: 0, failed: 0, retried: 0 })
    await seen('job.cancelled', job.id)
  })
})
