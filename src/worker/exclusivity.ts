import { Bell } from './bell.ts'

/**
 * Lets one run have the whole process for itself. A job that was running when its worker died is a
 * suspect: to find out whether it kills its workers, without ever blaming a bystander, it runs
 * alone. Receivers ask `isOpen` before they start or claim anything; who wants to be alone closes,
 * waits a bounded time until nothing runs, and opens again.
 */
export class Exclusivity {
  readonly #listeners = new Set<() => void>()
  readonly #emptied = new Bell()
  #running = 0
  #isOpen = true

  /** Handlers that have not returned. */
  get running(): number {
    return this.#running
  }

  /** Whether jobs may be claimed and started. */
  get isOpen(): boolean {
    return this.#isOpen
  }

  /** Calls `listener` when the process closes or opens. */
  onChange(listener: () => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /** A handler starts. Everyone who enters leaves, when the handler has really ended. */
  enter(): void {
    this.#running += 1
  }

  leave(): void {
    this.#running -= 1
    if (this.#running === 0) this.#emptied.ring()
  }

  /**
   * Runs `work` while nothing else runs in this process. Answers false, without running it, when
   * somebody else is alone or the others did not end within `patienceMs`.
   */
  async alone(
    work: () => Promise<void>,
    patienceMs: number,
    signal: AbortSignal,
  ): Promise<boolean> {
    if (!this.#isOpen) return false
    this.#set(false)
    try {
      const deadline = performance.now() + patienceMs
      while (this.#running > 0 && performance.now() < deadline && !signal.aborted) {
        await this.#emptied.wait(deadline - performance.now(), signal)
      }
      if (this.#running > 0 || signal.aborted) return false
      await work()
      return true
    } finally {
      this.#set(true)
    }
  }

  #set(isOpen: boolean): void {
    this.#isOpen = isOpen
    for (const listener of this.#listeners) listener()
  }
}
