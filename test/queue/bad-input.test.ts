import { inspect } from 'node:util'
import { openEmbedded } from '../../src/embedded/index.ts'
import {
  JobQueue,
  migrateDown,
  migrateUp,
  migrationSql,
  migrationStatus,
  MillraceError,
  Querier,
  receiveAll,
  Snooze,
  type MillraceErrorCode,
} from '../../src/index.ts'
import { describeEachDatabase, expect, test, type Fixtures } from '../support/fixtures.ts'
import { countRows, errorOf, inTransaction } from './arrange.ts'

/** What a mistake is made with: the queue works, its row and one job are stored. */
interface Scene extends Pick<Fixtures, 'db' | 'schema'> {
  queue: JobQueue
  fifo: JobQueue
  idle: JobQueue
  querier: Querier
}

/** One mistake, and what the error must say about it. */
interface Kind {
  /** What was called. */
  call: string
  code: MillraceErrorCode
  /** The option or the path that the error names. */
  place: string
  /** How it shows the value; undefined when there is none to show. */
  shown: string | undefined
  /** Words of what to do instead. */
  remedy: string
  act: (scene: Scene) => unknown
}

type Mistake = readonly [place: string, value: unknown, shown: string, remedy: string]

/** What an untyped caller passes. */
const any = (value: unknown): never => value as never

const cycle: Record<string, unknown> = { in: {} }
;(cycle['in'] as typeof cycle)['again'] = cycle
const invalidDate = new Date(Number.NaN)
const tooLong = 'x'.repeat(201)
const REVOKED = Proxy.revocable({}, {})
REVOKED.revoke()
const { signal } = new AbortController()
const MS = "'250ms', '1.5s', '30m', '24h' or '7d'"
const DURATIONS: readonly (readonly [value: unknown, shown: string, remedy: string])[] = [
  ['soon', '"soon"', MS],
  ['5', '"5"', 'with its unit'],
  ['-1s', '"-1s"', MS],
  [' 1s', '" 1s"', MS],
  [-1, '-1', 'from 0 ms to ten years'],
  [Number.NaN, 'NaN', MS],
  [Infinity, 'Infinity', 'ten years'],
  ['3651d', '"3651d"', 'ten years'],
  [null, 'null', MS],
  [1_000n, '1000n', MS],
]
const durationsOf = (option: string): Mistake[] =>
  DURATIONS.map(([value, shown, remedy]) => [option, value, shown, remedy])

const QUEUE_OPTIONS: readonly Mistake[] = [
  ['queueName', '', '""', '1 to 200 characters'],
  ['queueName', tooLong, '(201 characters)', '1 to 200 characters'],
  ['queueName', 'a\u0000b', '\\u0000', 'any but \\u0000'],
  ['queueName', 'half \ud83d', '\\ud83d', 'without half a surrogate pair'],
  ['queueName', null, 'null', '1 to 200 characters'],
  ['queueName', 7, '7', '1 to 200 characters'],
  ['pollInterval', '9ms', '"9ms"', 'from 10 ms'],
  ['pollInterval', 0, '0', 'from 10 ms'],
  ...durationsOf('baseRetryDelay'),
  ['maxRetryDelay', {}, 'an object', MS],
  ['retryJitter', 1.1, '1.1', 'a number from 0 to 1'],
  ['retryJitter', Number.NaN, 'NaN', 'a number from 0 to 1'],
  ['fifo', 1, '1', 'true or false'],
  ['fifo', 'false', '"false"', 'true or false'],
  ['dlq', 'default', '"default"', 'cannot be its own'],
  ['dlq', tooLong, '(201 characters)', '1 to 200 characters'],
  ['logger', null, 'null', 'such as console'],
  ['logger', { info: () => undefined }, 'an object', 'debug, info, warn and error'],
  ['middlewares', {}, 'an object', 'an array of middlewares'],
  ['keepFinished', true, 'true', MS],
  ['keepFailed', false, 'false', MS],
  ['maxArgsBytes', 0, '0', 'an integer from 1 to 268,435,455'],
  ['maxArgsBytes', 2 ** 28, '268435456', 'an integer from 1 to 268,435,455'],
  ['schema', '', '""', 'must not be empty'],
  ['schema', 'pg_mine', '"pg_mine"', 'must not begin with "pg_"'],
  ['schema', 'ä'.repeat(32), 'äää', 'has 64 bytes'],
  ['schema', 'a\u0000', '\\u0000', 'must not contain'],
  ['schema', '\udc00', '\\udc00', 'half a surrogate pair'],
  ['schema', null, 'null', "such as 'millrace'"],
  ['queuename', 'emails', '"emails"', 'did you mean "queueName"'],
  ['concurrency', 5, '5', 'it takes queueName'],
]

