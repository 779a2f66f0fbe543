import type { WorkContext } from '../../../src/core/contexts.ts'
import { Discard } from '../../../src/core/discard.ts'
import type { Job } from '../../../src/core/job.ts'
import type { QueueOptions } from '../../../src/core/queue-options.ts'
import { Snooze } from '../../../src/core/snooze.ts'
import { setTimeout as sleep } from 'node:timers/promises'
import { JobQueue } from '../../../src/job-queue.ts'
import { FaultyDatabase } from './faulty-database.ts'
import type { Behaviour, QueueKind } from './scenario.ts'
import type { Args, Run, Witness } from './witness.ts'

/** The shortest that there is, so that the death of a process is found out soon. */
const LEASE_MS = 1_000
const REBIRTH_MS = 50
/** A stop takes no longer than this: the time that handlers have, and a few seconds. */
const STOP_WITHIN_MS = 8_000

/** What all actors of a scenario share. */
export interface Play {
  readonly databaseUrl: string
  readonly witness: Witness
  readonly concurrency: number
  optionsOf(queue: QueueKind): QueueOptions
  /** What the next run of a job does. */
  behaviourOf(tag: number): Behaviour
}

/**
 * A process that receives both queues, in this process: with a database object, and therefore an
 * engine, of its own. When it dies or is stopped, a new one takes its place.
 */
export class Actor {
  readonly #index: number
  readonly #play: Play
  readonly #graves: Promise<unknown>[] = []
  #life = 0
  #database: FaultyDatabase
  #stop = new AbortController()
  #ended: Promise<unknown> = Promise.resolve()
  #queues = new Map<QueueKind, JobQueue<Args>>()
  #isOver = false

  constructor(index: number, play: Play) {
    this.#index = index
    this.#play = play
    this.#database = this.#beBorn()
  }

  get database(): FaultyDatabase {
    return this.#database
  }

  queue(kind: QueueKind): JobQueue<Args> {
    const queue = this.#queues.get(kind)
    if (queue === undefined) throw new Error('An actor has both queues.')
    return queue
  }

