import type { WorkerHealth } from '../store/workers.ts'

/** So often the event loop is looked at. */
const EVERY_MS = 50
/** The largest number that its column holds: 24 days. */
const LONGEST_MS = 2 ** 31 - 1

/**
 * How this process is, for its heartbeats.
 *
 * The lag of the event loop is how late a timer was at worst that is due every 50 ms. So a loop that stood still for
 * 500 ms shows as 450 to 500, as that may begin anywhere between two looks. Whatever kept it from turning is in it:
 * computing, a synchronous call, a garbage collection, a machine that has no CPU to spare, a process that was stopped.
 *
 * Node's `monitorEventLoopDelay` measures the same. But it sees a delay only with its next tick, and forgets the one
 * before at a reset: a heartbeat that was due while the loop stood still often goes out before that tick, and took
 * 800 ms with it (seen). This costs as much (0.2 % of a core), and looks once more when it is asked.
 */
export class Health {
  readonly #countRuns: () => number
  #timer: NodeJS.Timeout | undefined
  #lookedAt = 0
  /** Since it was read last. */
  #lagMs = 0
  /** What was read, and no acknowledged heartbeat has told: one that was lost takes nothing with it. */
  #untoldMs = 0

  constructor(countRuns: () => number) {
    this.#countRuns = countRuns
  }

  /** Watches the event loop, until `end`. It keeps no process alive. */
  begin(): void {
    this.#lookedAt = performance.now()
    this.#timer = setInterval(() => this.#look(), EVERY_MS).unref()
  }

  end(): void {
    clearInterval(this.#timer)
  }

  /** What a heartbeat that is sent now says. */
  read(): WorkerHealth {
    this.#look()
    this.#untoldMs = Math.max(this.#untoldMs, this.#lagMs)
    this.#lagMs = 0
    const memory = readMemory()
    return {
      inFlight: this.#countRuns(),
      rssBytes: memory?.rss ?? null,
      heapBytes: memory?.heapUsed ?? null,
      eventLoopLagMs: Math.min(Math.round(this.#untoldMs), LONGEST_MS),
    }
  }

  /** The heartbeat for which it was read last was acknowledged. */
  told(): void {
    this.#untoldMs = 0
  }

  #look(): void {
    const now = performance.now()
    this.#lagMs = Math.max(this.#lagMs, now - this.#lookedAt - EVERY_MS)
    this.#lookedAt = now
  }
}

/** Not every system lets a process look at itself; a heartbeat goes out anyway. */
function readMemory(): NodeJS.MemoryUsage | undefined {
  try {
    return process.memoryUsage()
  } catch {
    return undefined
  }
}
