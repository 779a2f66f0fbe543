import { setTimeout as sleep } from 'node:timers/promises'

/** Milliseconds on a clock that all processes of a machine share, and that nobody sets. */
export function nowMs(): number {
  const [seconds, nanoseconds] = process.hrtime()
  return seconds * 1_000 + nanoseconds / 1_000_000
}

/** Waits until `nowMs()` reaches `at`; at least gives way to whatever else is due. */
export async function sleepUntil(at: number): Promise<void> {
  await sleep(Math.max(0, at - nowMs()))
}

/** Rejects when `work` takes longer. The work itself goes on: whoever calls ends its process. */
export async function within<T>(limitMs: number, what: string, work: Promise<T>): Promise<T> {
  const over = new AbortController()
  const late = sleep(limitMs, undefined, { signal: over.signal }).then(() => {
    throw new Error(`${what} took longer than ${Math.round(limitMs / 1_000)} s`)
  })
  late.catch(() => {}) // aborted: the work was in time
  try {
    return await Promise.race([work, late])
  } finally {
    over.abort()
  }
}
