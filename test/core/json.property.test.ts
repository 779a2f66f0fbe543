import * as fc from 'fast-check'
import { isDeepStrictEqual } from 'node:util'
import { expect, test } from 'vitest'
import { MillraceError } from '../../src/core/errors.ts'
import { encodeArgs } from '../../src/core/json.ts'

const maxBytes = 33_554_432
const encode = (value: unknown): string => encodeArgs(value, { maxBytes })

/** The text, or the code of the refusal. Any other error is a fault. */
function encoded(value: unknown): string {
  try {
    return encode(value)
  } catch (error) {
    if (error instanceof MillraceError) return error.code
    throw error
  }
}

test('any JSON value is written as JSON.stringify writes it, and comes back', () => {
  const isStorable = (sent: unknown): boolean => !/\\u(0000|d[89a-f])/.test(JSON.stringify(sent))
  const value = fc.jsonValue({ stringUnit: 'binary', depthSize: 'medium' }).filter(isStorable)
  fc.assert(
    fc.property(value, (sent) => {
      const text = encode(sent)
      expect(text).toBe(JSON.stringify(sent))
      expect(JSON.parse(text)).toEqual(JSON.parse(JSON.stringify(sent)))
    }),
    { numRuns: 500 },
  )
})

test('any string is carried exactly, or refused because PostgreSQL could not store it', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 0xffff }), { maxLength: 30 }), (units) => {
      const sent = String.fromCharCode(...units)
      const isStorable = !/\p{Surrogate}/u.test(sent) && !sent.includes('\u0000')
      const outcome = encoded({ [sent]: sent })
      const expected = isStorable ? JSON.stringify({ [sent]: sent }) : 'INVALID_ARGS'
      expect(outcome).toBe(expected)
    }),
    { numRuns: 1_000 },
  )
})

test('whatever it is: either it comes back deeply equal, or it is refused', () => {
  const anything = fc.anything({
    withBigInt: true,
    withBoxedValues: true,
    withMap: true,
    withSet: true,
    withSparseArray: true,
    withTypedArray: true,
    withNullPrototype: true,
    withObjectString: true,
  })
  fc.assert(
    fc.property(anything, (sent) => {
      const text = encoded(sent)
      if (text === 'INVALID_ARGS') return true
      return isDeepStrictEqual(JSON.parse(text), likened(sent))
    }),
    { numRuns: 2_000 },
  )
})

/** What is promised to come back: without undefined properties, prototypes and the sign of zero. */
function likened(value: unknown): unknown {
  if (Object.is(value, -0)) return 0
  if (typeof value !== 'object' || value === null) return value
  if (Array.isArray(value)) return value.map(likened)
  const copy = {}
  for (const [key, inner] of Object.entries(value)) {
    if (inner === undefined) continue
    Object.defineProperty(copy, key, {
      value: likened(inner),
      enumerable: true,
      configurable: true,
      writable: true,
    })
  }
  return copy
}