const JOB_OPTIONS: readonly Mistake[] = [
  ['maxRetries', -1, '-1', 'an integer from 0 to 32,767'],
  ['maxRetries', 1.5, '1.5', 'an integer from 0 to 32,767'],
  ['maxRetries', 32_768, '32768', 'an integer from 0 to 32,767'],
  ['maxRetries', '3', '"3"', 'an integer from 0 to 32,767'],
  ['maxRetries', null, 'null', 'an integer from 0 to 32,767'],
  ['retryPolicy', 'Exponential', '"Exponential"', `'constant', 'linear' or 'exponential'`],
  ['metadata', null, 'null', 'a plain object of JSON values'],
  ['metadata', [1], 'an array of 1', 'a plain object of JSON values'],
  ['metadata', 'text', '"text"', 'a plain object of JSON values'],
  ['metadata', new Map(), 'a Map', 'a plain object of JSON values'],
  ['metadata', { toJSON: () => 7 }, 'an object', 'a plain object of JSON values'],
  ['runAt', invalidDate, 'an invalid Date', 'a valid Date'],
  ['runAt', '2030-01-01', '"2030-01-01"', 'a valid Date'],
  ['runAt', Date.UTC(2030), '1893456000000', 'pass delay instead'],
  ['runAt', null, 'null', 'a valid Date'],
  ...durationsOf('delay'),
  ['priority', 10, '10', 'an integer from 0 to 9'],
  ['priority', -1, '-1', 'an integer from 0 to 9'],
  ['priority', 'high', '"high"', 'an integer from 0 to 9'],
  ['timeout', 0, '0', 'from 1 ms'],
  ['timeout', '1 minute', '"1 minute"', MS],
  ['maxretries', 1, '1', 'did you mean'],
  ['attempts', 1, '1', 'maxRetries, retryPolicy, metadata'],
]

const METADATA: readonly Mistake[] = [
  ['metadata.a', 1n, '1n', 'pass a string or a number'],
  ['metadata.a.b[1]', undefined, 'undefined', 'pass null'],
  ['metadata.a', '\u0000', 'u0000', 'remove it'],
  ['metadata.a', Number.NaN, 'NaN', 'pass null or a string'],
]
const metadataWith = (place: string, value: unknown): unknown =>
  place.endsWith(']') ? { a: { b: [1, value] } } : { a: value }

const CALL_OPTIONS: readonly Mistake[] = [
  ['tx', null, 'null', 'a transaction of your database client'],
  ['tx', 'begin', '"begin"', 'a transaction of your database client'],
  ['signal', {}, 'an object', 'an AbortSignal'],
  ['signal', new AbortController(), 'an AbortController', 'the signal of a new AbortController()'],
  ['signal', null, 'null', 'an AbortSignal'],
]

