import { onAbort } from '../drivers/on-abort.ts'

/** A bell for one listener: whoever rings it ends the listener's wait, now or the next one. */
export class Bell {
  #isRung = false
  #end: (() => void) | undefined

  /** Ends the wait that is under way; with none under way, the next wait ends at once. */
  ring(): void {
    if (this.#isRung) return
    this.#isRung = true
    this.#end?.()
  }

  /** Waits until somebody rings, `signal` aborts or `ms` have passed. Never rejects. */
  async wait(ms: number, signal: AbortSignal): Promise<void> {
    if (!this.#isRung && !signal.aborted) {
      let forget = (): void => {}
      await new Promise<void>((resolve) => {
        const timer = ms === Infinity ? undefined : setTimeout(resolve, Math.min(ms, MAX_TIMER_MS))
        this.#end = () => {
          clearTimeout(timer)
          resolve()
        }
        forget = onAbort(signal, this.#end)
      })
      forget()
      this.#end = undefined
    }
    this.#isRung = false
  }
}

/** A Node timer above this fires at once. */
export const MAX_TIMER_MS = 2 ** 31 - 1

/** Waits `ms`, or until `signal` aborts. Never rejects. */
export async function pause(ms: number, signal: AbortSignal): Promise<void> {
  await new Bell().wait(ms, signal)
}

/** Waits for `work`, but no longer than `ms`. Rejects as it does. */
export async function atMost(work: Promise<unknown>, ms: number): Promise<void> {
  const timer = new AbortController()
  try {
    await Promise.race([work, pause(ms, timer.signal)])
  } finally {
    timer.abort()
  }
}
