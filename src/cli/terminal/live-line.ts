import { stripVTControlCharacters } from 'node:util'
import type { Look, Paint } from './paint.ts'
import { cutTo, widthOf } from './printable.ts'
import type { Terminal } from './terminal.ts'

/** Where nothing can be written over, a line of progress comes only so often. */
const PLAIN_EVERY_MS = 2_000
const WIDEST_BAR = 24
const NARROWEST_BAR = 8
const CLEAR_LINE = '\r\u001b[2K'

/** Progress: a line that is written over on a terminal, and a new one now and then elsewhere. */
export class LiveLine {
  readonly #out: Terminal
  /** What is written over next; empty elsewhere than on a terminal. */
  #line = ''
  #printedAt = performance.now()

  constructor(out: Terminal) {
    this.#out = out
  }

  /** Shows where things stand; with `share` (0 to 1) a bar before the text. */
  show(text: string, share?: number): void {
    if (this.#out.isLive) {
      this.#line = share === undefined ? this.#fitting(text) : this.#withBar(share, text)
      this.#out.write(CLEAR_LINE + this.#line)
    } else if (performance.now() - this.#printedAt >= PLAIN_EVERY_MS) {
      this.#printedAt = performance.now()
      this.#out.print(`  ${text}`)
    }
  }

  /** Writes a line that stays. */
  note(look: Look, text: string): void {
    const clear = this.#line === '' ? '' : CLEAR_LINE
    this.#out.write(`${clear}  ${this.#out.paint(look, text)}\n${this.#line}`)
  }

  /** Takes the line of progress away. */
  end(): void {
    if (this.#line !== '') this.#out.write(CLEAR_LINE)
    this.#line = ''
  }

  #withBar(share: number, text: string): string {
    const room = this.#out.columns - 1 - widthOf(stripVTControlCharacters(text)) - 4
    const width = Math.min(WIDEST_BAR, room)
    if (width < NARROWEST_BAR) return this.#fitting(text)
    return `  ${showTrack(share, width, this.#out.paint)}  ${text}`
  }

  /** A line that is too long would be wrapped, and could not be written over. */
  #fitting(text: string): string {
    const plain = stripVTControlCharacters(text)
    const room = this.#out.columns - 1
    return widthOf(plain) + 2 <= room ? `  ${text}` : cutTo(plain, room)
  }
}

/** A line of `width` characters, heavy as far as something has come. */
export function showTrack(share: number, width: number, paint: Paint): string {
  const done = Math.round(Math.min(1, Math.max(0, share)) * width)
  return paint('bar', '━'.repeat(done)) + paint('quiet', '─'.repeat(width - done))
}
