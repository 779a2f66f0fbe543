import { runInNewContext } from 'node:vm'
import { describe, expect, test } from 'vitest'
import { encodeArgs, encodeMetadata, encodeResult } from '../../src/core/json.ts'
import { expectRefusal, hostileValues, refusalOf } from './refusal.ts'

const maxBytes = 33_554_432

const encode = (value: unknown): string => encodeArgs(value, { maxBytes })
const roundTrip = (value: unknown): unknown => JSON.parse(encode(value))

class Point {
  readonly x = 1
  readonly y = 2
}

class Hidden {
  readonly #secret = 1
  reveal(): number {
    return this.#secret
  }
}

describe('what JSON can carry comes back as it was sent', () => {
  test.each([
    ['null', null],
    ['true', true],
    ['a string', 'ada@example.org'],
    ['an empty string', ''],
    ['zero', 0],
    ['a tiny number', 5e-324],
    ['a huge number', 1.797_693_134_862_315_7e308],
    ['a number that needs all digits', 0.1 + 0.2],
    ['an empty object', {}],
    ['an empty array', []],
    ['nested things', { a: [{ b: [null, { c: '' }] }], d: { e: {} } }],
    ['the empty key', { '': 1 }],
    ['keys that need quoting', { 'a"b': 1, 'c\\d': 2, 'e\nf': 3, '\u007f': 4 }],
    ['keys of Object.prototype', { constructor: 1, toString: 2, hasOwnProperty: 3, valueOf: null }],
    ['a property named toJSON that is no function', { toJSON: 'yes' }],
    ['control characters', '\u0001\u0008\t\n\u000b\f\r\u001f\u007f'],
    ['emoji and other scripts', '👩‍🚀 Ada λ 日本語 \u{10FFFF}'],
    ['noncharacters and a byte order mark', '\uFEFF\uFFFE\uFFFF'],
    ['line separators', '\u2028\u2029'],
    [
      'what looks like SQL, HTML or an escape',
      `'; drop table jobs; -- </script> \\u0000 $1 {schema}`,
    ],
    [
      'the same object twice',
      (() => {
        const shared = { n: 1 }
        return [shared, shared, { shared }]
      })(),
    ],
  ])('%s', (_, value) => {
    expect(roundTrip(value)).toStrictEqual(value)
    expect(encode(value)).toBe(JSON.stringify(value))
  })

  test('an own key named __proto__', () => {
    const sent: unknown = JSON.parse('{"__proto__":{"polluted":true},"a":{"__proto__":1}}')
    expect(encode(sent)).toBe('{"__proto__":{"polluted":true},"a":{"__proto__":1}}')
    expect(Object.keys(roundTrip(sent) as object)).toEqual(['__proto__', 'a'])
  })

  test('an object without a prototype', () => {
    const sent = Object.assign(Object.create(null) as object, { a: 1 })
    expect(encode(sent)).toBe('{"a":1}')
  })

  test('objects and arrays of another realm', () => {
    expect(encode(runInNewContext('({ a: [1, {}], b: new Date(0) })'))).toBe(
      '{"a":[1,{}],"b":"1970-01-01T00:00:00.000Z"}',
    )
  })

  test('a class whose properties hold its data, as a plain object', () => {
    expect(encode(new Point())).toBe('{"x":1,"y":2}')
  })

  test('10 MB in one string, and a long array', () => {
    const text = '"ü\\'.repeat(2_000_000)
    expect(roundTrip({ text })).toEqual({ text })
    const rows = Array.from({ length: 20_000 }, (_, id) => ({ id, name: `row ${id}` }))
    expect(roundTrip(rows)).toEqual(rows)
  })

  test('1,000 levels', () => {
    const text = `${'['.repeat(1_000)}${']'.repeat(1_000)}`
    expect(encode(JSON.parse(text))).toBe(text)
  })
})

