import type { WriteStream } from 'node:tty'
import { stripVTControlCharacters } from 'node:util'
import type { Standing } from './run.ts'
import { Speed } from './speed.ts'
import { paintFor, showNumber, showSeconds, showTrack, type Look, type Paint } from './terminal.ts'

/** Where nothing can be written over, a line of progress comes only so often. */
const PLAIN_EVERY_MS = 2_000
/** For the terminals that do not know how wide they are. */
const USUAL_COLUMNS = 80
const WIDEST_BAR = 24
const NARROWEST_BAR = 8
const CLEAR_LINE = '\r\u001b[2K'

/** What the line of progress says. */
export interface Snapshot extends Standing {
  readonly jobs: number
  readonly retrying: number
}

/** Shows how the work goes on: a line that is written over on a terminal, and a new one now and then elsewhere. */
export class Progress {
  readonly #out: WriteStream
  readonly #paint: Paint
  readonly #isLive: boolean
  readonly #speed = new Speed()
  /** What is written over next; empty elsewhere than on a terminal. */
  #line = ''
  #printedAt = performance.now()

  constructor(out: WriteStream) {
    this.#out = out
    this.#paint = paintFor(out)
    this.#isLive = out.isTTY && process.env['TERM'] !== 'dumb'
  }

  /** Shows where things stand. */
  show(snapshot: Snapshot): void {
    const done = snapshot.indexed + snapshot.failed
    this.#speed.counted(done)
    const line = lineOf(snapshot, this.#speed.perSecond, this.#paint)
    if (this.#isLive) {
      this.#line = this.#withBar(done / snapshot.jobs, line)
      this.#out.write(CLEAR_LINE + this.#line)
    } else if (performance.now() - this.#printedAt >= PLAIN_EVERY_MS) {
      this.#printedAt = performance.now()
      this.#out.write(`  ${line}\n`)
    }
  }

  /** Writes a line that stays. */
  note(look: Look, text: string): void {
    const clear = this.#line === '' ? '' : CLEAR_LINE
    this.#out.write(`${clear}  ${this.#paint(look, text)}\n${this.#line}`)
  }

  /** Takes the line of progress away. */
  end(): void {
    if (this.#line !== '') this.#out.write(CLEAR_LINE)
    this.#line = ''
  }

  /** A line that is too long would be wrapped, and could not be written over. */
  #withBar(share: number, line: string): string {
    const text = stripVTControlCharacters(line)
    const room = (this.#out.columns || USUAL_COLUMNS) - 1
    const width = Math.min(WIDEST_BAR, room - text.length - 4)
    if (width >= NARROWEST_BAR) return `  ${showTrack(share, width, this.#paint)}  ${line}`
    return text.length + 2 <= room ? `  ${line}` : text.slice(0, room)
  }
}

function lineOf(snapshot: Snapshot, perSecond: number, paint: Paint): string {
  const { jobs, indexed, failed, retrying } = snapshot
  const left = Math.max(0, jobs - indexed - failed)
  return [
    `${showNumber(indexed)} of ${showNumber(jobs)}`,
    paint(failed > 0 ? 'bad' : 'quiet', `${showNumber(failed)} failed`),
    paint(retrying > 0 ? 'warning' : 'quiet', `${showNumber(retrying)} retrying`),
    `${showNumber(perSecond)} jobs/s`,
    timeLeft(left, perSecond),
  ].join(paint('quiet', ' · '))
}

function timeLeft(jobs: number, perSecond: number): string {
  if (jobs === 0) return 'done'
  if (perSecond === 0) return 'waiting'
  return `${showSeconds((jobs / perSecond) * 1_000)} left`
}