const ARGS: readonly Mistake[] = [
  ['args', undefined, 'undefined', 'pass null where there is nothing'],
  ['args', 1n, '1n', 'pass a string or a number'],
  ['args', () => undefined, 'a function', 'leave it out'],
  ['args', Symbol('mine'), 'Symbol(mine)', 'leave it out'],
  ['args', Number.NaN, 'NaN', 'pass null or a string'],
  ['args', -Infinity, '-Infinity', 'pass null or a string'],
  ['args', new Map([[1, 2]]), 'a Map', 'give it a toJSON method'],
  ['args', new Set(), 'a Set', 'give it a toJSON method'],
  ['args', new WeakMap(), 'a WeakMap', 'give it a toJSON method'],
  ['args', Promise.resolve(1), 'a Promise', 'give it a toJSON method'],
  ['args', /x/, 'a RegExp', 'give it a toJSON method'],
  ['args', new Error('text'), 'an Error', 'give it a toJSON method'],
  ['args', new Uint8Array(2), 'a Uint8Array', 'give it a toJSON method'],
  ['args', new Number(1), 'a Number', 'give it a toJSON method'],
  ['args', invalidDate, 'an invalid Date', 'pass null'],
  ['args', { toJSON: () => undefined }, 'undefined', 'pass null'],
  ['args', Object.assign([1], { more: 2 }), 'an array with properties', 'pass an object'],
  ['args', { [Symbol('key')]: 1 }, 'Symbol(key)', 'use a string as key'],
  ['args', 'zero \u0000', '\\u0000', 'remove it'],
  ['args', '\ud83d', 'half a surrogate pair', 'toWellFormed'],
  ['args["k', { 'k\u0000': 1 }, 'a key that contains \\u0000', 'remove it'],
  ['args["', { '\udc00': 1 }, 'a key that contains half', 'toWellFormed'],
  ['args.a[1]', { a: [1, undefined] }, 'undefined', 'pass null'],
  ['args.a[1]', { a: [1, , 3] }, 'a hole', 'pass null'], // oxlint-disable-line no-sparse-arrays -- the mistake
  ['args.a.when', { a: { when: invalidDate } }, 'an invalid Date', 'pass null'],
  ['args.in.again', cycle, 'contains itself', 'pass an id'],
  ['args["x y"].n', { 'x y': { n: Infinity } }, 'Infinity', 'pass null or a string'],
  ['args', REVOKED.proxy, 'throws when it is read', 'throws'],
  ['args.x', { get x() { throw new Error('no') } }, 'throws when it is read', 'throws'],
] // prettier-ignore

const IDS: readonly (readonly [value: unknown, shown: string])[] = [
  [42, '42'],
  [42n, '42n'],
  ['', '""'],
  ['042', '"042"'],
  ['-1', '"-1"'],
  ['1e3', '"1e3"'],
  ['9223372036854775808', '"9223372036854775808"'],
  [undefined, 'undefined'],
  [null, 'null'],
  [{ id: '1' }, 'an object'],
]

const DATABASES: readonly (readonly [value: unknown, shown: string, remedy: string])[] = [
  [undefined, 'undefined', 'Pass a pg.Pool'],
  [null, 'null', 'Pass a pg.Pool'],
  ['postgres://host/db', 'a string of 18 characters', 'new pg.Pool({ connectionString })'],
  [{}, 'an object', 'query() and transaction()'],
  [{ query: () => undefined }, 'an object', 'query() and transaction()'],
  [Promise.resolve(), 'class Promise', 'await it first'],
  [Object.assign(() => [], { unsafe: () => [] }), 'a function', 'pass the sql that'],
  [{ $client: {} }, 'an object', 'pass db.$client'],
]

const RECEIVE: readonly Mistake[] = [
  ['signal', undefined, 'missing', 'an AbortSignal'],
  ['signal', 'SIGTERM', '"SIGTERM"', 'an AbortSignal'],
  ['concurrency', 0, '0', 'an integer from 1 to 10,000'],
  ['concurrency', 10_001, '10001', 'an integer from 1 to 10,000'],
  ['concurrency', '10', '"10"', 'an integer from 1 to 10,000'],
  ['shutdownTimeout', '25', '"25"', 'with its unit'],
  ['leaseTimeout', '999ms', '"999ms"', 'from 1 s'],
  ['leaseTimeout', null, 'null', MS],
  ['limit', 5, '5', 'it takes signal'],
]

const DRAIN: readonly Mistake[] = [
  ['signal', 1, '1', 'an AbortSignal'],
  ['limit', 0, '0', 'an integer from 1'],
  ['limit', Infinity, 'Infinity', 'an integer from 1'],
  ['timeout', 0, '0', 'from 1 ms'],
  ['timeout', '10', '"10"', 'with its unit'],
  ['concurrency', 0, '0', 'an integer from 1 to 10,000'],
  ['leaseTimeout', '1s', '"1s"', 'it takes signal'],
]