describe('what JSON changes on purpose', () => {
  test('properties that are undefined are dropped', () => {
    expect(encode({ a: undefined, b: 1, c: undefined })).toBe('{"b":1}')
  })

  test('-0 becomes 0', () => {
    expect(encode({ a: -0, b: [-0] })).toBe('{"a":0,"b":[0]}')
  })

  test('toJSON is applied, with the key', () => {
    const money = { toJSON: (key: string) => `${key}: 5 €` }
    expect(encode({ price: money, list: [money] })).toBe('{"price":"price: 5 €","list":["0: 5 €"]}')
    expect(encode(money)).toBe('": 5 €"')
  })

  test('toJSON that answers undefined drops the property', () => {
    expect(encode({ a: { toJSON: () => undefined }, b: 1 })).toBe('{"b":1}')
  })

  test('toJSON is applied once, so that it may answer itself', () => {
    const self = { a: 1, toJSON: () => self }
    expect(() => encode(self)).toThrow('args.toJSON is a function')
    const copy = { toJSON: () => ({ a: 1 }) }
    expect(encode(copy)).toBe('{"a":1}')
  })

  test('dates and URLs become strings, a Buffer what its toJSON says', () => {
    const sent = { at: new Date(0), url: new URL('https://example.org/a'), bytes: Buffer.from('a') }
    expect(encode(sent)).toBe(JSON.stringify(sent))
  })

  test('what is not enumerable stays behind', () => {
    expect(encode(Object.defineProperty({ a: 1 }, 'b', { value: 2 }))).toBe('{"a":1}')
  })
})

const sparse = Object.assign([1], { 2: 3 })
const cycle: Record<string, unknown> = { name: 'cycle' }
cycle['self'] = { list: [cycle] }
const deep: unknown = JSON.parse(`${'['.repeat(1_001)}${']'.repeat(1_001)}`)

