import { describe, expect, test } from 'vitest'
import { defaultLogger } from '../../src/core/logger.ts'
import { UnimplementedMiddleware } from '../../src/core/middleware.ts'
import { resolveQueueOptions } from '../../src/core/queue-options.ts'
import { expectRefusal, hostileValues, refusalOf } from './refusal.ts'

const DEFAULTS = {
  queueName: 'default',
  pollIntervalMs: 1_000,
  baseRetryDelayMs: 2_000,
  maxRetryDelayMs: 3_600_000,
  retryJitter: 0,
  fifo: false,
  dlq: undefined,
  logger: defaultLogger,
  middlewares: [],
  schema: 'millrace',
  keepFinishedMs: 86_400_000,
  keepFailedMs: 2_592_000_000,
  maxArgsBytes: 33_554_432,
  given: new Set(),
}

test('without options everything has its default', () => {
  expect(resolveQueueOptions()).toEqual(DEFAULTS)
  expect(resolveQueueOptions({})).toEqual(DEFAULTS)
  expect(resolveQueueOptions(Object.create(null))).toEqual(DEFAULTS)
})

test('undefined means the default, for every option', () => {
  const names = [
    'queueName',
    'pollInterval',
    'baseRetryDelay',
    'maxRetryDelay',
    'retryJitter',
    'fifo',
    'dlq',
  ]
  const others = ['logger', 'middlewares', 'schema', 'keepFinished', 'keepFailed', 'maxArgsBytes']
  const options = Object.fromEntries([...names, ...others].map((name) => [name, undefined]))
  expect(resolveQueueOptions(options)).toEqual(DEFAULTS)
})

test('what was given is known', () => {
  const resolved = resolveQueueOptions({ fifo: false, dlq: 'dead', pollInterval: undefined })
  expect(resolved.given).toEqual(new Set(['fifo', 'dlq']))
})

test('the resolved options cannot be changed, nor through what was passed', () => {
  const middlewares = [new UnimplementedMiddleware()]
  const resolved = resolveQueueOptions({ middlewares })
  middlewares.pop()
  expect(resolved.middlewares).toHaveLength(1)
  expect(Object.isFrozen(resolved)).toBe(true)
})

test.each<[Record<string, unknown>, Record<string, unknown>]>([
  [{ queueName: 'x' }, { queueName: 'x' }],
  [{ queueName: '🐘'.repeat(200) }, { queueName: '🐘'.repeat(200) }],
  [{ queueName: `'; drop table jobs; --\n\t"` }, { queueName: `'; drop table jobs; --\n\t"` }],
  [{ pollInterval: 10 }, { pollIntervalMs: 10 }],
  [{ pollInterval: '24h' }, { pollIntervalMs: 86_400_000 }],
  [
    { baseRetryDelay: 0, maxRetryDelay: 0 },
    { baseRetryDelayMs: 0, maxRetryDelayMs: 0 },
  ],
  [{ baseRetryDelay: '2h' }, { baseRetryDelayMs: 7_200_000, maxRetryDelayMs: 3_600_000 }],
  [{ retryJitter: 1 }, { retryJitter: 1 }],
  [{ retryJitter: -0 }, { retryJitter: 0 }],
  [{ fifo: true }, { fifo: true }],
  [{ dlq: '' }, { dlq: undefined }],
  [{ dlq: 'default', queueName: 'other' }, { dlq: 'default' }],
  [{ logger: console }, { logger: console }],
  [{ middlewares: [{}] }, { middlewares: [{}] }],
  [{ schema: 'Ünï "quoted"' }, { schema: 'Ünï "quoted"' }],
  [{ schema: 'x'.repeat(63) }, { schema: 'x'.repeat(63) }],
  [{ keepFinished: false }, { keepFinishedMs: false }],
  [
    { keepFinished: 0, keepFailed: 0 },
    { keepFinishedMs: 0, keepFailedMs: 0 },
  ],
  [{ maxArgsBytes: 1 }, { maxArgsBytes: 1 }],
])('%j is taken', (options, expected) => {
  expect(resolveQueueOptions(options)).toMatchObject(expected)
})

