import { afterEach, describe, expect, test, vi } from 'vitest'
import { EventBus } from '../../src/core/event-bus.ts'
import type { EventType, MillraceEvent } from '../../src/core/events.ts'
import { describeEvent, levelOf, typesAtLevel } from '../../src/core/log-wording.ts'
import {
  checkLogger,
  defaultLogger,
  isLogger,
  logEvents,
  pinoLogger,
  type Logger,
} from '../../src/core/logger.ts'

const error = {
  name: 'TypeError',
  message: 'no such user',
  stack: 'TypeError: no such user\n    at work',
}
const run = { jobId: '42', queueName: 'emails', attempt: 2 }
const down = Object.assign(new Error('connection refused'), { code: 'ECONNREFUSED' })

/** One of each. */
const EVENTS: { readonly [Type in EventType]: MillraceEvent & { type: Type } } = {
  'job.enqueued': { type: 'job.enqueued', jobId: '42', queueName: 'emails' },
  'job.started': { type: 'job.started', ...run },
  'job.finished': { type: 'job.finished', ...run, ms: 12.3 },
  'job.retried': { type: 'job.retried', ...run, error, retryInMs: 4_000 },
  'job.failed': { type: 'job.failed', ...run, error },
  'job.dead_lettered': { type: 'job.dead_lettered', ...run, error, dlq: 'emails-dead' },
  'job.snoozed': { type: 'job.snoozed', ...run, afterMs: 60_000 },
  'job.cancel_requested': { type: 'job.cancel_requested', ...run },
  'job.cancelled': { type: 'job.cancelled', ...run },
  'job.given_back': { type: 'job.given_back', ...run, wasRunning: false },
  'job.rescued': { type: 'job.rescued', ...run, workerId: 7, ranAlone: true },
  'job.lease_lost': { type: 'job.lease_lost', ...run },
  'job.timed_out': { type: 'job.timed_out', ...run, timeoutMs: 500 },
  'job.handler_outlived': { type: 'job.handler_outlived', ...run, reason: 'timeout' },
  'result.not_stored': { type: 'result.not_stored', ...run, error: down },
  'complete.error_after': { type: 'complete.error_after', ...run, error },
  'claim.made': { type: 'claim.made', queueName: 'emails', count: 1, ms: 3 },
  'claim.failed': { type: 'claim.failed', queueName: 'emails', error: down, retryInMs: 100 },
  'claim.recovered': { type: 'claim.recovered', queueName: 'emails', count: 3 },
  'queue.paused': { type: 'queue.paused', queueName: 'emails' },
  'queue.resumed': { type: 'queue.resumed', queueName: 'emails' },
  'settle.made': { type: 'settle.made', queueName: 'emails', count: 1_500, ms: 20 },
  'settle.failed': { type: 'settle.failed', queueName: 'emails', error: down, retryInMs: 100 },
  'poll.failed': { type: 'poll.failed', error: down },
  'worker.registered': { type: 'worker.registered', workerId: 7, leaseMs: 30_000 },
  'worker.stopped': { type: 'worker.stopped', workerId: 7 },
  'worker.lease_lost': { type: 'worker.lease_lost', workerId: 7, runs: 1 },
  'worker.died': { type: 'worker.died', workerId: 7, silentMs: 30_000 },
  'worker.rescued': { type: 'worker.rescued', workerId: 7, count: 500 },
  'database.unavailable': { type: 'database.unavailable', error: down, attempt: 3, retryInMs: 800 },
  'database.restored': { type: 'database.restored', afterMs: 5_000 },
  'listen.unavailable': { type: 'listen.unavailable', pollIntervalMs: 1_000 },
  'progress.not_stored': { type: 'progress.not_stored', queueName: 'q', error: undefined },
  'listen.lost': { type: 'listen.lost', error: undefined },
  'pool.exhausted': { type: 'pool.exhausted', queueName: 'emails', waitedMs: 5_000 },
  'history.partition_added': { type: 'history.partition_added', day: '2030-01-01' },
  'history.partition_dropped': { type: 'history.partition_dropped', day: '2030-01-01' },
  'maintenance.failed': { type: 'maintenance.failed', chore: 'keep history', error: down },
  'schema.unknown': { type: 'schema.unknown', schema: 'millrace', version: 3, known: 2 },
  'dashboard.failed': {
    type: 'dashboard.failed',
    ...{ id: 'e7', method: 'GET', path: '/api/queues', error: down },
  },
  'audit.failed': { type: 'audit.failed', entryId: '7', outcome: 'done', error: down },
  'listener.failed': { type: 'listener.failed', error: down },
}

const all: MillraceEvent[] = Object.values(EVENTS)

afterEach(() => {
  vi.restoreAllMocks()
})

