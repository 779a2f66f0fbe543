// A process with an OpenTelemetry SDK of its own, registered globally as an application does it; with
// NO_SDK=1 without one. It enqueues or works, and tells which spans that made.
import { context, propagation, trace } from '@opentelemetry/api'
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks'
import { W3CTraceContextPropagator } from '@opentelemetry/core'
import {
  BasicTracerProvider,
  InMemorySpanExporter,
  SimpleSpanProcessor,
} from '@opentelemetry/sdk-trace-base'
import { Pool } from 'pg'
import { JobQueue } from '../../../dist/index.js'
import { openTelemetry } from '../../../dist/otel/index.js'
import { letGo, serve } from './channel.mjs'

const exporter = new InMemorySpanExporter()
let db
let queue

/** The middleware is made before the SDK is registered: an application need not mind the order. */
async function open({ databaseUrl, schema, options, hasSdk }) {
  db = new Pool({ connectionString: databaseUrl })
  queue = new JobQueue(db, work, { schema, middlewares: [openTelemetry(options)] })
  if (!hasSdk) return
  context.setGlobalContextManager(new AsyncLocalStorageContextManager())
  propagation.setGlobalPropagator(new W3CTraceContextPropagator())
  const spanProcessors = [new SimpleSpanProcessor(exporter)]
  trace.setGlobalTracerProvider(new BasicTracerProvider({ spanProcessors }))
}

async function work() {
  trace.getTracer('test').startSpan('work').end()
}

const spans = () =>
  exporter.getFinishedSpans().map((span) => ({
    name: span.name,
    traceId: span.spanContext().traceId,
    spanId: span.spanContext().spanId,
    parentId: span.parentSpanContext?.spanId,
    links: span.links.map((link) => `${link.context.traceId} ${link.context.spanId}`),
  }))

serve({
  open,
  enqueue: async () => {
    const job = await queue.enqueue('by another process')
    return { metadata: job.metadata, spans: spans() }
  },
  drain: async () => {
    const result = await queue.drain()
    return { result, spans: spans() }
  },
  leave: async () => {
    await db.end()
    setImmediate(letGo)
  },
})
