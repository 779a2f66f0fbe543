import { expect } from 'vitest'
import { MillraceError, type MillraceErrorCode } from '../../src/core/errors.ts'

/** The `MillraceError` that `act` throws. */
export function refusalOf(act: () => unknown): MillraceError {
  try {
    act()
  } catch (error) {
    expect(error).toBeInstanceOf(MillraceError)
    return error as MillraceError
  }
  throw new Error('Nothing was refused.')
}

/** Checks that `act` is refused with this code, and that the message says what, which value, and what to do. */
export function expectRefusal(
  act: () => unknown,
  code: MillraceErrorCode,
  ...parts: readonly string[]
): MillraceError {
  const refusal = refusalOf(act)
  expect(refusal.code).toBe(code)
  for (const part of parts) expect(refusal.message).toContain(part)
  expect(refusal.message.length).toBeLessThan(600)
  expect(refusal.message).toMatch(/^[^\n]+\.$/)
  expect(() => JSON.stringify(refusal.details)).not.toThrow()
  return refusal
}

/** Values that throw on whatever is done with them. */
export function hostileValues(): readonly (readonly [string, unknown])[] {
  const fail = (): never => {
    throw new Error('do not touch')
  }
  const revoked = Proxy.revocable({}, {})
  revoked.revoke()
  return [
    ['a revoked proxy', revoked.proxy],
    ['a proxy that throws', new Proxy({}, { get: fail, ownKeys: fail, getPrototypeOf: fail })],
    [
      'an object whose tag throws',
      Object.defineProperty({}, Symbol.toStringTag, { get: fail, enumerable: false }),
    ],
    [
      'an object whose getter throws',
      Object.defineProperty({}, 'x', { get: fail, enumerable: true }),
    ],
    ['an object that cannot become a string', { toString: fail, valueOf: fail, toJSON: fail }],
    [
      'a class whose name throws',
      new (class {
        readonly x = 1
        static get name(): string {
          return fail()
        }
      })(),
    ],
  ]
}
