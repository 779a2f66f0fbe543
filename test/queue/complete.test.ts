import { Pool } from 'pg'
import type { Job, WorkContext } from '../../src/index.ts'
import { describeEachDatabase, expect, test } from '../support/fixtures.ts'
import { aborted, errorOf, gate, inTransaction, RollBack } from './arrange.ts'

const EFFECTS = 'create table {schema}.effects (n int)'
const COUNT_EFFECTS = 'select count(*)::int4 as n from {schema}.effects'

describeEachDatabase('context.complete', (test) => {
  test('finishes the job in the transaction of the worker, together with its effects', async ({
    db,
    openQueue,
    rows,
    events,
  }) => {
    await rows(EFFECTS)
    const { effects } = await names(rows)
    const queue = openQueue<number, { n: number }>(async (job, { complete }) => {
      await inTransaction(db, async (tx) => {
        await tx.query(`insert into ${effects} values (${job.args})`)
        await complete(tx, { n: job.args })
      })
      return { n: -1 } // the result is what complete was given
    })
    const job = await queue.enqueue(7)
    expect(await queue.drain()).toEqual({ finished: 1, failed: 0, retried: 0 })
    const record = await queue.get(job.id)
    expect(record).toMatchObject({ status: 'finished', attempt: 1, result: { n: 7 }, errors: [] })
    expect(record?.startedAt).toBeInstanceOf(Date)
    expect(record?.finishedAt).toBeInstanceOf(Date)
    expect(await rows(COUNT_EFFECTS)).toEqual([{ n: 1 }])
    expect(events.all('job.finished')).toMatchObject([{ jobId: job.id, attempt: 1 }])
    expect(events.all('job.lease_lost')).toEqual([])
  })

  test('followed by a rollback and a normal return counts as a failed run', async ({
    db,
    openQueue,
    rows,
  }) => {
    await rows(EFFECTS)
    const { effects } = await names(rows)
    const queue = openQueue(
      async (job, { complete }) => {
        const rollsBack = job.attempt === 1
        const done = inTransaction(db, async (tx) => {
          await tx.query(`insert into ${effects} values (1)`)
          await complete(tx, 'done')
          if (rollsBack) throw new RollBack()
        })
        await (rollsBack ? errorOf(done) : done)
      },
      { baseRetryDelay: 0 },
    )
    const job = await queue.enqueue(1)
    expect(await queue.drain()).toEqual({ finished: 1, failed: 0, retried: 1 })
    expect(await queue.get(job.id)).toMatchObject({
      status: 'finished',
      attempt: 2,
      result: 'done',
      errorCount: 1,
      errors: [{ attempt: 1, name: 'MillraceError' }],
    })
    const [error] = (await queue.get(job.id))?.errors ?? []
    expect(error?.message).toContain('rolled back')
    expect(await rows(COUNT_EFFECTS)).toEqual([{ n: 1 }])
  })

  test('followed by a rollback and the error that caused it fails the run with that error', async ({
    db,
    openQueue,
  }) => {
    const queue = openQueue(async (_job, { complete }) => {
      await inTransaction(db, async (tx) => {
        await complete(tx)
        throw new RangeError('after complete, before commit')
      })
    })
    const job = await queue.enqueue(1, { maxRetries: 0 })
    expect(await queue.drain()).toMatchObject({ failed: 1 })
    // What a rollback leaves behind is said as for any run: the job was not finished.
    expect(await queue.get(job.id)).toMatchObject({ status: 'failed', result: undefined })
    const [error] = (await queue.get(job.id))?.errors ?? []
    expect(error).toMatchObject({ name: 'RangeError', message: 'after complete, before commit' })
  })

  test('followed by an error after the commit is logged and changes nothing', async ({
    db,
    openQueue,
    events,
    log,
  }) => {
    const queue = openQueue(async (_job, { complete }) => {
      await inTransaction(db, (tx) => complete(tx, 'kept'))
      throw new Error('the mail server is down')
    })
    const job = await queue.enqueue(1)
    expect(await queue.drain()).toEqual({ finished: 1, failed: 0, retried: 0 })
    expect(await queue.get(job.id)).toMatchObject({
      status: 'finished',
      result: 'kept',
      errors: [],
    })
    expect(events.all('complete.error_after')).toMatchObject([
      { jobId: job.id, error: { message: 'the mail server is down' } },
    ])
    const warnings = log.filter((line) => line.level === 'warn').map((line) => line.message)
    expect(warnings.join('\n')).toMatch(/threw after its transaction had committed.*mail server/)
  })

  test('stores null, and nothing where nothing was passed', async ({ db, openQueue }) => {
    const queue = openQueue(async (job, { complete }) => {
      await inTransaction(db, (tx) => (job.args === 'null' ? complete(tx, null) : complete(tx)))
    })
    const [first, second] = await queue.enqueueMany([{ args: 'null' }, { args: 'nothing' }])
    await queue.drain()
    expect((await queue.get(first?.id ?? ''))?.result).toBeNull()
    expect((await queue.get(second?.id ?? ''))?.result).toBeUndefined()
  })

  test('leaves no trace of the job where finished jobs are not kept', async ({
    db,
    openQueue,
    rows,
  }) => {
    const queue = openQueue(
      async (job, { complete }) => {
        const rollsBack = job.attempt === 1
        await errorOf(
          inTransaction(db, async (tx) => {
            await complete(tx, 'gone')
            if (rollsBack) throw new RollBack()
          }),
        ).catch(() => undefined)
      },
      { keepFinished: false, baseRetryDelay: 0 },
    )
    const job = await queue.enqueue(1)
    expect(await queue.drain()).toEqual({ finished: 1, failed: 0, retried: 1 })
    expect(await queue.get(job.id)).toBeUndefined()
    expect(await rows('select count(*)::int4 as n from {schema}.job_errors')).toEqual([{ n: 0 }])
  })

  test('with a result that JSON cannot carry finishes the job without it', async ({
    db,
    openQueue,
    events,
  }) => {
    const queue = openQueue(async (_job, { complete }) => {
      await inTransaction(db, (tx) => complete(tx, { big: 1n }))
    })
    const job = await queue.enqueue(1)
    expect(await queue.drain()).toMatchObject({ finished: 1 })
    expect(await queue.get(job.id)).toMatchObject({ status: 'finished', result: undefined })
    expect(events.all('result.not_stored')).toMatchObject([
      { jobId: job.id, error: { code: 'RESULT_NOT_STORED' } },
    ])
  })

  test('called again after a rollback settles the job in the next transaction', async ({
    db,
    openQueue,
  }) => {
    const queue = openQueue(async (_job, { complete }) => {
      await errorOf(
        inTransaction(db, async (tx) => {
          await complete(tx, 'first')
          throw new RollBack()
        }),
      )
      await inTransaction(db, (tx) => complete(tx, 'second'))
    })
    const job = await queue.enqueue(1)
    expect(await queue.drain()).toEqual({ finished: 1, failed: 0, retried: 0 })
    expect(await queue.get(job.id)).toMatchObject({ status: 'finished', result: 'second' })
  })

  test('called twice rejects the second time, and says that the job is settled', async ({
    db,
    openQueue,
  }) => {
    const errors: unknown[] = []
    const queue = openQueue(async (_job, { complete }) => {
      await inTransaction(db, async (tx) => {
        await complete(tx, 'once')
        errors.push(await errorOf(complete(tx, 'twice')))
      })
      errors.push(await errorOf(inTransaction(db, (tx) => complete(tx, 'thrice'))))
    })
    const job = await queue.enqueue(1)
    expect(await queue.drain()).toMatchObject({ finished: 1 })
    expect(errors).toMatchObject([{ code: 'LEASE_LOST' }, { code: 'LEASE_LOST' }])
    expect(String(errors[0])).toContain('complete was called before')
    expect(await queue.get(job.id)).toMatchObject({ result: 'once' })
  })

  test('rejects with LEASE_LOST when the job is no longer this worker’s, and its effects roll back', async ({
    db,
    openQueue,
    receive,
    seen,
    rows,
  }) => {
    await rows(EFFECTS)
    const { effects } = await names(rows)
    const taken = gate()
    const errors: unknown[] = []
    const queue = openQueue(async (_job, { complete }) => {
      await taken.opened
      const error = await errorOf(
        inTransaction(db, async (tx) => {
          await tx.query(`insert into ${effects} values (1)`)
          await complete(tx, 'mine')
        }),
      )
      errors.push(error)
      throw error
    })
    receive(queue)
    const job = await queue.enqueue(1)
    await seen('job.started', job.id)
    // As if somebody had taken this worker for dead and another one had claimed the job.
    await rows('update {schema}.jobs set claimed_by = 999, claim_no = 1')
    taken.open()
    await seen('job.lease_lost', job.id)
    expect(errors).toMatchObject([{ code: 'LEASE_LOST', details: { jobId: job.id } }])
    expect(await rows(COUNT_EFFECTS)).toEqual([{ n: 0 }])
    expect(await queue.get(job.id)).toMatchObject({ status: 'running', errorCount: 0 })
  })

  test('that rolled back is not said to have finished when the lease was lost since', async ({
    db,
    openQueue,
    events,
    rows,
    untilRow,
  }) => {
    let runs = 0
    const queue = openQueue(async (_job, { complete, signal }) => {
      runs += 1
      const isFirst = runs === 1
      const work = inTransaction(db, async (tx) => {
        await complete(tx)
        if (isFirst) throw new RollBack()
      })
      await work.catch(() => undefined)
      if (!isFirst) return
      // As an observer and a rescuer would who had not heard of this process for a lease.
      await rows('update {schema}.workers set dead_at = now(), rescued_at = now()')
      await rows('update {schema}.jobs set claimed_by = null, claim_no = null, started_at = null')
      await rows('update {schema}.queues set rewind = rewind + 1')
      await aborted(signal)
    })
    const job = await queue.enqueue(1)
    const stop = new AbortController()
    const received = queue.receive({ signal: stop.signal, leaseTimeout: '1s' })
    try {
      await untilRow(`select 1 from {schema}.history where outcome = 'finished'`)
      await events.seen('job.lease_lost', job.id)
    } finally {
      stop.abort()
      await received
    }
    expect(events.all('job.lease_lost', { jobId: job.id })).toHaveLength(1)
    expect(events.all('job.finished', { jobId: job.id })).toHaveLength(1)
  })

  test('refuses what is no transaction', async ({ db, openQueue }) => {
    const errors: unknown[] = []
    const queue = openQueue(async (_job, { complete }) => {
      for (const tx of [db, undefined, 5, {}]) errors.push(await errorOf(complete(tx as never)))
    })
    const job = await queue.enqueue(1)
    await queue.drain()
    expect(errors).toMatchObject(Array.from({ length: 4 }, () => ({ code: 'INVALID_DATABASE' })))
    expect(await queue.get(job.id)).toMatchObject({ status: 'finished', errors: [] })
  })

  test('keeps a FIFO queue in order, whether the transaction commits or not', async ({
    db,
    openQueue,
  }) => {
    const trace: unknown[] = []
    const queue = openQueue(
      async (job: Job<string>, { complete }: WorkContext<string>) => {
        trace.push(`${job.args} ${job.attempt}`)
        const done = inTransaction(db, async (tx) => {
          await complete(tx)
          if (job.args === 'b' && job.attempt === 1) throw new RollBack()
        })
        await done.catch(() => undefined)
      },
      { fifo: true, baseRetryDelay: 0 },
    )
    await queue.enqueueMany(['a', 'b', 'c'].map((args) => ({ args })))
    expect(await queue.drain()).toEqual({ finished: 3, failed: 0, retried: 1 })
    expect(trace).toEqual(['a 1', 'b 1', 'b 2', 'c 1'])
  })
})

