import type { Outcome } from '../core/judge.ts'
import { outcomeOfThrown } from '../core/judge.ts'
import { MillraceError } from '../core/errors.ts'
import type { NoteTaker } from '../core/contexts.ts'
import { encodeResult } from '../core/json.ts'
import type { RunNote } from '../core/notes.ts'
import type { EventBus } from '../core/event-bus.ts'
import { describeThrown } from '../core/thrown.ts'
import type { ClaimedJob } from '../store/claim-answer.ts'
import type { Note } from '../store/notes.ts'
import type { Holder } from '../store/settle.ts'
import type { Registration } from './registration.ts'
import { RunNotes } from './run-notes.ts'

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
  /** In microseconds since 1970 by the database's clock. */
  readonly startedAt: number
  /** Who is told what the handler does meanwhile. */
  readonly run: RunInProgress
}

/** A run, as far as its handler has to do with it. One object for all: a closure for each costs a small job dearly. */
export interface RunInProgress extends NoteTaker {
  /** The handler settled the job in a transaction of its own, which may still roll back. */
  completed(): void
  /** What the handler has said and is not stored, for a transaction of its that completes the job. */
  unstored(): Note | undefined
}

/** Runs the middlewares and the handler; resolves with the handler's result. */
export type Perform = (performance: Performance) => Promise<unknown>

/** Who runs a job is told what becomes of it. By calls, not promises: a short job costs little more than these do. */
export interface RunListener {
  /** The run is decided, once. Its handler may go on for a while, or for ever. */
  decided(run: Run, outcome: Outcome): void
  /** The handler has really returned, after the run was decided. */
  ended(run: Run): void
  /** The handler says something. */
  noted(notes: RunNotes, note: RunNote): void
  /** Fetches arguments that the claim did not carry. */
  readArgs(inHand: JobInHand): Promise<string>
}

/** One run of one job: starts the handler, watches its timeout, and says what came of it. */
export class Run implements RunInProgress {
  readonly inHand: JobInHand
  /** When it started, in microseconds of the database's clock. */
  readonly startedAt: number
  /** When it started, by this process's monotonic clock. */
  readonly began = performance.now()
  readonly #controller = new AbortController()
  readonly #events: EventBus
  readonly #listener: RunListener
  #abortReason: MillraceError | undefined
  readonly #queueName: string
  #timer: NodeJS.Timeout | undefined
  /** What it has said of itself; undefined: nothing yet, as most. */
  #notes: RunNotes | undefined
  #isCompleted = false
  #isDecided = false
  #isOver = false

  constructor(
    inHand: JobInHand,
    startedAt: number,
    queueName: string,
    events: EventBus,
    listener: RunListener,
  ) {
    this.inHand = inHand
    this.startedAt = startedAt
    this.#events = events
    this.#queueName = queueName
    this.#listener = listener
  }

  /** Starts the handler; called once. Never rejects. */
  async perform(perform: Perform): Promise<void> {
    this.#watchTimeout()
    const outcome = await this.#outcomeOf(perform)
    this.#isOver = true
    this.#conclude(outcome)
    this.#listener.ended(this)
  }

  /** Whether the handler settled the job in its own transaction; then only the database knows if that committed. */
  get isCompleted(): boolean {
    return this.#isCompleted
  }

  /** What it has said of itself. */
  get notes(): RunNotes | undefined {
    return this.#notes
  }

  /** Whether its handler has returned: if so when the run is decided, `ended` is called right after. */
  get isOver(): boolean {
    return this.#isOver
  }

  /** The runs that counted, this one among them. */
  get attempt(): number {
    return this.inHand.job.attempt + 1
  }

  /** Aborts the handler's signal; the job ends as cancelled unless the handler still returns. */
  cancel(): void {
    if (this.#abortReason !== undefined) return
    this.#abort(new MillraceError('CANCELLED', { jobId: this.inHand.job.id }))
    this.#events.emit({ type: 'job.cancel_requested', ...this.#names() })
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

  /** Somebody else may have the job by now. */
  loseLease(): void {
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

  async #outcomeOf(perform: Perform): Promise<Outcome> {
    const { job, claimNo, registration, queueId } = this.inHand
    let { args } = job
    try {
      args ??= await this.#listener.readArgs(this.inHand)
    } catch {
      return { kind: 'interrupted' } // the database is away; the job has not failed
    }
    try {
      const result = await perform({
        job,
        args,
        controller: this.#controller,
        holder: { queueId, workerId: registration.id },
        claimNo,
        startedAt: this.startedAt,
        run: this,
      })
      return this.#returned(result)
    } catch (error) {
      return this.#threw(error)
    }
  }

  completed(): void {
    this.#isCompleted = true
  }

  /** Once the run is decided nobody listens. */
  note(note: RunNote): void {
    if (this.#isDecided) return
    this.#notes ??= new RunNotes(this.inHand, this.#queueName)
    this.#listener.noted(this.#notes, note)
  }

  unstored(): Note | undefined {
    if (this.#notes?.isPending !== true) return undefined
    this.#notes.hold()
    return this.#notes.read(performance.now(), true)
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
    if (this.#abortReason?.code === 'CANCELLED') return { kind: 'cancelled' }
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
    this.#listener.decided(this, outcome)
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
