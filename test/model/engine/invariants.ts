import { CLOCK_MS, diedAt, tenureOf, tenuresOf, type Evidence, type Tenure } from './evidence.ts'
import type { Change } from './audit.ts'
import type { Run } from './witness.ts'

/**
 * Checks all of docs/invariants.md that can be seen from outside, on what the handlers, the
 * enqueuers, and a trigger on the table of jobs saw. Throws an error that names every breach.
 */
export function checkInvariants(evidence: Evidence): void {
  const tenures = tenuresOf(evidence)
  const breaches = [
    ...evidence.witness.rejections,
    ...jobsAreNeitherLostNorDoubled(evidence),
    ...rolledBackJobsNeverRan(evidence),
    ...noneFinishedTwice(evidence),
    ...changesFollowTheRules(evidence),
    ...runsAreByWhoHolds(evidence, tenures),
    ...lineIsInOrder(evidence, tenures),
    ...suspectsRunAlone(evidence, tenures),
    ...onlyTheGuiltyAreBlamed(evidence, tenures),
    ...attemptsAreCounted(evidence),
  ]
  if (breaches.length > 0) throw new Error(`Broken:\n  ${breaches.join('\n  ')}`)
}

/** Every job that was stored is in one place, and has ended there. */
function* jobsAreNeitherLostNorDoubled({ witness, stored }: Evidence): Iterable<string> {
  for (const tag of witness.stored.keys()) {
    const rows = stored.filter((row) => row.tag === tag)
    if (rows.length !== 1) yield `job with tag ${tag} is in ${rows.length} places`
  }
  for (const { tag } of stored) {
    const isKnown = witness.stored.has(tag) || witness.uncertain.has(tag)
    if (!isKnown) yield `job with tag ${tag} is stored, and was not enqueued`
  }
  for (const { id, queue, status } of stored) {
    const isDeadLetter = queue.startsWith('dead') && status === 'available'
    if (status === 'running') yield `job ${id} of ${queue} is held by somebody for ever`
    else if (status === 'available' && !isDeadLetter) yield `job ${id} of ${queue} never ran`
  }
}

function* rolledBackJobsNeverRan({ witness }: Evidence): Iterable<string> {
  for (const run of witness.runs) {
    if (witness.rolledBack.has(run.tag)) yield `job with tag ${run.tag} ran and was rolled back`
  }
}

function* noneFinishedTwice({ witness, stored }: Evidence): Iterable<string> {
  for (const [id, times] of witness.finished) {
    if (times > 1) yield `job ${id} finished ${times} times`
  }
  for (const { id, status } of stored) {
    const runs = witness.runsOf(id)
    const maySucceed = ({ how, completes }: Run): boolean =>
      how === undefined ? completes : !FAILURES.has(how)
    if (status === 'finished' && !runs.some(maySucceed))
      yield `job ${id} finished and no run succeeded`
  }
}

/** What a run cannot be that finished its job. Of an unanswered commit nothing is known. */
const FAILURES = new Set(['discard', 'snooze', 'rolled back'])

/** Each change of a row is one that the state before it allows. */
function* changesFollowTheRules(evidence: Evidence): Iterable<string> {
  const { changes } = evidence
  const highest = new Map<string, number>()
  for (const change of changes) {
    const { id, op, holder, oldHolder, claimNo, oldClaimNo, attempt, oldAttempt } = change
    const where = `change ${change.seq} of job ${id} (${op} by ${change.by})`
    if (op === 'UPDATE' && oldAttempt !== null && attempt > oldAttempt) {
      if (attempt !== oldAttempt + 1) yield `${where}: ${attempt - oldAttempt} attempts at once`
      if ((oldHolder ?? 0) === 0) yield `${where}: an attempt was counted that nobody made`
    }
    if (releasesOthers(change, evidence))
      yield `${where}: it was in the hands of ${oldHolder}, alive`
    const isSameHold = oldHolder === holder && oldClaimNo === claimNo
    if (op === 'DELETE' || (holder ?? 0) === 0 || isSameHold) continue
    if (change.runAt > change.at + CLOCK_MS) yield `${where}: claimed before its time`
    if ((oldHolder ?? 0) > 0 && (oldHolder !== holder || change.queue !== 'line')) {
      yield `${where}: taken from ${oldHolder} by ${holder}`
    }
    if (change.isSuspect !== (oldHolder === 0) && (oldHolder ?? 0) === 0) {
      yield `${where}: ${change.isSuspect ? 'a suspect' : 'no suspect'} claimed from ${oldHolder}`
    }
    const key = `${holder} ${id}`
    if ((claimNo ?? 0) <= (highest.get(key) ?? 0)) yield `${where}: claim number ${claimNo} again`
    highest.set(key, claimNo ?? 0)
  }
}