async function names(
  rows: (sql: string) => Promise<Record<string, unknown>[]>,
): Promise<{ effects: string }> {
  const [row] = await rows(`select '{schema}.effects'::regclass::text as effects`)
  return { effects: String(row?.['effects']) }
}

test('a job that completed itself is finished also when a stop comes before its handler returns', async ({
  db,
  openQueue,
  receive,
  seen,
  events,
}) => {
  const completed = gate()
  const queue = openQueue(async (_job, { complete, signal }) => {
    await inTransaction(db, (tx) => complete(tx, 'done'))
    completed.open()
    await new Promise((_resolve, reject) =>
      signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true }),
    )
  })
  const receiving = receive(queue, { shutdownTimeout: 0 })
  const job = await queue.enqueue(1)
  await completed.opened
  await receiving.stop()
  await seen('job.finished', job.id)
  expect(events.all('job.lease_lost')).toEqual([])
  expect(await queue.get(job.id)).toMatchObject({ status: 'finished', result: 'done' })
})

test('one handler that completes does not wait for the transaction of another', async ({
  databaseUrl,
  openQueue,
  receive,
  seen,
}) => {
  const pool = new Pool({ connectionString: databaseUrl, max: 4 })
  const release = gate()
  const queue = openQueue(async (job, { complete }) => {
    await inTransaction(pool, async (tx) => {
      await complete(tx)
      if (job.args === 'slow') await release.opened
    })
  })
  receive(queue)
  const slow = await queue.enqueue('slow')
  await seen('job.started', slow.id)
  const quick = await queue.enqueue('quick')
  await seen('job.finished', quick.id)
  release.open()
  await seen('job.finished', slow.id)
  await pool.end()
})
