import assert from 'node:assert/strict'
import { vi } from 'vitest'
import { jobFor, placeFor, processFor, type Place } from './choices.ts'
import { demand } from './model-job.ts'
import type { ModelProcess } from './model-process.ts'
import * as claims from './play-claims.ts'
import * as runs from './play-runs.ts'
import * as users from './play-users.ts'
import * as workers from './play-workers.ts'
import { LEASE_MS, QUEUE_NAMES } from './queue-rules.ts'
import { linesOf } from './rows.ts'
import { PROCESSES, Scene, type Stage } from './scene.ts'
import {
  IN_PROCESS,
  isOneOf,
  ON_QUEUE,
  STEERING,
  type InProcess,
  type OnQueue,
  type Step,
  type StepOf,
  type Steering,
} from './steps.ts'

/** So many rounds without faults end whatever a sequence left behind. */
const ROUNDS = 60

/** Plays a sequence on the model and on the real thing, and compares them after each step. */
export class Play {
  /** What was done, in words, for the report of a failure. */
  readonly taken: string[] = []
  readonly #scene: Scene
  readonly #open: users.EndOf = new Map()

  constructor(stage: Stage) {
    this.#scene = new Scene(stage)
  }

  /** Plays a sequence from an empty queue, then lets everything heal and demands that all jobs end. */
  async run(steps: readonly Step[]): Promise<void> {
    const { model, stage } = this.#scene
    await stage.rows.empty()
    stage.database.now = () => model.now
    stage.database.keepAnswers()
    const clock = vi.spyOn(performance, 'now').mockImplementation(() => model.processNow)
    try {
      for (const _ of PROCESSES) await this.#perform({ do: 'boot', pick: 0 })
      for (const step of steps) if (await this.#perform(step)) await this.#compare()
      this.taken.push('— from here on nothing fails any more —')
      await this.#heal()
      await this.#drain()
      await this.#compare()
    } finally {
      clock.mockRestore()
      for (const end of this.#open.values()) await end(false)
    }
  }

  async #compare(): Promise<void> {
    assert.deepEqual(await this.#scene.stage.rows.lines(), linesOf(this.#scene.model))
  }

  /** Takes a step. Answers whether there was anything to which it could happen. */
  async #perform(step: Step): Promise<boolean> {
    const { model, stage } = this.#scene
    model.step += 1
    model.pass(1)
    stage.database.journal = []
    const { length } = this.taken
    const fits = await this.#dispatch(step)
    if (!fits) this.taken.length = length
    return fits
  }

  async #dispatch(step: Step): Promise<boolean> {
    const scene = this.#scene
    const { pick } = step
    if (isOneOf(ON_QUEUE, step)) return this.#performAt(placeFor(scene, step.do, pick), step)
    if (isOneOf(IN_PROCESS, step)) return this.#performIn(processFor(scene, step.do, pick), step)
    if (isOneOf(STEERING, step)) return this.#steer(step)
    this.#tell(step)
    switch (step.do) {
      case 'enqueue':
        return users.enqueue(scene, this.#open, step)
      case 'end transaction':
        return users.endTransaction(scene, this.#open, pick, step.commits)
      case 'redrive':
        return users.redrive(scene, pick, step.limit)
      case 'pause':
        return users.pauseOrResume(scene, step.queue)
      case 'declare dead':
        return workers.declareDead(scene, pick)
      case 'rescue':
        return workers.rescue(scene, pick)
      case 'pass':
        return this.#pass(step.ms)
      case 'set back':
        scene.model.now -= step.ms
        return true
    }
  }

  async #performAt(place: Place | undefined, step: StepOf<OnQueue>): Promise<boolean> {
    if (place === undefined) return false
    const scene = this.#scene
    const { process, queue } = place
    this.#tell(step, `in process ${process.index} of ${queue}`)
    switch (step.do) {
      case 'claim':
        return claims.claim(scene, process, queue, step)
      case 'claim suspect':
        return claims.claimSuspect(scene, process, queue, step)
      case 'mark':
        return runs.mark(scene, process, queue, step.count)
      case 'start':
        return runs.start(scene, process, queue, step.count)
      case 'give back':
        return runs.giveBack(scene, process, queue)
      case 'clear marks':
        return runs.clearMarks(scene, process, queue)
      case 'poll':
        return claims.poll(scene, process, queue)
    }
  }

  async #performIn(process: ModelProcess | undefined, step: StepOf<InProcess>): Promise<boolean> {
    if (process === undefined) return false
    const scene = this.#scene
    this.#tell(step, `in process ${process.index}`)
    switch (step.do) {
      case 'boot':
        return workers.boot(scene, process)
      case 'crash':
        return workers.crash(scene, process)
      case 'freeze':
        return workers.freeze(process)
      case 'thaw':
        return workers.thaw(process)
      case 'beat':
        return workers.beat(scene, process)
      case 'stop':
        return workers.stop(scene, process)
      case 'find lost':
        return claims.findLost(scene, process)
      case 'end':
        return runs.end(scene, process, step)
      case 'complete':
        return runs.complete(scene, process, step.pick, step.commits)
      case 'write':
        return runs.write(scene, process)
    }
  }

