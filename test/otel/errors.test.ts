import { context, SpanStatusCode } from '@opentelemetry/api'
import type { ReadableSpan } from '@opentelemetry/sdk-trace-base'
import { afterEach } from 'vitest'
import { Discard, Snooze, type JobOptions, type Middleware } from '../../src/index.ts'
import { expect, test, type OpenQueue } from '../support/fixtures.ts'
import { startTracing } from './tracing.ts'

afterEach(() => context.disable())

/** The span of a run whose handler does this. */
async function runOf(
  openQueue: OpenQueue,
  handler: (signal: AbortSignal) => unknown,
  options: JobOptions = {},
): Promise<ReadableSpan> {
  const tracing = startTracing()
  const queue = openQueue((_job, { signal }) => handler(signal), {
    middlewares: [tracing.middleware()],
  })
  await queue.enqueue(1, options)
  await queue.drain()
  return tracing.span('process default')
}

const throwing = (thrown: unknown) => (): never => {
  throw thrown
}

const untilAborted = (signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    if (signal.aborted) resolve()
    signal.addEventListener('abort', () => resolve(), { once: true })
  })

test('what a handler throws is an exception of its span, and still fails the run', async ({
  openQueue,
  rows,
}) => {
  const run = await runOf(openQueue, throwing(new TypeError('no such address')))
  expect(run.status).toEqual({ code: SpanStatusCode.ERROR, message: 'no such address' })
  expect(run.attributes).toMatchObject({
    'error.type': 'TypeError',
    'messaging.millrace.outcome': 'threw',
  })
  expect(run.events).toHaveLength(1)
  expect(run.events[0]).toMatchObject({
    name: 'exception',
    attributes: {
      'exception.type': 'TypeError',
      'exception.message': 'no such address',
      'exception.stacktrace': expect.stringContaining('errors.test.ts') as string,
    },
  })
  expect(await rows('select message from {schema}.job_errors')).toEqual([
    { message: 'no such address' },
  ])
})

test.each([
  [
    'a code says more than a name',
    Object.assign(new Error('refused'), { code: 'ECONNREFUSED' }),
    'ECONNREFUSED',
  ],
  ['a text is no error', 'out of paper', 'NonError'],
  ['nothing is thrown', undefined, 'NonError'],
  ['a null is thrown', null, 'NonError'],
  [
    'a code that throws',
    Object.defineProperty(new Error('x'), 'code', { get: throwing(1) }),
    'Error',
  ],
])('error.type: %s', async (_, thrown, type) => {
  const { recordThrow } = await import('../../src/otel/endings.ts')
  const tracing = startTracing()
  const span = tracing.provider.getTracer('test').startSpan('run')
  recordThrow(span, new AbortController().signal, thrown)
  span.end()
  expect(tracing.span('run').attributes['error.type']).toBe(type)
})

test('a discarded job is an error', async ({ openQueue }) => {
  const run = await runOf(openQueue, throwing(new Discard('gone for good')))
  expect(run.status).toEqual({ code: SpanStatusCode.ERROR, message: 'gone for good' })
  expect(run.attributes).toMatchObject({
    'error.type': 'Discard',
    'messaging.millrace.outcome': 'discarded',
  })
})

test('a snoozed job is no error', async ({ openQueue }) => {
  const run = await runOf(openQueue, throwing(new Snooze('1h')))
  expect(run.status.code).toBe(SpanStatusCode.UNSET)
  expect(run.events).toEqual([])
  expect(run.attributes).toMatchObject({ 'messaging.millrace.outcome': 'snoozed' })
  expect(run.attributes).not.toHaveProperty('error.type')
})

test('a run over its timeout is an error, whether its handler then throws or returns', async ({
  openQueue,
}) => {
  const expected = { 'error.type': 'TIMEOUT', 'messaging.millrace.outcome': 'threw' }
  const returned = await runOf(openQueue, untilAborted, { timeout: '20ms' })
  expect(returned.attributes).toMatchObject(expected)
  const threw = await runOf(
    openQueue,
    async (signal) => {
      await untilAborted(signal)
      throw new Error('stopped')
    },
    { timeout: '20ms' },
  )
  expect(threw.attributes).toMatchObject(expected)
  expect(threw.status).toMatchObject({ code: SpanStatusCode.ERROR })
})

test('a run that a shutdown interrupted is no error', async ({ openQueue, receive, seen }) => {
  const tracing = startTracing()
  const queue = openQueue(
    async (_job, { signal }) => {
      await untilAborted(signal)
      throw signal.reason as Error
    },
    { middlewares: [tracing.middleware()] },
  )
  const job = await queue.enqueue(1)
  const receiving = receive(queue, { shutdownTimeout: 0 })
  await seen('job.started', job.id)
  await receiving.stop()
  const run = tracing.span('process default')
  expect(run.status.code).toBe(SpanStatusCode.UNSET)
  expect(run.attributes).toMatchObject({ 'messaging.millrace.outcome': 'interrupted' })
  expect(await queue.get(job.id)).toMatchObject({ status: 'available', attempt: 0 })
})

test('an enqueue that fails is an error, and its caller hears of it', async ({ openQueue }) => {
  const tracing = startTracing()
  const refusing: Middleware = {
    enqueue: () => () => Promise.reject(new RangeError('too many today')),
  }
  const queue = openQueue({ middlewares: [tracing.middleware(), refusing] })
  await expect(queue.enqueue(1)).rejects.toThrow('too many today')
  const send = tracing.span('send default')
  expect(send.status).toEqual({ code: SpanStatusCode.ERROR, message: 'too many today' })
  expect(send.attributes['error.type']).toBe('RangeError')
})

test('an enqueue that the database refuses is an error', async ({ openQueue, rows }) => {
  const tracing = startTracing()
  const queue = openQueue({ middlewares: [tracing.middleware()] })
  await rows('drop schema {schema} cascade')
  await expect(queue.enqueue(1)).rejects.toMatchObject({ code: 'SCHEMA_MISSING' })
  expect(tracing.span('send default').attributes['error.type']).toBe('SCHEMA_MISSING')
})
