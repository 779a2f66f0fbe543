import { describe, expect, test } from 'vitest'
import { fingerprint } from '../../src/core/fingerprint.ts'

const shapeOf = (message: string): string => fingerprint('Error', message).shape
const textOf = (message: string): string | undefined => fingerprint('Error', message).texts[0]

describe('what varies is taken out', () => {
  test.each([
    ['no such user', 'no such user'],
    ['', ''],
    ['no user 42', 'no user ‹number›'],
    ['user_42 is gone', 'user_‹number› is gone'],
    ['order-77, line 3.', 'order-‹number›, line ‹number›.'],
    ['took 5000ms, more than 1,500.5 ms', 'took ‹number›ms, more than ‹number› ms'],
    ['balance is -12.50, not +3', 'balance is ‹number›, not ‹number›'],
    ['1e-7 is too small', '‹number› is too small'],
    ['job12345 failed', 'job‹number› failed'],
    ['sha256 differs in utf8 over http2', 'sha256 differs in utf8 over http2'],
    ['no job 3f2504e0-4f89-11d3-9a0c-0305e82c3301!', 'no job ‹uuid›!'],
    ['no job 3F2504E0-4F89-11D3-9A0C-0305E82C3301', 'no job ‹uuid›'],
    ['read at 0xDEADBEEF', 'read at ‹hex›'],
    ['commit 9fceb02d0ae598e95dc970b74767f19372d61af8', 'commit ‹hex›'],
    ['document 507f1f77bcf86cd799439011 not found', 'document ‹hex› not found'],
    ['the facade of a decade defaced', 'the facade of a decade defaced'],
    ['No such customer: cus_9s6XKzkNRiz8i3', 'No such customer: ‹id›'],
    ['ERR_HTTP2_GOAWAY_SESSION', 'ERR_HTTP2_GOAWAY_SESSION'],
    ['connect ECONNREFUSED 127.0.0.1:5432', 'connect ECONNREFUSED ‹address›'],
    ['connect ECONNREFUSED ::1:5432', 'connect ECONNREFUSED ‹address›'],
    ['from [2001:db8::7]:443 to ::ffff:10.0.0.7', 'from ‹address› to ‹address›'],
    ['Foo::Bar failed', 'Foo::Bar failed'],
    ['bounced: ada.l+x@mail.example.com.', 'bounced: ‹address›.'],
    ['GET https://api.example.com/v1/users/7?x=1 failed', 'GET ‹address› failed'],
    ['see (https://example.com/a), then', 'see (‹address›), then'],
    ['not before 2026-11-26T05:35:15.123Z', 'not before ‹time›'],
    ['not on 2026-11-26, at 12:30:05', 'not on ‹time›, at ‹time›'],
    ['key "a \\"b\\" c" is there', 'key ‹text› is there'],
    [
      `Cannot read properties of undefined (reading 'id')`,
      'Cannot read properties of undefined (reading ‹text›)',
    ],
    [`can't find Bob's job, isn't it`, `can't find Bob's job, isn't it`],
    ['Invalid `prisma.user.create()` invocation', 'Invalid ‹text› invocation'],
    ['die Datei „a“ fehlt: «b» “c” ‘d’', 'die Datei ‹text› fehlt: ‹text› ‹text› ‹text›'],
    [
      `Unexpected token '<', "<!doctype "... is not valid JSON`,
      'Unexpected token ‹text›, ‹text›... is not valid JSON',
    ],
    ['an open " stays, and 7 goes', 'an open " stays, and ‹number› goes'],
    ['first\n  second\t7', 'first second ‹number›'],
    ['ünïcödé42 und größe 7', 'ünïcödé42 und größe ‹number›'],
    ['<script>alert(1)</script>', '<script>alert(‹number›)</script>'],
  ])('%j', (message, shape) => {
    expect(shapeOf(message)).toBe(shape)
  })
})

test('what differs only in that is the same', () => {
  const one = fingerprint('Error', `user 7 ('ada') not found at 10.0.0.1:80`)
  const other = fingerprint('Error', `user 1234 ('bob') not found at 10.2.0.1:8080`)
  expect(other).toEqual(one)
})

describe('the text to search for', () => {
  test.each([
    ['no user 42', 'Error: no user'],
    ['42 users that are not there', 'users that are not there'],
    ['42', 'Error:'],
    ['', 'Error:'],
    [
      '7: the first line\nand the second line, which is longer',
      'and the second line, which is longer',
    ],
  ])('of %j', (message, text) => {
    expect(textOf(message)).toBe(text)
    expect(`Error: ${message}`).toContain(text)
  })

  test('ends with the name, for where nothing else is there', () => {
    expect(fingerprint('TypeError', 'no 7 such').texts).toEqual([
      'TypeError: no',
      'such',
      'TypeError:',
    ])
  })

  test('is short, and whole characters', () => {
    const long = textOf(`${'x'.repeat(192)}😀😀😀`) ?? ''
    expect(long.length).toBeLessThanOrEqual(200)
    expect(long).not.toMatch(/\p{Surrogate}/u)
  })
})

test('nothing that anybody writes takes long', () => {
  const size = 2_048
  const hostile = [
    '"',
    `'`,
    '\\"',
    'a.',
    'a@',
    '::',
    '0x',
    '1_',
    '1.',
    'ab1',
    'f0',
    '[',
    '-',
    ' x',
    '12:34:',
    'http://',
  ]
  const started = performance.now()
  for (const part of hostile) shapeOf(part.repeat(size / part.length))
  expect(performance.now() - started).toBeLessThan(5_000)
})
