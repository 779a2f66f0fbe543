import { describe, expect, test } from 'vitest'
import { resolveCountsOptions, resolveRedriveOptions } from '../../src/core/call-options.ts'
import { resolveDrainOptions, resolveReceiveOptions } from '../../src/core/receive-options.ts'
import { expectRefusal, hostileValues } from './refusal.ts'

const { signal } = new AbortController()

test('receive needs a signal, and has defaults for the rest', () => {
  expect(resolveReceiveOptions({ signal })).toEqual({
    signal,
    concurrency: 10,
    shutdownTimeoutMs: 25_000,
    leaseTimeoutMs: 30_000,
  })
})

test('drain needs nothing', () => {
  const defaults = { signal: undefined, limit: undefined, timeoutMs: undefined, concurrency: 10 }
  expect(resolveDrainOptions()).toEqual(defaults)
  expect(resolveDrainOptions({ limit: undefined })).toEqual(defaults)
})

test('everything can be set', () => {
  const receive = { signal, concurrency: 10_000, shutdownTimeout: 0, leaseTimeout: '1s' }
  expect(resolveReceiveOptions(receive)).toEqual({
    signal,
    concurrency: 10_000,
    shutdownTimeoutMs: 0,
    leaseTimeoutMs: 1_000,
  })
  const drain = { signal, limit: 1, timeout: '50s', concurrency: 1 }
  expect(resolveDrainOptions(drain)).toEqual({
    signal,
    limit: 1,
    timeoutMs: 50_000,
    concurrency: 1,
  })
})

describe('receive refuses by name, with the value and the remedy', () => {
  test.each<[option: string, value: unknown, remedy: string]>([
    ['signal', undefined, 'is missing; it takes an AbortSignal'],
    ['signal', null, 'cannot be null'],
    ['signal', new AbortController(), 'an AbortController; it takes an AbortSignal'],
    ['concurrency', 0, 'an integer from 1 to 10,000'],
    ['concurrency', 10_001, 'an integer from 1 to 10,000'],
    ['concurrency', 2.5, 'an integer from 1 to 10,000'],
    ['concurrency', '10', 'an integer from 1 to 10,000'],
    ['concurrency', null, 'cannot be null'],
    ['concurrency', Number.POSITIVE_INFINITY, 'an integer from 1 to 10,000'],
    ['shutdownTimeout', -1, 'from 0 ms to ten years'],
    ['shutdownTimeout', null, 'cannot be null'],
    ['leaseTimeout', 999, 'from 1 s to ten years'],
    ['leaseTimeout', '999ms', 'from 1 s to ten years'],
    ['leaseTimeout', 'long', 'such as'],
  ])('%s %o', (option, value, remedy) => {
    const act = (): unknown => resolveReceiveOptions({ signal, [option]: value })
    const refusal = expectRefusal(act, 'INVALID_OPTION', `"${option}"`, remedy)
    expect(refusal.details).toMatchObject({ option })
  })

  test.each(hostileValues())('a signal that is %s', (_, value) => {
    expectRefusal(() => resolveReceiveOptions({ signal: value }), 'INVALID_OPTION', '"signal"')
  })

  test.each<[string, unknown, string]>([
    ['nothing', undefined, '"signal" is missing'],
    ['null', null, '"options"'],
    ['a bare signal', signal, 'pass { signal }'],
    ['an unknown name', { signal, concurency: 5 }, 'did you mean "concurrency"?'],
    ['an option of the queue', { signal, pollInterval: '1s' }, '"pollInterval"'],
  ])('%s', (_, options, part) => {
    expectRefusal(() => resolveReceiveOptions(options), 'INVALID_OPTION', part)
  })

  test('in the name of receiveAll', () => {
    expectRefusal(() => resolveReceiveOptions(5, 'receiveAll'), 'INVALID_OPTION', 'receiveAll')
  })
})

describe('drain refuses by name, with the value and the remedy', () => {
  test.each<[option: string, value: unknown, remedy: string]>([
    ['signal', {}, 'an AbortSignal'],
    ['limit', 0, 'from 1'],
    ['limit', Number.POSITIVE_INFINITY, 'an integer'],
    ['limit', '5', 'an integer'],
    ['timeout', 0, 'from 1 ms'],
    ['timeout', '1 min', 'such as'],
    ['concurrency', 0, 'from 1 to 10,000'],
    ['leaseTimeout', '30s', 'it takes signal, limit, timeout, concurrency'],
  ])('%s %o', (option, value, remedy) => {
    expectRefusal(
      () => resolveDrainOptions({ [option]: value }),
      'INVALID_OPTION',
      `"${option}"`,
      remedy,
    )
  })
})

test('counts may estimate, and redrive may be limited', () => {
  expect(resolveCountsOptions()).toEqual({ estimate: false })
  expect(resolveCountsOptions({ estimate: true })).toEqual({ estimate: true })
  expectRefusal(() => resolveCountsOptions({ estimate: 1 }), 'INVALID_OPTION', '"estimate"')
  expect(resolveRedriveOptions({})).toEqual({ limit: undefined })
  expect(resolveRedriveOptions({ limit: 5 })).toEqual({ limit: 5 })
  expectRefusal(() => resolveRedriveOptions({ limit: -5 }), 'INVALID_OPTION', '"limit"', 'from 1')
})
