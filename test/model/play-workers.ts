import { EventBus } from '../../src/core/event-bus.ts'
import { rescue as rescueWorker } from '../../src/maintenance/rescuer.ts'
import { declareDead as declare, readWorkers } from '../../src/store/workers.ts'
import { demand } from './model-job.ts'
import type { ModelProcess } from './model-process.ts'
import { findLost } from './play-claims.ts'
import { interrupt, write } from './play-runs.ts'
import { LEASE_MS, QUEUE_NAMES, RULES } from './queue-rules.ts'
import { choose, type Scene } from './scene.ts'

/** A process starts and registers. */
export async function boot(scene: Scene, process: ModelProcess): Promise<boolean> {
  if (process.status !== 'off') return false
  process.worker = scene.model.register(await scene.simulated(process).register())
  process.status = 'awake'
  return true
}

/** A process is gone, and says goodbye to nobody. */
export function crash(scene: Scene, process: ModelProcess): boolean {
  if (process.status === 'off') return false
  process.crash()
  scene.simulated(process).forget()
  return true
}

/** As by SIGSTOP: it does nothing, and its lease runs out. */
export function freeze(process: ModelProcess): boolean {
  if (process.status !== 'awake') return false
  process.status = 'frozen'
  return true
}

/** As by SIGCONT: it goes on where it was, and does not know how long that took. */
export function thaw(process: ModelProcess): boolean {
  if (process.status !== 'frozen') return false
  process.status = 'awake'
  return true
}

/** A heartbeat, by which a process also learns that it was declared dead, and registers anew. */
export async function beat(scene: Scene, process: ModelProcess): Promise<boolean> {
  const { worker } = process
  if (worker === undefined) return false
  const real = scene.simulated(process)
  const holds = scene.model.beat(worker)
  const did = await real.beat()
  demand(did === holds, `the heartbeat of the ${worker.status} worker ${worker.id} counts: ${did}`)
  if (holds) return true
  process.loseLease()
  process.worker = scene.model.register(await real.register())
  return true
}

/** An observer has seen the same heartbeat for a whole lease. */
export async function declareDead(scene: Scene, pick: number): Promise<boolean> {
  const { model, stage } = scene
  const silent = [...model.workers.values()].filter(
    ({ status, beatAt }) => status === 'alive' && model.processNow - beatAt >= LEASE_MS,
  )
  const worker = choose(silent, pick)
  if (worker === undefined) return false
  const living = (await readWorkers(stage.store)).living
  const seen = living.find(({ id }) => id === worker.id)
  demand(seen !== undefined, `worker ${worker.id} should be seen as living`)
  const did = await declare(stage.store, worker.id, seen.beat)
  demand(did, `worker ${worker.id} is not declared dead`)
  model.declareDead(worker)
  return true
}

/** Somebody looks through what a dead worker held. */
export async function rescue(scene: Scene, pick: number): Promise<boolean> {
  const { model, stage } = scene
  const dead = [...model.workers.values()].filter(({ status }) => status === 'dead')
  const worker = choose(dead, pick)
  if (worker === undefined) return false
  const found = (await readWorkers(stage.store)).dead.find(({ id }) => id === worker.id)
  demand(found !== undefined, `the dead worker ${worker.id} is not rescued yet`)
  await rescueWorker(stage.store, new EventBus(), found, new AbortController().signal)
  model.rescue(worker, ({ id }, grip) => scene.ranAlone.has(`${grip.worker}/${grip.claimNo}/${id}`))
  return true
}

/** A stop in good order: nothing is left in its hands, and its queues are free for others. */
export async function stop(scene: Scene, process: ModelProcess): Promise<boolean> {
  const { worker } = process
  if (worker === undefined) return false
  const real = scene.simulated(process)
  await write(scene, process)
  await interrupt(scene, process, [...process.waiting, ...process.left, ...process.running])
  await findLost(scene, process)
  for (const queue of QUEUE_NAMES) {
    if (!RULES[queue].isFifo) continue
    await real.disown(queue)
    if (scene.model.owner(queue) === worker.id) scene.model.owners.delete(queue)
  }
  await real.stop()
  if (worker.status === 'alive') scene.model.stop(worker)
  process.crash()
  real.forget()
  return true
}
