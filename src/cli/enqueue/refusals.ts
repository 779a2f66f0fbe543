import { createWriteStream, statSync, type WriteStream } from 'node:fs'
import { once } from 'node:events'
import { finished } from 'node:stream/promises'
import path from 'node:path'
import { describeFileError, Failure, usageFailure } from '../failure.ts'
import type { RefusedLine } from './job-lines.ts'
import { cutTo, printable } from '../terminal/printable.ts'

/** So many are shown; the others are counted. */
export const SHOWN = 10
const SHOWN_CHARACTERS = 72
const REASON_COLUMNS = 200
/** Of a longer line the beginning is written: whoever wants the whole has its number. */
const WRITTEN_CHARACTERS = 65_536

/** A refused line for machines. */
export interface Refusal {
  readonly line: number
  readonly reason: string
  readonly text: string
}

/** Keeps the first refused lines, and writes all of them to a file when there is one. */
export class Refusals {
  /** The first ones. */
  readonly first: Refusal[] = []
  count = 0
  readonly #file: WriteStream | undefined
  #problem: unknown

  private constructor(file: WriteStream | undefined) {
    this.#file = file
    file?.on('error', (error) => (this.#problem ??= error))
  }

  /** With a file (which is emptied), of which is seen here and now that it can be written. */
  static async open(file: string | undefined, cwd: string, input: string): Promise<Refusals> {
    if (file === undefined) return new Refusals(undefined)
    const fullPath = path.resolve(cwd, file)
    if (isSameFile(fullPath, path.resolve(cwd, input))) {
      throw usageFailure('--errors names the file that the jobs are read from: name another one.')
    }
    const stream = createWriteStream(fullPath)
    try {
      await once(stream, 'open')
    } catch (error) {
      throw new Failure(`The file ${printable(file)} ${describeFileError(error)}.`, {
        cause: error,
      })
    }
    return new Refusals(stream)
  }

  /** Resolves when the file has room for another one. */
  async add({ number, reason, text }: RefusedLine): Promise<void> {
    this.count += 1
    if (this.first.length < SHOWN) {
      this.first.push({ line: number, reason, text: text.slice(0, SHOWN_CHARACTERS) })
    }
    if (this.#file === undefined) return
    const refusal: Refusal = { line: number, reason, text: text.slice(0, WRITTEN_CHARACTERS) }
    const hasRoom = this.#file.write(`${JSON.stringify(refusal)}\n`)
    if (!hasRoom && this.#problem === undefined) await once(this.#file, 'drain').catch(() => {})
    this.#checkFile()
  }

  /** Ends the file. */
  async close(): Promise<void> {
    if (this.#file === undefined) return
    this.#file.end()
    await finished(this.#file).catch(() => {})
    this.#checkFile()
  }

  #checkFile(): void {
    if (this.#problem === undefined) return
    throw new Failure(`The file for --errors ${describeFileError(this.#problem)}.`, {
      cause: this.#problem,
    })
  }
}

/** `Line 3: It is not JSON: … {"to": ada}` */
export function describeRefusal({ number, reason, text }: RefusedLine): string {
  const why = cutTo(printable(reason), REASON_COLUMNS)
  return `Line ${number}: ${why}  ${cutTo(printable(text.slice(0, SHOWN_CHARACTERS * 2)), SHOWN_CHARACTERS)}`
}

function isSameFile(one: string, other: string): boolean {
  try {
    const [left, right] = [statSync(one), statSync(other)]
    return left.isFile() && left.dev === right.dev && left.ino === right.ino
  } catch {
    return false // one of them is not there
  }
}
