import { describeEachDatabase, expect } from '../support/fixtures.ts'

const hostileError = (): Error => {
  const error = new Error('hidden')
  void error.stack // is made at its first use, from the message
  const fail = (): never => {
    throw new Error('do not touch')
  }
  return Object.defineProperties(error, { message: { get: fail }, stack: { get: fail } })
}

/** What is thrown, and what is recorded of it. */
const THROWN: readonly (readonly [string, () => unknown, object])[] = [
  ['an error of a class of its own', () => new TypeError('wrong'), { name: 'TypeError', message: 'wrong' }],
  ['a string', () => 'just text', { name: 'NonError', message: 'just text', stack: null }],
  ['nothing', () => undefined, { name: 'NonError', message: 'undefined', stack: null }],
  ['null', () => null, { name: 'NonError', message: 'null' }],
  ['a number', () => 42, { name: 'NonError', message: '42' }],
  ['an object', () => ({ status: 503 }), { name: 'NonError', message: '{ status: 503 }' }],
  ['an error without a message', () => new Error(''), { name: 'Error', message: '' }],
  ['an error whose getters throw', hostileError, { name: 'Error', message: '' }],
  ['a getter that throws', () => Object.defineProperty({}, 'x', { get: () => { throw new Error('no') }, enumerable: true }), { name: 'NonError', message: '{ x: [Getter] }' }],
  ['a proxy that is revoked', () => { const { proxy, revoke } = Proxy.revocable({}, {}); revoke(); return proxy }, { name: 'NonError' }],
  ['text that PostgreSQL cannot store', () => new Error('a\u0000b \ud800'), { message: 'a\ufffdb \ufffd' }],
  ['a symbol', () => Symbol('s'), { name: 'NonError', message: 'Symbol(s)' }],
] // prettier-ignore

describeEachDatabase('what a handler throws', (test) => {
  test('is recorded safely, whatever it is', async ({ openQueue }) => {
    const queue = openQueue<number, void>((job) => {
      throw THROWN[job.args]?.[1]() as Error
    })
    const jobs = await queue.enqueueMany(THROWN.map((_, args) => ({ args, maxRetries: 0 })))
    expect(await queue.drain()).toEqual({ finished: 0, failed: THROWN.length, retried: 0 })
    for (const [index, [name, , recorded]] of THROWN.entries()) {
      const record = await queue.get(jobs[index]?.id ?? '')
      expect(record, name).toMatchObject({
        status: 'failed',
        errors: [{ attempt: 1, ...recorded }],
      })
    }
  })

  test('synchronously or not fails the run alike', async ({ openQueue }) => {
    const queue = openQueue((job) => {
      if (job.args === 'sync') throw new Error('sync')
      return Promise.reject(new Error('async'))
    })
    const jobs = await queue.enqueueMany(['sync', 'async'].map((args) => ({ args, maxRetries: 0 })))
    expect(await queue.drain()).toMatchObject({ failed: 2 })
    for (const job of jobs) {
      expect((await queue.get(job.id))?.errors).toMatchObject([{ message: job.args }])
    }
  })

  test('is cut: the message at 2 KB, the stack at 8 KB of UTF-8', async ({ openQueue }) => {
    const queue = openQueue(() => {
      const error = new Error('ä'.repeat(5_000))
      error.stack = '🐘'.repeat(5_000)
      throw error
    })
    const job = await queue.enqueue(1, { maxRetries: 0 })
    await queue.drain()
    const [error] = (await queue.get(job.id))?.errors ?? []
    expect(Buffer.byteLength(error?.message ?? '')).toBeGreaterThan(2_040)
    expect(Buffer.byteLength(error?.message ?? '')).toBeLessThanOrEqual(2_048)
    expect(Buffer.byteLength(error?.stack ?? '')).toBeGreaterThan(8_180)
    expect(Buffer.byteLength(error?.stack ?? '')).toBeLessThanOrEqual(8_192)
    expect(error?.stack).toMatch(/^(🐘)+…$/u)
  })

  test('sixty times is told by the first twenty and the last twenty, and counted', async ({
    openQueue,
    rows,
  }) => {
    const queue = openQueue(
      (job) => {
        throw new Error(`failure ${job.attempt}`)
      },
      { baseRetryDelay: 0 },
    )
    const job = await queue.enqueue(1, { maxRetries: 59 })
    expect(await queue.drain({ limit: 45 })).toEqual({ finished: 0, failed: 0, retried: 45 })
    const ends = (count: number): number[] =>
      Array.from({ length: 40 }, (_, n) => (n < 20 ? n + 1 : count - 39 + n))
    const waiting = await queue.get(job.id)
    expect(waiting).toMatchObject({ status: 'available', attempt: 45, errorCount: 45 })
    expect(waiting?.errors.map((error) => error.attempt)).toEqual(ends(45))
    // No more of them are stored than are told.
    expect(await rows('select count(*)::int4 as n from {schema}.job_errors')).toEqual([{ n: 40 }])
    expect(await queue.drain()).toEqual({ finished: 0, failed: 1, retried: 14 })
    const failed = await queue.get(job.id)
    expect(failed).toMatchObject({ status: 'failed', attempt: 60, errorCount: 60 })
    expect(failed?.errors.map((error) => error.message)).toEqual(
      ends(60).map((attempt) => `failure ${attempt}`),
    )
    expect(await rows('select count(*)::int4 as n from {schema}.job_errors')).toEqual([{ n: 0 }])
    const times = failed?.errors.map((error) => Number(error.at)) ?? []
    expect(times).toEqual(times.toSorted((left, right) => left - right))
  })
})

