import { EventBus } from '../../src/core/event-bus.ts'
import { judge, type Outcome } from '../../src/core/judge.ts'
import { MillraceError } from '../../src/core/errors.ts'
import { completer } from '../../src/worker/complete.ts'
import { demand, type ModelOutcome } from './model-job.ts'
import type { Decision, Hand, ModelProcess, Unanswered } from './model-process.ts'
import { QUEUE_NAMES, RULES, type QueueName } from './queue-rules.ts'
import { choose, type Scene } from './scene.ts'
import { settlementOf } from './simulated-process.ts'
import type { StepOf, Writes } from './steps.ts'

/** A FIFO claim older than this is made again before its next job starts. */
const FIFO_FRESH_MS = 5

/** Drops what was claimed from a FIFO queue; it is claimed again before it starts. */
export function leave(scene: Scene, process: ModelProcess, queue: QueueName): void {
  scene.simulated(process).backlog(queue).takeAll()
  process.left.push(...process.waitingIn(queue))
  process.waiting = process.waiting.filter((hand) => hand.queue !== queue)
}

/** A run begins: everything that must hold then. */
export function begin(scene: Scene, process: ModelProcess, hand: Hand): void {
  const { model } = scene
  const job = model.jobs.get(hand.id)
  const { worker, claimNo } = hand
  const isHeld =
    job?.state.kind === 'held' && job.state.worker === worker && job.state.claimNo === claimNo
  demand(isHeld, `job ${hand.id} starts and is not in this hand: settled, or somebody else's`)
  demand(job.state.kind === 'held' && job.state.isStarted, `job ${hand.id} starts without a mark`)
  if (RULES[hand.queue].isFifo) checkOrder(scene, process, hand)
  process.running.push(hand)
}

/** FIFO: nothing before it is left, and nothing else runs. */
function checkOrder(scene: Scene, process: ModelProcess, hand: Hand): void {
  const written = new Set(process.unsettled(hand.queue).map(({ id }) => id))
  const before = scene.model
    .live(hand.queue)
    .filter(
      ({ id, visible, isMarked }) =>
        id < hand.id && !isMarked && !written.has(id) && visible.step < hand.claimed.step,
    )
  demand(
    before.length === 0,
    `job ${hand.id} of ${hand.queue} starts before [${before.map(({ id }) => id).join()}]`,
  )
  const others = scene.processes.flatMap((other) =>
    other.worker?.status === 'alive' ? other.runningIn(hand.queue) : [],
  )
  demand(others.length === 0, `job ${hand.id} of ${hand.queue} starts beside job ${others[0]?.id}`)
}

export async function mark(
  scene: Scene,
  process: ModelProcess,
  queue: QueueName,
  count: number,
): Promise<boolean> {
  const waiting = process.waitingIn(queue)
  const first = waiting.findIndex((hand) => !hand.isStartable)
  const next = waiting[first]
  if (next === undefined) return false
  const marked = waiting
    .slice(first, first + count)
    .filter((hand) => hand.claimNo === next.claimNo && hand.worker === next.worker)
  await scene.simulated(process).mark(queue, count)
  for (const hand of marked) {
    hand.isStartable = true
    scene.model.mark(hand.id, hand)
  }
  return true
}

export async function clearMarks(
  scene: Scene,
  process: ModelProcess,
  queue: QueueName,
): Promise<boolean> {
  const open = [...process.waitingIn(queue), ...process.unsettled(queue)]
  const claimNos = new Set(open.map((hand) => String(hand.claimNo)))
  await scene.simulated(process).clearMarks(queue, claimNos)
  return true
}

export async function start(
  scene: Scene,
  process: ModelProcess,
  queue: QueueName,
  count: number,
): Promise<boolean> {
  const real = scene.simulated(process)
  const { isFifo } = RULES[queue]
  if (!scene.isFresh(process)) return false
  if (process.waitingIn(queue)[0]?.isStartable === false) await mark(scene, process, queue, count)
  if (isFifo && real.backlog(queue).waitedMs(performance.now()) > FIFO_FRESH_MS) {
    leave(scene, process, queue)
    return true
  }
  let started = 0
  while (started < (isFifo ? 1 : count)) {
    const hand = process.waitingIn(queue).find(({ isStartable }) => isStartable)
    const taken = real.backlog(queue).take()
    demand(
      taken?.job.id === (hand && String(hand.id)),
      `job ${taken?.job.id} of ${queue} starts next and should be ${hand?.id}`,
    )
    if (hand === undefined) break
    process.waiting = process.waiting.filter((other) => other !== hand)
    begin(scene, process, hand)
    started += 1
  }
  return started > 0
}

