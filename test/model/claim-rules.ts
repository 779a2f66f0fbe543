import { byUrgency, demand, type Grip, type ModelJob, type ModelWorker } from './model-job.ts'
import type { QueueModel } from './queue-model.ts'
import { RULES, type QueueName } from './queue-rules.ts'

/** A claim of the real thing, as the statement answered it. */
export interface ObservedClaim {
  readonly queue: QueueName
  readonly worker: ModelWorker
  readonly claimNo: number
  readonly limit: number
  readonly ids: readonly number[]
  /** Whether all its jobs were said to start at once. */
  readonly startsAtOnce: boolean
  /** False: the claimer itself says that an empty answer means nothing, and claims again. */
  readonly isSure: boolean
}

/** A look into a queue from the floors on, as a process remembers it. */
export interface PastClaim {
  readonly step: number
  /** The database's clock at the time: nothing at or before it was left, as far as it saw. */
  readonly now: number
  /** The process's clock. */
  readonly at: number
  /** Whether it reached its limit, so that it says nothing of what is less urgent. */
  readonly isFull: boolean
}

/** Jobs that became visible behind the floors of a process are found this soon at the latest. */
const FOUND_WITHIN_MS = 5_000

/** Checks a claim from a queue without strict order, and carries it out in the model. */
export function claimFromLanes(
  model: QueueModel,
  claim: ObservedClaim,
  past: readonly PastClaim[],
): void {
  const { queue, worker } = claim
  const isDue = (job: ModelJob): boolean =>
    job.state.kind === 'waiting' && !job.isSuspect && job.runAt <= model.now
  const mayClaim = worker.status === 'alive' && !model.paused.has(queue)
  const eligible = mayClaim ? model.live(queue).filter(isDue) : []
  checkNumber(claim)
  const taken = eligible.filter((job) => claim.ids.includes(job.id)).sort(byUrgency)
  demand(
    taken.length === claim.ids.length && taken.length <= claim.limit,
    `${name(claim)} got [${claim.ids.join()}] of the due [${eligible.map((job) => job.id).join()}]`,
  )
  if (claim.isSure) checkNothingLeft(model, claim, eligible, taken, past)
  for (const job of taken) model.hold(job, gripOf(claim), claim.startsAtOnce)
}

/** Checks a claim from the head of a FIFO queue. `inHand` runs or ran, and is not written down yet. */
export function claimFromHead(
  model: QueueModel,
  claim: ObservedClaim,
  inHand: ReadonlySet<number>,
): void {
  const { queue, worker } = claim
  const ready: ModelJob[] = []
  // It looks no further than it could take if all of them were ready: what is to be cancelled takes a place.
  for (const job of model.live(queue).slice(0, claim.limit + inHand.size)) {
    if (inHand.has(job.id) || isDropped(job, worker)) continue
    if (!isReady(model, job, worker)) break
    ready.push(job)
  }
  // A dead worker that is not rescued yet still owns it: what it claims is rescued with the rest.
  const isOwner = model.owner(queue) === worker.id
  const expected = isOwner && !model.paused.has(queue) ? ready.slice(0, claim.limit) : []
  checkExactly(claim, expected)
  if (isOwner) checkNumber(claim) // who is not the owner yet claims under the same number again
  for (const job of expected) model.hold(job, gripOf(claim), claim.startsAtOnce)
}

/** Checks the claim of a suspect, which is to run alone. It has not started until a mark says so. */
export function claimSuspect(model: QueueModel, claim: ObservedClaim): void {
  const { queue, worker } = claim
  const live = model.live(queue)
  const candidates = RULES[queue].isFifo ? live.slice(0, 1) : live.sort(byUrgency)
  const eligible = candidates.filter(
    (job) => job.state.kind === 'waiting' && job.isSuspect && job.runAt <= model.now,
  )
  const mayClaim = RULES[queue].isFifo
    ? model.owner(queue) === worker.id
    : worker.status === 'alive'
  const expected = mayClaim && !model.paused.has(queue) ? eligible.slice(0, 1) : []
  checkNumber(claim)
  checkExactly(claim, expected)
  for (const job of expected) model.hold(job, gripOf(claim), false)
}

/** It is to be cancelled, and this worker has not started it: it goes back, and so ends. */
function isDropped({ state, isMarked }: ModelJob, worker: ModelWorker): boolean {
  return isMarked && state.kind === 'held' && state.worker === worker.id
}

function isReady(model: QueueModel, job: ModelJob, worker: ModelWorker): boolean {
  // A suspect that this worker holds was claimed to run alone, and that answer was lost.
  if (job.runAt > model.now || job.isSuspect) return false
  return job.state.kind !== 'held' || job.state.worker === worker.id
}

/** Nothing that is due stays behind, unless the limit was reached by what is more urgent. */
function checkNothingLeft(
  model: QueueModel,
  claim: ObservedClaim,
  eligible: readonly ModelJob[],
  taken: readonly ModelJob[],
  past: readonly PastClaim[],
): void {
  const last = taken.length === claim.limit ? taken.at(-1) : undefined
  const missed = eligible.filter(
    (job) =>
      !taken.includes(job) &&
      !(last !== undefined && byUrgency(job, last) > 0) &&
      !isExcused(model, job, past),
  )
  demand(
    missed.length === 0,
    `${name(claim)} got [${claim.ids.join()}] of at most ${claim.limit} and missed [${missed.map((job) => job.id).join()}]`,
  )
}

/**
 * A job that became visible with a time at which this process had looked already (its transaction
 * committed late, or the clock was set back) lies behind the floors; looks back find it in a while.
 * What came back to the queue resets the floors, and with it their excuse.
 */
export function isExcused(model: QueueModel, job: ModelJob, past: readonly PastClaim[]): boolean {
  const since = model.rewound.get(job.queue) ?? 0
  const isBehind = past.some(
    (claim) => claim.step > since && claim.step < job.visible.step && claim.now > job.runAt,
  )
  if (!isBehind) return false
  const isRecent = (at: number): boolean => model.processNow - at < FOUND_WITHIN_MS
  return isRecent(job.visible.at) || past.some((claim) => claim.isFull && isRecent(claim.at))
}

function checkExactly(claim: ObservedClaim, expected: readonly ModelJob[]): void {
  const ids = expected.map((job) => job.id)
  demand(
    claim.ids.join() === ids.join(),
    `${name(claim)} got [${claim.ids.join()}] and should get [${ids.join()}]`,
  )
}

function checkNumber({ worker, claimNo }: ObservedClaim): void {
  demand(
    claimNo > worker.lastClaimNo,
    `worker ${worker.id} claims under ${claimNo} after ${worker.lastClaimNo}: a claim number never goes back`,
  )
  worker.lastClaimNo = claimNo
}

function gripOf({ worker, claimNo }: ObservedClaim): Grip {
  return { worker: worker.id, claimNo }
}

function name({ queue, worker, claimNo }: ObservedClaim): string {
  return `claim ${claimNo} of the ${worker.status} worker ${worker.id} from ${queue}`
}
