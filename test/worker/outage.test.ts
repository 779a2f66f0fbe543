import { expect, test } from 'vitest'
import { MillraceError } from '../../src/core/errors.ts'
import { isDataError, isHopeless } from '../../src/worker/outage.ts'

const sqlError = (code: string): Error => Object.assign(new Error('of the server'), { code })

test.each(['42P01', '42501', '3F000', '3D000'])(
  'a set-up without what it needs (%s) is not waited for',
  (code) => {
    expect(isHopeless(sqlError(code))).toBe(true)
  },
)

test.each(['08006', '57P01', '57P03', '53300', '40001', '22P02', 'ECONNREFUSED'])(
  'a database that is away, busy or full (%s) is waited for',
  (code) => {
    expect(isHopeless(sqlError(code))).toBe(false)
  },
)

test('of our own errors those of the schema and of options are not waited for', () => {
  expect(isHopeless(new MillraceError('SCHEMA_MISSING'))).toBe(true)
  expect(isHopeless(new MillraceError('INVALID_OPTION'))).toBe(true)
  expect(isHopeless(new MillraceError('OUTCOME_UNKNOWN'))).toBe(false)
})

test.each(['22P05', '22003', '23514', '54000'])('values that cannot be stored (%s)', (code) => {
  expect(isDataError(sqlError(code))).toBe(true)
})

test.each(['08006', '40001', '42P01', '53100', 'ECONNRESET'])(
  'what says nothing of the values (%s)',
  (code) => {
    expect(isDataError(sqlError(code))).toBe(false)
  },
)

test.each([undefined, null, 'text', new Error('plain'), { code: 22 }])(
  'what is no error of the server (%s) says nothing',
  (error) => {
    expect(isHopeless(error)).toBe(false)
    expect(isDataError(error)).toBe(false)
  },
)
