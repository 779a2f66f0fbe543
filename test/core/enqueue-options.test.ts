import { runInNewContext } from 'node:vm'
import { describe, expect, test } from 'vitest'
import {
  resolveEnqueueCall,
  resolveEnqueueOptions,
  resolveItems,
} from '../../src/core/enqueue-options.ts'
import { RetryPolicy } from '../../src/core/retry.ts'
import { expectRefusal, hostileValues } from './refusal.ts'

const concurrent = { fifo: false }
const fifo = { fifo: true }
const resolve = (options: unknown): unknown => resolveEnqueueOptions(options, concurrent)

const DEFAULTS = {
  maxRetries: 3,
  retryPolicy: 'exponential',
  metadataJson: '{}',
  tags: [],
  runAtMs: undefined,
  delayMs: undefined,
  priority: 5,
  timeoutMs: undefined,
  tx: undefined,
  signal: undefined,
}

test('without options everything has its default', () => {
  expect(resolve(undefined)).toEqual(DEFAULTS)
  expect(resolve({})).toEqual(DEFAULTS)
  expect(resolve({ runAt: undefined, delay: undefined, tx: undefined, signal: undefined })).toEqual(
    DEFAULTS,
  )
  expect(resolveEnqueueOptions({ priority: undefined, delay: undefined }, fifo)).toEqual(DEFAULTS)
})

const tx = { query: async () => ({ rows: [] }) }
const { signal } = new AbortController()

test.each<[Record<string, unknown>, Record<string, unknown>]>([
  [{ maxRetries: 0 }, { maxRetries: 0 }],
  [{ maxRetries: 32_767 }, { maxRetries: 32_767 }],
  [{ retryPolicy: RetryPolicy.Linear }, { retryPolicy: 'linear' }],
  [{ retryPolicy: 'constant' }, { retryPolicy: 'constant' }],
  [{ metadata: { tenant: 'a' } }, { metadataJson: '{"tenant":"a"}' }],
  [{ runAt: new Date(1_800_000_000_123) }, { runAtMs: 1_800_000_000_123 }],
  [{ runAt: new Date(-8.64e15) }, { runAtMs: 0 }],
  [{ runAt: new Date(8.64e15) }, { runAtMs: 8.64e15 }],
  [{ runAt: runInNewContext('new Date(5)') }, { runAtMs: 5 }],
  [{ delay: '1.5s' }, { delayMs: 1_500 }],
  [{ delay: 0 }, { delayMs: 0 }],
  [{ priority: 0 }, { priority: 0 }],
  [{ priority: 9 }, { priority: 9 }],
  [{ timeout: '10m' }, { timeoutMs: 600_000 }],
  [{ tx }, { tx }],
  [{ tx: Object.assign(() => {}, { unsafe() {} }) }, {}],
  [{ signal }, { signal }],
])('%o is taken', (options, expected) => {
  expect(resolve(options)).toMatchObject(expected)
})

const badValues: readonly (readonly [option: string, value: unknown, remedy: string])[] = [
  ['maxRetries', -1, 'an integer from 0 to 32,767'],
  ['maxRetries', 32_768, 'an integer from 0 to 32,767'],
  ['maxRetries', 1.5, 'an integer'],
  ['maxRetries', Number.NaN, 'an integer'],
  ['maxRetries', '3', 'cannot be "3"'],
  ['maxRetries', null, 'cannot be null'],
  ['maxRetries', 3n, 'cannot be 3n'],
  ['retryPolicy', 'Exponential', `'constant', 'linear' or 'exponential'`],
  ['retryPolicy', 'toString', `'constant', 'linear' or 'exponential'`],
  ['retryPolicy', null, `'constant', 'linear' or 'exponential'`],
  ['retryPolicy', RetryPolicy, 'an object'],
  ['metadata', null, 'a plain object of JSON values'],
  ['metadata', 'x', 'a plain object of JSON values'],
  ['metadata', [], 'an empty array'],
  ['metadata', new Map(), 'a Map'],
  ['runAt', 1_800_000_000_000, 'a valid Date'],
  ['runAt', '2030-01-01', 'a valid Date'],
  ['runAt', new Date(Number.NaN), 'an invalid Date'],
  ['runAt', null, 'a valid Date'],
  ['runAt', { getTime: () => 5 }, 'a valid Date'],
  ['delay', -1, 'from 0 ms'],
  ['delay', '1', 'with its unit'],
  ['delay', null, 'cannot be null'],
  ['delay', new Date(), 'the Date 2'],
  ['priority', -1, 'an integer from 0 to 9'],
  ['priority', 10, 'an integer from 0 to 9'],
  ['priority', 4.5, 'an integer from 0 to 9'],
  ['priority', 'high', 'an integer from 0 to 9'],
  ['timeout', 0, 'from 1 ms'],
  ['timeout', '0s', 'from 1 ms'],
  ['timeout', Number.POSITIVE_INFINITY, 'ten years'],
  ['timeout', false, 'cannot be false'],
  ['tx', null, 'a transaction of your database client'],
  ['tx', true, 'a transaction of your database client'],
  ['tx', 'tx', 'a transaction of your database client'],
  ['signal', null, 'an AbortSignal'],
  ['signal', new AbortController(), 'the signal of a new AbortController()'],
  ['signal', {}, 'an AbortSignal'],
  ['signal', { aborted: false }, 'an AbortSignal'],
]

