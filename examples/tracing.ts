/*
 * Tracing: a request enqueues an order, the order's job enqueues an e-mail, and the e-mail needs two
 * runs. With `millrace/otel` all of it is one trace, although it may have run in three processes.
 *
 *   DATABASE_URL=postgres://localhost/test node examples/tracing.ts
 *
 * It needs @opentelemetry/api, sdk-trace-base, core and context-async-hooks. Here the spans are kept
 * and printed as a tree; in earnest NodeSDK of @opentelemetry/sdk-node sends them to a collector.
 */
import { context, propagation, SpanStatusCode, trace } from '@opentelemetry/api'
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks'
import { W3CTraceContextPropagator } from '@opentelemetry/core'
import {
  BasicTracerProvider,
  InMemorySpanExporter,
  SimpleSpanProcessor,
  type ReadableSpan,
} from '@opentelemetry/sdk-trace-base'
import pg from 'pg'
import { JobQueue, migrateUp } from 'millrace'
import { openTelemetry } from 'millrace/otel'

const spans = new InMemorySpanExporter()
context.setGlobalContextManager(new AsyncLocalStorageContextManager())
propagation.setGlobalPropagator(new W3CTraceContextPropagator())
trace.setGlobalTracerProvider(
  new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(spans)] }),
)
const tracer = trace.getTracer('shop')

const db = new pg.Pool({ connectionString: process.env['DATABASE_URL'] })
await migrateUp(db)

const quiet = { debug() {}, info() {}, warn() {}, error() {} } // the tree at the end says it all
const options = {
  // 'parent' makes one trace of it all. The default 'link' makes a trace of each run, and links them.
  middlewares: [openTelemetry({ relation: 'parent' })],
  baseRetryDelay: '20ms',
  logger: quiet,
} as const

const emails = new JobQueue<{ orderId: number }>(
  db,
  async (job) => {
    // In the handler the run's span is active: what you trace here is its child.
    await tracer.startActiveSpan('render', async (span) => span.end())
    if (job.attempt === 1) throw new Error('The provider is busy.')
  },
  { ...options, queueName: 'emails' },
)

const orders = new JobQueue<{ orderId: number }>(
  db,
  async (job) => {
    await emails.enqueue({ orderId: job.args.orderId })
  },
  { ...options, queueName: 'orders' },
)

// What an instrumented web server does around each request.
await tracer.startActiveSpan('POST /orders', async (span) => {
  await orders.enqueue({ orderId: 42 })
  span.end()
})

await orders.drain()
const stop = new AbortController()
emails.observe((event) => event.type === 'job.finished' && stop.abort())
await emails.receive({ signal: stop.signal })

const finished = spans.getFinishedSpans()
console.log(`Traces: ${new Set(finished.map((span) => span.spanContext().traceId)).size}`)
printTree(undefined, '')
await db.end()

function printTree(parentId: string | undefined, indent: string): void {
  for (const span of finished.filter((one) => one.parentSpanContext?.spanId === parentId)) {
    console.log(`${indent}${describe(span)}`)
    printTree(span.spanContext().spanId, `${indent}  `)
  }
}

function describe({ name, attributes, status }: ReadableSpan): string {
  const attempt = attributes['messaging.millrace.attempt']
  const run = attempt === undefined ? '' : `, attempt ${String(attempt)}`
  return `${name}${run}${status.code === SpanStatusCode.ERROR ? `: ${status.message}` : ''}`
}
