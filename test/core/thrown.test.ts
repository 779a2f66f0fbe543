import * as fc from 'fast-check'
import { runInNewContext } from 'node:vm'
import { describe, expect, test } from 'vitest'
import { MillraceError } from '../../src/core/errors.ts'
import { describeThrown } from '../../src/core/thrown.ts'
import { hostileValues } from './refusal.ts'

test('an error is recorded by its name, message and stack', () => {
  const error = new RangeError('too far')
  expect(describeThrown(error)).toEqual({
    name: 'RangeError',
    message: 'too far',
    stack: error.stack,
  })
})

test('an error of another realm is an error', () => {
  const error: unknown = runInNewContext('new TypeError("elsewhere")')
  expect(describeThrown(error)).toMatchObject({ name: 'TypeError', message: 'elsewhere' })
})

test('an aborted signal’s reason is an error', () => {
  expect(describeThrown(AbortSignal.abort().reason)).toMatchObject({ name: 'AbortError' })
})

test('the stack tells what caused the error', () => {
  const cause = new Error('connection refused', { cause: 'the server is away' })
  const { stack } = describeThrown(new MillraceError('OUTCOME_UNKNOWN', {}, { cause }))
  expect(stack).toContain('\nCaused by: Error: connection refused')
  expect(stack).toContain('\nCaused by: the server is away')
})

test('a circle of causes ends', () => {
  const error = new Error('egg')
  error.cause = new Error('hen', { cause: error })
  expect(describeThrown(error).stack?.match(/Caused by/g)).toHaveLength(3)
})

describe('what is no error is a NonError with its text', () => {
  test.each([
    ['boom', 'boom'],
    ['', ''],
    [42, '42'],
    [-0, '-0'],
    [10n, '10n'],
    [undefined, 'undefined'],
    [null, 'null'],
    [true, 'true'],
    [Symbol('boom'), 'Symbol(boom)'],
    [{ code: 5, nested: { deep: [1] } }, '{ code: 5, nested: { deep: [ 1 ] } }'],
    [['a', 1], "[ 'a', 1 ]"],
  ])('%o', (thrown, message) => {
    expect(describeThrown(thrown)).toEqual({ name: 'NonError', message, stack: null })
  })

  test.each(hostileValues())('%s', (_, thrown) => {
    const record = describeThrown(thrown)
    expect(record.name).toBe('NonError')
    expect(record.message).not.toBe('')
  })
})

describe('an error whose parts cannot be trusted', () => {
  const fail = (): never => {
    throw new Error('do not touch')
  }

  test('getters that throw are survived', () => {
    const error = new Error('fine')
    for (const name of ['stack', 'cause', 'message', 'name']) {
      Object.defineProperty(error, name, { get: fail })
    }
    expect(describeThrown(error)).toEqual({ name: 'Error', message: '', stack: null })
  })

  test('parts that are no text are left out', () => {
    const error = Object.assign(new Error('x'), { name: 5, message: {}, stack: [] })
    expect(describeThrown(error)).toEqual({ name: 'Error', message: '', stack: null })
  })
})

describe('what is recorded can be stored', () => {
  test('without \\u0000 and half surrogate pairs', () => {
    expect(describeThrown('a\u0000b\uD800c').message).toBe('a\uFFFDb\uFFFDc')
  })

  test('a long message is cut at 2 KB and a long stack at 8 KB', () => {
    const error = new Error('é'.repeat(1_000_000))
    error.stack = '✓'.repeat(1_000_000)
    const record = describeThrown(error)
    expect(Buffer.byteLength(record.message)).toBeGreaterThan(2_040)
    expect(Buffer.byteLength(record.message)).toBeLessThanOrEqual(2_048)
    expect(Buffer.byteLength(record.stack ?? '')).toBeGreaterThan(8_180)
    expect(Buffer.byteLength(record.stack ?? '')).toBeLessThanOrEqual(8_192)
    expect(record.message).toMatch(/^é+…$/)
    expect(record.stack).toMatch(/^✓+…$/)
  })

  test('a message of exactly 2 KB is whole', () => {
    const message = 'x'.repeat(2_048)
    expect(describeThrown(message).message).toBe(message)
  })

  test('whatever is thrown', () => {
    const text = fc.string({ unit: 'binary', maxLength: 200 })
    fc.assert(
      fc.property(
        fc.oneof(
          fc.anything(),
          text,
          text.map((message) => new Error(message)),
        ),
        (thrown) => {
          const { name, message, stack } = describeThrown(thrown)
          for (const part of [name, message, stack ?? '']) {
            expect(part).not.toContain('\u0000')
            expect(part).not.toMatch(/\p{Surrogate}/u)
          }
          expect(Buffer.byteLength(message)).toBeLessThanOrEqual(2_048)
          expect(Buffer.byteLength(stack ?? '')).toBeLessThanOrEqual(8_192)
        },
      ),
    )
  })
})
