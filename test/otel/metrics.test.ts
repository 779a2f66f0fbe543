import type { Attributes, MeterProvider } from '@opentelemetry/api'
import { Discard, Snooze } from '../../src/index.ts'
import { openTelemetryMetrics } from '../../src/otel/index.ts'
import { expectRefusal } from '../core/refusal.ts'
import { expect, test } from '../support/fixtures.ts'

interface Measurement {
  readonly name: string
  readonly value: number
  readonly attributes: Attributes
}

/** A meter provider that keeps what it is told, and with which units. */
function newMeters(): { provider: MeterProvider; all: Measurement[]; units: Map<string, string> } {
  const all: Measurement[] = []
  const units = new Map<string, string>()
  const instrument = (name: string, { unit = '' } = {}) => {
    units.set(name, unit)
    const keep = (value: number, attributes: Attributes = {}): void => {
      all.push({ name, value, attributes: { ...attributes } })
    }
    return { add: keep, record: keep }
  }
  const meter = { createCounter: instrument, createHistogram: instrument }
  return { provider: { getMeter: () => meter } as unknown as MeterProvider, all, units }
}

const SEND = {
  'messaging.system': 'millrace',
  'messaging.destination.name': 'default',
  'messaging.operation.name': 'send',
  'messaging.operation.type': 'send',
}
const PROCESS = {
  ...SEND,
  'messaging.operation.name': 'process',
  'messaging.operation.type': 'process',
}

test('what is enqueued and run is measured under the names of the conventions', async ({
  openQueue,
}) => {
  const { provider, all, units } = newMeters()
  const queue = openQueue<string, unknown>(
    ({ args }) => {
      if (args === 'no') throw new Discard('no')
      if (args === 'snooze') throw new Snooze('1h')
    },
    { middlewares: [openTelemetryMetrics({ meterProvider: provider })] },
  )
  await queue.enqueueMany([{ args: 'yes' }, { args: 'no' }, { args: 'snooze' }])
  await queue.drain()
  const of = (name: string): Attributes[] =>
    all.filter((each) => each.name === name).map(({ attributes }) => attributes)
  expect(of('messaging.client.sent.messages')).toEqual([SEND, SEND, SEND])
  expect(of('messaging.client.operation.duration')).toEqual([SEND, SEND, SEND])
  expect(of('messaging.client.consumed.messages')).toEqual([PROCESS, PROCESS, PROCESS])
  const runs = of('messaging.process.duration')
  expect(runs).toHaveLength(3)
  expect(runs.filter((run) => 'error.type' in run)).toEqual([
    { ...PROCESS, 'error.type': 'Discard' },
  ])
  expect(Object.fromEntries(units)).toEqual({
    'messaging.client.sent.messages': '{message}',
    'messaging.client.consumed.messages': '{message}',
    'messaging.client.operation.duration': 's',
    'messaging.process.duration': 's',
  })
  expect(all.every(({ value }) => value >= 0 && value < 60)).toBe(true)
})

test('an enqueue that fails is told apart', async ({ openQueue }) => {
  const { provider, all } = newMeters()
  const refuse = (): Promise<void> => Promise.reject(new TypeError('no'))
  const measure = openTelemetryMetrics({ meterProvider: provider })
  const queue = openQueue({ middlewares: [measure, { enqueue: () => refuse }] })
  await expect(queue.enqueue('x')).rejects.toThrow('no')
  expect(all.map(({ attributes }) => attributes)).toEqual([
    { ...SEND, 'error.type': 'TypeError' },
    { ...SEND, 'error.type': 'TypeError' },
  ])
})

test('without an SDK it does nothing, and options that are none are refused', async ({
  openQueue,
}) => {
  const queue = openQueue<string, unknown>(() => 'fine', { middlewares: [openTelemetryMetrics()] })
  await queue.enqueue('x')
  expect(await queue.drain()).toMatchObject({ finished: 1 })
  const open = (options: unknown) => () => openTelemetryMetrics(options as never)
  expectRefusal(open({ meterProvider: {} }), 'INVALID_OPTION', 'the method getMeter')
  expectRefusal(open({ meter: 1 }), 'INVALID_OPTION', 'meter')
})
