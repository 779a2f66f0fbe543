import { isUtf8 } from 'node:buffer'
import { showNumber } from '../../core/show.ts'

const NEWLINE = 0x0a
const CARRIAGE_RETURN = 0x0d
const BYTE_ORDER_MARK = Buffer.from([0xef, 0xbb, 0xbf])
const UTF_16_MARKS = [Buffer.from([0xff, 0xfe]), Buffer.from([0xfe, 0xff])]
/** What is kept of a line that is too long, to show where it is. */
const KEPT_OF_TOO_LONG = 200

/** A line without its ending; where it cannot be read, why. */
export interface Line {
  /** 1 is the first. */
  readonly number: number
  /** As much of it as could be read. */
  readonly text: string
  /** The line's bytes, without its ending. */
  readonly bytes: number
  /** Why its text is not all there is of it; undefined when it is. */
  readonly problem: string | undefined
}

/**
 * Cuts bytes into lines: LF or CRLF, UTF-8 with or without a byte order mark. A line that is longer
 * than `maxBytes` is never held as a whole. Blank lines are passed over, but count in the numbers.
 */
export class LineSplitter {
  readonly #maxBytes: number
  /** The pieces of a line whose end has not come yet. */
  #pieces: Buffer[] = []
  #bytes = 0
  #number = 0
  #blank = 0

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes
  }

  /** Lines without anything on them so far. */
  get blank(): number {
    return this.#blank
  }

  /** How many lines have ended so far. */
  get count(): number {
    return this.#number
  }

  /** The lines that end in this chunk. */
  push(chunk: Buffer): Line[] {
    const lines: Line[] = []
    let start = 0
    for (let end = chunk.indexOf(NEWLINE); end !== -1; end = chunk.indexOf(NEWLINE, start)) {
      this.#keep(chunk.subarray(start, end))
      this.#finish(lines)
      start = end + 1
    }
    this.#keep(chunk.subarray(start))
    return lines
  }

  /** The last line, when no newline ended it. */
  end(): Line[] {
    const lines: Line[] = []
    if (this.#bytes > 0) this.#finish(lines)
    return lines
  }

  #keep(piece: Buffer): void {
    if (piece.length === 0) return
    const wasTooLong = this.#bytes > this.#maxBytes
    this.#bytes += piece.length
    if (wasTooLong) return
    this.#pieces.push(piece)
    if (this.#bytes <= this.#maxBytes) return
    // A copy: a piece would keep the whole chunk that it was cut from.
    this.#pieces = [Buffer.from(Buffer.concat(this.#pieces).subarray(0, KEPT_OF_TOO_LONG))]
  }

  #finish(lines: Line[]): void {
    const [first, ...others] = this.#pieces
    let content = others.length === 0 ? (first ?? Buffer.alloc(0)) : Buffer.concat(this.#pieces)
    const length = this.#bytes
    this.#pieces = []
    this.#bytes = 0
    this.#number += 1
    if (this.#number === 1) content = withoutMark(content)
    if (content.at(-1) === CARRIAGE_RETURN) content = content.subarray(0, -1)
    const problem = this.#problemWith(content, length)
    const text = content.toString('utf8')
    if (problem === undefined && isBlank(text)) this.#blank += 1
    else lines.push({ number: this.#number, text, bytes: length, problem })
  }

  #problemWith(content: Buffer, length: number): string | undefined {
    if (this.#number === 1 && UTF_16_MARKS.some((mark) => mark.equals(content.subarray(0, 2)))) {
      return 'It begins like UTF-16; save the file as UTF-8.'
    }
    if (length > this.#maxBytes) {
      return `It has ${showNumber(length)} bytes; at most ${showNumber(this.#maxBytes)} are read. Store the data elsewhere and enqueue where it is.`
    }
    return isUtf8(content) ? undefined : 'It is not UTF-8.'
  }
}

function withoutMark(content: Buffer): Buffer {
  return content.subarray(0, 3).equals(BYTE_ORDER_MARK) ? content.subarray(3) : content
}

/** As JSON sees it: other spaces are no part of it. */
function isBlank(text: string): boolean {
  return text === '' || /^[ \t\r]+$/.test(text)
}
