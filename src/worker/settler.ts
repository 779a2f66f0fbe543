import type { EventBus } from '../core/event-bus.ts'
import type { MillraceEvent } from '../core/events.ts'
import { cancelPassed } from '../store/cancel.ts'
import { addPartition, findSettled, isMissingPartition } from '../store/history.ts'
import { compareNumerals } from '../store/numerals.ts'
import { findHeld, type Holder } from '../store/settle.ts'
import type { Store } from '../store/store.ts'
import { Backoff } from './backoff.ts'
import { Bell, pause } from './bell.ts'
import { isDataError } from './outage.ts'
import {
  carryOut,
  kindOf,
  leavesTrace,
  withoutPayload,
  type Settlement,
  type SettlingRules,
} from './settlement.ts'

/** More in one statement brings nothing. */
const MAX_BATCH = 2_000
/**
 * After a statement for many runs it rests for as long as that took, but no longer than this: what ends meanwhile shares
 * the next commit. Nobody waits for it: a run's slot is free as soon as the run is decided.
 */
const LONGEST_REST_MS = 5
const MANY_RUNS = 50

/**
 * Writes down what became of runs, in natural group commits: while one statement is under way, what
 * comes is collected for the next. Every statement is fenced; it is repeated after an outage as
 * long as the lease holds, and then looks in history before it calls a job lost.
 */
export class Settler {
  readonly #store: Store
  readonly #events: EventBus
  readonly #rules: SettlingRules
  readonly #settled = new Set<(settlement: Settlement) => void>()
  readonly #idle = new Bell()
  #batchListener: (() => void) | undefined
  readonly #ended: AbortSignal
  #pending: Settlement[] = []
  #underWay = 0
  #isWorking = false
  /** Nothing more will come; there is nothing to wait for. */
  #isFinishing = false
  readonly #resting = new Bell()

  /** Tries until `ended` aborts: also after a stop, as long as the process works on another queue. */
  constructor(store: Store, events: EventBus, rules: SettlingRules, ended: AbortSignal) {
    this.#store = store
    this.#events = events
    this.#rules = rules
    this.#ended = ended
  }

  /** Runs that are decided and not yet written down. */
  get backlog(): number {
    return this.#pending.length + this.#underWay
  }

  /** Calls `listener` for each run when it has been written down, or turned out to be lost. */
  onSettled(listener: (settlement: Settlement) => void): void {
    this.#settled.add(listener)
  }

  /** Calls `listener` after all runs of a batch were told of. */
  onBatch(listener: () => void): void {
    this.#batchListener = listener
  }

  add(settlement: Settlement): void {
    this.#pending.push(settlement)
    if (this.#isWorking) return
    this.#isWorking = true
    // What this turn of the event loop adds belongs in the same statement: short handlers end hundreds in one.
    setImmediate(() => void this.#work())
  }

  /** Resolves when everything is written down, or after `patienceMs`. */
  async finish(patienceMs: number): Promise<void> {
    this.#isFinishing = true
    this.#resting.ring()
    const deadline = performance.now() + patienceMs
    while (this.#isWorking && performance.now() < deadline && !this.#ended.aborted) {
      await this.#idle.wait(deadline - performance.now(), this.#ended)
    }
  }

  async #work(): Promise<void> {
    while (this.#pending.length > 0) {
      const batch = this.#pending.slice(0, MAX_BATCH)
      this.#pending = this.#pending.slice(MAX_BATCH)
      this.#underWay = batch.length
      const began = performance.now()
      for (const group of groupBy(batch, groupKey)) {
        await (group[0]?.completed ? this.#confirm(group) : this.#settle(group))
      }
      this.#underWay = 0
      if (batch.length >= MANY_RUNS) await this.#rest(performance.now() - began)
    }
    this.#isWorking = false
    this.#idle.ring()
  }

  async #rest(ms: number): Promise<void> {
    if (this.#pending.length >= MAX_BATCH || this.#isFinishing) return
    await this.#resting.wait(Math.min(ms, LONGEST_REST_MS), this.#ended)
  }

  /**
   * Handlers completed these jobs in transactions of their own. Most have committed, which one look
   * at all of them shows. What is still there is settled as failed, each alone: that waits for a
   * transaction that is still open, and changes nothing if it commits.
   */
  async #confirm(group: readonly Settlement[]): Promise<void> {
    const sorted = [...group].sort((left, right) => compareNumerals(left.id, right.id))
    const held = await this.#tryUntilDone(sorted, () => {
      return findHeld(this.#store, this.#holderOf(sorted), sorted)
    })
    const open = new Set(held)
    const gone = sorted.filter((run) => !open.has(run.id))
    if (mayBeTaken(gone)) await this.#believeOnlyHistory(gone)
    this.#report(gone, new Set())
    for (const run of sorted) if (open.has(run.id)) await this.#settle([run])
  }

