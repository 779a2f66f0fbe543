import { describeEachDatabase, expect, until, type Fixtures } from '../support/fixtures.ts'
import { aborted, errorOf, gate, inTransaction } from './arrange.ts'

/** Counts the statements that store what runs say, also those that find nothing to store. */
async function countWrites(rows: Fixtures['rows']): Promise<() => Promise<number>> {
  await rows('create table {schema}.test_writes (at timestamptz default clock_timestamp())')
  await rows(`
    create function {schema}.test_count() returns trigger language plpgsql
    as $$ begin execute format('insert into %I.test_writes default values', tg_table_schema); return null; end $$`)
  await rows(`
    create trigger test_count after insert on {schema}.job_progress
    for each statement execute function {schema}.test_count()`)
  return async () => {
    const [counted] = await rows('select count(*)::int4 as n from {schema}.test_writes')
    return Number(counted?.['n'])
  }
}

const UNFIT: readonly (readonly [string, () => unknown, string])[] = [
  ['nothing', () => undefined, 'progress is undefined; pass null where there is nothing.'],
  ['a function', () => () => 1, 'progress is a function, which JSON cannot carry; leave it out.'],
  ['a BigInt', () => ({ rows: 5n }), 'progress.rows is the BigInt 5n; pass a string or a number.'],
  ['no number', () => Number.NaN, 'progress is NaN, which JSON cannot carry; pass null or a string.'],
  ['a cycle', () => { const self: { me?: unknown } = {}; self.me = self; return self }, 'progress.me contains itself; JSON has no cycles, so pass an id instead.'],
  ['a zero byte', () => ['\u0000'], 'progress[0] contains \\u0000, which PostgreSQL cannot store; remove it.'],
  ['half a character', () => '\ud800', 'progress contains half a surrogate pair, which UTF-8 cannot carry; use text.toWellFormed().'],
  ['a getter that throws', () => ({ get done(): number { throw new Error('no') } }), 'progress.done throws when it is read.'],
  ['what is too large', () => 'x'.repeat(20_000), 'The progress takes 20,002 bytes as JSON; at most 16,384 bytes are stored. Report figures, and return large data as the result.'],
] // prettier-ignore

