import type { Cli } from '../cli.ts'
import { Speed } from '../speed.ts'
import type { LiveLine } from '../terminal/live-line.ts'
import { showCount, showNumber, showSeconds } from '../terminal/words.ts'

const SHOW_EVERY_MS = 100

/** How an import goes on: a bar on a terminal, and nothing where nobody looks. */
export class EnqueueProgress {
  readonly #cli: Cli
  readonly #line: LiveLine | undefined
  readonly #doing: string
  readonly #totalBytes: number | undefined
  readonly #speed = new Speed()
  readonly #byteSpeed = new Speed()
  #shownAt = 0

  /** Without `totalBytes` nobody knows how far it is. */
  constructor(cli: Cli, doing: 'enqueued' | 'checked', totalBytes: number | undefined) {
    this.#cli = cli
    this.#doing = doing
    this.#totalBytes = totalBytes
    if (cli.err.isLive && !cli.isJson) this.#line = cli.progress()
  }

  /** So many jobs went in and so many lines were refused, which took so many bytes of the input. */
  show(jobs: number, refused: number, bytes: number): void {
    const now = performance.now()
    if (this.#line === undefined || now - this.#shownAt < SHOW_EVERY_MS) return
    this.#shownAt = now
    this.#speed.counted(jobs, now)
    this.#byteSpeed.counted(bytes, now)
    const share = this.#totalBytes ? Math.min(1, bytes / this.#totalBytes) : undefined
    const parts = [
      ...(share === undefined ? [] : [`${Math.floor(share * 100)}%`]),
      `${showCount(jobs, 'job')} ${this.#doing}`,
      ...(refused === 0 ? [] : [this.#cli.err.paint('bad', `${showNumber(refused)} refused`)]),
      `${showNumber(Math.round(this.#speed.perSecond))}/s`,
      ...this.#timeLeft(bytes),
    ]
    this.#line.show(parts.join(this.#cli.err.paint('quiet', ' · ')), share)
  }

  /** Writes a line that stays. */
  note(text: string): void {
    if (this.#line === undefined) this.#cli.note(text)
    else this.#line.note('bad', text)
  }

  end(): void {
    this.#line?.end()
  }

  #timeLeft(bytes: number): string[] {
    const { perSecond } = this.#byteSpeed
    if (this.#totalBytes === undefined || perSecond === 0) return []
    const left = Math.max(0, this.#totalBytes - bytes)
    return [`${showSeconds((left / perSecond) * 1_000)} left`]
  }
}
