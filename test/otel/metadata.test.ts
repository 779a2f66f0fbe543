import {
  context,
  createContextKey,
  diag,
  propagation,
  trace,
  type TextMapPropagator,
} from '@opentelemetry/api'
import {
  CompositePropagator,
  W3CBaggagePropagator,
  W3CTraceContextPropagator,
} from '@opentelemetry/core'
import { afterEach } from 'vitest'
import type { Metadata } from '../../src/index.ts'
import { expect, test } from '../support/fixtures.ts'
import { linksOf, startTracing, traceparentOf } from './tracing.ts'

const FOREIGN = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'

afterEach(() => {
  context.disable()
  diag.disable()
})

test('a context that the metadata brings along stays, and the enqueue links to it', async ({
  openQueue,
}) => {
  const tracing = startTracing()
  const queue = openQueue(() => undefined, { middlewares: [tracing.middleware()] })
  const metadata = { traceparent: FOREIGN, tracestate: 'vendor=1' }
  const job = await queue.enqueue(1, { metadata })
  await queue.drain()
  expect(job.metadata).toEqual(metadata)
  expect(linksOf(tracing.span('send default'))).toEqual([FOREIGN])
  expect(linksOf(tracing.span('process default'))).toEqual([FOREIGN])
})

test.each<[string, unknown]>([
  ['garbage', 'ff-garbage'],
  ['a context of zeros', '00-00000000000000000000000000000000-0000000000000000-00'],
  ['a number', 42],
  ['null', null],
  ['a list', [FOREIGN]],
  ['an object', { toString: FOREIGN }],
])('a traceparent that is none (%s) is replaced', async (_, traceparent) => {
  const { Carrier } = await import('../../src/otel/carrier.ts')
  const tracing = startTracing()
  const carrier = new Carrier(tracing.propagator)
  const metadata: Metadata = { traceparent, tenant: 'a' }
  expect(trace.getSpanContext(carrier.read(metadata))).toBeUndefined()
  const span = tracing.provider.getTracer('test').startSpan('send')
  carrier.write(trace.setSpan(context.active(), span), metadata)
  expect(metadata).toEqual({ traceparent: traceparentOf(span.spanContext()), tenant: 'a' })
})

test('a job whose stored context is none runs, without a link', async ({ openQueue, rows }) => {
  const tracing = startTracing()
  const queue = openQueue(() => undefined, { middlewares: [tracing.middleware()] })
  const { id } = await queue.enqueue(1)
  const spoilt = JSON.stringify({ traceparent: ['no'], tracestate: 7, __proto__: null })
  await rows('update {schema}.jobs set metadata = $1::text::jsonb', [spoilt])
  await queue.drain()
  expect(await queue.get(id)).toMatchObject({ status: 'finished' })
  expect(linksOf(tracing.span('process default'))).toEqual([])
})

test('a propagator that throws costs the trace, not the job', async ({ openQueue }) => {
  const tracing = startTracing()
  const complaints: string[] = []
  const hear = (message: string): void => void complaints.push(message)
  diag.setLogger({ error: hear, warn: hear, info: hear, debug: hear, verbose: hear })
  complaints.length = 0
  const fail = (): never => {
    throw new Error('broken')
  }
  const propagator: TextMapPropagator = { inject: fail, extract: fail, fields: () => [] }
  const queue = openQueue(() => undefined, { middlewares: [tracing.middleware({ propagator })] })
  const job = await queue.enqueue(1, { metadata: { tenant: 'a' } })
  expect(await queue.drain()).toMatchObject({ finished: 1 })
  expect(job.metadata).toEqual({ tenant: 'a' })
  expect(tracing.spans().map(({ name }) => name)).toEqual(['send default', 'process default'])
  expect(complaints).toHaveLength(3)
  expect(complaints[0]).toContain('metadata of a job')
})

test('what else the propagator carries arrives in the handler: baggage', async ({ openQueue }) => {
  const tracing = startTracing()
  const propagator = new CompositePropagator({
    propagators: [new W3CTraceContextPropagator(), new W3CBaggagePropagator()],
  })
  const seen: unknown[] = []
  const queue = openQueue(
    () => {
      seen.push(propagation.getActiveBaggage()?.getEntry('tenant')?.value)
      seen.push(context.active().getValue(key))
    },
    { middlewares: [tracing.middleware({ propagator })] },
  )
  const key = createContextKey('not carried')
  const baggage = propagation.createBaggage({ tenant: { value: 'a' } })
  const sending = propagation.setBaggage(context.active().setValue(key, 'here'), baggage)
  const job = await context.with(sending, () => queue.enqueue(1))
  expect(job.metadata).toMatchObject({ baggage: 'tenant=a' })
  await context.with(context.active().setValue(key, 'there'), () => queue.drain())
  expect(seen).toEqual(['a', undefined])
})