  async #steer(step: StepOf<Steering>): Promise<boolean> {
    const job = jobFor(this.#scene, step.do, step.pick)
    if (job === undefined) return false
    this.#tell(step, `job ${job.id}`)
    return users.steer(this.#scene, job, step)
  }

  /** Time passes, and whoever is awake goes on beating. */
  async #pass(ms: number): Promise<boolean> {
    const scene = this.#scene
    scene.model.pass(ms)
    if (ms < 1_000) return true
    for (const process of scene.processes) {
      if (process.status === 'awake') await workers.beat(scene, process)
    }
    return true
  }

  /** Everything that failed comes to its end: what is dead is found dead, and rescued. */
  async #heal(): Promise<void> {
    const { model } = this.#scene
    while (await this.#perform({ do: 'end transaction', pick: 0, commits: true }));
    while (await this.#perform({ do: 'crash', pick: 0 }));
    for (const queue of model.paused) await this.#perform({ do: 'pause', pick: 0, queue })
    // Twice, the second time for claims that were still under way when their worker died.
    for (const ms of [LEASE_MS, 60_000]) {
      await this.#perform({ do: 'pass', pick: 0, ms: ms + 1_000 })
      while (await this.#perform({ do: 'declare dead', pick: 0 }));
      const dead = [...model.workers.values()].filter(({ status }) => status === 'dead')
      for (const place of dead.keys()) {
        await this.#perform({ do: 'rescue', pick: dead.length - 1 - place })
      }
      await this.#compare()
    }
  }

  /** One process without faults works off all queues, until every job has ended: none is lost. */
  async #drain(): Promise<void> {
    const { model } = this.#scene
    await this.#perform({ do: 'boot', pick: 0 })
    for (let round = 0; round < ROUNDS; round++) {
      const left = QUEUE_NAMES.flatMap((queue) => model.live(queue))
      if (left.length === 0) return
      let didRun = false
      for (let pick = 0; pick < QUEUE_NAMES.length; pick++) {
        const plainly = { limit: 1_000, startsAtOnce: true, isNotified: false, loses: 0 }
        if (!(await this.#perform({ do: 'claim', pick, ...plainly }))) break
        while (await this.#perform({ do: 'start', pick: 0, count: 1_000 })) {
          didRun = (await this.#endAll()) || didRun
        }
        const alone = { isLost: false, startsAlone: true }
        await this.#perform({ do: 'claim suspect', pick, ...alone })
        didRun = (await this.#endAll()) || didRun
      }
      if (!didRun) await this.#perform({ do: 'pass', pick: 0, ms: 60_000 })
    }
    const left = QUEUE_NAMES.flatMap((queue) => model.live(queue).map((job) => job.id))
    demand(left.length === 0, `jobs [${left.join()}] never end`)
  }

  #endAll(): Promise<boolean> {
    const outcome = { kind: 'returned' } as const
    return this.#perform({ do: 'end', pick: 0, count: 1_000, outcome, writes: 'now' })
  }

  #tell(step: Step, where = ''): void {
    const { do: verb, pick, ...rest } = step
    this.taken.push(`${verb} ${where} ${JSON.stringify(rest)} (${pick})`)
  }
}