  /** One look: whoever may be dead has no lease left in which to repeat it. */
  async #believeOnlyHistory(runs: readonly Settlement[]): Promise<void> {
    let proven: ReadonlySet<string> = new Set()
    try {
      proven = await findSettled(this.#store, this.#holderOf(runs), runs)
    } catch (error) {
      this.#events.emit({ type: 'maintenance.failed', chore: 'look for completed jobs', error })
    }
    for (const run of runs) run.completed = proven.has(run.id)
  }

  /** Settles runs of one kind and one registration. */
  async #settle(group: readonly Settlement[]): Promise<void> {
    const sorted = [...group].sort((left, right) => compareNumerals(left.id, right.id))
    const began = performance.now()
    const ids = await this.#carryOut(sorted)
    if (mayBeTaken(sorted)) for (const run of sorted) run.completed &&= ids?.has(run.id) ?? false
    if (ids === undefined) return this.#report(sorted, new Set())
    this.#report(sorted, ids)
    this.#events.emit({
      type: 'settle.made',
      queueName: this.#rules.queueName,
      count: ids.size,
      ms: performance.now() - began,
    })
  }

  /** The ids that were settled, or undefined when it had to be given up. */
  async #carryOut(group: readonly Settlement[]): Promise<Set<string> | undefined> {
    const ids = new Set<string>() // over all tries: the second half of one may fail alone
    try {
      return await this.#tryUntilDone(group, async (isRepeated) => {
        for (const id of await carryOut(this.#store, this.#rules, group)) ids.add(id)
        if (ids.size < group.length) await this.#cancelPassed(group, ids)
        return isRepeated && ids.size < group.length ? this.#withEarlier(group, ids) : ids
      })
    } catch (error) {
      return this.#settleApart(group, error)
    }
  }

  /** Jobs that somebody wants to be cancelled are passed by, whatever else was to become of them. */
  async #cancelPassed(group: readonly Settlement[], ids: Set<string>): Promise<void> {
    if (group[0]?.verdict.to === 'finished') return
    const { keepFailedMs } = this.#rules
    const holder = this.#holderOf(group)
    const cancelled = new Set(
      await cancelPassed(this.#store, holder, group, [...ids], keepFailedMs),
    )
    for (const run of group) {
      if (!cancelled.has(run.id)) continue
      run.isCancelled = true
      ids.add(run.id)
    }
  }

  /**
   * Tries until it is done, which is told when an earlier try may have been. Undefined when the
   * lease or the process ended before. Throws only what says that a value cannot be stored.
   */
  async #tryUntilDone<T>(
    group: readonly Settlement[],
    attempt: (isRepeated: boolean) => Promise<T>,
  ): Promise<T | undefined> {
    const backoff = new Backoff()
    let isRepeated = false
    while (!this.#isHopeless(group)) {
      try {
        return await attempt(isRepeated)
      } catch (error) {
        if (isMissingPartition(error)) {
          await this.#addPartition(group)
        } else if (isDataError(error)) {
          throw error
        } else {
          isRepeated ||= this.#store.driver.outcomeIsUnknown(error)
          const retryInMs = backoff.failed()
          const { queueName } = this.#rules
          this.#events.emit({ type: 'settle.failed', queueName, error, retryInMs })
          await pause(retryInMs, this.#ended)
        }
      }
    }
    return undefined
  }

  #isHopeless(group: readonly Settlement[]): boolean {
    return this.#ended.aborted || group.every((run) => run.registration.lost.aborted)
  }

  /** The day of history on which these rows expire is missing: make it, and go on. */
  async #addPartition(group: readonly Settlement[]): Promise<void> {
    const isFinished = group[0]?.verdict.to === 'finished'
    const keepMs = isFinished ? (this.#rules.keepFinishedMs ?? 0) : this.#rules.keepFailedMs
    try {
      await addPartition(this.#store, keepMs)
    } catch (error) {
      this.#events.emit({ type: 'maintenance.failed', chore: 'add partition', error })
      await pause(500, this.#ended)
    }
  }

  /** A value cannot be stored: find the run it belongs to, so that its neighbours do not suffer. */
  async #settleApart(
    group: readonly Settlement[],
    error: unknown,
  ): Promise<Set<string> | undefined> {
    const [only] = group
    if (group.length === 1 && only !== undefined) {
      const plain = withoutPayload(only)
      this.#events.emit({
        type: 'result.not_stored',
        ...namesOf(only, this.#rules.queueName),
        error,
      })
      if (plain === only) return undefined
      return this.#carryOut([plain])
    }
    const middle = Math.ceil(group.length / 2)
    const first = await this.#carryOut(group.slice(0, middle))
    const second = await this.#carryOut(group.slice(middle))
    return new Set([...(first ?? []), ...(second ?? [])])
  }

  /** Adds what an earlier try of the same statement had settled before its answer was lost. */
  async #withEarlier(group: readonly Settlement[], ids: Set<string>): Promise<Set<string>> {
    const [first] = group
    if (first === undefined) return ids
    // All of a group leave a trace, or none does; then nothing says that somebody else took the job.
    if (!leavesTrace(first, this.#rules)) return new Set(group.map((run) => run.id))
    const missing = group.filter((run) => !ids.has(run.id))
    return new Set([...ids, ...(await findSettled(this.#store, this.#holderOf(group), missing))])
  }

  /** All runs of a group are of one registration. */
  #holderOf(group: readonly Settlement[]): Holder {
    return { queueId: this.#rules.queueId, workerId: group[0]?.registration.id ?? 0 }
  }

  /** Most runs finish, and mostly nobody listens to that. */
  #announce(run: Settlement): void {
    if (run.verdict.to === 'finished' && !this.#events.wants('job.finished')) return
    this.#events.emit(eventOf(run, this.#rules))
  }

  /** The handler's own transaction had settled the job. */
  #announceCompleted(run: Settlement): void {
    const names = namesOf(run, this.#rules.queueName)
    this.#events.emit({ type: 'job.finished', ...names, ms: run.runMs })
    const { errorAfter: error } = run
    if (error !== undefined) this.#events.emit({ type: 'complete.error_after', ...names, error })
  }

  #report(group: readonly Settlement[], ids: ReadonlySet<string>): void {
    for (const run of group) {
      run.isSettled = ids.has(run.id)
      for (const listener of this.#settled) listener(run)
      if (run.isSettled) {
        this.#announce(run)
      } else if (run.completed) {
        this.#announceCompleted(run)
      } else {
        this.#events.emit({ type: 'job.lease_lost', ...namesOf(run, this.#rules.queueName) })
      }
    }
    this.#batchListener?.()
  }
}

function namesOf(
  run: Settlement,
  queueName: string,
): { queueName: string; jobId: string; attempt: number } {
  return { queueName, jobId: run.id, attempt: run.attempt }
}

/** What the world is told about a settled run. */
function eventOf(run: Settlement, rules: SettlingRules): MillraceEvent {
  const names = namesOf(run, rules.queueName)
  const { verdict } = run
  if (run.isCancelled) return { type: 'job.cancelled', ...names }
  switch (verdict.to) {
    case 'cancelled':
      return { type: 'job.cancelled', ...names }
    case 'finished':
      return { type: 'job.finished', ...names, ms: run.runMs }
    case 'failed':
      return { type: 'job.failed', ...names, error: verdict.error }
    case 'dead-letter':
      return { type: 'job.dead_lettered', ...names, error: verdict.error, dlq: rules.dlqName ?? '' }
    case 'available':
      if (verdict.error !== undefined) {
        return { type: 'job.retried', ...names, error: verdict.error, retryInMs: verdict.afterMs }
      }
      if (verdict.afterMs > 0) return { type: 'job.snoozed', ...names, afterMs: verdict.afterMs }
      return { type: 'job.given_back', ...names, wasRunning: run.runMs > 0 }
  }
}

/**
 * Whether jobs that are not this worker's any more may be somebody else's. As long as nobody can have
 * declared it dead, they are not: then the transactions of their handlers have committed.
 */
function mayBeTaken(runs: readonly Settlement[]): boolean {
  const [first] = runs // all are of one registration
  return first?.registration.isFresh(performance.now()) === false
}

/** Runs that one statement can settle, or look at. */
function groupKey(run: Settlement): string {
  const kind = run.completed ? 'completed' : kindOf(run.verdict, run.hadErrors)
  return `${run.registration.id} ${kind}`
}

function groupBy<T>(items: readonly T[], keyOf: (item: T) => string): T[][] {
  const groups = new Map<string, T[]>()
  for (const item of items) {
    const key = keyOf(item)
    const group = groups.get(key)
    if (group === undefined) groups.set(key, [item])
    else group.push(item)
  }
  return [...groups.values()]
}