  /** Dies at once; another one is born soon. */
  kill(): void {
    if (this.#database.isDead) return
    const [database, stop] = [this.#database, this.#stop]
    database.die()
    this.#graves.push(this.#bury(database, stop))
    void sleep(REBIRTH_MS).then(() => this.#replace())
  }

  /** Stops in good order, and another one is born. */
  async stopAndReturn(): Promise<void> {
    const [database, stop, ended] = [this.#database, this.#stop, this.#ended]
    stop.abort()
    await this.#within(ended)
    if (database.isDead || database !== this.#database) return
    this.#graves.push(this.#bury(database, stop))
    this.#replace()
  }

  /** The scenario is over: stops in good order, and leaves no connection behind. */
  async leave(): Promise<void> {
    this.#isOver = true
    this.#stop.abort()
    if (!this.#database.isDead) await this.#within(this.#ended)
    this.#graves.push(this.#bury(this.#database, this.#stop))
    await Promise.all(this.#graves)
  }

  #replace(): void {
    if (!this.#isOver) this.#database = this.#beBorn()
  }

  #beBorn(): FaultyDatabase {
    this.#life += 1
    const life = `${this.#index}.${this.#life}`
    const database = new FaultyDatabase(this.#play.databaseUrl, life)
    this.#database = database
    this.#stop = new AbortController()
    this.#queues = new Map(
      (['lanes', 'line'] as const).map((kind) => [kind, this.#open(database, life, kind)]),
    )
    const options = {
      signal: this.#stop.signal,
      leaseTimeout: LEASE_MS,
      shutdownTimeout: 100,
      concurrency: this.#play.concurrency,
    }
    this.#ended = Promise.all(
      [...this.#queues].map(([kind, queue]) =>
        queue.receive(options).catch((error: unknown) => {
          this.#play.witness.rejections.push(`receive of ${kind} in ${life}: ${String(error)}`)
        }),
      ),
    )
    return database
  }

  #open(database: FaultyDatabase, life: string, kind: QueueKind): JobQueue<Args> {
    const { witness } = this.#play
    const work = (job: Job<Args>, context: WorkContext): Promise<unknown> =>
      this.#work(database, life, kind, job, context)
    const queue = new JobQueue<Args>(database, work, this.#play.optionsOf(kind))
    queue.observe((event) => {
      if (event.type === 'worker.registered') witness.lives.set(event.workerId, life)
      if (event.type !== 'job.finished' || database.isDead) return
      witness.finished.set(event.jobId, (witness.finished.get(event.jobId) ?? 0) + 1)
    })
    return queue
  }

  async #work(
    database: FaultyDatabase,
    life: string,
    kind: QueueKind,
    job: Job<Args>,
    context: WorkContext,
  ): Promise<unknown> {
    if (database.isDead) await new Promise<never>(() => {})
    const { witness } = this.#play
    const { tag } = job.args
    const behaviour = this.#play.behaviourOf(tag)
    const { attempt, id: jobId } = job
    const completes = behaviour.kind === 'complete' && behaviour.commits
    const run = witness.begin({ tag, jobId, queue: kind, life, attempt, completes })
    try {
      const returned = await this.#behave(database, behaviour, context)
      // Whether that still counts depends on why its signal aborted.
      const how = context.signal.aborted ? 'late' : returned
      return await this.#end(database, run, how, undefined)
    } catch (error) {
      return this.#end(database, run, howThrown(error, context), error as Error)
    }
  }

  /** The handler ends, unless its process is stopped or gone. */
  async #end(
    database: FaultyDatabase,
    run: Run,
    how: string,
    error: Error | undefined,
  ): Promise<unknown> {
    await database.whileStopped()
    this.#play.witness.end(run, how)
    if (error !== undefined) throw error
    return { ok: run.tag }
  }

  async #behave(
    database: FaultyDatabase,
    behaviour: Behaviour,
    { signal, complete }: WorkContext,
  ): Promise<string> {
    switch (behaviour.kind) {
      case 'return':
        await sleep(behaviour.ms)
        return 'return'
      case 'throw':
        await sleep(behaviour.ms)
        throw new Error('as planned')
      case 'discard':
        await sleep(behaviour.ms)
        throw new Discard('as planned')
      case 'snooze':
        throw new Snooze(behaviour.ms)
      case 'deaf':
        await sleep(behaviour.ms)
        return 'return'
      case 'hang':
        for (;;) {
          signal.throwIfAborted()
          await sleep(5)
        }
      case 'kill':
        if (this.#database === database) this.kill()
        return new Promise<never>(() => {})
      case 'complete':
        return completeIn(database, behaviour.commits, complete)
    }
  }

  async #within(ended: Promise<unknown>): Promise<void> {
    const isLate = await Promise.race([
      ended.then(() => false),
      sleep(STOP_WITHIN_MS, true, { ref: false }),
    ])
    // What a killed process said before does not count.
    if (isLate && !this.#database.isDead) this.#play.witness.rejections.push('a stop took too long')
  }

  async #bury(database: FaultyDatabase, stop: AbortController): Promise<void> {
    stop.abort()
    await Promise.race([database.close(), sleep(1_000, undefined, { ref: false })])
  }
}

/** A handler that settles its job in its own transaction. */
async function completeIn(
  database: FaultyDatabase,
  commits: boolean,
  complete: WorkContext['complete'],
): Promise<string> {
  try {
    await database.transaction(async (tx) => {
      await complete(tx, { ok: true })
      if (!commits) throw new RolledBack()
    })
    return 'complete'
  } catch (error) {
    // It returns in spite of that, which is a failure of its own.
    if (error instanceof RolledBack) return 'rolled back'
    throw error
  }
}

class RolledBack extends Error {}

function howThrown(error: unknown, { signal }: WorkContext): string {
  if (signal.aborted) return 'abort'
  if (error instanceof Snooze) return 'snooze'
  return error instanceof Discard ? 'discard' : 'throw'
}
