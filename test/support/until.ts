import { setTimeout as sleep } from 'node:timers/promises'

/** How long a test waits for a fact before it fails, unless it says otherwise; below the timeout of a test. */
export const PATIENCE_MS = 15_000

/** How `until` waits. */
export interface UntilOptions {
  /** What is waited for, for the message when it does not come. */
  what?: string
  withinMs?: number
}

/** Asks every few milliseconds until the answer is there (neither undefined, null nor false), and returns it. */
export async function until<T>(
  ask: () => Promise<T> | T,
  { what = 'what was waited for', withinMs = PATIENCE_MS }: UntilOptions = {},
): Promise<Exclude<T, undefined | null | false>> {
  const deadline = performance.now() + withinMs
  for (;;) {
    const answer = await ask()
    if (answer !== undefined && answer !== null && answer !== false) {
      return answer as Exclude<T, undefined | null | false>
    }
    if (performance.now() > deadline) throw new Error(`${what} did not come in ${withinMs} ms.`)
    await sleep(5)
  }
}
