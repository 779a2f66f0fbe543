import { CLAIM_FIFO, CLAIM_FIFO_SUSPECT, CLAIM_JOBS, CLAIM_SUSPECT } from '../../src/store/claim.ts'
import { OWN_QUEUE } from '../../src/store/queues.ts'
import * as rules from './claim-rules.ts'
import { byId, byUrgency, demand, type ModelJob, type ModelWorker } from './model-job.ts'
import type { Hand, ModelProcess } from './model-process.ts'
import { begin, interrupt, leave } from './play-runs.ts'
import { RULES, type QueueName } from './queue-rules.ts'
import type { Scene } from './scene.ts'
import type { OwnClaim } from './simulated-process.ts'
import type { StepOf } from './steps.ts'

/** A claim statement as it ran. */
interface RanClaim {
  readonly claimNo: number
  readonly limit: number
  readonly startsAtOnce: boolean
  readonly ids: number[]
}

/** Claims from a queue; whether the answer comes or is lost, the model sees what was claimed. */
export async function claim(
  scene: Scene,
  process: ModelProcess,
  queue: QueueName,
  step: StepOf<'claim'>,
): Promise<boolean> {
  const { limit, isNotified, loses } = step
  const { worker } = process
  const { isFifo } = RULES[queue]
  if (worker === undefined) return false
  const startsAtOnce = isFifo || step.startsAtOnce
  if (isFifo) leave(scene, process, queue)
  const real = scene.simulated(process)
  const wasFree = isFifo && scene.model.owner(queue) === null
  await real.list(queue)
  scene.stage.database.journal = []
  scene.stage.database.loseAnswer(loses)
  const own = await real.claim(queue, { limit, startsAtOnce, isNotified })
  scene.stage.database.keepAnswers()
  if (isFifo) followHead(scene, process, worker, queue)
  else followLanes(scene, process, worker, queue, own)
  for (const { claimNo, isAnswered } of own) {
    if (isAnswered) take(scene, process, worker, queue, claimNo)
    else process.lost.push({ queue, worker: worker.id, claimNo })
  }
  const isAnswered = own.every((one) => one.isAnswered)
  if (isAnswered) await dropMarked(scene, process, queue)
  const mayOwn = worker.status === 'alive' && !scene.model.paused.has(queue)
  if (wasFree && isAnswered && mayOwn) {
    demand(
      scene.model.owner(queue) === worker.id,
      `worker ${worker.id} leaves ${queue} without an owner`,
    )
  }
  return true
}

/** Claims a suspect, to run it alone; or only gets hold of it, and gives it back. */
export async function claimSuspect(
  scene: Scene,
  process: ModelProcess,
  queue: QueueName,
  { isLost, startsAlone }: StepOf<'claim suspect'>,
): Promise<boolean> {
  const { worker } = process
  if (worker === undefined) return false
  const real = scene.simulated(process)
  await real.list(queue)
  scene.stage.database.journal = []
  if (isLost) scene.stage.database.loseAnswer(1)
  const { claimNo, isAnswered, id } = await real.claimSuspect(queue)
  scene.stage.database.keepAnswers()
  const statement = RULES[queue].isFifo ? CLAIM_FIFO_SUSPECT : CLAIM_SUSPECT
  const [ran] = ranClaims(scene, scene.stage.store.text(statement))
  if (ran !== undefined) rules.claimSuspect(scene.model, { queue, worker, isSure: true, ...ran })
  if (!isAnswered) process.lost.push({ queue, worker: worker.id, claimNo })
  if (id === undefined) return !isAnswered
  const hand: Hand = {
    ...{ id, queue, worker: worker.id, claimNo, isStartable: true },
    claimed: { step: scene.model.step, at: scene.model.processNow },
  }
  if (!startsAlone || !scene.isFresh(process)) {
    await interrupt(scene, process, [hand])
    return true
  }
  demand(await real.startAlone(queue, id, hand), `job ${id} is not in this hand any more`)
  scene.model.mark(id, hand)
  begin(scene, process, hand)
  process.lone = hand
  scene.ranAlone.add(`${worker.id}/${claimNo}/${id}`)
  return true
}

/** Looks for what was claimed without the process knowing, and gives it back. */
export async function findLost(scene: Scene, process: ModelProcess): Promise<boolean> {
  const { lost } = process
  if (lost.length === 0) return false
  process.lost = []
  for (const grip of lost) {
    await scene.simulated(process).findLost(grip.queue, grip)
    for (const { id } of scene.model.heldBy(grip.worker)) {
      scene.model.settle(id, grip, { kind: 'interrupted' }, false)
    }
  }
  return true
}

/**
 * A look at a sleeping queue: it must see what a claim would get. A worker that was declared dead
 * and has not heard of it claims nothing, learns that nothing is there, and forgets that when it
 * registers again; so of its looks nothing is asked.
 */
