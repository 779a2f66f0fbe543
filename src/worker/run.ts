import type { Outcome } from '../core/judge.ts'
import { outcomeOfThrown } from '../core/judge.ts'
import { MillraceError } from '../core/errors.ts'
import { encodeResult } from '../core/json.ts'
import type { EventBus } from '../core/event-bus.ts'
import { describeThrown } from '../core/thrown.ts'
import { onAbort } from '../drivers/on-abort.ts'
import type { ClaimedJob } from '../store/claim.ts'
import type { Holder } from '../store/settle.ts'
import type { Registration } from './registration.ts'

/** After a job's timeout, or the loss of its lease, its handler has so long to end by itself. */
const GRACE_MS = 5_000

/** A claimed job in this process's hands. */
export interface JobInHand {
  readonly job: ClaimedJob
  readonly claimNo: string
  readonly registration: Registration
  readonly queueId: number
}

/** What a run hands to whoever performs it. */
export interface Performance {
  readonly job: ClaimedJob
  readonly args: string
  /** Its signal tells the handler to end. It costs more to make than a small job, so it is made when somebody asks. */
  readonly controller: AbortController
  readonly holder: Holder
  readonly claimNo: string
  readonly startedAt: string
  /** Called when the handler settled the job in a transaction of its own, which may still roll back. */
  readonly completed: () => void
}

/** Runs the middlewares and the handler; resolves with the handler's result. */
export type Perform = (performance: Performance) => Promise<unknown>

/**
 * One run of one job: starts the handler, watches its timeout, and says what came of it. `outcome`
 * resolves when the run is decided, `ended` when the handler has really returned, which may be
 * later or never.
 */
export class Run {
  readonly inHand: JobInHand
  /** When it started, in microseconds of the database's clock. */
  readonly startedAt: string
  readonly outcome: Promise<Outcome>
  readonly ended: Promise<void>
  readonly #controller = new AbortController()
  readonly #events: EventBus
  readonly #forgetLease: () => void
  #abortReason: MillraceError | undefined
  readonly #queueName: string
  #decide!: (outcome: Outcome) => void
  #timer: NodeJS.Timeout | undefined
  #isCompleted = false
  #isDecided = false

  constructor(
    inHand: JobInHand,
    startedAt: string,
    queueName: string,
    perform: Perform,
    readArgs: () => Promise<string>,
    events: EventBus,
  ) {
    this.inHand = inHand
    this.startedAt = startedAt
    this.#events = events
    this.#queueName = queueName
    this.outcome = new Promise((resolve) => {
      this.#decide = resolve
    })
    this.#forgetLease = onAbort(inHand.registration.lost, () => this.#loseLease())
    this.#watchTimeout()
    this.ended = this.#perform(perform, readArgs)
  }

  /** Whether the handler settled the job in its own transaction; then only the database knows if that committed. */
  get isCompleted(): boolean {
    return this.#isCompleted
  }

  /** The runs that counted, this one among them. */
  get attempt(): number {
    return this.inHand.job.attempt + 1
  }

  /** Aborts the handler's signal; the run is taken back unless the handler still returns. */
  shutDown(): void {
    this.#abort(new MillraceError('SHUTDOWN', { jobId: this.inHand.job.id }))
  }

  /** Decides the run as interrupted, whatever the handler does from now on. */
  giveUp(): void {
    this.#events.emit({ type: 'job.handler_outlived', ...this.#names(), reason: 'shutdown' })
    this.#conclude({ kind: 'interrupted' })
  }

  #loseLease(): void {
    this.#abort(new MillraceError('LEASE_LOST', { jobId: this.inHand.job.id }))
    this.#outliveAfter(GRACE_MS, 'lease_lost', { kind: 'interrupted' })
  }

  /** A handler that does not end gives its slot back, and is not waited for. */
  #outliveAfter(ms: number, reason: 'timeout' | 'lease_lost', outcome: Outcome): void {
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => {
      this.#events.emit({ type: 'job.handler_outlived', ...this.#names(), reason })
      this.#conclude(outcome)
    }, ms)
  }

  #abort(reason: MillraceError): void {
    this.#abortReason ??= reason
    this.#controller.abort(reason)
  }

  #watchTimeout(): void {
    const { timeoutMs } = this.inHand.job
    if (timeoutMs === null) return
    this.#timer = longTimeout(Number(timeoutMs), () => {
      const error = new MillraceError('TIMEOUT', {
        jobId: this.inHand.job.id,
        timeoutMs: Number(timeoutMs),
      })
      this.#abort(error)
      const outcome: Outcome = { kind: 'threw', error: describeThrown(error) }
      this.#events.emit({ type: 'job.timed_out', ...this.#names(), timeoutMs: Number(timeoutMs) })
      this.#outliveAfter(GRACE_MS, 'timeout', outcome)
    })
  }

  async #perform(perform: Perform, readArgs: () => Promise<string>): Promise<void> {
    const { job, claimNo, registration, queueId } = this.inHand
    let args: string
    try {
      args = job.args ?? (await readArgs())
    } catch {
      return this.#conclude({ kind: 'interrupted' }) // the database is away; the job has not failed
    }
    try {
      const result = await perform({
        job,
        args,
        controller: this.#controller,
        holder: { queueId, workerId: registration.id },
        claimNo,
        startedAt: this.startedAt,
        completed: () => {
          this.#isCompleted = true
        },
      })
      this.#conclude(this.#returned(result))
    } catch (error) {
      this.#conclude(this.#threw(error))
    }
  }

  #returned(result: unknown): Outcome {
    const timeout = this.#timeoutError()
    if (timeout !== undefined) return { kind: 'threw', error: describeThrown(timeout) }
    try {
      return { kind: 'returned', result: result === undefined ? undefined : encodeResult(result) }
    } catch (error) {
      this.#events.emit({ type: 'result.not_stored', ...this.#names(), error })
      return { kind: 'returned', result: undefined }
    }
  }

  #threw(thrown: unknown): Outcome {
    const timeout = this.#timeoutError()
    if (timeout !== undefined) return { kind: 'threw', error: describeThrown(timeout) }
    // What a handler throws once its signal says SHUTDOWN is the stop's doing, not the job's.
    if (this.#abortReason !== undefined) return { kind: 'interrupted' }
    return outcomeOfThrown(thrown)
  }

  #timeoutError(): MillraceError | undefined {
    return this.#abortReason?.code === 'TIMEOUT' ? this.#abortReason : undefined
  }

  #conclude(outcome: Outcome): void {
    if (this.#isDecided) return
    this.#isDecided = true
    clearTimeout(this.#timer)
    this.#forgetLease()
    this.#decide(outcome)
  }

  #names(): { queueName: string; jobId: string; attempt: number } {
    return { queueName: this.#queueName, jobId: this.inHand.job.id, attempt: this.attempt }
  }
}

/** A Node timer beyond 24.8 days fires at once; this one does not. */
function longTimeout(ms: number, action: () => void): NodeJS.Timeout {
  const longest = 2 ** 31 - 1
  if (ms <= longest) return setTimeout(action, ms)
  return setTimeout(() => longTimeout(ms - longest, action), longest)
}
