import { Speed } from '../speed.ts'
import { LiveLine } from '../terminal/live-line.ts'
import type { Look, Paint } from '../terminal/paint.ts'
import type { Terminal } from '../terminal/terminal.ts'
import { showNumber, showSeconds } from '../terminal/words.ts'
import type { Standing } from './run.ts'

/** What the line of progress says. */
export interface Snapshot extends Standing {
  readonly jobs: number
  readonly retrying: number
}

/** Shows how the work goes on: a line that is written over on a terminal, and a new one now and then elsewhere. */
export class Progress {
  readonly #line: LiveLine
  readonly #paint: Paint
  readonly #speed = new Speed()

  constructor(out: Terminal) {
    this.#line = new LiveLine(out)
    this.#paint = out.paint
  }

  /** Shows where things stand. */
  show(snapshot: Snapshot): void {
    const done = snapshot.indexed + snapshot.failed
    this.#speed.counted(done)
    const line = lineOf(snapshot, this.#speed.perSecond, this.#paint)
    this.#line.show(line, done / snapshot.jobs)
  }

  /** Writes a line that stays. */
  note(look: Look, text: string): void {
    this.#line.note(look, text)
  }

  /** Takes the line of progress away. */
  end(): void {
    this.#line.end()
  }
}

function lineOf(snapshot: Snapshot, perSecond: number, paint: Paint): string {
  const { jobs, indexed, failed, retrying } = snapshot
  const left = Math.max(0, jobs - indexed - failed)
  return [
    `${showNumber(indexed)} of ${showNumber(jobs)}`,
    paint(failed > 0 ? 'bad' : 'quiet', `${showNumber(failed)} failed`),
    paint(retrying > 0 ? 'warning' : 'quiet', `${showNumber(retrying)} retrying`),
    `${showNumber(Math.round(perSecond))} jobs/s`,
    timeLeft(left, perSecond),
  ].join(paint('quiet', ' · '))
}

function timeLeft(jobs: number, perSecond: number): string {
  if (jobs === 0) return 'done'
  if (perSecond === 0) return 'waiting'
  return `${showSeconds((jobs / perSecond) * 1_000)} left`
}