/** Each with a value and a part of the remedy. */
const badValues: readonly (readonly [option: string, value: unknown, remedy: string])[] = [
  ['queueName', '', '1 to 200 characters'],
  ['queueName', 'x'.repeat(201), '(201 characters); it takes a name of 1 to 200'],
  ['queueName', '🐘'.repeat(201), '1 to 200 characters'],
  ['queueName', 'a\u0000b', '\\u0000, which PostgreSQL cannot store'],
  ['queueName', 'a\uD800', 'half a surrogate pair'],
  ['queueName', 5, 'it takes a name'],
  ['queueName', null, 'cannot be null'],
  ['queueName', ['a'], 'an array of 1'],
  ['queueName', new String('a'), 'a String'],
  ['queueName', Symbol('a'), 'Symbol(a)'],
  ['pollInterval', 9, 'from 10 ms to ten years'],
  ['pollInterval', '9.9ms', 'from 10 ms'],
  ['pollInterval', 'soon', 'milliseconds, or a string such as'],
  ['pollInterval', '5', 'with its unit'],
  ['pollInterval', null, 'cannot be null'],
  ['baseRetryDelay', -1, 'from 0 ms'],
  ['baseRetryDelay', Number.NaN, 'cannot be NaN'],
  ['maxRetryDelay', Number.POSITIVE_INFINITY, 'cannot be Infinity'],
  ['maxRetryDelay', '11y', 'such as'],
  ['maxRetryDelay', '3651d', 'ten years'],
  ['retryJitter', 1.01, 'a number from 0 to 1'],
  ['retryJitter', -0.1, 'a number from 0 to 1'],
  ['retryJitter', Number.NaN, 'a number from 0 to 1'],
  ['retryJitter', '0.5', 'cannot be "0.5"'],
  ['fifo', 'true', 'true or false'],
  ['fifo', 1, 'true or false'],
  ['fifo', null, 'true or false'],
  ['dlq', 'default', 'its own dead-letter queue'],
  ['dlq', null, 'cannot be null'],
  ['dlq', true, 'it takes a name'],
  ['dlq', 'a\u0000', '\\u0000'],
  ['logger', null, 'debug, info, warn and error'],
  ['logger', false, 'such as console'],
  ['logger', () => {}, 'a function'],
  ['logger', { debug() {}, info() {}, warn() {} }, 'debug, info, warn and error'],
  ['middlewares', {}, 'an array of middlewares'],
  ['middlewares', null, 'an array of middlewares'],
  ['middlewares', 'otel', 'an array of middlewares'],
  ['schema', '', 'must not be empty'],
  ['schema', 'x'.repeat(64), '64 bytes'],
  ['schema', 'ü'.repeat(32), '64 bytes'],
  ['schema', 'pg_jobs', 'pg_'],
  ['schema', 'a\u0000b', '\\u0000'],
  ['schema', '\uDC00', 'half a surrogate pair'],
  ['schema', null, 'must be a string'],
  ['keepFinished', true, 'cannot be true'],
  ['keepFinished', null, 'cannot be null'],
  ['keepFinished', '1 day', 'such as'],
  ['keepFailed', false, 'cannot be false'],
  ['keepFailed', -5, 'from 0 ms'],
  ['maxArgsBytes', 0, 'from 1 to 268,435,455'],
  ['maxArgsBytes', 268_435_456, 'from 1 to 268,435,455'],
  ['maxArgsBytes', 1.5, 'an integer'],
  ['maxArgsBytes', '32MiB', 'an integer'],
  ['maxArgsBytes', 5n, 'cannot be 5n'],
]

