import { describeEachDatabase, expect } from '../support/fixtures.ts'
import { errorOf, refusal } from './arrange.ts'

type Log = (message: string, fields?: Record<string, unknown>) => void

const UNFIT: readonly (readonly [(log: Log) => void, string])[] = [
  [(log) => log(undefined as never), 'The option "message" is missing; it takes a text; pass what belongs to it as fields.'],
  [(log) => log({ a: 1 } as never), 'The option "message" cannot be an object; it takes a text; pass what belongs to it as fields.'],
  [(log) => log('a\u0000b'), 'The option "message" cannot be "a\\u0000b"; it contains \\u0000, which PostgreSQL cannot store; remove it.'],
  [(log) => log('text', [1] as never), 'The option "fields" cannot be an array of 1; it takes a plain object of JSON values.'],
  [(log) => log('text', null as never), 'The option "fields" cannot be null; it takes a plain object of JSON values.'],
  [(log) => log('text', { id: 5n }), 'fields.id is the BigInt 5n; pass a string or a number.'],
  [(log) => log('text', { error: new Error('x') }), 'fields.error is an Error, whose contents JSON drops; pass plain data, or give it a toJSON method.'],
] // prettier-ignore

describeEachDatabase('the log of a job', (test) => {
  test('has the lines of all runs in order, each with its run, time and fields', async ({
    openQueue,
  }) => {
    const queue = openQueue(
      (job, { log }) => {
        log('begins')
        log(`attempt ${job.attempt}`, { attempt: job.attempt, deep: { list: [null, 'ä'] } })
        if (job.attempt === 1) throw new Error('once')
      },
      { baseRetryDelay: 0 },
    )
    const before = Date.now() - 60_000
    const { id } = await queue.enqueue({}, { retryPolicy: 'constant' })
    await queue.drain()
    const lines = await queue.logs(id)
    expect(lines).toMatchObject([
      { number: 1, attempt: 1, message: 'begins', fields: undefined },
      { number: 2, attempt: 1, message: 'attempt 1', fields: { attempt: 1, deep: { list: [null, 'ä'] } } },
      { number: 3, attempt: 2, message: 'begins', fields: undefined },
      { number: 4, attempt: 2, message: 'attempt 2' },
    ]) // prettier-ignore
    for (const { at } of lines) expect(at.getTime()).toBeGreaterThan(before)
  })

  test('is read in pages, from either end', async ({ openQueue }) => {
    const queue = openQueue((_job, { log }) => {
      for (let line = 1; line <= 150; line++) log(`line ${line}`)
    })
    const { id } = await queue.enqueue({})
    await queue.drain()
    const numbers = async (options?: object): Promise<number[]> =>
      (await queue.logs(id, options)).map(({ number }) => number)
    expect(await numbers()).toEqual(Array.from({ length: 100 }, (_, index) => index + 1))
    expect(await numbers({ after: 100 })).toEqual(
      Array.from({ length: 50 }, (_, index) => 101 + index),
    )
    expect(await numbers({ after: 150 })).toEqual([])
    expect(await numbers({ order: 'newest', limit: 2 })).toEqual([150, 149])
    expect(await numbers({ order: 'newest', limit: 2, after: 149 })).toEqual([148, 147])
    expect(await queue.logs('999999')).toEqual([])
    expect(await openQueue({ queueName: 'another' }).logs(id)).toEqual([])
    await openQueue({ queueName: 'another' }).enqueue({})
    expect(await openQueue({ queueName: 'another' }).logs(id)).toEqual([])
  })

  test('keeps the newest lines of a flood, and its numbers show the gap', async ({ openQueue }) => {
    const queue = openQueue((_job, { log }) => {
      for (let line = 1; line <= 100_000; line++) log(`line ${line}`, { line })
    })
    const { id } = await queue.enqueue({})
    await queue.drain()
    const lines = await queue.logs(id, { limit: 1_000 })
    expect(lines).toHaveLength(200)
    expect(lines[0]).toMatchObject({ number: 99_801, fields: { line: 99_801 } })
    expect(lines.at(-1)).toMatchObject({ number: 100_000, message: 'line 100000' })
  })

  test('keeps 1,000 lines of a job, the newest', async ({ openQueue, rows }) => {
    const queue = openQueue(
      (job, { log }) => {
        for (let line = 1; line <= 150; line++) log(`line ${line}`)
        if (job.attempt < 9) throw new Error('again')
      },
      { baseRetryDelay: 0 },
    )
    const { id } = await queue.enqueue({}, { retryPolicy: 'constant', maxRetries: 20 })
    await queue.drain()
    const lines = await queue.logs(id, { limit: 1_000 })
    expect(lines).toHaveLength(1_000)
    expect(lines[0]).toMatchObject({ number: 351, attempt: 3 })
    expect(lines.at(-1)).toMatchObject({ number: 1_350, attempt: 9 })
    expect(await rows('select from {schema}.job_logs')).toHaveLength(1_000)
  })

  test('cuts what is too long, and says so', async ({ openQueue }) => {
    const queue = openQueue((_job, { log }) => {
      log('x'.repeat(3_500))
      log(`${'x'.repeat(1_999)}🐎 and more`, {})
      log('large', { text: 'y'.repeat(10_000) })
      log('huge', { text: 'y'.repeat(2_000_000) })
      log('half \ud800 of it')
    })
    const { id } = await queue.enqueue({})
    await queue.drain()
    const lines = await queue.logs(id)
    expect(lines.map(({ message }) => message)).toEqual([
      `${'x'.repeat(2_000)}… (1,500 more characters)`,
      `${'x'.repeat(1_999)}\ufffd… (10 more characters)`,
      'large',
      'huge',
      'half \ufffd of it',
    ])
    expect(lines[2]?.fields).toEqual({
      truncated: '10,011 bytes of JSON; at most 8,192 are kept',
      start: `{"text":"${'y'.repeat(1_991)}`,
    })
    expect(lines[3]?.fields).toEqual({
      truncated: 'more than 1,048,576 bytes of JSON; at most 8,192 are kept',
    })
  })

  test('refuses what is no text, and fields that JSON cannot carry', async ({ openQueue }) => {
    const thrown: unknown[] = []
    const queue = openQueue(async (_job, { log }) => {
      for (const [say] of UNFIT) thrown.push(await errorOf((async () => say(log))()))
    })
    const { id } = await queue.enqueue({})
    await queue.drain()
    expect(thrown.map((error) => (error as Error).message)).toEqual(
      UNFIT.map(([, message]) => message),
    )
    for (const error of thrown) expect(error).toMatchObject({ code: 'INVALID_OPTION' })
    expect(await queue.logs(id)).toEqual([])
  })

  test.for([
    [{ after: -1 }, 'after'],
    [{ after: '7' }, 'after'],
    [{ limit: 0 }, 'limit'],
    [{ limit: 1_001 }, 'limit'],
    [{ order: 'random' }, 'order'],
    [{ before: 3 }, 'before'],
  ] as const)('is not read with %j', async ([options, option], { queue }) => {
    const error = await refusal(queue.logs('1', options as object))
    expect(error).toMatchObject({ code: 'INVALID_OPTION', details: { option } })
  })
})
