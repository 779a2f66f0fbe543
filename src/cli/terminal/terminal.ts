import { paintFor, type MaybeTerminal, type Paint } from './paint.ts'

/** For the terminals that do not know how wide they are. */
const USUAL_COLUMNS = 80

/** What is written to: a terminal, a file, a pipe, or in tests an array. */
export interface Output extends MaybeTerminal {
  readonly columns?: number
  readonly rows?: number
  write(text: string): unknown
}

/** An output, and what it can show. */
export class Terminal {
  /** Gives texts their looks, as far as this output shows any. */
  readonly paint: Paint
  readonly isTerminal: boolean
  /** Whether what stands there can be written over. */
  readonly isLive: boolean
  readonly #output: Output

  constructor(output: Output, env: Readonly<Record<string, string | undefined>>) {
    this.#output = output
    this.paint = paintFor(output)
    this.isTerminal = output.isTTY === true
    this.isLive = this.isTerminal && env['TERM'] !== 'dumb'
  }

  /** How many columns there are; infinitely many where nobody looks. */
  get columns(): number {
    if (!this.isTerminal) return Infinity
    return this.#output.columns || USUAL_COLUMNS
  }

  /** How many lines there are; infinitely many where nobody looks. */
  get rows(): number {
    return this.isTerminal ? this.#output.rows || 24 : Infinity
  }

  write(text: string): void {
    this.#output.write(text)
  }

  /** Writes a line. What comes from others must have been made `printable`. */
  print(line = ''): void {
    this.#output.write(`${line}\n`)
  }
}