function kindsOf(
  call: string,
  mistakes: readonly Mistake[],
  act: (scene: Scene, bag: Record<string, never>, place: string, value: unknown) => unknown,
  { code = 'INVALID_OPTION', prefix = '' }: { code?: MillraceErrorCode; prefix?: string } = {},
): Kind[] {
  return mistakes.map(([place, value, shown, remedy]) => ({
    ...{ call, code, shown, remedy, place: `${prefix}${place}` },
    act: (scene) => act(scene, { [place]: any(value) }, place, value),
  }))
}

/** A call whose whole options are wrong. */
const wholes = (call: string, act: (scene: Scene, options: never) => unknown): Kind[] =>
  [null, 7, [], new Map()].map((value) => ({
    ...{ call, code: 'INVALID_OPTION', place: 'options', remedy: 'object of options' },
    shown: value instanceof Map ? 'a Map' : Array.isArray(value) ? 'an empty array' : String(value),
    act: (scene) => act(scene, any(value)),
  }))

const one = (
  call: string,
  [place, shown, remedy]: readonly [place: string, shown: string | undefined, remedy: string],
  act: Kind['act'],
  code: MillraceErrorCode = 'INVALID_OPTION',
): Kind => ({ call, code, place, shown, remedy, act })

const open = ({ db, schema }: Scene, options: object): JobQueue =>
  new JobQueue(db, () => undefined, { schema, ...options })