describe('a bad value is refused by name, with the value and the remedy', () => {
  test.each(badValues)('%s %o', (option, value, remedy) => {
    const refusal = expectRefusal(
      () => resolveQueueOptions({ [option]: value }),
      'INVALID_OPTION',
      `"${option}"`,
      remedy,
    )
    expect(refusal.details).toMatchObject({ option })
    expect(refusal.details).toHaveProperty('value')
  })

  const options = [
    'queueName',
    'pollInterval',
    'retryJitter',
    'fifo',
    'dlq',
    'logger',
    'middlewares',
    'schema',
  ]
  const hostile = hostileValues().flatMap(([name, value]) =>
    options.map((option) => [option, name, value] as const),
  )
  test.each(hostile)('%s that is %s', (option, _, value) => {
    expectRefusal(() => resolveQueueOptions({ [option]: value }), 'INVALID_OPTION', `"${option}"`)
  })
})

describe('a bad middleware is named by its place', () => {
  test.each<[string, unknown, string]>([
    ['null', null, 'middlewares[1]'],
    ['a hole', undefined, 'middlewares[1]'],
    ['a function, as other libraries have them', () => {}, 'middlewares[1]'],
    ['a class instead of an instance', UnimplementedMiddleware, 'middlewares[1]'],
    ['an enqueue that is no method', { enqueue: true }, 'middlewares[1].enqueue'],
    ['a process that is null', { process: null }, 'middlewares[1].process'],
    [
      'a getter that throws',
      {
        get process(): never {
          throw new Error('no')
        },
      },
      'middlewares[1].process',
    ],
  ])('%s', (_, value, option) => {
    const refusal = expectRefusal(
      () => resolveQueueOptions({ middlewares: [{}, value] }),
      'INVALID_OPTION',
      `"${option}"`,
    )
    expect(refusal.details).toMatchObject({ option })
  })
})

describe('an unknown name is refused, with the nearest one that is known', () => {
  test.each([
    ['polInterval', 'pollInterval'],
    ['pollinterval', 'pollInterval'],
    ['queuename', 'queueName'],
    ['queue', 'queueName'],
    ['midlewares', 'middlewares'],
    ['deadLetterQueue', undefined],
    ['maxRetryDelays', 'maxRetryDelay'],
    ['Fifo', 'fifo'],
    ['jitter', 'retryJitter'],
    ['__proto__', undefined],
    ['', undefined],
    ['x'.repeat(1_000), undefined],
  ])('%s', (name, suggestion) => {
    const options: unknown = Object.defineProperty({}, name, { value: 1, enumerable: true })
    const refusal = expectRefusal(
      () => resolveQueueOptions(options),
      'INVALID_OPTION',
      'There is no option',
      '(1)',
      'It takes queueName'.slice(3),
    )
    expect(refusal.details).toMatchObject({ suggestion })
    const hint =
      suggestion === undefined
        ? 'it takes queueName, '
        : `did you mean "${suggestion}"? It takes queueName, `
    expect(refusal.message).toContain(`; ${hint}`)
  })

  test('also when its value is undefined, and when it is a symbol', () => {
    expectRefusal(
      () => resolveQueueOptions({ polInterval: undefined }),
      'INVALID_OPTION',
      'did you mean',
    )
    expectRefusal(() => resolveQueueOptions({ [Symbol('x')]: 1 }), 'INVALID_OPTION', 'Symbol(x)')
  })

  test('the option of an enqueue is no option of a queue', () => {
    expectRefusal(() => resolveQueueOptions({ maxRetries: 3 }), 'INVALID_OPTION', '"maxRetries"')
  })
})

describe('what is no plain object is refused as a whole', () => {
  // What can be read without a throw, and is empty, is a plain object.
  const hostile = hostileValues().filter(([name]) => !/tag/.test(name))
  const strangers: readonly (readonly [string, unknown])[] = [
    ['null', null],
    ['a string', 'emails'],
    ['a number', 5],
    ['an array', [{ fifo: true }]],
    ['a function', () => ({})],
    ['a Map', new Map([['fifo', true]])],
    ['a Date', new Date()],
    ['a Promise', Promise.resolve({})],
    ['an instance of a class', new UnimplementedMiddleware()],
    ...hostile,
  ]
  test.each(strangers)('%s', (_, options) => {
    expect(refusalOf(() => resolveQueueOptions(options)).code).toBe('INVALID_OPTION')
  })
})
