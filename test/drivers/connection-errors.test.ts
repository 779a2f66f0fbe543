import { describe, expect, test } from 'vitest'
import { MillraceError } from '../../src/core/errors.ts'
import {
  isConnectionError,
  isStatementError,
  markWithoutEffect,
  outcomeIsUnknown,
} from '../../src/drivers/connection-errors.ts'

const coded = (code: string, more: object = {}): Error =>
  Object.assign(new Error(`error ${code}`), { code, ...more })

/** As `WebAssembly.RuntimeError`, of which Node's types know nothing. */
class RuntimeError extends Error {}

describe('what an error says', () => {
  const lostWithDoubt: [string, unknown][] = [
    ['OUTCOME_UNKNOWN', new MillraceError('OUTCOME_UNKNOWN')],
    ...['08000', '08003', '08006', '57P01', '57P02', '57P05', '25P03', '25P04'].map(withCode),
    ...['ECONNRESET', 'EPIPE', 'ETIMEDOUT', 'ERR_STREAM_DESTROYED'].map(withCode),
    ['a FATAL of any code', coded('XX000', { severity: 'FATAL' })],
    ['pg: terminated', new Error('Connection terminated unexpectedly')],
    ['pg: terminated by us', new Error('Connection terminated')],
    ['pg: query_timeout', new Error('Query read timeout')],
    ['pg: out of step', new Error('Received unexpected dataRow message from backend.')],
    ...['CONNECTION_CLOSED', 'CONNECTION_DESTROYED'].map(withCode), // postgres.js
    ['PGlite: crashed', new RuntimeError('unreachable')],
  ]
  test.each(lostWithDoubt)('%s: the connection is lost, the outcome unknown', (_, error) => {
    expect(isConnectionError(error)).toBe(true)
    expect(outcomeIsUnknown(error)).toBe(true)
    expect(isStatementError(error)).toBe(false)
  })

  const neverSent: [string, unknown][] = [
    ...['57P03', '53300', 'ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN', 'EHOSTUNREACH'].map(withCode),
    ['a missing Unix socket', coded('ENOENT', { syscall: 'connect' })],
    ['pg-pool: ended', new Error('Cannot use a pool after calling end on the pool')],
    ['pg-pool: exhausted', new Error('timeout exceeded when trying to connect')],
    ['pg: ended', new Error('Client was closed and is not queryable')],
    [
      'pg: broken before',
      new Error('Client has encountered a connection error and is not queryable'),
    ],
    ...['CONNECTION_ENDED', 'CONNECT_TIMEOUT'].map(withCode), // postgres.js
    ['PGlite: closed', new Error('PGlite is closed')],
    ['marked', markWithoutEffect(new Error('Connection terminated unexpectedly'))],
  ]
  test.each(neverSent)('%s: no connection, and nothing was done', (_, error) => {
    expect(isConnectionError(error)).toBe(true)
    expect(outcomeIsUnknown(error)).toBe(false)
    expect(isStatementError(error)).toBe(false)
  })

  test.each(['23505', '40001', '40P01', '42P01', '57014', '22P02', '53100', 'P0001', '25P02'])(
    'SQLSTATE %s: the server refused the statement, on a good connection',
    (code) => {
      const error = coded(code, { severity: 'ERROR' })
      expect(isStatementError(error)).toBe(true)
      expect(isConnectionError(error)).toBe(false)
      expect(outcomeIsUnknown(error)).toBe(false)
    },
  )

  const noneOfThese: unknown[] = [
    new Error('x is not a function'),
    new MillraceError('INVALID_OPTION'),
    coded('EPERM'),
    coded('28P01', { severity: 'FATAL' }),
    coded('3D000', { severity: 'FATAL' }),
    undefined,
    null,
    'ECONNRESET',
    { code: 42 },
  ]
  test.each(noneOfThese)('%o: nothing about the connection', (error) => {
    expect(isConnectionError(error)).toBe(false)
    expect(outcomeIsUnknown(error)).toBe(false)
  })
})

function withCode(code: string): [string, Error] {
  return [code, coded(code)]
}
