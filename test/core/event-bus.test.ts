import { describe, expect, test } from 'vitest'
import { EventBus } from '../../src/core/event-bus.ts'
import type { MillraceEvent } from '../../src/core/events.ts'

const enqueued: MillraceEvent = { type: 'job.enqueued', jobId: '1', queueName: 'a' }
const stopped: MillraceEvent = { type: 'worker.stopped', workerId: 3 }

/** A listener that keeps what it hears. */
function recorder(): { heard: MillraceEvent[]; listen: (event: MillraceEvent) => void } {
  const heard: MillraceEvent[] = []
  return { heard, listen: (event) => void heard.push(event) }
}

test('everybody who listens hears every event in its order, until they stop', () => {
  const bus = new EventBus()
  const [one, two] = [recorder(), recorder()]
  const stopOne = bus.on(one.listen)
  bus.on(two.listen)
  bus.emit(enqueued)
  stopOne()
  stopOne()
  bus.emit(stopped)
  expect(one.heard).toEqual([enqueued])
  expect(two.heard).toEqual([enqueued, stopped])
})

test('who asks for some events hears only those', () => {
  const bus = new EventBus()
  const some = recorder()
  bus.on(some.listen, ['worker.stopped', 'worker.died'])
  bus.emit(enqueued)
  bus.emit(stopped)
  expect(some.heard).toEqual([stopped])
})

test('it knows whether anybody would hear an event', () => {
  const bus = new EventBus()
  expect(bus.wants('job.enqueued')).toBe(false)
  const stopSome = bus.on(() => {}, ['worker.stopped'])
  expect([bus.wants('job.enqueued'), bus.wants('worker.stopped')]).toEqual([false, true])
  const stopAll = bus.on(() => {})
  expect(bus.wants('job.enqueued')).toBe(true)
  stopAll()
  stopSome()
  expect(bus.wants('worker.stopped')).toBe(false)
})

test('the same function may listen twice, and stop once', () => {
  const bus = new EventBus()
  const { heard, listen } = recorder()
  const stop = bus.on(listen)
  bus.on(listen)
  stop()
  bus.emit(enqueued)
  expect(heard).toEqual([enqueued])
})

test('who begins to listen while an event is told hears the next one', () => {
  const bus = new EventBus()
  const late = recorder()
  const stop = bus.on(() => {
    stop()
    bus.on(late.listen)
  })
  bus.emit(enqueued)
  expect(late.heard).toEqual([])
  bus.emit(stopped)
  expect(late.heard).toEqual([stopped])
})

describe('a listener that fails', () => {
  const error = new Error('my own fault')

  test('by throwing disturbs nobody, and the others are told', () => {
    const bus = new EventBus()
    const { heard, listen } = recorder()
    bus.on(() => {
      throw error
    })
    bus.on(listen)
    bus.emit(enqueued)
    expect(heard).toEqual([{ type: 'listener.failed', error }, enqueued])
  })

  test('by rejecting does not end the process', async () => {
    const bus = new EventBus()
    const { heard, listen } = recorder()
    // oxlint-disable-next-line typescript/no-misused-promises -- it is what users do
    bus.on(async () => {
      throw error
    }, ['job.enqueued'])
    bus.on(listen, ['listener.failed'])
    bus.emit(enqueued)
    await new Promise((resolve) => setImmediate(resolve))
    expect(heard).toEqual([{ type: 'listener.failed', error }])
  })

  test('by rejecting whatever it is told is not told for ever that it failed', async () => {
    const bus = new EventBus()
    let calls = 0
    // oxlint-disable-next-line typescript/no-misused-promises -- it is what users do
    bus.on(async () => {
      calls += 1
      throw error
    })
    bus.emit(enqueued)
    await new Promise((resolve) => setImmediate(resolve))
    expect(calls).toBe(2)
  })
})
