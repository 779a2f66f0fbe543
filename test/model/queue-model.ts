import {
  byId,
  demand,
  type Grip,
  type JobEdit,
  type JobSpec,
  type ModelJob,
  type ModelOutcome,
  type ModelWorker,
  type Pointer,
} from './model-job.ts'
import { QUEUE_NAMES, RULES, retryDelay, type QueueName } from './queue-rules.ts'

/** Where the model's clock begins, far from midnight: history is partitioned by the day. */
export const START_MS = Date.UTC(2030, 0, 1, 6)

/** Jobs of a transaction that is still open. */
export interface OpenTransaction {
  readonly jobs: readonly ModelJob[]
}

/**
 * The queue, as small as it can be said: what api.md promises of jobs, claims, crashes and time,
 * without SQL, without waiting. It says what must be stored after each step; `rows.ts` compares.
 */
export class QueueModel {
  /** The database's clock, in milliseconds; it may be set back. */
  now = START_MS
  /** The clock of the processes, which never goes back. */
  processNow = 0
  /** Counts the steps, for what came before what. */
  step = 0
  readonly jobs = new Map<number, ModelJob>()
  readonly pointers = new Map<string, Pointer>()
  readonly workers = new Map<number, ModelWorker>()
  readonly owners = new Map<QueueName, number>()
  readonly paused = new Set<QueueName>()
  readonly transactions: OpenTransaction[] = []
  /** When jobs last came back to a queue at their old place in time. */
  readonly rewound = new Map<QueueName, number>()
  #lastJobId = 0

  pass(ms: number): void {
    this.now += ms
    this.processNow += Math.max(0, ms)
  }

