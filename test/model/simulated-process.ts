import { randomUUID } from 'node:crypto'
import { EventBus } from '../../src/core/event-bus.ts'
import type { Verdict } from '../../src/core/judge.ts'
import { cancelPassed, giveBackOrCancel } from '../../src/store/cancel.ts'
import { claimSuspect, startAlone } from '../../src/store/claim.ts'
import type { ClaimAnswer } from '../../src/store/claim-answer.ts'
import { findSettled } from '../../src/store/history.ts'
import { compareNumerals } from '../../src/store/numerals.ts'
import { pollQueues, type PolledQueue } from '../../src/store/poll.ts'
import { disownQueue } from '../../src/store/queues.ts'
import { readHeldSlice } from '../../src/store/rescue.ts'
import type { Store } from '../../src/store/store.ts'
import { beat, listQueueOfWorker, registerWorker, stopWorker } from '../../src/store/workers.ts'
import { Backlog } from '../../src/worker/backlog.ts'
import { FifoClaimer, LaneClaimer, type Claimer } from '../../src/worker/claimer.ts'
import { Marking } from '../../src/worker/marking.ts'
import { Registration } from '../../src/worker/registration.ts'
import type { JobInHand } from '../../src/worker/run.ts'
import {
  carryOut,
  kindOf,
  returnsToItsPlace,
  type Settlement,
} from '../../src/worker/settlement.ts'
import { AnswerLost, type ClockedDatabase } from './clocked-database.ts'
import type { Grip } from './model-job.ts'
import { LEASE_MS, RULES, type QueueName } from './queue-rules.ts'

/** What the real thing knows of a queue. */
export interface StoredQueue {
  readonly name: QueueName
  readonly id: number
  readonly dlqId: number | null
  readonly keepFinishedMs: number | null
  readonly keepFailedMs: number
}

/** What a claim of this process said besides its jobs. */
export interface OwnClaim {
  readonly claimNo: number
  readonly isSure: boolean
  readonly isAnswered: boolean
}

/**
 * A process as a receiver is one, by the parts of a receiver (registration, claimers, floors,
 * backlog, settling statements) but without its loops, timers and connections: it does one thing at
 * a time and only when it is told to, so that a sequence comes out the same each time.
 */
export class SimulatedProcess {
  readonly events = new EventBus()
  readonly #store: Store
  readonly #database: ClockedDatabase
  readonly #queues: ReadonlyMap<QueueName, StoredQueue>
  readonly #inHand = new Map<string, JobInHand>()
  readonly #claimers = new Map<QueueName, Claimer>()
  readonly #backlogs = new Map<QueueName, Backlog>()
  readonly #markings = new Map<QueueName, Marking>()
  readonly #listed = new Set<QueueName>()
  /** What the receiver of a FIFO queue has in hand and not yet written down. */
  readonly #unsettled: (queue: QueueName) => readonly string[]
  #registration: Registration | undefined

  constructor(
    store: Store,
    database: ClockedDatabase,
    queues: ReadonlyMap<QueueName, StoredQueue>,
    unsettled: (queue: QueueName) => readonly string[],
  ) {
    this.#store = store
    this.#database = database
    this.#queues = queues
    this.#unsettled = unsettled
  }

