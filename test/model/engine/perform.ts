import { Pool } from 'pg'
import { setTimeout as sleep } from 'node:timers/promises'
import type { EnqueueItem } from '../../../src/core/enqueue-options.ts'
import { MillraceError } from '../../../src/core/errors.ts'
import type { QueueOptions } from '../../../src/core/queue-options.ts'
import { JobQueue } from '../../../src/job-queue.ts'
import { migrateUp } from '../../../src/migrations/migrate.ts'
import { Actor, type Play } from './actor.ts'
import { Audit } from './audit.ts'
import { checkInvariants } from './invariants.ts'
import {
  ACTORS,
  type Behaviour,
  type Delivery,
  type Fault,
  type JobPlan,
  type QueueKind,
  type Scenario,
  type Steering,
} from './scenario.ts'
import { Witness, type Args } from './witness.ts'

/** However much failed, everything has ended after this; a machine may be slow. */
const QUIET_WITHIN_MS = 90_000
/** A statement whose answer was given up is over on the server by then, one way or the other. */
const UNKNOWN_FOR_MS = 1_000
const TIMEOUT_MS = 300
const OPEN_FOR_MS = 250

const SILENT = { debug() {}, info() {}, warn() {}, error() {} }

type Client = ReadonlyMap<QueueKind, JobQueue<Args>>

/** One schema, in which one scenario at a time is performed. */
export class Theatre {
  readonly #databaseUrl: string
  readonly #schema: string
  readonly #pool: Pool
  readonly #audit: Audit

