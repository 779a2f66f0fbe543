import { MillraceError } from '../core/errors.ts'
import { judge, type Outcome, type Verdict } from '../core/judge.ts'
import type { QueueTally } from '../core/tally.ts'
import { describeThrown, type ErrorRecord } from '../core/thrown.ts'
import { onAbort } from '../drivers/on-abort.ts'
import { readArgs } from '../store/claim.ts'
import { pause } from './bell.ts'
import type { Pace } from './pace.ts'
import type { ReceiverRules, SharedParts } from './parts.ts'
import type { Registration } from './registration.ts'
import type { RunNotes } from './run-notes.ts'
import { Run, type JobInHand, type Perform, type RunListener } from './run.ts'
import { endOf, returnsToItsPlace, type Settlement } from './settlement.ts'
import { Settler } from './settler.ts'

/** After their signals were aborted, handlers have so long to return. */
const ABORT_GRACE_MS = 1_500
/** A stop waits so long for the database to take down what became of the last runs. */
const LAST_SETTLE_MS = 2_000

/** What a receiver is told of its runs. */
export interface RunsListener {
  /** Something changed: a slot is free, or a run is written down. */
  changed(): void
  /** The head of a FIFO queue does not leave it: nothing behind it may run now. */
  held(): void
  /** A run is written down, or turned out to be lost. */
  settled(settlement: Settlement): void
}