  get registration(): Registration {
    if (this.#registration === undefined) throw new Error('The process is not registered.')
    return this.#registration
  }

  get isFresh(): boolean {
    return this.registration.isFresh(performance.now())
  }

  /** Registers under a new number; what was learnt and claimed under an old one is forgotten. */
  async register(): Promise<number> {
    const token = randomUUID()
    const about = { host: 'model', pid: 1, version: '0', leaseMs: LEASE_MS }
    const sentAt = performance.now()
    const id = await registerWorker(this.#store, { token, ...about }, this.#connection)
    this.#registration?.lose()
    this.#registration = new Registration(id, token, LEASE_MS, sentAt)
    for (const claimer of this.#claimers.values()) claimer.forget()
    for (const backlog of this.#backlogs.values()) backlog.takeAll()
    for (const marking of this.#markings.values()) marking.forget()
    this.#listed.clear()
    return id
  }

  /** A crash: the next process knows nothing. */
  forget(): void {
    this.#claimers.clear()
    this.#backlogs.clear()
    this.#markings.clear()
    this.#inHand.clear()
    this.#listed.clear()
    this.#registration = undefined
  }

  async beat(): Promise<boolean> {
    const { id, token } = this.registration
    const sentAt = performance.now()
    const worker = { id, token, leaseMs: LEASE_MS }
    const health = { inFlight: 0, rssBytes: null, heapBytes: null, eventLoopLagMs: 0 }
    const holds = await beat(this.#store, worker, health, this.#connection)
    if (holds) this.registration.renew(sentAt)
    return holds
  }

  /** Says, before the first claim there, that it claims from a queue. */
  async list(queue: QueueName): Promise<void> {
    if (this.#listed.has(queue)) return
    this.#listed.add(queue)
    const { queueId, workerId } = this.#holder(queue)
    await listQueueOfWorker(this.#store, workerId, queueId)
  }

  /** Claims until the claimer is sure or the limit is reached, as the loop of a receiver does. */
  async claim(
    queue: QueueName,
    request: { limit: number; startsAtOnce: boolean; isNotified: boolean },
  ): Promise<OwnClaim[]> {
    const { registration } = this
    const claimer = this.#claimerOf(queue)
    if (request.isNotified) claimer.expect()
    const claims: OwnClaim[] = []
    let missing = request.limit
    for (let turn = 0; turn < 4; turn++) {
      const claimNo = registration.nextClaimNo()
      const { startsAtOnce } = request
      const claim = { ...this.#holder(queue), claimNo, limit: missing, startsAtOnce }
      const answer = await orLost(() => claimer.claim(claim))
      const isAnswered = answer !== undefined
      claims.push({ claimNo, isSure: isAnswered && claimer.isSure, isAnswered })
      if (!isAnswered) break
      this.#take(queue, answer, claimNo, startsAtOnce)
      missing -= answer.jobs.length
      if (claimer.isSure || missing === 0) break
    }
    return claims
  }

  /** Claims one suspect. Undefined when the answer was lost, null when there was none. */
  async claimSuspect(queue: QueueName): Promise<OwnClaim & { id: number | undefined }> {
    const claimNo = this.registration.nextClaimNo()
    const request = { ...this.#holder(queue), claimNo }
    const answer = await orLost(() => claimSuspect(this.#store, request, RULES[queue].isFifo))
    const [job] = answer?.jobs ?? []
    if (job !== undefined) this.#keep(queue, job, claimNo)
    const id = job === undefined ? undefined : Number(job.id)
    return { claimNo, isSure: true, isAnswered: answer !== undefined, id }
  }

  /** Says that a suspect starts, alone. Answers whether it is still in this hand. */
  async startAlone(queue: QueueName, id: number, { claimNo }: Grip): Promise<boolean> {
    return startAlone(this.#store, { ...this.#holder(queue), claimNo }, String(id))
  }

  async mark(queue: QueueName, count: number): Promise<void> {
    await this.#marking(queue).allowMore(this.backlog(queue), count, new AbortController().signal)
  }

  /** Forgets the marks of claims of which nothing is left. */
  async clearMarks(queue: QueueName, open: ReadonlySet<string>): Promise<void> {
    await this.#marking(queue).clear(open)
  }

  backlog(queue: QueueName): Backlog {
    const backlog = this.#backlogs.get(queue) ?? new Backlog()
    this.#backlogs.set(queue, backlog)
    return backlog
  }

  hand(id: number, { worker, claimNo }: Grip): JobInHand {
    const inHand = this.#inHand.get(`${id} ${worker} ${claimNo}`)
    if (inHand === undefined) throw new Error(`Job ${id} is not in this process's hands.`)
    return inHand
  }

  /** Writes down runs of one queue, grouped as the settler groups them. Answers the ids that were still held. */
  async settle(queue: QueueName, settlements: readonly Settlement[]): Promise<Set<string>> {
    const settled = new Set<string>()
    for (const group of groupsOf(settlements)) {
      const { id, dlqId, keepFinishedMs, keepFailedMs } = this.#queue(queue)
      const names = { queueId: id, queueName: queue, dlqName: undefined }
      const rules = { ...names, dlqId, keepFinishedMs, keepFailedMs }
      for (const done of await carryOut(this.#store, rules, group)) settled.add(done)
      const isFinish = group[0]?.verdict.to === 'finished'
      const holder = { queueId: id, workerId: group[0]?.registration.id ?? 0 }
      const others = isFinish
        ? []
        : await cancelPassed(this.#store, holder, group, [...settled], keepFailedMs)
      for (const done of others) settled.add(done)
      for (const run of group) {
        const { verdict } = run
        const isDue = verdict.to === 'available' && verdict.afterMs === 0
        if (isDue && !returnsToItsPlace(verdict)) this.#claimerOf(queue).retried(run)
      }
    }
    return settled
  }

  /** Which of these are settled already, by this very claim. */
  async findSettled(queue: QueueName, settlements: readonly Settlement[]): Promise<Set<string>> {
    const found = new Set<string>()
    for (const group of groupsOf(settlements)) {
      const workerId = group[0]?.registration.id ?? 0
      const holder = { queueId: this.#queue(queue).id, workerId }
      for (const id of await findSettled(this.#store, holder, group)) found.add(id)
    }
    return found
  }

  /** Looks for what a claim took whose answer was lost, and gives it back. */
  async findLost(queue: QueueName, lost: Grip): Promise<void> {
    const holder = { queueId: this.#queue(queue).id, workerId: lost.worker }
    // A slice of two: the looks have to go on where the last one ended.
    let key
    do {
      const slice = await readHeldSlice(this.#store, holder.queueId, [lost.worker], 2, key)
      const jobs = slice.orphans
        .filter((orphan) => orphan.claimNo === String(lost.claimNo))
        .sort((left, right) => compareNumerals(left.id, right.id))
      const { keepFailedMs } = this.#queue(queue)
      const unstarted = jobs.map((job) => ({ ...job, startedAt: 0 }))
      if (jobs.length > 0)
        await giveBackOrCancel(this.#store, holder, unstarted, false, keepFailedMs)
      key = slice.next
    } while (key !== undefined)
  }

  /** Looks into a sleeping queue. Also answers whether the receiver would wake. */
  async poll(queue: QueueName): Promise<PolledQueue & { wakes: boolean }> {
    const claimer = this.#claimerOf(queue)
    const queueId = this.#queue(queue).id
    const [found] = await pollQueues(this.#store, [{ queueId, floors: claimer.pollFloors() }])
    if (found === undefined) throw new Error(`A poll finds no queue ${queue}.`)
    return { ...found, wakes: claimer.looked(found, 0) }
  }

  async disown(queue: QueueName): Promise<void> {
    await disownQueue(this.#store, this.#queue(queue).id, this.registration.id)
  }

  async stop(): Promise<void> {
    await stopWorker(this.#store, this.registration.id, this.registration.token)
  }

  get #connection() {
    const database = this.#database
    return {
      query: async <Row>(text: string, values?: readonly unknown[]) =>
        (await database.query(text, [...(values ?? [])])) as { rows: Row[] },
    }
  }

  #queue(name: QueueName): StoredQueue {
    const queue = this.#queues.get(name)
    if (queue === undefined) throw new Error(`There is no queue ${name}.`)
    return queue
  }

  #holder(queue: QueueName): { queueId: number; workerId: number } {
    return { queueId: this.#queue(queue).id, workerId: this.registration.id }
  }

  #marking(queue: QueueName): Marking {
    const rules = { queueId: this.#queue(queue).id, queueName: queue }
    const marking = this.#markings.get(queue) ?? new Marking(this.#store, this.events, rules)
    this.#markings.set(queue, marking)
    return marking
  }

  #claimerOf(queue: QueueName): Claimer {
    const claimer =
      this.#claimers.get(queue) ??
      (RULES[queue].isFifo
        ? new FifoClaimer(this.#store, () => this.#unsettled(queue))
        : new LaneClaimer(this.#store))
    this.#claimers.set(queue, claimer)
    return claimer
  }

  #take(queue: QueueName, answer: ClaimAnswer, claimNo: number, startsAtOnce: boolean): void {
    const { registration } = this
    const queueId = this.#queue(queue).id
    this.backlog(queue).add(answer, { registration, claimNo, queueId, startsAtOnce })
    for (const job of answer.jobs) this.#keep(queue, job, claimNo)
  }

  #keep(queue: QueueName, job: JobInHand['job'], claimNo: number): void {
    const { registration } = this
    const queueId = this.#queue(queue).id
    const inHand = { job, claimNo: String(claimNo), registration, queueId }
    this.#inHand.set(`${job.id} ${registration.id} ${claimNo}`, inHand)
  }
}

/** A run as the settler is given it. */
export function settlementOf(
  { job, claimNo, registration }: JobInHand,
  verdict: Verdict,
  { completed, hasStarted }: { readonly completed: boolean; readonly hasStarted: boolean },
): Settlement {
  return {
    ...{ id: job.id, claimNo, registration, attempt: job.attempt + 1, verdict, completed },
    ...{ startedAt: hasStarted ? Number(job.runAt) : 0, runMs: 1, errorAfter: undefined },
    ...{ isCancelled: false, isSettled: false, priority: job.priority },
    hadErrors: job.errorCount > 0,
    result: verdict.to === 'finished' ? verdict.result : undefined,
  }
}

/** Of one kind and one registration, in the order of ids. */
function groupsOf(settlements: readonly Settlement[]): Settlement[][] {
  const groups = new Map<string, Settlement[]>()
  for (const run of settlements) {
    const key = `${run.registration.id} ${kindOf(run.verdict, run.hadErrors)}`
    groups.set(key, [...(groups.get(key) ?? []), run])
  }
  return [...groups.values()].map((group) =>
    group.sort((left, right) => compareNumerals(left.id, right.id)),
  )
}

async function orLost<T>(work: () => Promise<T>): Promise<T | undefined> {
  try {
    return await work()
  } catch (error) {
    if (error instanceof AnswerLost) return undefined
    throw error
  }
}