  constructor(databaseUrl: string, schema: string) {
    this.#databaseUrl = databaseUrl
    this.#schema = schema
    this.#pool = new Pool({
      connectionString: databaseUrl,
      application_name: 'client',
      options: '-c synchronous_commit=off -c client_min_messages=warning',
      max: 6,
    })
    this.#audit = new Audit(this.#pool, schema)
  }

  async open(): Promise<void> {
    await migrateUp(this.#pool, { schema: this.#schema })
    await this.#audit.install()
  }

  async close(): Promise<void> {
    await this.#audit.drop()
    await this.#pool.end()
  }

  /** Performs a scenario with real receivers, waits until all is quiet, and checks what must hold. */
  async perform(scenario: Scenario): Promise<void> {
    await this.#audit.empty()
    const witness = new Witness()
    const deliveries = scenario.deliveries.map(plansOf)
    const plans = deliveries.flat()
    const play = this.#play(scenario, plans, witness)
    const client = this.#client(play)
    const actors = Array.from({ length: ACTORS }, (_, index) => new Actor(index, play))
    try {
      let tag = 0
      const acts: Promise<unknown>[] = []
      for (const [place, delivery] of scenario.deliveries.entries()) {
        const items = (deliveries[place] ?? []).map((job) => itemOf(job, tag++, delivery.queue))
        acts.push(this.#deliver(delivery, items, client, actors, witness))
      }
      for (const fault of scenario.faults) acts.push(inflict(fault, actors))
      for (const steering of scenario.steering) acts.push(this.#steer(steering, client, witness))
      await Promise.all(acts)
      await this.#untilQuiet(witness)
    } finally {
      await Promise.all(actors.map((actor) => actor.leave()))
    }
    checkInvariants({
      witness,
      changes: await this.#audit.changes(),
      stored: await this.#audit.stored(),
      workers: await this.#audit.workers(),
    })
  }

  #play(scenario: Scenario, plans: readonly JobPlan[], witness: Witness): Play {
    const optionsOf = (kind: QueueKind): QueueOptions => ({
      queueName: kind,
      schema: this.#schema,
      fifo: kind === 'line',
      dlq: scenario.hasDlq ? `dead ${kind}` : undefined,
      baseRetryDelay: scenario.baseRetryDelayMs,
      pollInterval: 30,
      logger: SILENT,
    })
    const behaviourOf = (tag: number): Behaviour => {
      const ran = witness.runs.filter((run) => run.tag === tag).length
      return plans[tag]?.runs[ran] ?? { kind: 'return', ms: 0 }
    }
    const { concurrency } = scenario
    return { databaseUrl: this.#databaseUrl, witness, concurrency, optionsOf, behaviourOf }
  }

  /** The queues as a healthy process sees them that only enqueues. */
  #client(play: Play): Client {
    const kinds = ['lanes', 'line'] as const
    return new Map(
      kinds.map((kind) => [kind, new JobQueue<Args>(this.#pool, play.optionsOf(kind))]),
    )
  }

  async #steer({ at, kind, pick }: Steering, client: Client, witness: Witness): Promise<void> {
    await sleep(at)
    const run = witness.runs[pick % witness.runs.length]
    if (kind === 'redrive') {
      const options = { schema: this.#schema, queueName: 'dead lanes', logger: SILENT }
      await new JobQueue(this.#pool, options).redrive()
    } else if (run !== undefined) {
      await client.get(run.queue)?.[kind](run.jobId)
    }
  }

  async #deliver(
    { at, queue, by }: Delivery,
    items: readonly EnqueueItem<Args>[],
    client: Client,
    actors: readonly Actor[],
    witness: Witness,
  ): Promise<void> {
    const tags = items.map(({ args }) => args.tag)
    await sleep(at)
    for (const tag of tags) witness.uncertain.add(tag)
    try {
      if (by === 'actor') {
        await enqueueBy(actors[at % actors.length], queue, items)
      } else if (by === 'client') {
        await client.get(queue)?.enqueueMany(items)
      } else {
        await this.#inTransaction(client.get(queue), items, by === 'late commit')
      }
    } catch (error) {
      if (error instanceof MillraceError && error.code === 'OUTCOME_UNKNOWN') return
      if (error instanceof GaveUp) return
      for (const tag of tags) {
        witness.uncertain.delete(tag)
        witness.rolledBack.add(tag)
      }
      return
    }
    for (const tag of tags) {
      witness.uncertain.delete(tag)
      if (by === 'roll back') witness.rolledBack.add(tag)
      else witness.stored.set(tag, Date.now())
    }
  }

  async #inTransaction(
    queue: JobQueue<Args> | undefined,
    items: readonly EnqueueItem<Args>[],
    commits: boolean,
  ): Promise<void> {
    const connection = await this.#pool.connect()
    try {
      await connection.query('begin')
      await queue?.enqueueMany(items, { tx: connection })
      await sleep(OPEN_FOR_MS)
      await connection.query(commits ? 'commit' : 'rollback')
    } finally {
      connection.release()
    }
  }

  /** Waits until no job waits or runs; where an enqueue may still be stored of which nobody heard, twice in a row. */
  async #untilQuiet({ uncertain }: Witness): Promise<void> {
    const deadline = performance.now() + QUIET_WITHIN_MS
    let isSure = uncertain.size === 0
    while (performance.now() < deadline) {
      const stored = await this.#audit.stored()
      const isLive = ({ queue, status }: { queue: string; status: string }): boolean =>
        !queue.startsWith('dead') && (status === 'available' || status === 'running')
      const isQuiet = !stored.some(isLive)
      if (isQuiet && isSure) return
      isSure = isQuiet || uncertain.size === 0
      await sleep(isQuiet ? UNKNOWN_FOR_MS : 50)
    }
    // The invariants say which jobs are left.
  }
}

/** A process that is paused or slow enqueues late, but does; a dead one never hears what became of it. */
async function enqueueBy(
  actor: Actor | undefined,
  queue: QueueKind,
  items: readonly EnqueueItem<Args>[],
): Promise<void> {
  if (actor === undefined) return
  const { database } = actor
  const over = new AbortController()
  const end = (): void => over.abort()
  const stored = actor.queue(queue).enqueueMany(items)
  stored.then(end, end)
  while (!over.signal.aborted && !database.isDead) await sleep(20)
  await Promise.race([stored, sleep(3_000, undefined, { ref: false }).then(giveUp)])
}

async function inflict(fault: Fault, actors: readonly Actor[]): Promise<void> {
  await sleep(fault.at)
  const actor = actors[fault.actor]
  if (actor === undefined || actor.database.isDead) return
  switch (fault.kind) {
    case 'kill':
      return actor.kill()
    case 'stop':
      return actor.stopAndReturn()
    case 'pause':
      return actor.database.pause(fault.ms)
    case 'away':
      return actor.database.goAway(fault.ms)
    case 'lose':
      return actor.database.loseAnswers(fault.aim, fault.count)
  }
}

function plansOf({ jobs, bulk }: Delivery): JobPlan[] {
  const plain: JobPlan = { runs: [], maxRetries: 0, delayMs: 0, priority: 5 }
  return [...jobs, ...Array.from({ length: bulk }, () => plain)]
}

function itemOf(job: JobPlan, tag: number, queue: QueueKind): EnqueueItem<Args> {
  const { maxRetries, delayMs, priority } = job
  const needsTimeout = job.runs.some(({ kind }) => kind === 'hang')
  return {
    args: { tag },
    maxRetries,
    retryPolicy: 'constant' as const,
    ...(queue === 'lanes' ? { priority, delay: delayMs } : {}),
    ...(needsTimeout ? { timeout: TIMEOUT_MS } : {}),
  }
}

class GaveUp extends Error {}

function giveUp(): never {
  throw new GaveUp()
}
