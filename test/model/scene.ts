import type { JobQueue } from '../../src/job-queue.ts'
import type { Store } from '../../src/store/store.ts'
import type { ClockedDatabase } from './clocked-database.ts'
import { demand } from './model-job.ts'
import { ModelProcess } from './model-process.ts'
import { QueueModel } from './queue-model.ts'
import { LEASE_MS, type QueueName } from './queue-rules.ts'
import type { StoredRows } from './rows.ts'
import { SimulatedProcess, type StoredQueue } from './simulated-process.ts'

/** The real thing, opened once for all sequences. */
export interface Stage {
  readonly database: ClockedDatabase
  readonly store: Store
  readonly rows: StoredRows
  readonly queues: ReadonlyMap<QueueName, StoredQueue>
  /** The public interface of each queue. */
  readonly open: ReadonlyMap<QueueName, JobQueue>
}

export const PROCESSES = [0, 1, 2] as const

/** The model and the real thing side by side, in one sequence. */
export class Scene {
  readonly model = new QueueModel()
  readonly stage: Stage
  readonly processes = PROCESSES.map((index) => new ModelProcess(index))
  /** Runs that had their process for themselves: `worker/claim number/id`. */
  readonly ranAlone = new Set<string>()
  readonly #real: readonly SimulatedProcess[]

  constructor(stage: Stage) {
    this.stage = stage
    const { store, database, queues } = stage
    this.#real = this.processes.map((process) => {
      const unsettled = (queue: QueueName): string[] =>
        process.unsettled(queue).map((hand) => String(hand.id))
      return new SimulatedProcess(store, database, queues, unsettled)
    })
  }

  process(index: number): ModelProcess {
    const process = this.processes[index]
    if (process === undefined) throw new Error(`There is no process ${index}.`)
    return process
  }

  /** The real side of a process. */
  simulated(process: ModelProcess): SimulatedProcess {
    const real = this.#real[process.index]
    if (real === undefined) throw new Error(`There is no process ${process.index}.`)
    return real
  }

  queue(name: QueueName): JobQueue {
    const queue = this.stage.open.get(name)
    if (queue === undefined) throw new Error(`There is no queue ${name}.`)
    return queue
  }

  /** Whether the process may start what it holds; both sides must think so. */
  isFresh(process: ModelProcess): boolean {
    const { worker } = process
    const isFresh = worker !== undefined && this.model.processNow - worker.beatAt < LEASE_MS
    demand(
      this.simulated(process).isFresh === isFresh,
      `the lease is ${isFresh ? '' : 'not '}fresh`,
    )
    return isFresh
  }
}

/** One of what is there; undefined when nothing is. */
export function choose<T>(items: readonly T[], pick: number): T | undefined {
  return items[pick % items.length]
}
