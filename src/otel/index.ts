import {
  context as active,
  isSpanContextValid,
  ROOT_CONTEXT,
  SpanKind,
  trace,
  type Context,
  type Link,
  type Span,
  type Tracer,
} from '@opentelemetry/api'
import type { EnqueueHandler, Middleware, ProcessHandler } from '../core/middleware.ts'
import { version } from '../version.ts'
import { processAttributes, sendAttributes, spanName } from './attributes.ts'
import { Carrier } from './carrier.ts'
import { recordError, recordReturn, recordThrow } from './endings.ts'
import { resolveOpenTelemetryOptions, type OpenTelemetryOptions } from './options.ts'

export { openTelemetryMetrics } from './metrics.ts'
export type { OpenTelemetryMetricsOptions, OpenTelemetryOptions } from './options.ts'

/**
 * Traces jobs with OpenTelemetry: a middleware that makes a span of each enqueued job (`send emails`)
 * and of each run (`process emails`), and carries the context from one to the other in the job's
 * metadata. Give it to the queue on both sides, as the first of its middlewares:
 * `new JobQueue(db, worker, { middlewares: [openTelemetry()] })`. Without an SDK it does nothing.
 */
export function openTelemetry(options?: OpenTelemetryOptions): Middleware {
  const { relation, tracerProvider, propagator } = resolveOpenTelemetryOptions(options)
  const tracer = (tracerProvider ?? trace).getTracer('millrace', version)
  const carrier = new Carrier(propagator)
  return {
    enqueue: (next) => traceEnqueue(next, tracer, carrier),
    process: (next) => traceProcess(next, tracer, carrier, relation),
  }
}

/**
 * A context that the metadata brings along stays, as the conventions want it: the span of the enqueue
 * links to it. Otherwise the span's own context goes in.
 */
function traceEnqueue(next: EnqueueHandler, tracer: Tracer, carrier: Carrier): EnqueueHandler {
  return async (context) => {
    const { queueName, metadata } = context
    const brought = linksTo(carrier.read(metadata))
    const span = tracer.startSpan(spanName('send', queueName), {
      kind: SpanKind.PRODUCER,
      attributes: sendAttributes(context),
      links: brought,
    })
    const inside = trace.setSpan(active.active(), span)
    if (brought.length === 0) carrier.write(inside, metadata)
    await during(span, inside, async () => {
      try {
        await next(context)
      } catch (error) {
        recordError(span, error)
        throw error
      }
    })
  }
}

/**
 * The span of a run has no parent but the one that `relation` asks for. What is active where the
 * middleware is called is chance: the enqueue that woke the receiver, or the start of the process.
 */
function traceProcess(
  next: ProcessHandler,
  tracer: Tracer,
  carrier: Carrier,
  relation: 'link' | 'parent',
): ProcessHandler {
  return async (context) => {
    const carried = carrier.read(context.metadata)
    const span = tracer.startSpan(
      spanName('process', context.queueName),
      {
        kind: SpanKind.CONSUMER,
        attributes: processAttributes(context),
        links: linksTo(carried),
      },
      relation === 'parent' ? carried : ROOT_CONTEXT,
    )
    await during(span, trace.setSpan(carried, span), async () => {
      try {
        await next(context)
        recordReturn(span, context.signal)
      } catch (error) {
        recordThrow(span, context.signal, error)
        throw error
      }
    })
  }
}

function linksTo(context: Context): Link[] {
  const spanContext = trace.getSpanContext(context)
  return spanContext !== undefined && isSpanContextValid(spanContext)
    ? [{ context: spanContext }]
    : []
}

/** Makes the span active around `work`, and ends it. */
async function during(span: Span, inside: Context, work: () => Promise<void>): Promise<void> {
  try {
    await active.with(inside, work)
  } finally {
    span.end()
  }
}