const bad: readonly (readonly [string, unknown, path: string, ...parts: string[]])[] = [
  ['undefined', undefined, 'args', 'args is undefined', 'pass null'],
  ['a BigInt', 12n, 'args', '12n', 'pass a string'],
  ['a nested BigInt', { a: { b: [1, 2n] } }, 'args.a.b[1]', 'args.a.b[1] is the BigInt 2n'],
  ['an enormous BigInt', [10n ** 9_999n], 'args[0]', 'more than 30 digits'],
  ['a function', { run: () => 1 }, 'args.run', 'a function'],
  ['a class', Point, 'args', 'a function'],
  ['a symbol', { s: Symbol('x') }, 'args.s', 'the symbol Symbol(x)'],
  ['a symbol as key', { a: { [Symbol('x')]: 1 } }, 'args.a', 'the key Symbol(x)'],
  [
    'a symbol as key of an array',
    Object.assign([1], { [Symbol('x')]: 1 }),
    'args',
    'the key Symbol(x)',
  ],
  [
    'NaN',
    { items: [0, 0, { price: Number.NaN }] },
    'args.items[2].price',
    'args.items[2].price is NaN',
  ],
  ['Infinity', [Number.POSITIVE_INFINITY], 'args[0]', 'is Infinity'],
  ['-Infinity', Number.NEGATIVE_INFINITY, 'args', 'is -Infinity'],
  ['undefined in an array', [1, undefined], 'args[1]', 'args[1] is undefined in an array'],
  ['a hole in an array', sparse, 'args[1]', 'args[1] is a hole in an array'],
  ['an array of holes', Object.assign([], { length: 3 }), 'args[0]', 'hole'],
  ['an array with properties', Object.assign([1], { extra: 2 }), 'args', 'properties of its own'],
  ['a match of a regular expression', /b/.exec('abc'), 'args', 'properties of its own'],
  ['a cycle', cycle, 'args.self.list[0]', 'contains itself'],
  ['too many levels', deep, `args${'[0]'.repeat(6)}…${'[0]'.repeat(6)}`, '1,000 levels'],
  ['a Map', { m: new Map([[1, 2]]) }, 'args.m', 'a Map', 'plain data'],
  ['a Set', new Set([1]), 'args', 'a Set'],
  ['a WeakMap', new WeakMap(), 'args', 'a WeakMap'],
  ['a RegExp', /x/g, 'args', 'a RegExp'],
  ['an Error', { error: new TypeError('x') }, 'args.error', 'an Error'],
  ['a Promise', { p: Promise.resolve(1) }, 'args.p', 'a Promise'],
  ['a typed array', new Uint8Array(3), 'args', 'a Uint8Array'],
  ['an ArrayBuffer', new ArrayBuffer(3), 'args', 'an ArrayBuffer'],
  ['a boxed number', Object(1), 'args', 'a Number'],
  ['a boxed string', [Object('x')], 'args[0]', 'a String'],
  ['an instance with hidden contents', { h: new Hidden() }, 'args.h', 'a Hidden'],
  ['an AbortSignal', new AbortController().signal, 'args', 'an AbortSignal'],
  ['an invalid Date', { at: new Date(Number.NaN) }, 'args.at', 'an invalid Date'],
  ['toJSON that answers a Map', { a: { toJSON: () => new Map() } }, 'args.a', 'a Map'],
  ['toJSON that answers undefined at the top', { toJSON: () => undefined }, 'args', 'is undefined'],
  [
    'toJSON that throws',
    {
      a: {
        toJSON: () => {
          throw new Error('no')
        },
      },
    },
    'args.a',
    'throws',
  ],
  [
    'a getter that throws undefined',
    {
      get a(): never {
        throw undefined as unknown as Error
      },
    },
    'args.a',
    'throws',
  ],
  ['\\u0000 in a string', { a: 'x\u0000y' }, 'args.a', 'contains \\u0000', 'remove it'],
  [
    '\\u0000 in a key',
    { a: { 'x\u0000y': 1 } },
    'args.a["x\\u0000y"]',
    'has a key that contains \\u0000',
  ],
  ['half a surrogate pair', ['\uD83D'], 'args[0]', 'half a surrogate pair', 'toWellFormed'],
  ['the other half', 'x\uDE00y', 'args', 'half a surrogate pair'],
  ['halves in the wrong order', '\uDE00\uD83D', 'args', 'half a surrogate pair'],
  ['half a surrogate pair in a key', { '\uD83D': 1 }, 'args["\\ud83d"]', 'has a key'],
]

describe('what would not come back equal is refused, with its path, its value and the remedy', () => {
  const cases = bad.map(([name, value, path, ...parts]) => ({ name, value, path, parts }))
  test.each(cases)('$name', ({ value, path, parts }) => {
    const refusal = expectRefusal(() => encode(value), 'INVALID_ARGS', ...parts)
    expect(refusal.details).toMatchObject({ path })
    expect(refusal.message.startsWith(path)).toBe(true)
  })

  // What can be read without a throw is data.
  const unreadable = hostileValues().filter(([name]) => !/tag|class/.test(name))
  test.each(unreadable)('%s', (_, value) => {
    expectRefusal(() => encode({ hostile: value }), 'INVALID_ARGS', 'args.hostile')
  })

  test('the error behind it is kept as cause', () => {
    const cause = new Error('no')
    const refusal = refusalOf(() =>
      encode({
        get a(): never {
          throw cause
        },
      }),
    )
    expect(refusal.cause).toBe(cause)
  })

  test('a job of enqueueMany is named', () => {
    const refusal = refusalOf(() => encodeArgs({ n: 1n }, { maxBytes, path: 'jobs[3].args' }))
    expect(refusal.message).toMatch(/^jobs\[3\]\.args\.n is the BigInt 1n/)
  })

  test('the path is right after other branches were left', () => {
    const value = { deep: { er: { and: ['deeper'] } }, list: [[1], { x: [] }, Number.NaN] }
    expect(refusalOf(() => encode(value)).details).toMatchObject({ path: 'args.list[2]' })
  })
})