const kinds: readonly Kind[] = [
  ...kindsOf('new JobQueue', QUEUE_OPTIONS, open),
  ...wholes('new JobQueue', ({ db }, options) => new JobQueue(db, () => undefined, options)),
  one('new JobQueue', ['middlewares[0]', 'null', 'enqueue'], (scene) => open(scene, { middlewares: [null] })),
  one('new JobQueue', ['middlewares[1].process', '7', 'a method that wraps a handler'], (scene) => open(scene, { middlewares: [{}, { process: 7 }] })),
  one('new JobQueue', ['middlewares[0].enqueue', 'undefined', 'must return a handler'], (scene) => open(scene, { middlewares: [{ enqueue: () => undefined }] })),
  one('new JobQueue', ['worker', '"work"', 'a method work'], ({ db }) => new JobQueue(db, any('work'), {})),
  one('new JobQueue', ['worker', 'an object', 'a method work'], ({ db }) => new JobQueue(db, any({ run: 1 }), {})),
  ...DATABASES.map(([value, shown, remedy]) => one('new JobQueue', ['database', shown, remedy], () => new JobQueue(any(value)), 'INVALID_DATABASE')),
  ...kindsOf('enqueue', [...JOB_OPTIONS, ...CALL_OPTIONS], ({ queue }, bag) => queue.enqueue(1, bag)),
  ...kindsOf('enqueue', METADATA, ({ queue }, _, place, value) => queue.enqueue(1, { metadata: any(metadataWith(place, value)) })),
  ...wholes('enqueue', ({ queue }, options) => queue.enqueue(1, options)),
  one('enqueue', ['delay', '"1s"', 'either delay or runAt'], ({ queue }) => queue.enqueue(1, { delay: '1s', runAt: new Date() })),
  one('enqueue', ['args', '1', 'first parameter'], ({ queue }) => queue.enqueue(1, any({ args: 1 }))),
  ...(['priority', 'runAt', 'delay'] as const).flatMap((place) => {
    const bag = { [place]: place === 'runAt' ? new Date(0) : 0 }
    const shown = place === 'runAt' ? 'Date 1970' : '0'
    return [
      one('enqueue on FIFO', [place, shown, 'leave it out'], ({ fifo }) => fifo.enqueue(1, bag)),
      one('enqueueMany on FIFO', [`jobs[1].${place}`, shown, 'leave it out'], ({ fifo }) => fifo.enqueueMany([{ args: 0 }, { args: 1, ...bag }])),
      one('insert on FIFO', [`jobs[0].${place}`, shown, 'leave it out'], ({ querier }) => querier.insert('fifo', [{ args: 1, ...bag }])),
    ]
  }),
  one('enqueue', ['tx', 'class', 'Pass a pg client after its `begin`'], ({ queue, db }) => queue.enqueue(1, { tx: any(db) }), 'INVALID_DATABASE'),
  one('enqueue', ['tx', 'an object', 'any object with query()'], ({ queue }) => queue.enqueue(1, { tx: any({}) }), 'INVALID_DATABASE'),
  ...kindsOf('enqueue', ARGS, ({ queue }, _, __, value) => queue.enqueue(value), { code: 'INVALID_ARGS' }),
  one('enqueue', ['args', '102 bytes', 'raise maxArgsBytes'], (scene) => open(scene, { maxArgsBytes: 100 }).enqueue('x'.repeat(100)), 'ARGS_TOO_LARGE'),
  one('enqueue', ['metadata.n', '1n', 'pass a string or a number'], async (scene) => {
    const spoil = { enqueue: (next: (context: never) => Promise<void>) => (context: { metadata: object }) => (Object.assign(context.metadata, { n: 1n }), next(any(context))) }
    await open(scene, { middlewares: [spoil] }).enqueue(1)
  }),
  ...kindsOf('enqueueMany', JOB_OPTIONS, ({ queue }, bag) => queue.enqueueMany([{ args: 0 }, { args: 1, ...bag }]), { prefix: 'jobs[1].' }),
  ...kindsOf('enqueueMany', ARGS, ({ queue }, _, __, value) => queue.enqueueMany([{ args: 0 }, { args: value }]), { code: 'INVALID_ARGS', prefix: 'jobs[1].' }),
  ...kindsOf('enqueueMany', CALL_OPTIONS, ({ queue }, bag) => queue.enqueueMany([{ args: 0 }], bag)),
  ...wholes('enqueueMany', ({ queue }, options) => queue.enqueueMany([{ args: 0 }], options)),
  one('enqueueMany', ['jobs[0].tx', '', 'second parameter'], ({ queue, db }) => queue.enqueueMany([any({ args: 0, tx: db })])),
  one('enqueueMany', ['jobs', 'an object', 'an array of { args'], ({ queue }) => queue.enqueueMany(any({ args: 0 }))),
  one('enqueueMany', ['jobs', 'missing', 'an array of { args'], ({ queue }) => queue.enqueueMany(any(undefined))),
  one('enqueueMany', ['jobs[1]', '7', 'a plain object'], ({ queue }) => queue.enqueueMany([{ args: 0 }, any(7)])),
  one('enqueueMany', ['jobs[0]', 'missing', 'pass an object'], ({ queue }) => queue.enqueueMany(any([,]))), // oxlint-disable-line no-sparse-arrays -- the mistake
  one('enqueueMany', ['jobs[0].args', '12 bytes', 'raise maxArgsBytes'], (scene) => open(scene, { maxArgsBytes: 9 }).enqueueMany([{ args: 'x'.repeat(10) }]), 'ARGS_TOO_LARGE'),
  ...(['get', 'cancel', 'retry', 'delete'] as const).flatMap((call) => IDS.flatMap(([value, shown]) => [
    one(call, ['job id', shown, 'pass the decimal string'], ({ queue }) => queue[call](any(value)), 'INVALID_JOB_ID'),
    one(`Querier.${call}`, ['job id', shown, 'pass the decimal string'], ({ querier }) => querier[call]('default', any(value)), 'INVALID_JOB_ID'),
  ])),
  ...kindsOf('receive', RECEIVE, ({ queue }, bag) => queue.receive(any({ signal, ...bag }))),
  ...wholes('receive', ({ queue }, options) => queue.receive(options)),
  one('receive', ['options', 'an AbortSignal', 'pass { signal }'], ({ queue }) => queue.receive(any(signal))),
  ...kindsOf('drain', DRAIN, ({ queue }, bag) => queue.drain(bag)),
  ...wholes('drain', ({ queue }, options) => queue.drain(options)),
  one('receive', ['without a worker', undefined, 'pass one to the constructor'], ({ idle }) => idle.receive({ signal }), 'NO_WORKER'),
  one('drain', ['without a worker', undefined, 'pass one to the constructor'], ({ idle }) => idle.drain(), 'NO_WORKER'),
  ...kindsOf('receiveAll', RECEIVE, ({ queue }, bag) => receiveAll([queue], any({ signal, ...bag }))),
  one('receiveAll', ['queues', 'an empty array', 'at least one JobQueue'], () => receiveAll([], { signal })),
  one('receiveAll', ['queues', 'a JobQueue', 'pass an array'], ({ queue }) => receiveAll(any(queue), { signal })),
  one('receiveAll', ['queues[1]', 'null', 'a JobQueue'], ({ queue }) => receiveAll([queue, any(null)], { signal })),
  one('receiveAll', ['queues[0]', '"default"', 'a JobQueue'], () => receiveAll([any('default')], { signal })),
  one('receiveAll', ['without a worker', undefined, 'pass one to the constructor'], ({ idle }) => receiveAll([idle], { signal }), 'NO_WORKER'),
  one('counts', ['estimate', '1', 'true or false'], ({ queue }) => queue.counts(any({ estimate: 1 }))),
  one('counts', ['exact', 'true', 'it takes estimate'], ({ queue }) => queue.counts(any({ exact: true }))),
  ...wholes('counts', ({ queue }, options) => queue.counts(options)),
  ...[0, -1, 1.5, Infinity, '5', null].map((limit) => one('redrive', ['limit', String(limit), 'an integer from 1'], ({ queue }) => queue.redrive({ limit: any(limit) }))),
  ...wholes('redrive', ({ queue }, options) => queue.redrive(options)),
  one('observe', ['listener', 'null', 'a function'], ({ queue }) => queue.observe(any(null))),
  one('new Snooze', ['delay', '"later"', MS], () => new Snooze(any('later'))),
  ...DATABASES.map(([value, shown, remedy]) => one('new Querier', ['database', shown, remedy], () => new Querier(any(value)), 'INVALID_DATABASE')),
  one('new Querier', ['schema', '"pg_x"', 'pg_'], ({ db }) => new Querier(db, { schema: 'pg_x' })),
  ...wholes('new Querier', ({ db }, options) => new Querier(db, options)),
  one('Querier.withTx', ['tx', 'class', 'Pass a pg client'], ({ querier, db }) => querier.withTx(any(db)), 'INVALID_DATABASE'),
  one('Querier.withTx', ['tx', 'undefined', 'Pass a pg client'], ({ querier }) => querier.withTx(any(undefined)), 'INVALID_DATABASE'),
  one('Querier.insert', ['queueName', '"unknown"', 'open it once'], ({ querier }) => querier.insert('unknown', [{ args: 1 }])),
  one('Querier.insert', ['queueName', '""', '1 to 200 characters'], ({ querier }) => querier.insert('', [{ args: 1 }])),
  one('Querier.insert', ['jobs', 'null', 'an array'], ({ querier }) => querier.insert('default', any(null))),
  ...kindsOf('Querier.insert', ARGS, ({ querier }, _, __, value) => querier.insert('default', [{ args: value }]), { code: 'INVALID_ARGS', prefix: 'jobs[0].' }),
  one('Querier.list', ['status', '"dead"', 'one of available'], ({ querier }) => querier.list('default', { status: any('dead') })),
  one('Querier.list', ['limit', '1001', 'an integer from 1 to 1,000'], ({ querier }) => querier.list('default', { limit: 1_001 })),
  one('Querier.list', ['job id', '7', 'pass the decimal string'], ({ querier }) => querier.list('default', { after: any(7) }), 'INVALID_JOB_ID'),
  one('Querier.counts', ['queueName', '7', '1 to 200 characters'], ({ querier }) => querier.counts(any(7))),
  ...wholes('migrateUp', ({ db }, options) => migrateUp(db, options)),
  one('migrateUp', ['schema', '"pg_x"', 'pg_'], ({ db }) => migrateUp(db, { schema: 'pg_x' })),
  one('migrateUp', ['to', '1', 'it takes schema'], ({ db, schema }) => migrateUp(db, any({ schema, to: 1 }))),
  one('migrateUp', ['signal', '7', 'an AbortSignal'], ({ db, schema }) => migrateUp(db, { schema, signal: any(7) })),
  one('migrateUp', ['database', 'undefined', 'Pass a pg.Pool'], () => migrateUp(any(undefined)), 'INVALID_DATABASE'),
  ...[-1, 0.5, 1_000, '0', 0n, null].map((to) => one('migrateDown', ['to', String(to), 'an integer from 0 (nothing)'], ({ db, schema }) => migrateDown(db, { schema, to: any(to) }))),
  one('migrateDown', ['to', 'missing', 'an integer from 0 (nothing)'], ({ db, schema }) => migrateDown(db, any({ schema }))),
  one('migrationStatus', ['schema', '""', 'must not be empty'], ({ db }) => migrationStatus(db, { schema: '' })),
  one('migrationSql', ['from', '99', 'an integer from 0'], () => migrationSql({ from: 99 })),
  ...[7, 7n, '', ' ', 'memory://', null].map((directory) => one('openEmbedded', ['directory', String(directory), 'Pass'], () => openEmbedded(any(directory)))),
] // prettier-ignore