describe('the wording', () => {
  test.each(all.map((event) => [event.type, event] as const))(
    '%s is a sentence with its facts',
    (type, event) => {
      const { level, message, fields } = describeEvent(event)
      expect(level).toBe(levelOf(type))
      expect(message).toMatch(/^[A-Z][^\n]*[.?]$/)
      expect(message).not.toMatch(/undefined ms|NaN|\[object/)
      expect(fields).toMatchObject({ event: type })
      expect(() => JSON.stringify(fields)).not.toThrow()
      expect(Object.keys(fields)).toEqual(
        expect.arrayContaining(Object.keys(event).filter((name) => name !== 'type')),
      )
    },
  )

  test.each<[EventType, string]>([
    [
      'job.retried',
      'Failed job 42 of queue "emails" (run 2): TypeError: no such user. It is retried in 4 s.',
    ],
    ['claim.made', 'Claimed 1 job of queue "emails" in 3 ms.'],
    ['settle.made', 'Settled 1,500 jobs of queue "emails" in 20 ms.'],
    [
      'database.unavailable',
      'The database cannot be reached (try 3): Error: connection refused. The next try is in 800 ms.',
    ],
  ])('of %s', (type, message) => {
    expect(describeEvent(EVENTS[type]).message).toBe(message)
  })

  test('an error of the database brings its code', () => {
    const { fields } = describeEvent(EVENTS['database.unavailable'])
    expect(fields).toMatchObject({
      attempt: 3,
      error: { name: 'Error', message: 'connection refused', code: 'ECONNREFUSED' },
    })
  })

  test('every event has exactly one level', () => {
    const levels = (['debug', 'info', 'warn', 'error'] as const).flatMap((level) =>
      typesAtLevel(level),
    )
    expect(levels.toSorted()).toEqual(Object.keys(EVENTS).toSorted())
  })
})

describe('a logger', () => {
  function recorder(): { lines: string[]; logger: Logger } {
    const lines: string[] = []
    const write = (level: string) => (message: string) => void lines.push(`${level} ${message}`)
    return {
      lines,
      logger: {
        debug: write('debug'),
        info: write('info'),
        warn: write('warn'),
        error: write('error'),
      },
    }
  }

  test('gets a line for each event, until it is detached', () => {
    const bus = new EventBus()
    const { lines, logger } = recorder()
    const detach = logEvents(bus, logger)
    bus.emit(EVENTS['job.enqueued'])
    bus.emit(EVENTS['worker.stopped'])
    detach()
    bus.emit(EVENTS['worker.stopped'])
    expect(lines).toEqual(['debug Enqueued job 42 of queue "emails".', 'info Worker 7 stopped.'])
  })

  test('by default writes warnings and errors to the console, and does not listen to anything else', () => {
    const warn = vi.spyOn(console, 'warn').mockImplementation(() => {})
    const err = vi.spyOn(console, 'error').mockImplementation(() => {})
    const others = [vi.spyOn(console, 'info'), vi.spyOn(console, 'debug'), vi.spyOn(console, 'log')]
    const bus = new EventBus()
    logEvents(bus, defaultLogger)
    for (const event of all) bus.emit(event)
    expect(warn).toHaveBeenCalledTimes(typesAtLevel('warn').length)
    expect(err).toHaveBeenCalledTimes(typesAtLevel('error').length)
    for (const spy of others) expect(spy).not.toHaveBeenCalled()
    expect(bus.wants('job.finished')).toBe(false)
    expect(bus.wants('job.failed')).toBe(true)
    expect(warn.mock.calls[0]?.[0]).toMatch(/^millrace: /)
    defaultLogger.info('quiet')
    defaultLogger.debug('quiet')
  })

  test('that throws or rejects breaks nothing', async () => {
    const bus = new EventBus()
    const broken = {
      debug: () => {
        throw down
      },
      info: async () => {
        throw down
      },
      warn() {},
      error() {},
    }
    logEvents(bus, broken)
    expect(() => bus.emit(EVENTS['job.enqueued'])).not.toThrow()
    bus.emit(EVENTS['worker.stopped'])
    await new Promise((resolve) => setImmediate(resolve))
  })

  test('may be a class that needs its `this`', () => {
    class Lines {
      readonly lines: string[] = []
      debug(message: string): void {
        this.lines.push(message)
      }
      info(message: string): void {
        this.lines.push(message)
      }
      warn(message: string): void {
        this.lines.push(message)
      }
      error(message: string): void {
        this.lines.push(message)
      }
    }
    const bus = new EventBus()
    const logger = new Lines()
    logEvents(bus, logger)
    for (const event of all) bus.emit(event)
    expect(logger.lines).toHaveLength(all.length)
  })

  test('is recognised by its four methods', () => {
    expect(isLogger(console)).toBe(true)
    expect(isLogger(recorder().logger)).toBe(true)
    expect([undefined, null, 5, {}, { ...recorder().logger, warn: 5 }].some(isLogger)).toBe(false)
    expect(checkLogger('logger', undefined)).toBe(defaultLogger)
  })

  test('of pino takes the fields first', () => {
    const calls: unknown[] = []
    const write = (level: string) => (fields: object, message: string) =>
      void calls.push([level, fields, message])
    const logger = pinoLogger({
      debug: write('debug'),
      info: write('info'),
      warn: write('warn'),
      error: write('error'),
    })
    logger.warn('slow', { ms: 5 })
    logger.error('down')
    logger.info('up')
    logger.debug('x')
    expect(calls).toEqual([
      ['warn', { ms: 5 }, 'slow'],
      ['error', {}, 'down'],
      ['info', {}, 'up'],
      ['debug', {}, 'x'],
    ])
  })
})
