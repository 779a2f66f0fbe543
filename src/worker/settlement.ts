import type { Verdict } from '../core/judge.ts'
import type { RunEnd } from '../core/tally.ts'
import type { ErrorRecord } from '../core/thrown.ts'
import { cancelHeld } from '../store/cancel.ts'
import { bury } from '../store/dead-letters.ts'
import { fail, finish, finishWithoutTrace, giveBack, retry, snooze } from '../store/settle.ts'
import type { Store } from '../store/store.ts'
import type { Registration } from './registration.ts'

/** What a queue's runs are settled by. */
export interface SettlingRules {
  readonly queueId: number
  readonly queueName: string
  readonly dlqId: number | null
  readonly dlqName: string | undefined
  /** null: finished jobs are deleted at once. */
  readonly keepFinishedMs: number | null
  readonly keepFailedMs: number
}

/** A decided run on its way into the database. */
export interface Settlement {
  readonly id: string
  readonly claimNo: string
  readonly registration: Pick<Registration, 'id' | 'lost' | 'isFresh'>
  readonly attempt: number
  readonly priority: number
  /** In microseconds since 1970 of the database's clock; 0: it never did. */
  readonly startedAt: number
  readonly runMs: number
  readonly hadErrors: boolean
  readonly verdict: Verdict
  /** JSON text of what the handler returned, where that is kept. */
  readonly result: string | undefined
  /** The handler completed the job in its own transaction; settling finds out whether that committed, and says so here. */
  completed: boolean
  /** What a handler threw that had completed the job itself. */
  readonly errorAfter: ErrorRecord | undefined
  /** Set when it is written down as cancelled, as somebody wanted, whatever the verdict was. */
  isCancelled: boolean
  /** Set when it has been written down: false when the job was no longer this worker's. */
  isSettled: boolean
}

type Kind =
  | 'finish'
  | 'finish after errors'
  | 'fail'
  | 'bury'
  | 'retry'
  | 'snooze'
  | 'give back'
  | 'suspect'
  | 'cancel'

/** Which statement a verdict takes. */
export function kindOf(verdict: Verdict, hadErrors: boolean): Kind {
  switch (verdict.to) {
    case 'finished':
      return hadErrors ? 'finish after errors' : 'finish'
    case 'failed':
      return 'fail'
    case 'dead-letter':
      return 'bury'
    case 'cancelled':
      return 'cancel'
    case 'available':
      if (verdict.error !== undefined && verdict.countsAsAttempt) return 'retry'
      if (verdict.suspect) return 'suspect'
      return verdict.afterMs > 0 ? 'snooze' : 'give back'
  }
}

/**
 * Whether the job is due again as soon as it is written down, and where it waited before: a claim that goes on behind
 * that place would overtake it. One that failed is due at the end of its line.
 */
export function returnsToItsPlace(verdict: Verdict): boolean {
  if (verdict.to !== 'available' || verdict.afterMs > 0) return false
  return kindOf(verdict, false) !== 'retry'
}

/** How a run ended, of which is known by now what became of it; undefined when there was none, or it no longer counts. */
export function endOf(run: Settlement): RunEnd | undefined {
  if (run.startedAt === 0 || run.isCancelled) return undefined
  if (!run.isSettled) return run.completed ? 'finished' : undefined
  const { verdict } = run
  switch (verdict.to) {
    case 'finished':
    case 'failed':
      return verdict.to
    case 'dead-letter':
      return 'deadLettered'
    case 'cancelled':
      return undefined // counted as a job, wherever it was
    case 'available':
      if (verdict.error !== undefined && verdict.countsAsAttempt) return 'retried'
      return verdict.afterMs > 0 ? 'snoozed' : 'interrupted'
  }
}

/** Settles runs of one kind and one registration, sorted by id. Answers the ids that were still held. */
export function carryOut(
  store: Store,
  rules: SettlingRules,
  group: readonly Settlement[],
): Promise<string[]> {
  const [first] = group
  if (first === undefined) return Promise.resolve([])
  const holder = { queueId: rules.queueId, workerId: first.registration.id }
  const kind = kindOf(first.verdict, first.hadErrors)
  switch (kind) {
    case 'finish':
    case 'finish after errors':
      if (rules.keepFinishedMs === null) return finishWithoutTrace(store, holder, group)
      return finish(store, holder, group, rules.keepFinishedMs, kind !== 'finish')
    case 'fail':
      return fail(store, holder, group.map(withError), rules.keepFailedMs)
    case 'bury':
      if (rules.dlqId === null) return fail(store, holder, group.map(withError), rules.keepFailedMs)
      return bury(store, holder, group.map(withError), rules.dlqId, rules.keepFailedMs)
    case 'retry':
      return retry(
        store,
        holder,
        group.map((run) => ({ ...withError(run), ...withDelay(run) })),
      )
    case 'snooze':
      return snooze(store, holder, group.map(withDelay))
    case 'give back':
    case 'suspect':
      return giveBack(store, holder, group, kind === 'suspect')
    case 'cancel':
      return cancelHeld(store, holder, group, rules.keepFailedMs)
  }
}

/** Whether history or the table of errors will tell that the run was settled. */
export function leavesTrace({ verdict }: Settlement, rules: SettlingRules): boolean {
  if (verdict.to === 'finished') return rules.keepFinishedMs !== null
  return verdict.to !== 'available' || verdict.error !== undefined
}

/** The same run without what the database refused to store; itself when nothing can be left out. */
export function withoutPayload(run: Settlement): Settlement {
  return run.result === undefined ? run : { ...run, result: undefined }
}

function withError(run: Settlement) {
  const error = 'error' in run.verdict ? run.verdict.error : undefined
  return { ...run, error: error ?? { name: 'Error', message: '', stack: null } }
}

function withDelay(run: Settlement): Settlement & { afterMs: number } {
  return { ...run, afterMs: run.verdict.to === 'available' ? run.verdict.afterMs : 0 }
}
