import { setTimeout as sleep } from 'node:timers/promises'
import type { Handler, Payload } from '../contender.ts'
import { nowMs } from './clock.ts'
import { FAILS_EVERY } from './payload.ts'

/** What a handler does with each job. */
export type HandlerKind =
  | 'noop'
  /** Waits for `handlerMs`. */
  | 'wait'
  /** Every fifth job throws on its first run. */
  | 'fail-once'
  /** Notes when it started. */
  | 'stamp'

export interface Progress {
  /** Different jobs whose handler returned. */
  readonly done: number
  /** When the last of them did, by the shared clock; 0 when none did. */
  readonly lastAt: number
}

/** Counts in one process which jobs ran, how often, and when. */
export class Tally {
  /** How often each job's handler began, by `n`; it stops counting at 255. */
  readonly runs: Uint8Array
  /** When each job's handler first began, by the shared clock; only for stamps. */
  readonly startedAt: Float64Array
  readonly #kind: HandlerKind
  readonly #handlerMs: number
  readonly #isDone: Uint8Array
  #done = 0
  #last = 0
  #lastBegun = -1
  #outOfOrder = 0
  #awaited: { n: number; resolve: () => void } | undefined

  constructor(kind: HandlerKind, capacity: number, handlerMs = 0) {
    this.#kind = kind
    this.#handlerMs = handlerMs
    this.runs = new Uint8Array(capacity)
    this.#isDone = new Uint8Array(capacity)
    this.startedAt = new Float64Array(kind === 'stamp' ? capacity : 0)
  }

  get progress(): Progress {
    // The quick clock of this process for each job, set off against the shared one only when asked.
    const lastAt = this.#last === 0 ? 0 : nowMs() - (performance.now() - this.#last)
    return { done: this.#done, lastAt }
  }

  /** Jobs that began after a job with a higher number had. */
  get outOfOrder(): number {
    return this.#outOfOrder
  }

  get handler(): Handler {
    switch (this.#kind) {
      case 'noop':
        return (payload) => this.#end(this.#begin(payload))
      case 'wait':
        return async (payload) => {
          const n = this.#begin(payload)
          await sleep(this.#handlerMs)
          this.#end(n)
        }
      case 'fail-once':
        return (payload) => {
          const n = this.#begin(payload)
          if (n % FAILS_EVERY === 0 && this.runs[n] === 1) throw new Error(`Job ${n} fails once`)
          this.#end(n)
        }
      case 'stamp':
        return (payload) => {
          const at = nowMs()
          const n = this.#begin(payload)
          if (this.runs[n] === 1) this.startedAt[n] = at
          this.#end(n)
        }
    }
  }

  /** Resolves when job `n` has ended. For one job at a time. */
  async untilDone(n: number): Promise<void> {
    if (this.#isDone[n] === 1) return
    await new Promise<void>((resolve) => (this.#awaited = { n, resolve }))
  }

  #begin({ n }: Payload): number {
    const runs = this.runs[n]
    if (runs === undefined) throw new RangeError(`Job ${n} was never enqueued`)
    if (runs < 255) this.runs[n] = runs + 1
    if (n < this.#lastBegun) this.#outOfOrder += 1
    else this.#lastBegun = n
    return n
  }

  #end(n: number): void {
    if (this.#isDone[n] === 1) return
    this.#isDone[n] = 1
    this.#done += 1
    this.#last = performance.now()
    if (this.#awaited?.n === n) this.#awaited.resolve()
  }
}