  enqueue(queue: QueueName, specs: readonly JobSpec[]): ModelJob[] {
    const jobs = specs.map((spec) => this.#draft(queue, spec))
    for (const job of jobs) this.#publish(job)
    return jobs
  }

  /** Ids are drawn now; the jobs are seen when it commits, or never. */
  begin(queue: QueueName, specs: readonly JobSpec[]): OpenTransaction {
    const transaction = { jobs: specs.map((spec) => this.#draft(queue, spec)) }
    this.transactions.push(transaction)
    return transaction
  }

  end(transaction: OpenTransaction, commits: boolean): void {
    this.transactions.splice(this.transactions.indexOf(transaction), 1)
    if (commits) for (const job of transaction.jobs) this.#publish(job)
  }

  register(id: number): ModelWorker {
    demand(!this.workers.has(id), `the number ${id} of a worker is given twice`)
    const worker: ModelWorker = {
      ...{ id, status: 'alive', lastClaimNo: 0, beatAt: this.processNow },
      ...{ diedAt: 0, isLookedAt: false },
    }
    this.workers.set(id, worker)
    return worker
  }

  /** Whether the lease still holds. */
  beat(worker: ModelWorker): boolean {
    if (worker.status !== 'alive') return false
    worker.beatAt = this.processNow
    return true
  }

  declareDead(worker: ModelWorker): void {
    worker.status = 'dead'
    worker.diedAt = this.now
  }

  stop(worker: ModelWorker): void {
    demand(this.heldBy(worker.id).length === 0, `worker ${worker.id} stops and holds jobs`)
    demand(![...this.owners.values()].includes(worker.id), `worker ${worker.id} stops and owns`)
    if (worker.status === 'alive') worker.status = 'stopped'
  }

  heldBy(workerId: number): ModelJob[] {
    return [...this.jobs.values()]
      .filter(({ state }) => state.kind === 'held' && state.worker === workerId)
      .sort(byId)
  }

  /** The jobs of a queue that have not ended, in the order of their ids. */
  live(queue: QueueName): ModelJob[] {
    return [...this.jobs.values()]
      .filter((job) => job.queue === queue && job.state.kind !== 'ended')
      .sort(byId)
  }

  hold(job: ModelJob, grip: Grip, isStarted: boolean): void {
    this.#change(job, { state: { kind: 'held', ...grip, isStarted } })
  }

  /** Its worker says that it is about to start it. */
  mark(id: number, grip: Grip): void {
    const job = this.#gripped(id, grip)
    if (job !== undefined) this.hold(job, grip, true)
  }

  /** What became of a run. Answers whether the job was still in that hand; if not, nothing happens. */
  settle(id: number, grip: Grip, outcome: ModelOutcome, hasStarted: boolean): boolean {
    const job = this.#gripped(id, grip)
    if (job === undefined) return false
    if (job.isMarked && outcome.kind !== 'returned') {
      this.#cancelHeld(job, grip, hasStarted)
      return true
    }
    switch (outcome.kind) {
      case 'returned':
        this.#finish(job, grip)
        break
      case 'threw':
        this.#fail(job, grip, 'Error')
        break
      case 'discarded':
        job.errors.push({ attempt: job.attempt + 1, name: 'Discard' })
        this.#bury(job, grip)
        break
      case 'snoozed':
        if (outcome.ms === 0) this.#giveBack(job)
        else this.#wait(job, this.now + outcome.ms)
        break
      case 'interrupted':
        this.#giveBack(job)
        break
    }
    return true
  }

  /** Frees what a dead worker held. Only what was running alone is blamed. */
  rescue(worker: ModelWorker, ranAlone: (job: ModelJob, grip: Grip) => boolean): void {
    for (const job of this.heldBy(worker.id)) {
      if (job.state.kind !== 'held') continue
      const grip = { worker: worker.id, claimNo: job.state.claimNo }
      if (job.isMarked) this.#cancelHeld(job, grip, job.state.isStarted)
      else if (!job.state.isStarted) this.#giveBack(job)
      else if (ranAlone(job, grip)) this.#fail(job, grip, 'WorkerCrashed')
      else {
        job.isSuspect = true
        this.#giveBack(job)
      }
    }
    for (const [queue, owner] of this.owners) if (owner === worker.id) this.owners.delete(queue)
    if (this.now - worker.diedAt >= 60_000) worker.status = 'rescued'
    worker.isLookedAt = true
  }

  cancel(queue: QueueName, id: number): boolean {
    const job = this.find(queue, id)
    if (job === undefined || job.state.kind === 'ended') return false
    if (job.state.kind === 'held') this.#change(job, { isMarked: true })
    else this.#change(job, { state: { kind: 'ended', outcome: 'cancelled', by: null } })
    return true
  }

  /** Pauses a queue, or resumes one that is paused. Answers whether it is paused now. */
  pauseOrResume(queue: QueueName): boolean {
    if (this.paused.delete(queue)) return false
    this.paused.add(queue)
    return true
  }

  retry(queue: QueueName, id: number): boolean {
    const job = this.find(queue, id)
    if (job?.state.kind !== 'ended' || job.state.outcome === 'finished') return false
    job.isSuspect = false
    job.attempt = 0
    this.#wait(job, this.now)
    return true
  }

  /** What is due has come back at another place, or was passed by while it was changed. */
  edit(queue: QueueName, id: number, { maxRetries, priority, delayMs }: JobEdit): boolean {
    const job = this.find(queue, id)
    if (job?.state.kind !== 'waiting') return false
    const runAt = delayMs === undefined ? job.runAt : this.now + delayMs
    this.#change(job, { maxRetries, priority: priority ?? job.priority, runAt })
    if (!job.isSuspect && runAt <= this.now) this.rewound.set(job.queue, this.step)
    return true
  }

  delete(queue: QueueName, id: number): boolean {
    const job = this.find(queue, id)
    if (job === undefined || job.state.kind === 'held') return false
    this.jobs.delete(id)
    if (job.queue !== queue) this.pointers.delete(`${queue} ${id}`)
    return true
  }

  redrive(queue: QueueName, limit: number): number {
    const chosen = this.live(queue)
      .filter((job) => job.state.kind === 'waiting' && job.origin !== null)
      .slice(0, limit)
    for (const job of chosen) if (job.origin !== null) this.#arrive(job, job.origin, null)
    return chosen.length
  }

  /** The job as somebody finds it who looks in that queue. */
  find(queue: QueueName, id: number): ModelJob | undefined {
    const job = this.jobs.get(id)
    const visited = new Set<QueueName>()
    for (let place: QueueName | undefined = queue; place !== undefined;) {
      if (visited.has(place)) return undefined
      if (job?.queue === place) return job
      visited.add(place)
      place = this.pointers.get(`${place} ${id}`)?.to
    }
    return undefined
  }

  counts(queue: QueueName): Record<string, number> {
    const counts = { available: 0, running: 0, finished: 0, failed: 0, cancelled: 0 }
    for (const job of this.jobs.values()) if (job.queue === queue) counts[statusOf(job)] += 1
    return counts
  }

  owner(queue: QueueName): number | null {
    return this.owners.get(queue) ?? null
  }

  get queueNames(): readonly QueueName[] {
    return QUEUE_NAMES
  }

  #gripped(id: number, grip: Grip): ModelJob | undefined {
    const job = this.jobs.get(id)
    if (job?.state.kind !== 'held') return undefined
    const { worker, claimNo } = job.state
    return worker === grip.worker && claimNo === grip.claimNo ? job : undefined
  }

  #draft(queue: QueueName, spec: JobSpec): ModelJob {
    this.#lastJobId += 1
    const { maxRetries, retryPolicy, priority, delayMs } = spec
    return {
      ...{ id: this.#lastJobId, queue, maxRetries, retryPolicy, priority },
      ...{ state: { kind: 'waiting' }, runAt: this.now + delayMs, attempt: 0, errors: [] },
      ...{
        isSuspect: false,
        isMarked: false,
        origin: null,
        visible: { step: 0, at: 0 },
        version: 0,
      },
    }
  }

  #publish(job: ModelJob): void {
    this.jobs.set(job.id, job)
    this.#change(job, {})
  }

  #change(job: ModelJob, changes: Partial<ModelJob>): void {
    Object.assign(job, changes)
    job.version += 1
    if (job.state.kind === 'waiting') job.visible = { step: this.step, at: this.processNow }
  }