export async function poll(
  scene: Scene,
  process: ModelProcess,
  queue: QueueName,
): Promise<boolean> {
  const found = await scene.simulated(process).poll(queue)
  const { model } = scene
  const live = model.live(queue)
  const due = live.filter(({ state, isSuspect, runAt }) => {
    return state.kind === 'waiting' && !isSuspect && runAt <= model.now
  })
  const past = process.past.get(queue) ?? []
  const mustSee = RULES[queue].isFifo ? due.filter((job) => job === live[0]) : due
  const isPaused = model.paused.has(queue)
  const mayClaim = process.worker?.status === 'alive' && !isPaused
  const expected = mayClaim ? mustSee.filter((job) => !rules.isExcused(model, job, past)) : []
  demand(found.wakes || expected.length === 0, `a poll of ${queue} does not see [${ids(expected)}]`)
  demand(
    found.isPaused === isPaused,
    `a poll of ${queue} says that it is paused: ${found.isPaused}`,
  )
  demand(!found.isDue || (due.length > 0 && !isPaused), `a poll of ${queue} sees what is not there`)
  demand(found.ownerId === model.owner(queue), `a poll of ${queue} sees the owner ${found.ownerId}`)
  const later = live.filter((job) => job.runAt > model.now).map((job) => job.runAt - model.now)
  const nextDueInMs = later.length === 0 || isPaused ? null : String(Math.min(...later))
  demand(found.nextDueInMs === nextDueInMs, `a poll of ${queue} says: next in ${found.nextDueInMs}`)
  return true
}

function followLanes(
  scene: Scene,
  process: ModelProcess,
  worker: ModelWorker,
  queue: QueueName,
  own: readonly OwnClaim[],
): void {
  const { model } = scene
  const past = process.past.get(queue) ?? []
  for (const ran of ranClaims(scene, scene.stage.store.text(CLAIM_JOBS))) {
    const { isSure = false, isAnswered = false } =
      own.find(({ claimNo }) => claimNo === ran.claimNo) ?? {}
    rules.claimFromLanes(model, { queue, worker, isSure, ...ran }, past)
    if (model.paused.has(queue)) continue // it has not looked
    process.noteClaim(queue, {
      step: model.step,
      now: isAnswered ? model.now : -Infinity,
      at: model.processNow,
      isFull: !isAnswered || ran.ids.length === ran.limit,
    })
  }
}

/** The statements of a FIFO claim: it may find that nobody owns the queue, own it, and claim again. */
function followHead(
  scene: Scene,
  process: ModelProcess,
  worker: ModelWorker,
  queue: QueueName,
): void {
  const { model } = scene
  const { store, database } = scene.stage
  const inHand = new Set(process.unsettled(queue).map((hand) => hand.id))
  for (const ran of database.journal) {
    if (ran.text === store.text(OWN_QUEUE)) {
      const mayOwn = model.owner(queue) === null && worker.status === 'alive'
      demand(
        ran.rows.length > 0 === mayOwn,
        `the ${worker.status} worker ${worker.id} owns ${queue}`,
      )
      if (mayOwn) model.owners.set(queue, worker.id)
    } else if (ran.text === store.text(CLAIM_FIFO)) {
      const claimed = readClaim(ran)
      rules.claimFromHead(model, { queue, worker, isSure: true, ...claimed }, inHand)
    }
  }
}

/** FIFO: what was dropped and is to be cancelled is not taken again, and goes back. */
async function dropMarked(scene: Scene, process: ModelProcess, queue: QueueName): Promise<void> {
  const isMarked = ({ id, queue: place }: Hand): boolean =>
    place === queue && scene.model.jobs.get(id)?.isMarked === true
  const marked = process.left.filter(isMarked)
  process.left = process.left.filter((hand) => !marked.includes(hand))
  await interrupt(scene, process, marked)
}

/** The answered jobs of a claim come into the process's hands. */
function take(
  scene: Scene,
  process: ModelProcess,
  worker: ModelWorker,
  queue: QueueName,
  claimNo: number,
): void {
  const { model } = scene
  const jobs = model
    .heldBy(worker.id)
    .filter(({ state, queue: place }) => {
      return place === queue && state.kind === 'held' && state.claimNo === claimNo
    })
    .sort(RULES[queue].isFifo ? byId : byUrgency)
  const areStartable = process.waitingIn(queue).every(({ isStartable }) => isStartable)
  for (const { id, state } of jobs) {
    process.left = process.left.filter((hand) => hand.id !== id || hand.queue !== queue)
    process.waiting.push({
      ...{ id, queue, worker: worker.id, claimNo },
      claimed: { step: model.step, at: model.processNow },
      isStartable: areStartable && state.kind === 'held' && state.isStarted,
    })
  }
}

function ranClaims(scene: Scene, text: string): RanClaim[] {
  return scene.stage.database.journal.filter((ran) => ran.text === text).map(readClaim)
}

function readClaim(ran: {
  values: readonly unknown[]
  rows: readonly Record<string, unknown>[]
}): RanClaim {
  const claimed = ran.rows.map((row) => row['id']).filter((id) => id !== null)
  return {
    claimNo: Number(ran.values[2]),
    limit: Number(ran.values[3]),
    startsAtOnce: ran.values[4] === true,
    ids: claimed.map(Number).sort((left, right) => left - right),
  }
}

function ids(jobs: readonly ModelJob[]): string {
  return jobs.map((job) => job.id).join()
}
