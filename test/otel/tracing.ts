import { context, type SpanContext } from '@opentelemetry/api'
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks'
import { W3CTraceContextPropagator } from '@opentelemetry/core'
import {
  BasicTracerProvider,
  InMemorySpanExporter,
  SimpleSpanProcessor,
  type ReadableSpan,
} from '@opentelemetry/sdk-trace-base'
import { openTelemetry, type OpenTelemetryOptions } from '../../src/otel/index.ts'
import type { Middleware } from '../../src/core/middleware.ts'

/** The real SDK, with everything that it exports kept in memory. */
export interface Tracing {
  readonly provider: BasicTracerProvider
  readonly propagator: W3CTraceContextPropagator
  /** The middleware on this SDK. */
  middleware(options?: OpenTelemetryOptions): Middleware
  /** The spans that ended, in that order. */
  spans(): ReadableSpan[]
  /** The one span of this name. */
  span(name: string): ReadableSpan
}

/** Makes an SDK. What is active travels by a context manager, which is one for the process. */
export function startTracing(): Tracing {
  context.setGlobalContextManager(new AsyncLocalStorageContextManager())
  const exporter = new InMemorySpanExporter()
  const provider = new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] })
  const propagator = new W3CTraceContextPropagator()
  return {
    provider,
    propagator,
    middleware: (options) => openTelemetry({ tracerProvider: provider, propagator, ...options }),
    spans: () => exporter.getFinishedSpans(),
    span: (name) => {
      const found = exporter.getFinishedSpans().filter((span) => span.name === name)
      const [span] = found
      if (span === undefined || found.length > 1) {
        throw new Error(`There are ${found.length} spans ${name}.`)
      }
      return span
    },
  }
}

/** How a context is written in `traceparent`. */
export function traceparentOf({ traceId, spanId, traceFlags }: SpanContext): string {
  return `00-${traceId}-${spanId}-0${traceFlags}`
}

/** What a span links to, by `traceparent`. */
export function linksOf(span: ReadableSpan): string[] {
  return span.links.map((link) => traceparentOf(link.context))
}
