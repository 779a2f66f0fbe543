import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { LineSplitter, type Line } from '../../src/cli/enqueue/lines.ts'

/** All lines of a text that arrives in pieces of this size. */
function split(content: Buffer, size = content.length, maxBytes = 1_000): Line[] {
  const splitter = new LineSplitter(maxBytes)
  const lines: Line[] = []
  for (let at = 0; at < content.length; at += Math.max(1, size)) {
    lines.push(...splitter.push(content.subarray(at, at + Math.max(1, size))))
  }
  return [...lines, ...splitter.end()]
}
const texts = (content: string | Buffer, size?: number): (string | undefined)[] =>
  split(Buffer.from(content), size).map(({ text, problem }) => problem ?? text)

describe('lines', () => {
  test.each([1, 2, 3, 100])('end with LF or CRLF, arriving %i bytes at a time', (size) => {
    expect(texts('a\r\n\nbb\n \t\r\nü€😀', size)).toEqual(['a', 'bb', 'ü€😀'])
    const numbers = split(Buffer.from('a\r\n\nbb\n \t\r\nc\n'), size).map((line) => line.number)
    expect(numbers).toEqual([1, 3, 5])
  })

  test('may begin with a byte order mark, which belongs to none of them', () => {
    expect(texts('\ufeff{}\n\ufeff{}')).toEqual(['{}', '\ufeff{}'])
    expect(texts('\ufeff')).toEqual([])
  })

  test('that cannot be read say why, and the next one can', () => {
    expect(texts(Buffer.from([0x61, 0xff, 0x0a, 0x62]))).toEqual(['It is not UTF-8.', 'b'])
    expect(texts(Buffer.from('\ufeff{}', 'utf16le'))[0]).toBe(
      'It begins like UTF-16; save the file as UTF-8.',
    )
  })

  test.each([1, 7, 5_000])('that are too long are not kept, %i bytes at a time', (size) => {
    const [long, fit, short] = split(
      Buffer.from(`${'x'.repeat(1_001)}\n${'y'.repeat(1_000)}\nz`),
      size,
    )
    expect(long).toMatchObject({ number: 1, bytes: 1_001, text: 'x'.repeat(200) })
    expect(long?.problem).toBe(
      'It has 1,001 bytes; at most 1,000 are read. Store the data elsewhere and enqueue where it is.',
    )
    expect(fit).toMatchObject({ number: 2, text: 'y'.repeat(1_000), problem: undefined })
    expect(short).toMatchObject({ number: 3, text: 'z' })
  })

  test('are the same whatever the pieces are in which they come', () => {
    const chunks = fc.array(fc.constantFrom('a', '€', '\n', '\r\n', ' ', '{"x":1}'))
    fc.assert(
      fc.property(chunks, fc.integer({ min: 1, max: 9 }), (parts, size) => {
        const text = parts.join('')
        const expected = text.split('\n').map((line) => line.replace(/\r$/, ''))
        expect(texts(text, size)).toEqual(expected.filter((line) => line.trim() !== ''))
      }),
    )
  })
})
