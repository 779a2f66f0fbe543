import { context, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api'
import { afterEach } from 'vitest'
import { describeEachDatabase, expect, until } from '../support/fixtures.ts'
import { linksOf, startTracing, traceparentOf } from './tracing.ts'

afterEach(() => context.disable())

describeEachDatabase('openTelemetry', (test) => {
  test('makes a span of an enqueue and a span of a run, by the conventions for messaging', async ({
    openQueue,
  }) => {
    const tracing = startTracing()
    const queue = openQueue(() => undefined, {
      queueName: 'emails',
      middlewares: [tracing.middleware()],
    })
    const job = await queue.enqueue({ to: 'ada' })
    await queue.drain()
    const [send, run] = [tracing.span('send emails'), tracing.span('process emails')]
    expect(tracing.spans()).toHaveLength(2)
    expect(send.kind).toBe(SpanKind.PRODUCER)
    expect(send.attributes).toEqual({
      'messaging.system': 'millrace',
      'messaging.destination.name': 'emails',
      'messaging.operation.name': 'send',
      'messaging.operation.type': 'send',
    })
    expect(run.kind).toBe(SpanKind.CONSUMER)
    expect(run.attributes).toEqual({
      'messaging.system': 'millrace',
      'messaging.destination.name': 'emails',
      'messaging.operation.name': 'process',
      'messaging.operation.type': 'process',
      'messaging.message.id': job.id,
      'messaging.millrace.attempt': 1,
      'messaging.millrace.outcome': 'returned',
    })
    expect([send.status.code, run.status.code]).toEqual([
      SpanStatusCode.UNSET,
      SpanStatusCode.UNSET,
    ])
    expect(send.instrumentationScope.name).toBe('millrace')
  })

  test('carries the context in the metadata, beside what the user keeps there', async ({
    openQueue,
  }) => {
    const tracing = startTracing()
    const queue = openQueue({ queueName: 'emails', middlewares: [tracing.middleware()] })
    const mine = { tenant: 'a', nested: { trace: [1] } }
    const job = await queue.enqueue(1, { metadata: mine })
    const traceparent = traceparentOf(tracing.span('send emails').spanContext())
    expect(job.metadata).toEqual({ ...mine, traceparent })
    expect((await queue.get(job.id))?.metadata).toEqual(job.metadata)
    expect(mine).toEqual({ tenant: 'a', nested: { trace: [1] } })
  })

  test('makes each run a trace of its own, with a link to the enqueue', async ({ openQueue }) => {
    const tracing = startTracing()
    const queue = openQueue(() => undefined, { middlewares: [tracing.middleware()] })
    await queue.enqueue(1)
    // What is active where the runs are started from is nobody's parent.
    const around = tracing.provider.getTracer('test').startSpan('around')
    await context.with(trace.setSpan(context.active(), around), () => queue.drain())
    const [send, run] = [tracing.span('send default'), tracing.span('process default')]
    expect(run.parentSpanContext).toBeUndefined()
    expect(run.spanContext().traceId).not.toBe(send.spanContext().traceId)
    expect(run.spanContext().traceId).not.toBe(around.spanContext().traceId)
    expect(linksOf(run)).toEqual([traceparentOf(send.spanContext())])
  })

  test("makes a run a child of the enqueue with relation 'parent'", async ({ openQueue }) => {
    const tracing = startTracing()
    const middlewares = [tracing.middleware({ relation: 'parent' })]
    const queue = openQueue(() => undefined, { middlewares })
    await queue.enqueue(1)
    await queue.drain()
    const [send, run] = [tracing.span('send default'), tracing.span('process default')]
    expect(run.parentSpanContext).toMatchObject({ spanId: send.spanContext().spanId })
    expect(run.spanContext().traceId).toBe(send.spanContext().traceId)
    expect(linksOf(run)).toEqual([traceparentOf(send.spanContext())])
  })

  test('makes the span of an enqueue a child of what is active there', async ({ openQueue }) => {
    const tracing = startTracing()
    const queue = openQueue({ middlewares: [tracing.middleware()] })
    const request = tracing.provider.getTracer('test').startSpan('GET /')
    await context.with(trace.setSpan(context.active(), request), () => queue.enqueue(1))
    const send = tracing.span('send default')
    expect(send.parentSpanContext).toMatchObject({ spanId: request.spanContext().spanId })
  })

  test('makes the spans of a handler children of its run, and what it enqueues too', async ({
    openQueue,
  }) => {
    const tracing = startTracing()
    const middlewares = [tracing.middleware()]
    const next = openQueue({ queueName: 'next', middlewares })
    const queue = openQueue(
      async (job) => {
        await Promise.resolve()
        tracing.provider
          .getTracer('test')
          .startSpan(`work ${String(job.args)}`)
          .end()
        await next.enqueue(job.args)
      },
      { middlewares },
    )
    await queue.enqueueMany([{ args: 1 }, { args: 2 }])
    await queue.drain()
    const runs = tracing.spans().filter(({ name }) => name === 'process default')
    const parents = new Set(runs.map((run) => run.spanContext().spanId))
    const works = [tracing.span('work 1'), tracing.span('work 2')]
    expect(new Set(works.map((span) => span.parentSpanContext?.spanId))).toEqual(parents)
    const sends = tracing.spans().filter(({ name }) => name === 'send next')
    expect(new Set(sends.map((span) => span.parentSpanContext?.spanId))).toEqual(parents)
  })

  test('gives each job of enqueueMany a span and a context of its own', async ({ openQueue }) => {
    const tracing = startTracing()
    const queue = openQueue(() => undefined, { middlewares: [tracing.middleware()] })
    const jobs = await queue.enqueueMany([{ args: 1 }, { args: 2 }, { args: 3 }])
    await queue.drain()
    const sends = tracing.spans().filter(({ name }) => name === 'send default')
    const runs = tracing.spans().filter(({ name }) => name === 'process default')
    const sent = sends.map((span) => traceparentOf(span.spanContext()))
    expect(new Set(jobs.map((job) => job.metadata['traceparent']))).toEqual(new Set(sent))
    expect(new Set(runs.flatMap(linksOf))).toEqual(new Set(sent))
    expect(new Set(sent).size).toBe(3)
  })

  test('gives each attempt a span, all linked to the one enqueue', async ({ openQueue }) => {
    const tracing = startTracing()
    const queue = openQueue(
      (job) => {
        if (job.attempt < 3) throw new Error(`not yet ${job.attempt}`)
      },
      { middlewares: [tracing.middleware()], baseRetryDelay: 1 },
    )
    const { id } = await queue.enqueue(1)
    await until(async () => {
      await queue.drain()
      return (await queue.get(id))?.status === 'finished'
    })
    expect(await queue.get(id)).toMatchObject({ status: 'finished', attempt: 3 })
    const runs = tracing.spans().filter(({ name }) => name === 'process default')
    expect(runs.map((run) => run.attributes['messaging.millrace.attempt'])).toEqual([1, 2, 3])
    expect(runs.map((run) => run.status.message)).toEqual(['not yet 1', 'not yet 2', undefined])
    const sent = traceparentOf(tracing.span('send default').spanContext())
    expect(runs.flatMap(linksOf)).toEqual([sent, sent, sent])
    expect(new Set(runs.map((run) => run.spanContext().traceId)).size).toBe(3)
  })
})