describe('what was checked is what is written', () => {
  test('a getter is read once', () => {
    let reads = 0
    const sent = {
      get a(): unknown {
        reads += 1
        return reads === 1 ? 'fine' : 1n
      },
    }
    expect(encode(sent)).toBe('{"a":"fine"}')
    expect(reads).toBe(1)
  })

  test('a proxy that changes its answers', () => {
    let reads = 0
    const sent = new Proxy(
      { a: 1 },
      { get: (_, key) => (key === 'a' ? (reads++ === 0 ? 'fine' : Number.NaN) : undefined) },
    )
    expect(encode(sent)).toBe('{"a":"fine"}')
  })

  test('a toJSON that encodes other arguments meanwhile', () => {
    const sent = { a: { toJSON: () => encode({ b: [1] }) }, c: 2 }
    expect(roundTrip(sent)).toEqual({ a: '{"b":[1]}', c: 2 })
  })
})

describe('size', () => {
  test('is measured in bytes of UTF-8', () => {
    expect(encodeArgs('ü', { maxBytes: 4 })).toBe('"ü"')
    const refusal = expectRefusal(
      () => encodeArgs('üü', { maxBytes: 5 }),
      'ARGS_TOO_LARGE',
      '6 bytes',
      'maxArgsBytes allows (5)',
    )
    expect(refusal.details).toEqual({ path: 'args', bytes: 6, maxBytes: 5 })
  })

  test('what grows without end is given up early', () => {
    let value: unknown = 'x'.repeat(1_000)
    for (let level = 0; level < 60; level++) value = [value, value] // 2^60 strings
    expectRefusal(
      () => encodeArgs(value, { maxBytes: 100_000 }),
      'ARGS_TOO_LARGE',
      'over 100,000 bytes',
    )
    let object: unknown = 'x'.repeat(1_000)
    for (let level = 0; level < 60; level++) object = { left: object, right: object }
    expectRefusal(() => encodeArgs(object, { maxBytes: 100_000 }), 'ARGS_TOO_LARGE')
  })
})

describe('metadata', () => {
  test('is an object of JSON values', () => {
    expect(encodeMetadata({ tenant: 'a', tags: ['b'], gone: undefined })).toBe(
      '{"tenant":"a","tags":["b"]}',
    )
    expect(encodeMetadata(Object.create(null))).toBe('{}')
  })

  test.each([
    ['null', null],
    ['a string', 'x'],
    ['an array', []],
    ['a Date', new Date()],
    ['a Map', new Map()],
    ['an instance', new Point()],
    ['an object whose toJSON makes a string of it', { toJSON: () => 'x' }],
  ])('%s is refused', (_, value) => {
    const refusal = expectRefusal(
      () => encodeMetadata(value),
      'INVALID_OPTION',
      '"metadata"',
      'plain object',
    )
    expect(refusal.details).toMatchObject({ option: 'metadata' })
  })

  test('names the place of what JSON cannot carry', () => {
    const refusal = expectRefusal(
      () => encodeMetadata({ a: [1n] }, 'jobs[2].metadata'),
      'INVALID_OPTION',
    )
    expect(refusal.details).toMatchObject({ option: 'jobs[2].metadata.a[0]' })
  })
})

describe('a result', () => {
  test('is text, or undefined for nothing', () => {
    expect(encodeResult({ sent: true })).toBe('{"sent":true}')
    expect(encodeResult(null)).toBe('null')
    expect(encodeResult(undefined)).toBeUndefined()
  })

  test('that JSON cannot carry is RESULT_NOT_STORED', () => {
    const refusal = expectRefusal(
      () => encodeResult({ total: 1n }),
      'RESULT_NOT_STORED',
      'result.total',
    )
    expect(refusal.details).toMatchObject({ path: 'result.total' })
    expectRefusal(() => encodeResult('x'.repeat(100), 50), 'RESULT_NOT_STORED', '102 bytes')
  })
})
