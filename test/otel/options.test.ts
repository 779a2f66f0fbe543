import { expect, test } from 'vitest'
import { openTelemetry, type OpenTelemetryOptions } from '../../src/otel/index.ts'
import { expectRefusal, hostileValues } from '../core/refusal.ts'

const open = (options: unknown) => () => openTelemetry(options as OpenTelemetryOptions)

test.each<[unknown, ...string[]]>([
  [{ relation: 'child' }, 'relation', "it takes 'link' or 'parent'"],
  [{ relation: null }, 'relation', 'null'],
  [{ tracerProvider: {} }, 'tracerProvider', 'it takes an object with the method getTracer'],
  [{ tracerProvider: null }, 'tracerProvider', 'null'],
  [{ propagator: { inject: () => {} } }, 'propagator', 'the methods inject and extract'],
  [{ tracer: 1 }, '"tracer"', 'did you mean "tracerProvider"?'],
  ['parent', 'openTelemetry takes a plain object of options', '"parent"'],
])('refuses %j', (options, ...parts) => {
  expectRefusal(open(options), 'INVALID_OPTION', ...parts)
})

test.each(hostileValues())('refuses %s, and survives it', (_, value) => {
  expectRefusal(open({ tracerProvider: value }), 'INVALID_OPTION', 'tracerProvider')
  expectRefusal(open({ propagator: value }), 'INVALID_OPTION', 'propagator')
})

test('takes nothing, and undefined for a default', () => {
  expect(Object.keys(openTelemetry())).toEqual(['enqueue', 'process'])
  expect(() =>
    openTelemetry({ relation: undefined, tracerProvider: undefined, propagator: undefined }),
  ).not.toThrow()
})