export async function end(
  scene: Scene,
  process: ModelProcess,
  { pick, count, outcome, writes }: StepOf<'end'>,
): Promise<boolean> {
  const { running } = process
  if (running.length === 0) return false
  const from = pick % running.length
  const hands = [...running.slice(from), ...running.slice(0, from)].slice(0, count)
  process.running = running.filter((hand) => !hands.includes(hand))
  const decisions = hands.map((hand) => decide(scene, process, hand, outcome))
  await record(scene, process, decisions, writes)
  return true
}

/** Decisions are written one statement at a time: while one waits for its answer, the others wait. */
async function record(
  scene: Scene,
  process: ModelProcess,
  decisions: readonly Decision[],
  writes: Writes,
): Promise<void> {
  if (writes === 'later' || process.unanswered.length > 0) {
    process.decided.push(...decisions)
    return
  }
  const settled = await writeDown(scene, process, decisions)
  if (writes === 'now') return releaseLone(process)
  for (const decision of decisions) {
    const wasSettled = settled.has(decision.hand)
    const version = scene.model.jobs.get(decision.hand.id)?.version
    process.unanswered.push({ ...decision, wasSettled, version })
  }
}

/** Writes everything that waits to be written; first, once more, what got no answer. */
export async function write(scene: Scene, process: ModelProcess): Promise<boolean> {
  const { decided, unanswered } = process
  if (decided.length + unanswered.length === 0) return false
  process.unanswered = []
  await repeat(scene, process, unanswered)
  process.decided = []
  await writeDown(scene, process, decided)
  releaseLone(process)
  return true
}

/** What was settled the first time is found to be settled, and nothing else is. */
async function repeat(
  scene: Scene,
  process: ModelProcess,
  unanswered: readonly Unanswered[],
): Promise<void> {
  const settledNow = await writeDown(scene, process, unanswered)
  for (const queue of QUEUE_NAMES) {
    const missing = unanswered.filter(({ hand }) => hand.queue === queue && !settledNow.has(hand))
    const runs = missing.map(({ settlement }) => settlement)
    const found = await scene.simulated(process).findSettled(queue, runs)
    for (const { hand, outcome, wasSettled, version } of missing) {
      const isFound = found.has(String(hand.id))
      demand(wasSettled || !isFound, `job ${hand.id} is found to be settled, and never was`)
      const isUntouched =
        version !== undefined && scene.model.jobs.get(hand.id)?.version === version
      const leavesTrace = outcome.kind !== 'snoozed' && outcome.kind !== 'interrupted'
      const mustBeFound = wasSettled && isUntouched && leavesTrace
      demand(isFound || !mustBeFound, `job ${hand.id} was settled by this claim and is not found`)
    }
  }
}

/** The process belongs to the lone suspect until what became of it is written down. */
function releaseLone(process: ModelProcess): void {
  const { lone } = process
  if (lone !== undefined && !process.unsettled(lone.queue).includes(lone)) process.lone = undefined
}

function decide(
  scene: Scene,
  process: ModelProcess,
  hand: Hand,
  outcome: ModelOutcome,
  { completed = false, hasStarted = true } = {},
): Decision {
  const inHand = scene.simulated(process).hand(hand.id, hand)
  const { attempt, maxRetries, retryPolicy } = inHand.job
  const run = { attempt: attempt + 1, maxRetries, retryPolicy }
  const { baseRetryDelayMs, maxRetryDelayMs, dlq } = RULES[hand.queue]
  const policy = { baseRetryDelayMs, maxRetryDelayMs, retryJitter: 0, hasDlq: dlq !== null }
  const verdict = judge(run, outcomeOf(outcome), policy)
  return { hand, outcome, settlement: settlementOf(inHand, verdict, { completed, hasStarted }) }
}