/** Whether somebody took a job out of the hands of another who was alive. */
function releasesOthers(change: Change, evidence: Evidence): boolean {
  const { oldHolder, holder, op, at, by } = change
  if ((oldHolder ?? 0) === 0 || oldHolder === null) return false
  if (op === 'UPDATE' && oldHolder === holder) return false
  const life = evidence.witness.lives.get(oldHolder)
  return life !== undefined && life !== by && diedAt(oldHolder, evidence) > at + CLOCK_MS
}

/** A handler begins only what its process holds: nothing settled, nothing of others. */
function* runsAreByWhoHolds(evidence: Evidence, tenures: readonly Tenure[]): Iterable<string> {
  for (const run of evidence.witness.runs) {
    const tenure = tenureOf(run, tenures)
    if (tenure === undefined) yield `${nameOf(run)} began without a claim`
    else if (run.start > tenure.until + CLOCK_MS) {
      yield `${nameOf(run)} began ${run.start - tenure.until} ms after it had left those hands`
    }
  }
}

/** FIFO: one at a time, and nothing before what has a lower id. */
function* lineIsInOrder(evidence: Evidence, tenures: readonly Tenure[]): Iterable<string> {
  const { witness } = evidence
  const runs = witness.runs.filter(({ queue }) => queue === 'line')
  const presences = presencesIn('line', evidence)
  for (const run of runs) {
    const claimedAt = tenureOf(run, tenures)?.from ?? run.start
    for (const { id, from, until } of presences) {
      if (Number(id) >= Number(run.jobId) || from > claimedAt) continue
      if (until < run.start + CLOCK_MS) continue
      const last = witness.runsOf(id).findLast((other) => other.start <= run.start && other !== run)
      const isOver = last?.life === run.life && (last.end ?? Infinity) <= run.start + CLOCK_MS
      if (!isOver) yield `${nameOf(run)} began before job ${id}`
    }
    for (const other of runs) {
      if (other === run || other.start > run.start) continue
      const isOver = (other.end ?? Infinity) <= run.start + CLOCK_MS
      if (!isOver && isAlive(other, run.start, evidence, tenures) && other.start < run.start) {
        yield `${nameOf(run)} began beside ${nameOf(other)}`
      }
    }
  }
}

/** What comes back with a lower id so shortly before a claim may be missed by that claim. */
const JUST_NOW_MS = 100

/** When jobs were in a queue: from when everybody had to see them, until they were gone. */
function presencesIn(
  queue: string,
  { changes, stored, witness }: Evidence,
): { id: string; from: number; until: number }[] {
  const presences: { id: string; from: number; until: number }[] = []
  const tags = new Map(stored.map(({ id, tag }) => [id, tag]))
  for (const { op, id, at, queue: place } of changes) {
    if (place !== queue) continue
    const known = witness.stored.get(tags.get(id) ?? -1) ?? Infinity
    const from = Math.max(at + JUST_NOW_MS, known)
    if (op === 'INSERT') presences.push({ id, from, until: Infinity })
    const present = presences.findLast((presence) => presence.id === id)
    if (op === 'DELETE' && present !== undefined) present.until = at
  }
  return presences
}

