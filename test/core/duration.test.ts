import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { MAX_DURATION_MS, parseDuration } from '../../src/core/duration.ts'
import { expectRefusal, hostileValues } from './refusal.ts'

test.each([
  [0, 0],
  [-0, 0],
  [1, 1],
  [1.4, 1],
  [250, 250],
  ['250ms', 250],
  ['1.5s', 1_500],
  ['0s', 0],
  ['1m', 60_000],
  ['24h', 86_400_000],
  ['30d', 2_592_000_000],
  ['1.1s', 1_100],
  ['007s', 7_000],
  ['3650d', MAX_DURATION_MS],
  [MAX_DURATION_MS, MAX_DURATION_MS],
])('%j is %d ms', (value, ms) => {
  expect(parseDuration(value, 'delay')).toBe(ms)
})

describe('what is no duration is refused by name, with the value and the remedy', () => {
  const bad: readonly (readonly [string, unknown])[] = [
    ['an empty string', ''],
    ['a number without unit', '5'],
    ['an unknown unit', '5w'],
    ['a unit in capitals', '5S'],
    ['a space between', '5 s'],
    ['a space after', '5s '],
    ['a line break after', '5s\n'],
    ['a sign', '-5s'],
    ['a plus', '+5s'],
    ['an exponent', '1e3s'],
    ['a point without digits', '1.s'],
    ['a point first', '.5s'],
    ['hexadecimal', '0x10s'],
    ['other digits', '٣s'],
    ['two units', '1h30m'],
    ['a very long string', '1'.repeat(100_000)],
    ['null', null],
    ['undefined', undefined],
    ['NaN', Number.NaN],
    ['Infinity', Number.POSITIVE_INFINITY],
    ['a negative number', -1],
    ['more than ten years', MAX_DURATION_MS + 1],
    ['more than ten years in days', '3651d'],
    ['more than a double holds', `${'9'.repeat(400)}d`],
    ['a BigInt', 5n],
    ['a boolean', true],
    ['a Date', new Date(0)],
    ['an object', { seconds: 5 }],
    ['an array', [5]],
    ['a symbol', Symbol('5s')],
    ['a function', () => 5],
    ...hostileValues(),
  ]
  test.each(bad)('%s', (_, value) => {
    const refusal = expectRefusal(
      () => parseDuration(value, 'delay'),
      'INVALID_OPTION',
      '"delay"',
      'it takes',
    )
    expect(refusal.details).toMatchObject({ option: 'delay' })
  })
})

test('a range is named in people’s units', () => {
  expect(() => parseDuration('999ms', 'leaseTimeout', { min: 1_000 })).toThrow(
    'The option "leaseTimeout" cannot be "999ms"; it takes from 1 s to ten years.',
  )
  expect(() => parseDuration(9, 'pollInterval', { min: 10 })).toThrow('from 10 ms to ten years')
  expect(parseDuration(10, 'pollInterval', { min: 10 })).toBe(10)
})

test('every duration is a whole number of milliseconds', () => {
  const amount = fc.double({ min: 0, max: 3_000, noNaN: true }).map((number) => number.toFixed(3))
  const unit = fc.constantFrom('ms', 's', 'm', 'h', 'd')
  fc.assert(
    fc.property(amount, unit, (number, name) => {
      const ms = parseDuration(`${number}${name}`, 'delay')
      return Number.isSafeInteger(ms) && ms >= 0
    }),
  )
})
