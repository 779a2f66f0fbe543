import { onAbort } from '../drivers/on-abort.ts'
import type { LaneFloor } from '../store/claim.ts'
import type { ClaimAnswer } from '../store/claim-answer.ts'
import type { PolledQueue } from '../store/poll.ts'
import type { Store } from '../store/store.ts'
import { listQueueOfWorker } from '../store/workers.ts'
import { Appetite, FIFO_FRESH_MS, type WorkInHand } from './appetite.ts'
import { Backlog, meanBytes } from './backlog.ts'
import { atMost, Bell } from './bell.ts'
import { Cancellations } from './cancellations.ts'
import { FifoClaimer, LaneClaimer, type Claimer } from './claimer.ts'
import { LoneRuns } from './lone-runs.ts'
import { LostClaims } from './lost-claims.ts'
import { Marking } from './marking.ts'
import { Outlook } from './outlook.ts'
import type { ReceiverRules, SharedParts } from './parts.ts'
import { OncePerTurn } from './once-per-turn.ts'
import { Ownership } from './ownership.ts'
import { Pace } from './pace.ts'
import type { Registration } from './registration.ts'
import type { JobInHand, Perform } from './run.ts'
import { Runs } from './runs.ts'
import { Setbacks } from './setbacks.ts'
import { returnsToItsPlace, type Settlement } from './settlement.ts'
import { Stream } from './stream.ts'
import type { Sleeper } from './waker.ts'

/** A stop waits so long for the answer to a claim and for the end of an ownership; a claim for the search of a lost one. */
const LAST_CLAIM_MS = 1_500

/** Receives the jobs of one queue: claims, starts, settles, sleeps, and stops in good order. */
export class Receiver implements Sleeper {
  readonly #shared: SharedParts
  /** What it was opened with. */
  readonly rules: ReceiverRules
  readonly #bell = new Bell()
  /** Short handlers would else run on and on in one turn, and neither a claim nor a heartbeat would leave the process. */
  readonly #turn = new OncePerTurn(() => (this.#startJobs(), this.#bell.ring()))
  readonly #backlog = new Backlog()
  readonly #pace: Pace
  readonly #appetite: Appetite
  readonly #claimer: Claimer
  readonly #runs: Runs
  readonly #settledListeners = new Set<(settlement: Settlement) => void>()
  readonly #lostClaims: LostClaims
  readonly #lone: LoneRuns
  readonly #cancellations: Cancellations
  readonly #marking: Marking
  readonly #ownership: Ownership | undefined // FIFO only
  readonly #setbacks: Setbacks
  readonly #stream = new Stream()
  #registration: Registration | undefined
  /** Aborts when this receiver stops, whoever wants it to. */
  readonly #stopping = new AbortController()
  #isStopped = false
  /** Ends the wait for a claim that is under way when a stop begins. */
  readonly #giveUp = new AbortController()
  /** For claims and what goes with them. */
  readonly #claimStore: Store
  readonly #outlook = new Outlook()
  /** FIFO: claimed, dropped, and to be claimed again at the head. */
  readonly #left = new Map<string, JobInHand>()