/** Whether the process of a run was held for alive at an instant. */
function isAlive(run: Run, at: number, evidence: Evidence, tenures: readonly Tenure[]): boolean {
  const tenure = tenureOf(run, tenures)
  return tenure !== undefined && diedAt(tenure.worker, evidence) > at
}

function* suspectsRunAlone(evidence: Evidence, tenures: readonly Tenure[]): Iterable<string> {
  for (const run of evidence.witness.runs) {
    if (tenureOf(run, tenures)?.isSuspect !== true) continue
    for (const other of besides(run, evidence)) {
      yield `the suspect ${nameOf(run)} ran beside ${nameOf(other)}`
    }
  }
}

/** Who is blamed for a crash had its process for itself when that died. */
function* onlyTheGuiltyAreBlamed(evidence: Evidence, tenures: readonly Tenure[]): Iterable<string> {
  for (const { id, errors } of evidence.stored) {
    for (const { name, message } of errors) {
      if (name !== 'WorkerCrashed') continue
      const worker = Number(/\d+/.exec(message)?.[0])
      const run = evidence.witness
        .runsOf(id)
        .findLast((other) => tenureOf(other, tenures)?.worker === worker)
      const died = diedAt(worker, evidence)
      if (run === undefined) {
        yield `job ${id} is blamed for the death of worker ${worker}, in which it did not run`
      } else {
        const after = evidence.witness.runs.filter(
          (other) => other.life === run.life && other.start > run.start && other.start < died,
        )
        const workersLast = after.filter((other) => tenureOf(other, tenures)?.worker === worker)
        for (const other of [...besides(run, evidence), ...workersLast]) {
          yield `${nameOf(run)} is blamed for the death of worker ${worker}, where ${nameOf(other)} ran too`
        }
      }
    }
  }
}

/** Runs of the same process that overlapped with this one. */
function besides(run: Run, { witness }: Evidence): Run[] {
  return witness.runs.filter(
    (other) =>
      other !== run &&
      other.life === run.life &&
      other.start < (run.end ?? Infinity) - CLOCK_MS &&
      (other.end ?? Infinity) > run.start + CLOCK_MS,
  )
}

/** A job's attempts are its failures, and its success. */
function* attemptsAreCounted({ stored, changes, witness }: Evidence): Iterable<string> {
  for (const { id, queue, status, attempt, errorCount, maxRetries, errors } of stored) {
    const arrivals = changes.filter((change) => change.op === 'INSERT' && change.id === id)
    const failed = witness.runsOf(id).filter(({ how }) => how !== 'return' && how !== 'complete')
    const ownErrors = errors.filter(({ name }) => name !== 'WorkerCrashed')
    if (ownErrors.length > failed.length) {
      yield `job ${id} has ${ownErrors.length} errors of ${failed.length} runs that failed`
    }
    // Retried by hand, redriven or moved, it began to count anew.
    if (arrivals.length !== 1 || queue.startsWith('dead')) continue
    const expected = errorCount + (status === 'finished' ? 1 : 0)
    // A run that was asked to end has counted, and left no error.
    const hasEndedRun = status === 'cancelled' && attempt === expected + 1
    if (attempt !== expected && !hasEndedRun)
      yield `job ${id} ${status}: attempt ${attempt}, should be ${expected}`
    if (attempt > maxRetries + 1) yield `job ${id} had ${attempt} attempts of ${maxRetries + 1}`
    const wasDiscarded = errors.at(-1)?.name === 'Discard'
    if (status === 'failed' && !wasDiscarded && errorCount !== maxRetries + 1) {
      yield `job ${id} failed after ${errorCount} of ${maxRetries + 1} attempts`
    }
  }
}

function nameOf(run: Run): string {
  return `run ${run.attempt} of job ${run.jobId} in ${run.life}`
}