describeEachDatabase('a result', (test) => {
  test('that JSON cannot carry does not undo the run: finished without it, with a warning', async ({
    openQueue,
    events,
    log,
  }) => {
    const cycle: Record<string, unknown> = {}
    cycle['self'] = cycle
    const results = [1n, () => 1, Symbol('s'), Number.NaN, cycle, new Map(), [undefined], 'a\u0000']
    const queue = openQueue((job) => results[Number(job.args)])
    const jobs = await queue.enqueueMany(results.map((_, args) => ({ args })))
    expect(await queue.drain()).toEqual({ finished: results.length, failed: 0, retried: 0 })
    for (const job of jobs) {
      const record = await queue.get(job.id)
      expect(record).toMatchObject({ status: 'finished', attempt: 1, errors: [] })
      expect(record?.result).toBeUndefined()
      expect(events.all('result.not_stored', job.id)).toMatchObject([
        { error: { code: 'RESULT_NOT_STORED' } },
      ])
    }
    const warnings = log.filter((line) => line.fields?.['event'] === 'result.not_stored')
    expect(warnings.map((line) => line.level)).toEqual(results.map(() => 'warn'))
    expect(warnings[0]?.message).toContain('BigInt')
  })

  test('is nothing when the handler returns nothing, and null when it returns null', async ({
    openQueue,
  }) => {
    const queue = openQueue((job) => (job.args === 'null' ? null : undefined))
    const [nothing, none] = await queue.enqueueMany([{ args: 'nothing' }, { args: 'null' }])
    const [alone] = await queue.enqueueMany([{ args: 'nothing' }])
    await queue.drain()
    expect((await queue.get(nothing?.id ?? ''))?.result).toBeUndefined()
    expect((await queue.get(none?.id ?? ''))?.result).toBeNull()
    expect((await queue.get(alone?.id ?? ''))?.result).toBeUndefined()
  })
})

describeEachDatabase('keepFinished', (test) => {
  const keptFor = `
    select
      outcome::text,
      round(extract(epoch from expires_at - finished_at))::int4 as seconds
    from {schema}.history order by outcome`

  test('keeps finished jobs for a day and failed ones for thirty, unless told otherwise', async ({
    openQueue,
    rows,
  }) => {
    const work = (job: { args: unknown }): void => {
      if (job.args === 'fail') throw new Error('on purpose')
    }
    for (const options of [{}, { keepFinished: '1h', keepFailed: '3650d' } as const]) {
      const queue = openQueue(work, options)
      await queue.enqueueMany([{ args: 'return' }, { args: 'fail', maxRetries: 0 }])
      const cancelled = await queue.enqueue('never')
      await queue.cancel(cancelled.id)
      await queue.drain()
      const isDefault = options.keepFinished === undefined
      const failed = { seconds: (isDefault ? 30 : 3_650) * 86_400 }
      expect(await rows(keptFor)).toEqual([
        { outcome: 'cancelled', ...failed },
        { outcome: 'failed', ...failed },
        { outcome: 'finished', seconds: isDefault ? 86_400 : 3_600 },
      ])
      await rows('delete from {schema}.history')
    }
  })

  test('of false deletes finished jobs at once, and keeps those that failed', async ({
    openQueue,
    rows,
    seen,
    receive,
  }) => {
    const queue = openQueue<string, number>(
      (job) => {
        if (job.args === 'return' || job.attempt > 1) return 1
        throw new Error('on purpose')
      },
      { keepFinished: false, baseRetryDelay: 0 },
    )
    receive(queue)
    const returned = await queue.enqueue('return')
    const retried = await queue.enqueue('retry')
    const failed = await queue.enqueue('fail', { maxRetries: 0 })
    await seen('job.finished', returned.id)
    await seen('job.finished', retried.id)
    await seen('job.failed', failed.id)
    expect(await queue.get(returned.id)).toBeUndefined()
    expect(await queue.get(retried.id)).toBeUndefined()
    expect(await queue.get(failed.id)).toMatchObject({ status: 'failed' })
    expect(await queue.counts()).toEqual({
      ...{ available: 0, running: 0, finished: 0, failed: 1, cancelled: 0 },
    })
    expect(await rows('select count(*)::int4 as n from {schema}.job_errors')).toEqual([{ n: 0 }])
  })
})
