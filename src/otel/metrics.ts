import { metrics, type Attributes, type Counter, type Histogram } from '@opentelemetry/api'
import type { EnqueueHandler, Middleware, ProcessHandler } from '../core/middleware.ts'
import { version } from '../version.ts'
import { ERROR_TYPE, operation } from './attributes.ts'
import { errorTypeOf, errorTypeOfReturn, errorTypeOfThrow } from './endings.ts'
import { resolveMetricsOptions, type OpenTelemetryMetricsOptions } from './options.ts'

/*
 * The names, units and bounds are those of OpenTelemetry's semantic conventions for messaging metrics, which are still
 * in development: https://opentelemetry.io/docs/specs/semconv/messaging/messaging-metrics/. Written out here, as the
 * package that exports them may rename what is not stable.
 */

/** Bounds of the histograms in seconds, as the conventions want them. */
const BOUNDS = [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10]

interface Instruments {
  readonly sent: Counter
  readonly consumed: Counter
  readonly operations: Histogram
  readonly runs: Histogram
}

/**
 * Measures jobs with OpenTelemetry: a middleware that counts what is enqueued and run, and how long that takes, under the
 * names of the messaging conventions. Give it to the queue on both sides, as the first of its middlewares:
 * `new JobQueue(db, worker, { middlewares: [openTelemetryMetrics()] })`. Without an SDK it does nothing.
 */
export function openTelemetryMetrics(options?: OpenTelemetryMetricsOptions): Middleware {
  const { meterProvider } = resolveMetricsOptions(options)
  const meter = (meterProvider ?? metrics).getMeter('millrace', version)
  const seconds = { unit: 's', advice: { explicitBucketBoundaries: BOUNDS } }
  const instruments: Instruments = {
    sent: meter.createCounter('messaging.client.sent.messages', {
      ...{ unit: '{message}', description: 'Jobs that were enqueued, or were to be.' },
    }),
    consumed: meter.createCounter('messaging.client.consumed.messages', {
      ...{ unit: '{message}', description: 'Runs that started.' },
    }),
    operations: meter.createHistogram('messaging.client.operation.duration', {
      ...{ ...seconds, description: 'How long an enqueue takes.' },
    }),
    runs: meter.createHistogram('messaging.process.duration', {
      ...{ ...seconds, description: 'How long a run takes.' },
    }),
  }
  return {
    enqueue: (next) => measureEnqueue(next, instruments),
    process: (next) => measureProcess(next, instruments),
  }
}

function measureEnqueue(next: EnqueueHandler, { sent, operations }: Instruments): EnqueueHandler {
  return async (context) => {
    const attributes = operation('send', context.queueName)
    const began = performance.now()
    try {
      await next(context)
    } catch (error) {
      attributes[ERROR_TYPE] = errorTypeOf(error)
      throw error
    } finally {
      sent.add(1, attributes)
      operations.record(secondsSince(began), attributes)
    }
  }
}

function measureProcess(next: ProcessHandler, { consumed, runs }: Instruments): ProcessHandler {
  return async (context) => {
    const attributes = operation('process', context.queueName)
    consumed.add(1, attributes)
    const began = performance.now()
    try {
      await next(context)
      runs.record(secondsSince(began), failed(attributes, errorTypeOfReturn(context.signal)))
    } catch (error) {
      runs.record(secondsSince(began), failed(attributes, errorTypeOfThrow(context.signal, error)))
      throw error
    }
  }
}

function failed(attributes: Attributes, errorType: string | undefined): Attributes {
  return errorType === undefined ? attributes : { ...attributes, [ERROR_TYPE]: errorType }
}

function secondsSince(began: number): number {
  return (performance.now() - began) / 1_000
}