/** The runs of one receiver, from the start of a handler until what became of it is written down. */
export class Runs {
  readonly #shared: SharedParts
  readonly #rules: ReceiverRules
  readonly #perform: Perform
  readonly #pace: Pace
  readonly #listener: RunsListener
  readonly #settler: Settler
  readonly #tally: QueueTally
  #lastDue = { runAt: '', at: 0 }
  readonly #running = new Set<Run>()
  /** Jobs that run or are not written down yet: their claim numbers by id. */
  readonly #unsettled = new Map<string, string>()
  readonly #ends = new Set<() => void>()
  /** Who waits for a run to be written down, by id and claim number. */
  readonly #awaited = new Map<string, () => void>()
  #handlers = 0
  /** Decided runs whose last words are being stored before they are settled. */
  readonly #closing = new Set<Promise<void>>()
  /** FIFO: what must be written down before anything may run that is behind it. */
  readonly #holds = new Set<Settlement>()
  /** The database's clock beside this process's, when they were last compared. */
  #clock = { database: 0, process: 0 }
  /** The registration whose loss is heard: that of the last run. */
  #registration: Registration | undefined
  #forgetLoss = (): void => {}
  readonly #ofRun: RunListener = {
    decided: (run, outcome) => this.#decide(run, outcome),
    ended: () => this.#ended(),
    noted: (notes, note) => this.#shared.journal.add(notes, note),
    readArgs: (inHand) => this.#readArgs(inHand),
  }

  constructor(
    shared: SharedParts,
    rules: ReceiverRules,
    perform: Perform,
    pace: Pace,
    listener: RunsListener,
  ) {
    this.#shared = shared
    this.#rules = rules
    this.#perform = perform
    this.#pace = pace
    this.#listener = listener
    this.#tally = shared.tallies.of(rules.queueName)
    this.#settler = new Settler(shared.store, shared.events, rules, shared.ended)
    this.#settler.onSettled((settlement) => this.#settled(settlement))
    this.#settler.onBatch(() => this.#listener.changed())
  }

  /** Runs that are not decided: each takes a slot. */
  get running(): number {
    return this.#running.size
  }

  /** Handlers that have not returned, also those that outlived their run. */
  get handlers(): number {
    return this.#handlers
  }

  /** Jobs that run or are not written down yet. */
  get unsettledIds(): string[] {
    return [...this.#unsettled.keys()]
  }

  get unsettled(): number {
    return this.#unsettled.size
  }

  /** The numbers of the claims of which something is not written down. */
  get claimNos(): Set<string> {
    return new Set(this.#unsettled.values())
  }

  /**
   * Whether nothing may be claimed now: a job that goes back to its place is about to be written down, and a
   * claim would overtake it. In a FIFO queue every job that stays in its place holds those behind it.
   */
  get isHeld(): boolean {
    return this.#holds.size > 0
  }

  /** Whether everything is written down. */
  get isClean(): boolean {
    return this.#settler.backlog === 0 && this.#closing.size === 0
  }

  /** The database's clock said `now` at `at` of this process's. */
  compareClocks(now: string, at: number): void {
    this.#clock = { database: Number(now), process: at }
  }

  /** Starts a handler. */
  start(inHand: JobInHand): void {
    const { events, exclusivity } = this.#shared
    const { queueName } = this.#rules
    const { job, registration } = inHand
    this.#unsettled.set(job.id, inHand.claimNo)
    this.#handlers += 1
    exclusivity.enter()
    this.#heedLossOf(registration)
    const run = new Run(inHand, this.#databaseNow(), queueName, events, this.#ofRun)
    this.#running.add(run)
    this.#tally.started(run.startedAt, this.#dueAt(job.runAt))
    if (events.wants('job.started')) {
      events.emit({ type: 'job.started', queueName, jobId: job.id, attempt: run.attempt })
    }
    void run.perform(this.#perform)
  }

  /** Starts a handler. Resolves when what became of the run is written down, or known to be lost. */
  runToEnd(inHand: JobInHand): Promise<void> {
    return new Promise((resolve) => {
      this.#awaited.set(`${inHand.job.id} ${inHand.claimNo}`, resolve)
      this.start(inHand)
    })
  }

  /** Gives claimed jobs back that were not started. */
  giveBack(jobs: readonly JobInHand[]): void {
    this.#settleWaiting(jobs, { to: 'available', afterMs: 0, countsAsAttempt: false })
  }

  /** Ends claimed jobs as cancelled that were not started. */
  cancelWaiting(jobs: readonly JobInHand[]): void {
    this.#settleWaiting(jobs, { to: 'cancelled' })
  }

  /** Somebody asked to cancel these jobs: their handlers are told. */
  cancel(ids: ReadonlySet<string>): void {
    for (const run of this.#running) if (ids.has(run.inHand.job.id)) run.cancel()
  }

  /** What has been running for so long. */
  runningFor(ms: number): JobInHand[] {
    const latest = performance.now() - ms
    return [...this.#running].filter(({ began }) => began <= latest).map(({ inHand }) => inHand)
  }

  #settleWaiting(jobs: readonly JobInHand[], verdict: Verdict): void {
    for (const { job, claimNo, registration } of jobs) {
      this.#unsettled.set(job.id, claimNo)
      this.#settle({
        ...{ id: job.id, claimNo, registration, attempt: job.attempt, priority: job.priority },
        ...{ startedAt: 0, runMs: 0, hadErrors: job.errorCount > 0 },
        ...{ completed: false, errorAfter: undefined },
        verdict,
        ...{ result: undefined, isCancelled: verdict.to === 'cancelled', isSettled: false },
      })
    }
  }

  /** Lets the runs end: by themselves for `patienceMs`, then with their signals aborted, then without them. */
  async stop(patienceMs: number): Promise<void> {
    await this.#untilNoneRuns(patienceMs)
    for (const run of this.#running) run.shutDown()
    await this.#untilNoneRuns(ABORT_GRACE_MS)
    for (const run of this.#running) run.giveUp()
    await this.#untilNoneRuns(0)
    await Promise.all(this.#closing)
    await this.#settler.finish(LAST_SETTLE_MS)
    this.#forgetLoss() // the registration may live on, with another receiver of this process
  }

  /** A run is decided: judge it, and have it written down. */
  #decide(run: Run, outcome: Outcome): void {
    this.#running.delete(run)
    const runMs = performance.now() - run.began
    this.#pace.ran(runMs)
    const { job, claimNo, registration } = run.inHand
    const { attempt, startedAt } = run
    const completed = run.isCompleted
    const judged = completed && outcome.kind === 'returned' ? rolledBack() : outcome
    const { maxRetries, retryPolicy } = job
    const verdict = judge({ attempt, maxRetries, retryPolicy }, judged, this.#rules.judgePolicy)
    const settlement: Settlement = {
      id: job.id,
      claimNo,
      registration,
      attempt,
      priority: job.priority,
      startedAt,
      runMs,
      hadErrors: job.errorCount > 0,
      verdict,
      result: verdict.to === 'finished' ? verdict.result : undefined,
      completed,
      errorAfter: completed ? errorOf(outcome) : undefined,
      isCancelled: verdict.to === 'cancelled',
      isSettled: false,
    }
    if (run.notes === undefined) this.#settle(settlement)
    else this.#settleAfter(run.notes, settlement)
    if (this.#rules.isFifo && this.isHeld) this.#listener.held()
    for (const end of this.#ends) end()
    if (!run.isOver) this.#listener.changed()
  }

  #ended(): void {
    this.#handlers -= 1
    this.#shared.exclusivity.leave()
    this.#listener.changed()
  }

  /** One listener for all runs of a registration: with one for each, a job took a tenth longer. */
  #heedLossOf(registration: Registration): void {
    if (this.#registration === registration) return
    this.#forgetLoss() // of one that is lost: it has been told
    this.#registration = registration
    this.#forgetLoss = onAbort(registration.lost, () => {
      for (const run of this.#running) {
        if (run.inHand.registration === registration) run.loseLease()
      }
    })
  }

  #settle(settlement: Settlement): void {
    this.#hold(settlement)
    this.#settler.add(settlement)
  }

  /** Whoever sees that a job has ended sees all that it said: that is stored before. */
  #settleAfter(notes: RunNotes, settlement: Settlement): void {
    const { journal } = this.#shared
    if (settlement.verdict.to === 'finished' && this.#rules.keepFinishedMs === null) {
      journal.forget(notes) // nothing of the job stays
      return this.#settle(settlement)
    }
    this.#hold(settlement)
    const closed = journal.close(notes).then(() => {
      this.#closing.delete(closed)
      this.#settler.add(settlement)
    })
    this.#closing.add(closed)
  }

  #hold(settlement: Settlement): void {
    const { verdict, completed } = settlement
    const staysInPlace = verdict.to !== 'finished' || completed
    const holds = this.#rules.isFifo ? staysInPlace : returnsToItsPlace(verdict)
    if (holds) this.#holds.add(settlement)
  }

  #settled(settlement: Settlement): void {
    const { id, claimNo } = settlement
    if (this.#unsettled.get(id) === claimNo) this.#unsettled.delete(id)
    this.#count(settlement)
    this.#holds.delete(settlement)
    if (this.#awaited.size > 0) this.#tell(`${id} ${claimNo}`)
    this.#listener.settled(settlement)
  }

  /** Jobs that came together are due together: the last instant read need not be read again. */
  #dueAt(runAt: string): number {
    if (runAt !== this.#lastDue.runAt) this.#lastDue = { runAt, at: Number(runAt) }
    return this.#lastDue.at
  }

  #count(settlement: Settlement): void {
    const end = endOf(settlement)
    if (end === undefined) return
    // When that is known, not when it ended: an outage may lie between, and what is old is not written any more.
    this.#tally.ended(this.#databaseNow(), end, settlement.runMs)
  }

  #tell(key: string): void {
    this.#awaited.get(key)?.()
    this.#awaited.delete(key)
  }

  async #readArgs({ job, queueId }: JobInHand): Promise<string> {
    const args = await readArgs(this.#shared.store, queueId, job.id)
    if (args === undefined) throw new MillraceError('LEASE_LOST', { jobId: job.id })
    return args
  }

  async #untilNoneRuns(ms: number): Promise<void> {
    const deadline = performance.now() + ms
    while (this.#running.size > 0 && performance.now() < deadline) {
      const ended = new AbortController()
      const end = (): void => ended.abort()
      this.#ends.add(end)
      await pause(deadline - performance.now(), ended.signal)
      this.#ends.delete(end)
    }
    await Promise.resolve() // what was just decided is handed to the settler
  }

  /** The database's time now in microseconds, reckoned from the last claim. */
  #databaseNow(): number {
    const elapsed = (performance.now() - this.#clock.process) * 1_000
    return Math.round(this.#clock.database + elapsed)
  }
}

/** What a run has failed of when its handler returned and its transaction did not commit. */
function rolledBack(): Outcome {
  rolledBackError ??= describeThrown(new MillraceError('COMPLETE_ROLLED_BACK'))
  return { kind: 'threw', error: rolledBackError }
}

/** Made once: every completed job is judged by it, and almost none has failed of it. */
let rolledBackError: ErrorRecord | undefined

function errorOf(outcome: Outcome): ErrorRecord | undefined {
  return 'error' in outcome ? outcome.error : undefined
}
