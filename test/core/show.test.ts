import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { show, showDetail } from '../../src/core/show.ts'
import { suggestName } from '../../src/core/suggest.ts'
import { hostileValues } from './refusal.ts'

class Emails {
  readonly sent = 0
}

test.each<[unknown, string]>([
  ['a "b"', '"a \\"b\\""'],
  ['x'.repeat(100), `"${'x'.repeat(60)}…" (100 characters)`],
  [-0, '-0'],
  [Number.NaN, 'NaN'],
  [12n, '12n'],
  [-(10n ** 40n), 'a BigInt of more than 30 digits'],
  [undefined, 'undefined'],
  [null, 'null'],
  [Symbol('x'), 'Symbol(x)'],
  [() => 1, 'a function'],
  [[], 'an empty array'],
  [[1, 2], 'an array of 2'],
  [{}, 'an object'],
  [Object.create(null), 'an object'],
  [new Map(), 'a Map'],
  [new Error('secret'), 'an Error'],
  [new URL('https://example.org'), 'a URL'],
  [new Emails(), 'an Emails'],
  [new Date(0), 'the Date 1970-01-01T00:00:00.000Z'],
  [new Date(Number.NaN), 'an invalid Date'],
])('%o is shown as %s', (value, shown) => {
  expect(show(value)).toBe(shown)
})

test.each(hostileValues())('%s is shown without being touched', (_, value) => {
  expect(show(value)).toMatch(/^an? /)
})

test('whatever it is, it is shown in one short line', () => {
  fc.assert(
    fc.property(fc.anything({ withBigInt: true, withDate: true, withMap: true }), (value) => {
      const shown = show(value)
      expect(shown.length).toBeLessThan(450) // 60 characters, each escaped
      expect(shown).not.toContain('\n')
      expect(() => JSON.stringify(showDetail(value))).not.toThrow()
    }),
  )
})

test('a misspelt name suggests the nearest one, and nonsense suggests none', () => {
  const known = ['maxRetries', 'retryPolicy', 'priority']
  expect(suggestName('maxRetrys', known)).toBe('maxRetries')
  expect(suggestName('MAXRETRIES', known)).toBe('maxRetries')
  expect(suggestName('retries', known)).toBe('maxRetries')
  expect(suggestName('prio', known)).toBe('priority')
  expect(suggestName('zzz', known)).toBeUndefined()
  expect(suggestName('x'.repeat(10_000), known)).toBeUndefined()
})