/** What it throws or rejects with; that it did not, if it did not. */
const refusalOf = (act: () => unknown): Promise<unknown> =>
  errorOf(Promise.resolve().then(act)).catch((error: unknown) => error)

function check(error: unknown, { call, code, place, shown, remedy }: Kind): void {
  const name = `${call}: ${place} as ${shown}`
  expect.soft(error, name).toBeInstanceOf(MillraceError)
  if (!(error instanceof MillraceError)) return
  const { message, details } = error
  expect.soft(error.code, `${name}: ${message}`).toBe(code)
  const told = `${message} ${inspect(details)}`
  for (const part of [place, shown ?? '', remedy]) expect.soft(told, name).toContain(part)
  expect.soft(message.length, name).toBeLessThan(600)
  expect.soft(message, name).toMatch(/^[^\n]+\.$/)
  // An error may be logged as JSON, whatever the value was.
  expect.soft(() => JSON.stringify(details), name).not.toThrow()
}

test('knows many kinds of bad input', () => {
  expect(kinds.length).toBeGreaterThanOrEqual(90)
})

describeEachDatabase('bad input', (test) => {
  for (const call of new Set(kinds.map((kind) => kind.call))) {
    test(`to ${call} is refused with code, place, value and remedy, and leaves no row`, async ({
      db,
      schema,
      openQueue,
      rows,
    }) => {
      const queue = openQueue(() => undefined)
      const fifo = openQueue({ queueName: 'fifo', fifo: true })
      const idle = openQueue({ queueName: 'idle' })
      for (const each of [queue, fifo, idle]) await each.enqueue('waits')
      const scene = { db, schema, queue, fifo, idle, querier: new Querier(db, { schema }) }
      const before = await countRows(rows)
      for (const kind of kinds.filter((other) => other.call === call)) {
        check(await refusalOf(() => kind.act(scene)), kind)
        expect.soft(await countRows(rows), `${call}: ${kind.place}`).toEqual(before)
      }
    })
  }

  test('in a transaction leaves it as it was', async ({ db, queue, rows }) => {
    await queue.enqueue('opens the queue')
    const mistakes = [{ maxRetries: -1 }, { signal: any(7) }, { metadata: any([]) }]
    await inTransaction(db, async (tx) => {
      for (const mistake of mistakes) {
        expect(await refusalOf(() => queue.enqueue(1, { tx, ...mistake }))).toBeInstanceOf(
          MillraceError,
        )
      }
      expect(await refusalOf(() => queue.enqueue(1n, { tx }))).toBeInstanceOf(MillraceError)
      await queue.enqueue('good', { tx })
    })
    expect(await countRows(rows)).toMatchObject({ jobs: 2 })
  })
})