describeEachDatabase('progress', (test, database) => {
  test('is on the record while the job runs, and stays when it has ended', async ({
    openQueue,
    receive,
  }) => {
    const [half, done] = [gate(), gate()]
    const queue = openQueue(async (_job, { progress }) => {
      progress(50)
      half.open()
      await done.opened
      progress({ percent: 100, stage: 'packed' })
    })
    const job = await queue.enqueue({})
    expect(await queue.get(job.id)).toMatchObject({ progress: undefined, progressAt: null })
    receive(queue)
    await half.opened
    const running = await until(async () => {
      const record = await queue.get(job.id)
      return record?.progress === undefined ? undefined : record
    })
    expect(running).toMatchObject({ status: 'running', progress: 50 })
    expect(running.progressAt).toBeInstanceOf(Date)
    done.open()
    // Whoever sees the end sees the last word.
    const ended = await until(async () => {
      const record = await queue.get(job.id)
      return record?.status === 'finished' && record
    })
    expect(ended.progress).toEqual({ percent: 100, stage: 'packed' })
  })

  test.for([0, 99.5, -1, true, null, '', 'half', [], [1, [2]], {}, { a: { b: null } }, '🐎\n"\\'])(
    'is any JSON value: %j',
    async (value, { openQueue }) => {
      const queue = openQueue((_job, context) => context.progress(value))
      const { id } = await queue.enqueue({})
      await queue.drain()
      const record = await queue.get(id)
      expect(record?.progress).toEqual(value)
      expect(record?.progressAt).toBeInstanceOf(Date)
    },
  )

  test('refuses what JSON cannot carry, and says what and why', async ({ openQueue, rows }) => {
    const thrown: unknown[] = []
    const queue = openQueue(async (_job, { progress }) => {
      for (const [, make] of UNFIT) thrown.push(await errorOf((async () => progress(make()))()))
    })
    await queue.enqueue({})
    await queue.drain()
    expect(thrown.map((error) => (error as Error).message)).toEqual(
      UNFIT.map(([, , message]) => message),
    )
    for (const error of thrown) expect(error).toMatchObject({ code: 'INVALID_OPTION' })
    expect(await rows('select from {schema}.job_progress')).toEqual([])
  })

  test('that a loop reports 100,000 times is stored a few times', async ({ openQueue, rows }) => {
    const writes = await countWrites(rows)
    const queue = openQueue((_job, context) => {
      for (let step = 1; step <= 100_000; step++) context.progress(step)
    })
    const { id } = await queue.enqueue({})
    await queue.drain()
    expect((await queue.get(id))?.progress).toBe(100_000)
    expect(await writes()).toBe(1)
  })

  test('of many jobs is stored by one statement', async ({ openQueue, rows }) => {
    const writes = await countWrites(rows)
    const [all, go] = [gate(), gate()]
    let running = 0
    const queue = openQueue<number, void>(async (job, context) => {
      context.progress(job.args)
      running += 1
      if (running === 50) all.open()
      await Promise.all([all.opened, go.opened])
    })
    const jobs = await queue.enqueueMany(Array.from({ length: 50 }, (_, args) => ({ args })))
    const drained = queue.drain({ concurrency: 50 })
    await all.opened
    await until(async () => (await writes()) > 0)
    const [stored] = await rows('select count(*)::int4 as n from {schema}.job_progress')
    expect(stored?.['n']).toBeGreaterThan(1)
    go.open()
    await drained
    for (const [index, job] of jobs.entries()) {
      expect((await queue.get(job.id))?.progress).toBe(index)
    }
    expect(await writes()).toBeLessThan(25)
  })

  test('costs nothing where nobody reports any', async ({ openQueue, rows }) => {
    const writes = await countWrites(rows)
    const queue = openQueue(() => 'done')
    await queue.enqueueMany(Array.from({ length: 20 }, () => ({ args: {} })))
    await queue.drain()
    expect(await writes()).toBe(0)
  })

  test('that cannot be stored fails no job, and is told once', async ({
    openQueue,
    rows,
    receive,
    events,
    log,
  }) => {
    const queue = openQueue<number, void>((job, context) => {
      context.progress(job.args)
      context.log('working')
    })
    await rows('alter table {schema}.job_logs rename to away')
    const jobs = await queue.enqueueMany([1, 2, 3].map((args) => ({ args })))
    const receiving = receive(queue, { concurrency: 1 })
    for (const { id } of jobs) {
      await until(async () => (await rows('select from {schema}.history where id = $1', [id]))[0])
    }
    expect(events.all('progress.not_stored')).toHaveLength(1)
    expect(log.filter(({ message }) => message.startsWith('Progress and log lines'))).toHaveLength(
      1,
    )
    await rows('alter table {schema}.away rename to job_logs')
    const next = await queue.enqueue(4)
    const ended = await until(async () => {
      const record = await queue.get(next.id)
      return record?.status === 'finished' && record
    })
    expect(ended.progress).toBe(4)
    expect(await queue.logs(next.id)).toHaveLength(1)
    await receiving.stop()
  })

  test('of a run that lost its job is not stored any more', async ({
    openQueue,
    receive,
    rows,
  }) => {
    const [started, goOn] = [gate(), gate()]
    const queue = openQueue(async (_job, context) => {
      context.progress('mine')
      started.open()
      await goOn.opened
      context.progress('not mine any more')
      context.log('nor is this')
    })
    const { id } = await queue.enqueue({})
    const receiving = receive(queue)
    await started.opened
    await until(async () => (await queue.get(id))?.progress === 'mine')
    await rows('update {schema}.jobs set claim_no = claim_no + 1000')
    goOn.open()
    await receiving.stop()
    expect(await queue.get(id)).toMatchObject({ progress: 'mine' })
    expect(await queue.logs(id)).toEqual([])
  })

  test('of a run that is over is not taken any more', async ({ openQueue, receive, seen }) => {
    let late: (value: unknown) => void = () => {}
    const queue = openQueue(async (_job, { progress, signal }) => {
      progress('in time')
      late = progress
      await aborted(signal)
    })
    const { id } = await queue.enqueue({}, { timeout: '20ms', maxRetries: 0 })
    const receiving = receive(queue)
    await seen('job.failed', id)
    late('too late')
    await receiving.stop()
    expect(await queue.get(id)).toMatchObject({ progress: 'in time' })
  })

  test('is stored in the transaction that completes the job', async ({ openQueue, db }) => {
    const queue = openQueue<boolean, void>(async (job, context) => {
      context.progress(job.attempt)
      context.log('before the end')
      await inTransaction(db, async (tx) => {
        await context.complete(tx)
        if (job.args && job.attempt === 1) throw new Error('rolled back')
      })
    })
    const [kept, repeated] = await queue.enqueueMany([{ args: false }, { args: true }])
    await queue.drain()
    expect(await queue.get(kept?.id ?? '')).toMatchObject({ status: 'finished', progress: 1 })
    expect(await queue.logs(kept?.id ?? '')).toMatchObject([{ message: 'before the end' }])
    expect(await queue.get(repeated?.id ?? '')).toMatchObject({ status: 'available', progress: 1 })
    expect(await queue.logs(repeated?.id ?? '')).toHaveLength(1)
  })

  test('of a queue that keeps nothing is not stored at the end', async ({ openQueue, rows }) => {
    const queue = openQueue((_job, context) => context.progress(1), { keepFinished: false })
    await queue.enqueue({})
    await queue.drain()
    expect(await rows('select from {schema}.job_progress')).toEqual([])
  })

  test('goes with the job to its dead-letter queue and back, and is deleted with it', async ({
    openQueue,
    rows,
  }) => {
    let isBroken = true
    const queue = openQueue(
      (_job, context) => {
        context.progress({ isBroken })
        context.log(isBroken ? 'broken' : 'mended')
        if (isBroken) throw new Error('broken')
      },
      { dlq: 'dead' },
    )
    const dead = openQueue({ queueName: 'dead' })
    const { id } = await queue.enqueue({}, { maxRetries: 0 })
    await queue.drain()
    for (const either of [queue, dead]) {
      expect(await either.get(id)).toMatchObject({ progress: { isBroken: true } })
      expect(await either.logs(id)).toMatchObject([{ number: 1, attempt: 1, message: 'broken' }])
    }
    expect(await dead.redrive()).toBe(1)
    isBroken = false
    await queue.drain()
    expect(await queue.get(id)).toMatchObject({
      status: 'finished',
      progress: { isBroken: false },
    })
    const lines = await queue.logs(id)
    expect(lines.map(({ number, message }) => [number, message])).toEqual([
      [1, 'broken'],
      [2, 'mended'],
    ])
    expect(await queue.delete(id)).toBe(true)
    expect(await queue.logs(id)).toEqual([])
    expect(await rows('select job_id from {schema}.job_progress')).toEqual([])
    expect(await rows('select job_id from {schema}.job_logs')).toEqual([])
  })

  if (database === 'PGlite') return

  test('has no statement that waits for the transaction of a handler', async ({
    openQueue,
    db,
    receive,
    seen,
  }) => {
    const [completed, goOn] = [gate(), gate()]
    const queue = openQueue<string, void>(async (job, context) => {
      context.progress(job.args)
      if (job.args === 'quick') return
      await inTransaction(db, async (tx) => {
        await context.complete(tx)
        context.log('said inside, when it is settled already')
        completed.open()
        await goOn.opened
      })
    })
    const slow = await queue.enqueue('slow')
    const receiving = receive(queue)
    await completed.opened
    const quick = await queue.enqueue('quick')
    await seen('job.finished', quick.id)
    expect(await queue.get(quick.id)).toMatchObject({ progress: 'quick' })
    goOn.open()
    await seen('job.finished', slow.id)
    await receiving.stop()
    expect(await queue.get(slow.id)).toMatchObject({ status: 'finished', progress: 'slow' })
  })
})