  constructor(shared: SharedParts, rules: ReceiverRules, perform: Perform) {
    this.#shared = shared
    this.#claimStore = shared.store.until(this.#giveUp.signal)
    this.rules = rules
    this.#pace = new Pace(rules.isFifo ? 1 : rules.concurrency)
    this.#appetite = new Appetite(this.#pace, rules)
    this.#runs = new Runs(shared, rules, perform, this.#pace, {
      changed: () => this.#changed(),
      held: () => this.#leave(),
      settled: (settlement) => this.#settled(settlement),
    })
    this.#claimer = rules.isFifo
      ? new FifoClaimer(this.#claimStore, () => this.#runs.unsettledIds)
      : new LaneClaimer(this.#claimStore)
    this.#setbacks = new Setbacks(shared.events, rules.queueName, this.#stopping.signal)
    this.#marking = new Marking(this.#claimStore, shared.events, rules)
    const { store, events, ended } = shared
    this.#lostClaims = new LostClaims(store, events, rules, ended)
    const hands = { backlog: this.#backlog, runs: this.#runs, appetite: this.#appetite }
    this.#cancellations = new Cancellations(shared, rules, hands)
    const lone = { lostClaims: this.#lostClaims, cancellations: this.#cancellations }
    this.#lone = new LoneRuns(shared, this.#claimStore, rules, lone, this.#runs)
    if (rules.isFifo) this.#ownership = new Ownership(store, events, rules.queueId, ended)
  }

  get queueId(): number {
    return this.rules.queueId
  }

  get queueName(): string {
    return this.rules.queueName
  }

  /** Claims of which something waits to start or to be written down. */
  get openClaims(): ReadonlySet<string> {
    const left = [...this.#left.values()].map(({ claimNo }) => claimNo)
    return new Set([...this.#backlog.claimNos, ...this.#runs.claimNos, ...left])
  }

  get pollIntervalMs(): number {
    return this.rules.pollIntervalMs
  }

  /** Of a FIFO queue only the owner's sleep is worth a notification for each enqueue; of a paused one nobody's. */
  get isCallable(): boolean {
    const { isOwner, isPaused } = this.#outlook
    return !isPaused && (!this.rules.isFifo || isOwner)
  }

  /** Whether it has nothing else to do than to start so many jobs. */
  takesAtOnce(count: number): boolean {
    const { isFifo, drainLimit, concurrency } = this.rules
    if (isFifo || drainLimit !== undefined || !this.#outlook.isDry || !this.#mayStart())
      return false
    return this.#backlog.size === 0 && concurrency - this.#runs.running >= count
  }

  /** Whether everything that was claimed has been written down; only then may the worker say that it stopped. */
  get isClean(): boolean {
    return this.#runs.isClean && this.#lostClaims.isEmpty && this.#ownership?.isOver !== false
  }

  /** Calls back once when it holds its FIFO queue no more: a handler may outlive the stop. */
  onReleased(listener: () => void): void {
    if (this.#ownership === undefined) listener()
    else this.#ownership.onOver(listener)
  }

  /** Calls `listener` for each run that has been written down, or turned out to be lost. */
  onSettled(listener: (settlement: Settlement) => void): void {
    this.#settledListeners.add(listener)
  }

  pollFloors(): LaneFloor[] {
    return this.#claimer.pollFloors()
  }

  looked(found: PolledQueue, tookMs: number): void {
    const mayOwn = found.ownerId === null || found.ownerId === this.#registration?.id
    if (found.hasSuspects) this.#outlook.hasSuspects = true
    const mayClaim = this.#claimer.looked(found, tookMs)
    if (found.isPaused !== this.#outlook.isPaused) this.#wake()
    else if (mayClaim && (!this.rules.isFifo || mayOwn)) this.#wake()
    else if (found.hasSuspects) this.#bell.ring()
  }

  notified(): void {
    this.#claimer.expect()
    this.#outlook.hear()
    this.#wake()
  }

  askedToCancel(): void {
    this.#cancellations.told()
  }

  /** A job became due in this process. */
  include(priority: number, runAt: string): void {
    this.#claimer.include(priority, runAt)
    this.#outlook.hear()
    this.#wake()
  }

  /** Receives until `signal` aborts (or, when draining, until nothing is due), then stops. */
  async run(signal: AbortSignal): Promise<void> {
    const beginStop = (): void => {
      this.#stopping.abort()
      setTimeout(() => this.#giveUp.abort(), LAST_CLAIM_MS).unref()
    }
    const unlink = onAbort(signal, beginStop)
    if (signal.aborted) beginStop()
    const detach = this.#shared.waker.attach(this)
    const forget = this.#shared.exclusivity.onChange(() => this.#bell.ring())
    const stopped = new AbortController()
    void this.#cancellations.run(stopped.signal)
    try {
      await this.#work(this.#stopping.signal)
    } finally {
      unlink()
      beginStop()
      this.#shared.waker.rise(this)
      await this.#stop()
      stopped.abort()
      forget()
      detach()
    }
  }

  async #work(signal: AbortSignal): Promise<void> {
    while (!signal.aborted && !this.#isDrained) {
      const registration = await this.#shared.membership.ready(signal)
      if (registration === undefined) return
      if (registration !== this.#registration && !(await this.#adopt(registration))) continue
      if (!this.#shared.exclusivity.isOpen) this.#giveBack(this.#backlog.takeAll())
      this.#startJobs()
      this.#giveBackLate()
      const limit = this.#claimSize()
      if (limit > 0) {
        await this.#claim(registration, limit)
        continue
      }
      this.#considerSuspects(registration, signal)
      await this.#rest(signal)
    }
  }

  /** Waits for a ring; with nothing due it naps in a stream of jobs, and looks again, or else falls asleep. */
  async #rest(signal: AbortSignal): Promise<void> {
    const mayNap = this.#outlook.isDry && this.rules.drainLimit === undefined
    if (mayNap && (await this.#stream.nap(signal))) return this.#outlook.expectMore()
    if (this.#outlook.isDry) this.#shared.waker.fallAsleep(this, this.#outlook.takeNews())
    await this.#bell.wait(this.#patienceMs(), signal)
  }

  get #isDrained(): boolean {
    if (this.rules.drainLimit === undefined) return false
    const isIdle = this.#runs.unsettled === 0 && this.#backlog.size === 0
    const isDone = this.#outlook.isDry && !this.#outlook.hasSuspects
    return isIdle && !this.#lone.isBusy && (isDone || this.#appetite.isSated)
  }

  /** Claims go under another number from now on; what the old one had in hand is others' now. */
  async #adopt(registration: Registration): Promise<boolean> {
    this.#backlog.takeAll()
    this.#left.clear()
    this.#marking.forget()
    this.#claimer.forget()
    try {
      await listQueueOfWorker(this.#claimStore, registration.id, this.rules.queueId)
    } catch (error) {
      await this.#setbacks.survive(error)
      return false
    }
    this.#registration = registration
    this.#ownership?.begin(registration)
    this.#outlook.claimAgain()
    return true
  }

  #claimSize(): number {
    if (this.#outlook.isDry || this.#runs.isHeld || !this.#shared.exclusivity.isOpen) return 0
    return this.#appetite.next(this.#inHand)
  }

  get #inHand(): WorkInHand {
    const { running, handlers, unsettled } = this.#runs
    return { running, handlers, unsettled, waiting: this.#backlog.size }
  }

  async #claim(registration: Registration, limit: number): Promise<void> {
    const { queueId, queueName } = this.rules
    const startsAtOnce = this.#appetite.startsAtOnce(limit, this.#inHand)
    const claimNo = registration.nextClaimNo()
    const began = performance.now()
    this.#outlook.beginClaim()
    try {
      const request = { queueId, workerId: registration.id, claimNo, limit, startsAtOnce }
      const answer = await this.#claimer.claim(request)
      const ms = performance.now() - began
      this.#setbacks.succeeded()
      this.#runs.compareClocks(answer.now, began)
      this.#appetite.found(answer.jobs.length, limit)
      this.#learn(answer)
      this.#stream.found(answer.jobs.length)
      for (const job of answer.jobs) if (this.#left.delete(job.id)) this.#appetite.forget(1)
      this.#giveBackLeft() // a claim that reaches less far than the one before
      this.#backlog.add(answer, { registration, claimNo, queueId, startsAtOnce })
      this.#cancellations.took(began)
      this.#pace.carried(meanBytes(answer.jobs))
      this.#shared.events.emit({ type: 'claim.made', queueName, count: answer.jobs.length, ms })
      this.#startJobs()
    } catch (error) {
      const isLost = this.#shared.store.driver.outcomeIsUnknown(error)
      const looked = isLost ? this.#lostClaims.add(registration, claimNo) : undefined
      await this.#setbacks.survive(error)
      if (looked) await atMost(looked, LAST_CLAIM_MS) // the next claim finds what that gives back: a drain has only one
    }
  }

  #learn(answer: ClaimAnswer): void {
    const wasPaused = this.#outlook.isPaused
    this.#outlook.learn(answer, this.#claimer.isSure && this.#appetite.isShallow)
    const { isPaused } = answer
    if (isPaused) this.#giveBack(this.#backlog.takeAll())
    if (isPaused === wasPaused) return
    const type = isPaused ? 'queue.paused' : 'queue.resumed'
    this.#shared.events.emit({ type, queueName: this.queueName })
  }

  /** Starts what may start: slots free, lease fresh, nobody alone. */
  #startJobs(): void {
    const { concurrency, isFifo } = this.rules
    const isStale = isFifo && this.#backlog.waitedMs(performance.now()) > FIFO_FRESH_MS
    if (isStale && this.#runs.handlers === 0) this.#leave()
    while (this.#mayStart()) {
      const inHand = this.#backlog.take()
      if (inHand === undefined) break
      this.#runs.start(inHand)
    }
    if (this.#backlog.size === this.#backlog.startable) return
    // The next mark is asked for while half of the last one's jobs still wait to start.
    const atOnce = this.#pace.startingAtOnce(concurrency)
    if (this.#backlog.startable >= Math.max(1, atOnce / 2)) return
    const raised = this.#marking.allowMore(this.#backlog, atOnce, this.#stopping.signal)
    void raised.then((isMore) => isMore && this.#turn.ask())
  }

  #mayStart(): boolean {
    const { concurrency, isFifo } = this.rules
    if (this.#stopping.signal.aborted) return false
    if (isFifo && (this.#runs.handlers > 0 || this.#runs.isHeld)) return false
    if (this.#runs.running >= concurrency || !this.#shared.exclusivity.isOpen) return false
    return this.#registration?.isFresh(performance.now()) ?? false
  }

  /** Drops what was claimed from a FIFO queue; the next claim takes it again, and what has come before it. */
  #leave(): void {
    for (const inHand of this.#backlog.takeAll()) this.#left.set(inHand.job.id, inHand)
    this.#outlook.claimAgain()
  }

  /** A slot may be free, or something is written down. */
  #changed(): void {
    if (this.#isStopped && this.#runs.handlers === 0) void this.#ownership?.end()
    this.#turn.ask()
  }

  #settled(settlement: Settlement): void {
    for (const listener of this.#settledListeners) listener(settlement)
    const { verdict } = settlement
    if (verdict.to === 'available') this.#shared.waker.lookIn(this, verdict.afterMs)
    // Nobody else tells of what is due again at once, nor a drain of what a handler enqueued in its own transaction.
    const isDue = verdict.to === 'available' && verdict.afterMs === 0
    if (isDue && !returnsToItsPlace(verdict)) this.#claimer.retried(settlement)
    const mayBeMore = isDue || this.rules.drainLimit !== undefined
    if (mayBeMore || (this.rules.isFifo && verdict.to !== 'finished')) this.#outlook.expectMore()
    // The head of a FIFO queue waits: so do those behind it, for whoever wants to cancel them.
    if (settlement.isSettled && verdict.to === 'available' && !isDue) this.#giveBackLeft()
  }

  /** Jobs that were claimed too far ahead go back, so that somebody else can run them now. */
  #giveBackLate(): void {
    if (this.#backlog.waitedMs(performance.now()) <= this.#pace.patienceMs) return
    this.#pace.slowDown()
    this.#giveBack(this.#backlog.takeAll())
  }

  #giveBackLeft(): void {
    const left = [...this.#left.values()]
    this.#left.clear()
    this.#giveBack(left)
  }

  #giveBack(jobs: readonly JobInHand[]): void {
    if (jobs.length === 0) return
    this.#appetite.forget(jobs.length)
    this.#outlook.claimAgain()
    this.#runs.giveBack(jobs)
  }

  #considerSuspects(registration: Registration, signal: AbortSignal): void {
    // While somebody is alone there is nothing to do: the end of that rings the bell.
    if (!this.#outlook.hasSuspects || !this.#shared.exclusivity.isOpen || this.#lone.isBusy) return
    if (this.rules.isFifo && (this.#runs.handlers > 0 || this.#runs.unsettled > 0)) return
    this.#outlook.hasSuspects = false
    void this.#lone.tryAlone(registration, signal).then((mayBeMore) => {
      this.#outlook.hasSuspects ||= mayBeMore
      this.#outlook.claimAgain()
      this.#bell.ring()
    })
  }

  async #stop(): Promise<void> {
    this.#giveBack(this.#backlog.takeAll())
    this.#giveBackLeft()
    await this.#lone.finishClaiming()
    await this.#runs.stop(this.rules.shutdownTimeoutMs)
    await this.#marking.finish(() => this.openClaims)
    this.#isStopped = true
    // A handler that does not end holds a FIFO queue until it does, or its process.
    if (this.#runs.handlers > 0 || this.#ownership === undefined) return
    await atMost(this.#ownership.end(), LAST_CLAIM_MS)
  }

  #wake(): void {
    this.#outlook.expectMore()
    this.#shared.waker.rise(this)
    this.#bell.ring()
  }

  /** How long to wait for the bell at most: prefetched jobs may become late, marks want clearing. */
  #patienceMs(): number {
    this.#marking.clearNowAndThen(() => this.openClaims)
    return this.#backlog.size > 0 ? this.#pace.patienceMs : 60_000
  }
}