  #wait(job: ModelJob, runAt: number): void {
    this.#change(job, { state: { kind: 'waiting' }, runAt })
  }

  /** As if it had never been claimed. */
  #giveBack(job: ModelJob): void {
    this.#wait(job, job.runAt)
    this.rewound.set(job.queue, this.step)
  }

  #finish(job: ModelJob, by: Grip): void {
    if (!RULES[job.queue].keepsFinished) {
      this.jobs.delete(job.id)
      return
    }
    const attempt = job.attempt + 1
    const state = { kind: 'ended', outcome: 'finished', by } as const
    this.#change(job, { attempt, isMarked: false, state })
  }

  #cancelHeld(job: ModelJob, by: Grip, hasStarted: boolean): void {
    const attempt = job.attempt + (hasStarted ? 1 : 0)
    const state = { kind: 'ended', outcome: 'cancelled', by } as const
    this.#change(job, { attempt, isMarked: false, state })
  }

  #fail(job: ModelJob, by: Grip, name: string): void {
    const retriesMade = job.attempt
    job.errors.push({ attempt: job.attempt + 1, name })
    if (retriesMade >= job.maxRetries) {
      this.#bury(job, by)
      return
    }
    job.attempt += 1
    this.#wait(job, this.now + retryDelay(RULES[job.queue], job.retryPolicy, retriesMade))
  }

  /** Failed for good, its last error already noted. */
  #bury(job: ModelJob, by: Grip): void {
    job.attempt += 1
    const { dlq } = RULES[job.queue]
    if (dlq === null) {
      this.#change(job, { state: { kind: 'ended', outcome: 'failed', by } })
      return
    }
    const { queue, attempt } = job
    const pointer = { to: dlq, attempt, errorCount: job.errors.length, by }
    this.pointers.set(`${queue} ${job.id}`, pointer)
    this.#arrive(job, dlq, queue)
  }

  #arrive(job: ModelJob, queue: QueueName, origin: QueueName | null): void {
    this.pointers.delete(`${queue} ${job.id}`)
    const priority = RULES[queue].isFifo ? 5 : job.priority
    this.#change(job, { queue, origin, priority, attempt: 0 })
    this.#wait(job, this.now)
  }
}

/** The status that users see. */
export function statusOf(
  job: ModelJob,
): 'available' | 'running' | 'finished' | 'failed' | 'cancelled' {
  if (job.state.kind === 'ended') return job.state.outcome
  return job.state.kind === 'held' ? 'running' : 'available'
}
