import { describeEachDatabase, expect, test } from '../support/fixtures.ts'
import { countRows, refusal } from './arrange.ts'

/** An object with a key of its own that `{ __proto__: … }` would not make. */
const own = (text: string): unknown => JSON.parse(text)

function nested(levels: number, innermost: unknown): unknown {
  let value = innermost
  for (let level = 0; level < levels; level++) value = level % 2 === 0 ? [value] : { in: value }
  return value
}

/** What comes back exactly as it was sent. */
const VALUES: readonly (readonly [string, unknown])[] = [
  ['null', null],
  ['false', false],
  ['zero', 0],
  ['an empty string', ''],
  ['an empty object', {}],
  ['an empty array', []],
  ['nulls in an array', [null, [null], { a: null }]],
  ['the smallest number above zero', 5e-324],
  ['numbers at the ends of the range', [1e308, -1e308, Number.MAX_VALUE, -Number.MAX_VALUE]],
  ['numbers of many digits', [0.1 + 0.2, 1 / 3, 1e21, 1.7976931348623157e308, 1e-7]],
  ['the largest safe integers', [2 ** 53 - 1, -(2 ** 53 - 1), 2 ** 53, 2 ** 63, 1e15]],
  ['emoji and scripts', { '🐘🧵': 'שלום नमस्ते 👩‍👩‍👧‍👦 \u200b\u202e' }],
  ['every control character but one', String.fromCharCode(...Array.from({ length: 31 }, (_, n) => n + 1), 127, 0x2028, 0x2029)],
  ['hostile text', [`'; drop schema millrace cascade; --`, '"\\"', '\\u0000', '$1 {schema} ${x}', '%s\r\n', '\\x00', '{1,2}']],
  ['keys that objects inherit', own('{"__proto__":{"admin":true},"constructor":1,"toString":2,"hasOwnProperty":3}')],
  ['a key __proto__ deep inside', own('{"a":[{"__proto__":null},{"__proto__":[1]}]}')],
  ['keys that look like indexes, and the empty key', { '': '', '0': 'zero', '-1': 1, ' ': 2, 'a.b': 3, 'a[0]': 4 }],
  ['the deepest nesting but one, which metadata has of its own', nested(999, 'deep')],
  ['an array of many', Array.from({ length: 10_000 }, (_, n) => n)],
  ['an object of many keys', Object.fromEntries(Array.from({ length: 2_000 }, (_, n) => [`key ${n}`, n]))],
] // prettier-ignore

describeEachDatabase('arguments', (test) => {
  test('come back exactly as they were sent: from enqueue, get and to the worker', async ({
    openQueue,
  }) => {
    const worked = new Map<string, unknown>()
    const queue = openQueue((job) => {
      worked.set(job.id, job.args)
      return job.args
    })
    const jobs = await queue.enqueueMany(
      VALUES.map(([, args]) => ({ args, metadata: { wrapped: args } })),
    )
    expect(await queue.drain({ concurrency: 3 })).toMatchObject({ finished: VALUES.length })
    for (const [index, [name, args]] of VALUES.entries()) {
      const { id = '', args: answered } = jobs[index] ?? {}
      expect(answered, name).toEqual(args)
      expect(worked.get(id), name).toEqual(args)
      const record = await queue.get(id)
      const metadata = { wrapped: args }
      // A result travels the same way.
      expect(record, name).toMatchObject({ status: 'finished' })
      expect([record?.args, record?.result, record?.metadata], name).toEqual([args, args, metadata])
    }
  })

  test('bring no property of a prototype along', async ({ openQueue }) => {
    const queue = openQueue()
    const job = await queue.enqueue(own('{"__proto__":{"admin":true}}'))
    for (const value of [job.args, (await queue.get(job.id))?.args]) {
      expect(Object.keys(value as object)).toEqual(['__proto__'])
      expect((value as { admin?: unknown }).admin).toBeUndefined()
      expect(Object.getPrototypeOf(value)).toBe(Object.prototype)
    }
    expect(({} as { admin?: unknown }).admin).toBeUndefined()
  })

  test('lose what JSON leaves out: undefined properties, the sign of zero, what toJSON makes', async ({
    openQueue,
  }) => {
    const queue = openQueue()
    const at = new Date(0)
    const job = await queue.enqueue({ gone: undefined, zero: -0, at, id: { toJSON: () => 7 } })
    const stored = { zero: 0, at: '1970-01-01T00:00:00.000Z', id: 7 }
    expect(job.args).toEqual(stored)
    expect(await queue.get(job.id)).toMatchObject({ args: stored })
    expect(Object.keys(job.args as object)).not.toContain('gone')
  })

  test('are those of the moment of the call, whatever is done to them afterwards', async ({
    openQueue,
  }) => {
    const queue = openQueue()
    const args = { list: [1] }
    const enqueued = queue.enqueue(args)
    args.list.push(2)
    const job = await enqueued
    ;(job.args as typeof args).list.push(3)
    expect(await queue.get(job.id)).toMatchObject({ args: { list: [1] } })
  })

  test('of one level too many are refused', async ({ queue, rows }) => {
    const deepest = nested(1_000, 1)
    const job = await queue.enqueue(deepest)
    expect((await queue.get(job.id))?.args).toEqual(deepest)
    const error = await refusal(queue.enqueue(nested(1_001, 1)))
    expect(error).toMatchObject({ code: 'INVALID_ARGS' })
    expect(error.message).toContain('1,000 levels')
    expect(await countRows(rows)).toMatchObject({ jobs: 1 })
  })

  test('are taken up to maxArgsBytes of UTF-8, and not a byte more', async ({
    openQueue,
    rows,
  }) => {
    const queue = openQueue({ maxArgsBytes: 12 })
    await queue.enqueue('ä'.repeat(5)) // 2 quotes and 10 bytes
    const error = await refusal(queue.enqueue(`${'ä'.repeat(5)}x`))
    expect(error).toMatchObject({ code: 'ARGS_TOO_LARGE', details: { bytes: 13, maxBytes: 12 } })
    expect(await refusal(queue.enqueueMany([{ args: 1 }, { args: 'x'.repeat(11) }]))).toMatchObject(
      {
        code: 'ARGS_TOO_LARGE',
        details: { path: 'jobs[1].args' },
      },
    )
    expect(await countRows(rows)).toMatchObject({ jobs: 1 })
  })
})

test('arguments of 10 MB come back exactly as sent, through a retry and the dead-letter queue', async ({
  openQueue,
}) => {
  const text = 'Lorem ipsum 🐘 "\\ '.repeat(600_000)
  const sizes: number[] = []
  const queue = openQueue<{ text: string }, void>(
    (job) => {
      sizes.push(job.args.text.length)
      if (job.args.text !== text) throw new Error('damaged')
      throw new Error('on purpose')
    },
    { dlq: 'dead', baseRetryDelay: 0 },
  )
  expect(Buffer.byteLength(text)).toBeGreaterThan(10_000_000)
  const { id } = await queue.enqueue({ text }, { maxRetries: 1 })
  expect(await queue.drain()).toEqual({ finished: 0, failed: 1, retried: 1 })
  expect(sizes).toEqual([text.length, text.length])
  expect(await openQueue({ queueName: 'dead' }).redrive()).toBe(1)
  const record = await queue.get(id)
  expect(record?.status).toBe('available')
  expect(record?.errors).toMatchObject([{ message: 'on purpose' }, { message: 'on purpose' }])
  // Not toEqual: what it would print takes minutes.
  expect(record?.args.text === text).toBe(true)
})
