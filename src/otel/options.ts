import type { MeterProvider, TextMapPropagator, TracerProvider } from '@opentelemetry/api'
import { invalidOption, readOptions } from '../core/validate.ts'

/** How jobs are traced. */
export interface OpenTelemetryOptions {
  /**
   * How the span of a run relates to the span that enqueued its job. `'link'`: each run is a trace of
   * its own, with a link to it. `'parent'`: the run is a child of it too, so that both are one trace;
   * for jobs that run soon and few times, as a trace is only whole after the last retry. @default 'link'
   */
  relation?: 'link' | 'parent' | undefined
  /** Where the tracer comes from. @default the global one of `@opentelemetry/api` */
  tracerProvider?: TracerProvider | undefined
  /** Writes the context into the job's metadata and reads it from there. @default the global one of `@opentelemetry/api` */
  propagator?: TextMapPropagator | undefined
}

/** Where measurements go. */
export interface OpenTelemetryMetricsOptions {
  /** Where the meter comes from. @default the global one of `@opentelemetry/api`, as it is when this is called */
  meterProvider?: MeterProvider | undefined
}

/** Checks the options of `openTelemetryMetrics`. Throws `INVALID_OPTION`. */
export function resolveMetricsOptions(options: unknown): {
  readonly meterProvider: MeterProvider | undefined
} {
  const { meterProvider } = readOptions(options, {
    of: 'openTelemetryMetrics',
    known: ['meterProvider'],
  })
  return {
    meterProvider: checkMethods<MeterProvider>('meterProvider', meterProvider, ['getMeter']),
  }
}

/** The options of `openTelemetry`, checked. */
export interface ResolvedOpenTelemetryOptions {
  readonly relation: 'link' | 'parent'
  /** Undefined: the global one. */
  readonly tracerProvider: TracerProvider | undefined
  /** Undefined: the global one. */
  readonly propagator: TextMapPropagator | undefined
}

const OPTIONS = [
  'relation',
  'tracerProvider',
  'propagator',
] as const satisfies readonly (keyof OpenTelemetryOptions)[]

/** Checks the options of `openTelemetry` and puts the defaults in. Throws `INVALID_OPTION`. */
export function resolveOpenTelemetryOptions(options: unknown): ResolvedOpenTelemetryOptions {
  const { relation, tracerProvider, propagator } = readOptions(options, {
    of: 'openTelemetry',
    known: OPTIONS,
  })
  return Object.freeze({
    relation: relation === undefined ? 'link' : checkRelation(relation),
    tracerProvider: checkMethods<TracerProvider>('tracerProvider', tracerProvider, ['getTracer']),
    propagator: checkMethods<TextMapPropagator>('propagator', propagator, ['inject', 'extract']),
  })
}

function checkRelation(value: unknown): 'link' | 'parent' {
  if (value === 'link' || value === 'parent') return value
  throw invalidOption('relation', value, `it takes 'link' or 'parent'`)
}

function checkMethods<T extends object>(
  option: string,
  value: unknown,
  methods: readonly (keyof T & string)[],
): T | undefined {
  if (value === undefined) return undefined
  const remedy = `it takes an object with the ${methods.length === 1 ? 'method' : 'methods'} ${methods.join(' and ')}`
  try {
    const object = value as Record<string, unknown>
    if (methods.every((name) => typeof object[name] === 'function')) return value as T
  } catch (error) {
    throw invalidOption(option, value, remedy, error)
  }
  throw invalidOption(option, value, remedy)
}