function outcomeOf(outcome: ModelOutcome): Outcome {
  const error = { name: 'Error', message: 'The model says so.', stack: null }
  switch (outcome.kind) {
    case 'returned':
      return { kind: 'returned', result: '{"ok":true}' }
    case 'threw':
      return { kind: 'threw', error }
    case 'discarded':
      return { kind: 'discarded', error }
    case 'snoozed':
      return { kind: 'snoozed', afterMs: outcome.ms }
    case 'interrupted':
      return { kind: 'interrupted' }
  }
}

/** Sends decisions to the database, whoever holds the jobs now. Answers those that were still in their hands. */
async function writeDown(
  scene: Scene,
  process: ModelProcess,
  decisions: readonly Decision[],
): Promise<Set<Hand>> {
  const settled = new Set<Hand>()
  for (const queue of QUEUE_NAMES) {
    const group = decisions.filter(({ hand }) => hand.queue === queue)
    const runs = group.map(({ settlement }) => settlement)
    const ids = await scene.simulated(process).settle(queue, runs)
    for (const { hand, outcome, settlement } of group) {
      const hasStarted = settlement.startedAt > 0
      const expected = scene.model.settle(hand.id, hand, outcome, hasStarted)
      const did = ids.has(String(hand.id))
      demand(
        did === expected,
        `job ${hand.id} ${outcome.kind}: written is ${did}, should be ${expected}`,
      )
      if (did) settled.add(hand)
    }
  }
  return settled
}

/** The handler settles its job in a transaction of its own, which commits or not; then it returns. */
export async function complete(
  scene: Scene,
  process: ModelProcess,
  pick: number,
  commits: boolean,
): Promise<boolean> {
  const hand = choose(process.running, pick)
  if (hand === undefined) return false
  const { database, store, queues } = scene.stage
  const { job, claimNo, queueId, registration } = scene.simulated(process).hand(hand.id, hand)
  const keepFinishedMs = queues.get(hand.queue)?.keepFinishedMs ?? null
  const finish = completer(store, new EventBus(), { queueName: hand.queue, keepFinishedMs })
  const run = {
    ...{ job, args: 'null', claimNo, startedAt: Number(job.runAt) },
    run: { completed: () => {}, note: () => {}, unstored: () => undefined },
    ...{ controller: new AbortController(), holder: { queueId, workerId: registration.id } },
  }
  let isLost = false
  const work = database.transaction(async (tx) => {
    await finish(run, tx, { ok: true })
    if (!commits) throw new Error('rolled back')
  })
  await work.catch((error: unknown) => {
    isLost = error instanceof MillraceError && error.code === 'LEASE_LOST'
    if (commits && !isLost) throw error
  })
  const held = scene.model
    .heldBy(hand.worker)
    .some(
      ({ id, state }) => id === hand.id && state.kind === 'held' && state.claimNo === hand.claimNo,
    )
  demand(isLost === !held, `complete of job ${hand.id} says that its lease is lost: ${isLost}`)
  if (commits && held) scene.model.settle(hand.id, hand, { kind: 'returned' }, true)
  process.running = process.running.filter((other) => other !== hand)
  // What the settler tries next: it fails the run, and finds out whether the transaction committed.
  const decision = decide(scene, process, hand, { kind: 'threw' }, { completed: true })
  await record(scene, process, [decision], 'now')
  return true
}

export async function giveBack(
  scene: Scene,
  process: ModelProcess,
  queue: QueueName,
): Promise<boolean> {
  const waiting = process.waitingIn(queue)
  if (waiting.length === 0) return false
  scene.simulated(process).backlog(queue).takeAll()
  process.waiting = process.waiting.filter((hand) => hand.queue !== queue)
  await interrupt(scene, process, waiting)
  return true
}

/** Gives back what is in these hands, as it was before the claim. */
export async function interrupt(
  scene: Scene,
  process: ModelProcess,
  hands: readonly Hand[],
): Promise<void> {
  const decisions = hands.map((hand) => {
    const hasStarted = process.running.includes(hand)
    return decide(scene, process, hand, { kind: 'interrupted' }, { hasStarted })
  })
  await writeDown(scene, process, decisions)
}