describe('a bad value is refused by name, with the value and the remedy', () => {
  test.each(badValues)('%s %o', (option, value, remedy) => {
    const refusal = expectRefusal(
      () => resolve({ [option]: value }),
      'INVALID_OPTION',
      `"${option}"`,
      remedy,
    )
    expect(refusal.details).toMatchObject({ option })
  })

  const options = ['maxRetries', 'retryPolicy', 'runAt', 'delay', 'priority', 'timeout', 'signal']
  const hostile = hostileValues().flatMap(([name, value]) =>
    options.map((option) => [option, name, value] as const),
  )
  test.each(hostile)('%s that is %s', (option, _, value) => {
    expectRefusal(() => resolve({ [option]: value }), 'INVALID_OPTION', `"${option}"`)
  })

  test('metadata that JSON cannot carry is named by its place', () => {
    expectRefusal(
      () => resolve({ metadata: { a: { b: 1n } } }),
      'INVALID_OPTION',
      'metadata.a.b is the BigInt 1n',
    )
  })

  test('runAt and delay do not go together', () => {
    expectRefusal(
      () => resolve({ runAt: new Date(), delay: 0 }),
      'INVALID_OPTION',
      '"delay"',
      'not both',
    )
  })

  test('an unknown name', () => {
    expectRefusal(
      () => resolve({ retries: 3 }),
      'INVALID_OPTION',
      'There is no option "retries" (3) for enqueue',
      'did you mean "maxRetries"?',
    )
    expectRefusal(() => resolve({ args: {} }), 'INVALID_OPTION', '"args"', 'first parameter')
  })

  test.each([
    ['null', null],
    ['a number of retries', 5],
    ['a signal', signal],
    ['an array', []],
  ])('options that are %s', (_, options) => {
    expectRefusal(() => resolve(options), 'INVALID_OPTION', '"options"', 'a plain object')
  })
})

describe('in a FIFO queue', () => {
  test.each<[string, unknown]>([
    ['priority', 5],
    ['runAt', new Date(0)],
    ['delay', 0],
  ])('%s is refused', (option, value) => {
    const act = (): unknown => resolveEnqueueOptions({ [option]: value }, fifo)
    expectRefusal(act, 'INVALID_OPTION', `"${option}"`, 'FIFO', 'leave it out')
  })

  test('everything else is taken', () => {
    const options = {
      maxRetries: 1,
      retryPolicy: 'linear',
      metadata: {},
      timeout: '1s',
      tx,
      signal,
    }
    expect(resolveEnqueueOptions(options, fifo)).toMatchObject({ maxRetries: 1, timeoutMs: 1_000 })
  })
})

describe('the jobs of enqueueMany', () => {
  test('have options of their own, and arguments that are checked later', () => {
    const items = [{ args: 1n }, { args: { a: 1 }, maxRetries: 5, delay: '1s' }]
    expect(resolveItems(items, concurrent)).toMatchObject([
      { args: 1n, options: { maxRetries: 3 } },
      { args: { a: 1 }, options: { maxRetries: 5, delayMs: 1_000 } },
    ])
    expect(resolveItems([], concurrent)).toEqual([])
  })

  test.each<[string, unknown, string]>([
    ['no array', { args: 1 }, '"jobs"'],
    ['an iterator', new Set([{ args: 1 }]), '"jobs"'],
    ['null', null, '"jobs"'],
    ['null among them', [{ args: 1 }, null], '"jobs[1]"'],
    ['a hole', Object.assign([], { length: 4_000_000_000 }), '"jobs[0]"'],
    ['bare arguments', ['ada@example.org'], '"jobs[0]"'],
    ['arguments that were not wrapped', [{ args: 1 }, { to: 'ada' }], '"jobs[1].to"'],
    [
      'a bad option',
      [{ args: 1 }, { args: 1 }, { args: 1 }, { args: 1, maxRetries: -1 }],
      '"jobs[3].maxRetries"',
    ],
    ['a misspelt option', [{ args: 1, maxRetrys: 1 }], 'did you mean "jobs[0].maxRetries"?'],
    ['bad metadata', [{ args: 1, metadata: { a: Number.NaN } }], 'jobs[0].metadata.a is NaN'],
    ['two times', [{ args: 1, delay: 0, runAt: new Date() }], '"jobs[0].delay"'],
    ['a transaction of its own', [{ args: 1, tx }], 'second parameter of enqueueMany'],
    ['a signal of its own', [{ args: 1, signal }], 'second parameter of enqueueMany'],
  ])('%s is refused', (_, items, part) => {
    expectRefusal(() => resolveItems(items, concurrent), 'INVALID_OPTION', part)
  })

  test('have no priority in a FIFO queue', () => {
    expectRefusal(
      () => resolveItems([{ args: 1, priority: 1 }], fifo),
      'INVALID_OPTION',
      '"jobs[0].priority"',
    )
  })

  test('share one transaction and one signal', () => {
    expect(resolveEnqueueCall({ tx, signal })).toMatchObject({ tx, signal })
    expect(resolveEnqueueCall(undefined)).toMatchObject({ tx: undefined, signal: undefined })
    expectRefusal(
      () => resolveEnqueueCall({ maxRetries: 1 }),
      'INVALID_OPTION',
      '"maxRetries"',
      'enqueueMany',
    )
    expectRefusal(() => resolveEnqueueCall({ tx: 5 }), 'INVALID_OPTION', '"tx"')
  })
})
