import type { ModelJob } from './model-job.ts'
import type { ModelProcess } from './model-process.ts'
import { QUEUE_NAMES, RULES, type QueueName } from './queue-rules.ts'
import { choose, type Scene } from './scene.ts'
import type { InProcess, OnQueue, Steering } from './steps.ts'

/** A process, and a queue where the step is about one. */
export interface Place {
  readonly process: ModelProcess
  readonly queue: QueueName
}

/** Where a step can happen now; undefined when nowhere. Mostly where it has something to do. */
export function placeFor(scene: Scene, verb: OnQueue, pick: number): Place | undefined {
  const places = scene.processes
    .flatMap((process) => QUEUE_NAMES.map((queue) => ({ process, queue })))
    .filter((place) => fits(scene, verb, place))
  const { live, now } = {
    live: (queue: QueueName) => scene.model.live(queue),
    now: scene.model.now,
  }
  return chooseMostly(places, pick, ({ queue }) => {
    if (verb !== 'claim' && verb !== 'claim suspect') return true
    const isSought = verb === 'claim suspect'
    return live(queue).some(({ state, isSuspect, runAt }) => {
      return state.kind === 'waiting' && isSuspect === isSought && runAt <= now
    })
  })
}

/** The process that a step is about, where it is about no queue. */
export function processFor(scene: Scene, verb: InProcess, pick: number): ModelProcess | undefined {
  const processes = scene.processes.filter((process) => canDo(process, verb))
  const isDeath = verb === 'crash' || verb === 'freeze' || verb === 'stop'
  return chooseMostly(processes, pick, (process) => !isDeath || !process.isEmpty)
}

/** The job that somebody steers, mostly one on which it has an effect. */
export function jobFor(scene: Scene, verb: Steering, pick: number): ModelJob | undefined {
  return chooseMostly([...scene.model.jobs.values()], pick, ({ state }) => {
    if (verb === 'cancel') return state.kind !== 'ended'
    if (verb === 'edit') return state.kind === 'waiting'
    return verb !== 'retry' || (state.kind === 'ended' && state.outcome !== 'finished')
  })
}

/** In three of four cases one of the likely, if there are any. */
function chooseMostly<T>(
  items: readonly T[],
  pick: number,
  isLikely: (item: T) => boolean,
): T | undefined {
  const likely = items.filter(isLikely)
  const isStubborn = pick % 4 === 3
  return choose(isStubborn || likely.length === 0 ? items : likely, pick)
}

function fits(scene: Scene, verb: OnQueue, { process, queue }: Place): boolean {
  if (process.status !== 'awake' || process.worker === undefined) return false
  const waiting = process.waitingIn(queue)
  const live = scene.model.live(queue)
  const mayStart =
    process.lone === undefined &&
    !(RULES[queue].isFifo && (process.runningIn(queue).length > 0 || process.isHeld(queue)))
  switch (verb) {
    case 'claim':
      return mayStart && live.length > 0
    case 'claim suspect':
      return process.lone === undefined && process.isEmpty && live.some((job) => job.isSuspect)
    case 'mark':
      return waiting.some((hand) => !hand.isStartable)
    case 'start':
      return mayStart && waiting.length > 0
    case 'give back':
      return waiting.length > 0
    case 'clear marks':
      return waiting.length + process.unsettled(queue).length > 0
    case 'poll':
      return live.length > 0
  }
}

function canDo(process: ModelProcess, verb: InProcess): boolean {
  if (verb === 'boot') return process.status === 'off'
  if (verb === 'crash') return process.status !== 'off'
  if (verb === 'thaw') return process.status === 'frozen'
  if (process.status !== 'awake') return false
  switch (verb) {
    case 'end':
    case 'complete':
      return process.running.length > 0
    case 'write':
      return process.decided.length + process.unanswered.length > 0
    case 'find lost':
      return process.lost.length > 0
    case 'freeze':
    case 'beat':
    case 'stop':
      return true
  }
}
