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
  #readBytes = 0
  #shownAt = 0

  /** Without `totalBytes` nobody knows how far it is. */
  constructor(cli: Cli, doing: 'enqueued' | 'checked', totalBytes: number | undefined) {
    this.#cli = cli
    this.#doing = doing
    this.#totalBytes = totalBytes
    if (cli.err.isLive && !cli.isJson) this.#line = cli.progress()
  }

  /** So many bytes more were read. */
  read(bytes: number): void {
    this.#readBytes += bytes
  }

  /** So many jobs went in, and so many lines were refused. */
  show(jobs: number, refused: number): void {
    const now = performance.now()
    if (this.#line === undefined || now - this.#shownAt < SHOW_EVERY_MS) return
    this.#shownAt = now
    this.#speed.counted(jobs, now)
    this.#byteSpeed.counted(this.#readBytes, now)
    const share = this.#totalBytes ? Math.min(1, this.#readBytes / this.#totalBytes) : undefined
    const parts = [
      ...(share === undefined ? [] : [`${Math.floor(share * 100)}%`]),
      `${showCount(jobs, 'job')} ${this.#doing}`,
      ...(refused === 0 ? [] : [this.#cli.err.paint('bad', `${showNumber(refused)} refused`)]),
      `${showNumber(Math.round(this.#speed.perSecond))}/s`,
      ...this.#timeLeft(),
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

  #timeLeft(): string[] {
    const { perSecond } = this.#byteSpeed
    if (this.#totalBytes === undefined || perSecond === 0) return []
    const left = Math.max(0, this.#totalBytes - this.#readBytes)
    return [`${showSeconds((left / perSecond) * 1_000)} left`]
  }
}
