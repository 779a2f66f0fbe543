import { MillraceError } from '../core/errors.ts'

/**
 * One life of this process as a worker: a row in `workers`, the numbers of its claims, and the
 * lease that its heartbeat renews. When the lease is lost this registration is over for good; the
 * process registers again under another number, and whatever it still says about jobs of this one
 * meets the fence.
 */
export class Registration {
  readonly id: number
  readonly token: string
  /** The lease as the last heartbeat announced it. */
  leaseMs: number
  readonly #lost = new AbortController()
  #lastClaimNo = 0
  #renewedAt: number

  constructor(id: number, token: string, leaseMs: number, registeredAt: number) {
    this.id = id
    this.token = token
    this.leaseMs = leaseMs
    this.#renewedAt = registeredAt
  }

  /** Aborts with `LEASE_LOST` when somebody declared this worker dead. */
  get lost(): AbortSignal {
    return this.#lost.signal
  }

  /** The number for the next claim; it never goes back. */
  nextClaimNo(): number {
    this.#lastClaimNo += 1
    return this.#lastClaimNo
  }

  /** A heartbeat that was sent at `sentAt` (of this process's monotonic clock) was acknowledged. */
  renew(sentAt: number): void {
    this.#renewedAt = sentAt
  }

  /**
   * Whether nobody can have declared this worker dead yet. Asked before a claimed job starts: a
   * process that was stopped for a while must not start what others have taken over.
   */
  isFresh(now: number): boolean {
    return !this.lost.aborted && now - this.#renewedAt < this.leaseMs
  }

  lose(): void {
    if (this.lost.aborted) return
    this.#lost.abort(new MillraceError('LEASE_LOST', { workerId: this.id }))
  }
}
