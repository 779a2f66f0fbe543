import { MillraceError } from '../core/errors.ts'
import type { RunOptions } from '../drivers/driver.ts'
import { insertJobs, type InsertedJob, type NewJob } from '../store/insert.ts'
import { sqlState, type Store } from '../store/store.ts'
import type { WakeMode } from '../store/wake.ts'

/** Inserts that may be under way at once; more would only make the groups smaller. */
const CONNECTIONS = 2
const MAX_GROUP = 1_000
const MAX_GROUP_BYTES = 4 * 1024 * 1024
/** SQLSTATE classes that say a value cannot be stored: data, constraint, limit. */
const DATA_ERRORS = new Set(['22', '23', '54'])

/** What a group commit needs to know beside its jobs. */
export interface GroupRules {
  readonly options: RunOptions
  /** Who is to be woken for so many jobs. */
  readonly wakeFor: (count: number) => WakeMode
  /** Called once for each group, before its callers hear of their jobs. */
  readonly committed: (
    jobs: readonly NewJob[],
    inserted: readonly InsertedJob[],
    wake: WakeMode,
  ) => void
}

interface Waiting {
  readonly job: NewJob
  readonly bytes: number
  readonly signal: AbortSignal | undefined
  readonly resolve: (inserted: InsertedJob) => void
  readonly reject: (error: unknown) => void
}

/**
 * The group commit of one queue: jobs that are enqueued while an insert is under way share the
 * next one. Each promise resolves when its own row has committed. A job that the database refuses
 * never takes its neighbours down: the group is split in halves until it stands alone. What was
 * sent is never sent twice: when the answer is lost, its callers are told so.
 */
export class GroupCommit {
  readonly #store: Store
  readonly #queueId: number
  readonly #rules: GroupRules
  #waiting: Waiting[] = []
  #underWay = 0
  #isScheduled = false

  constructor(store: Store, queueId: number, rules: GroupRules) {
    this.#store = store
    this.#queueId = queueId
    this.#rules = rules
  }

  /** Resolves when the job is committed. */
  insert(job: NewJob, signal: AbortSignal | undefined): Promise<InsertedJob> {
    const bytes = Buffer.byteLength(job.argsJson) + Buffer.byteLength(job.metadataJson)
    return new Promise((resolve, reject) => {
      this.#waiting.push({ job, bytes, signal, resolve, reject })
      this.#schedule()
    })
  }

  /**
   * What this turn of the event loop enqueues belongs into one group. A job that comes alone goes at once; beside
   * another group it waits for the end of the turn, as those whose jobs were just committed are about to enqueue again.
   */
  #schedule(): void {
    if (this.#isScheduled || this.#underWay >= CONNECTIONS) return
    this.#isScheduled = true
    if (this.#underWay === 0 && this.#waiting.length === 1) queueMicrotask(this.#start)
    else setImmediate(this.#start)
  }

  readonly #start = (): void => {
    this.#isScheduled = false
    const group = this.#takeGroup()
    if (group.length > 0) void this.#commit(group)
    if (this.#waiting.length > 0) this.#schedule() // what did not fit goes over the other connection
  }

  async #commit(group: readonly Waiting[]): Promise<void> {
    this.#underWay += 1
    await this.#insert(group)
    this.#underWay -= 1
    if (this.#waiting.length > 0) this.#schedule()
  }

  async #insert(group: readonly Waiting[]): Promise<void> {
    try {
      const jobs = group.map((waiting) => waiting.job)
      const { options, wakeFor, committed } = this.#rules
      const wake = wakeFor(jobs.length)
      const rows = await insertJobs(this.#store, this.#queueId, jobs, { wake, options })
      committed(jobs, rows, wake)
      for (const [index, inserted] of rows.entries()) group[index]?.resolve(inserted)
    } catch (error) {
      if (group.length > 1 && isDataError(error)) {
        const middle = Math.ceil(group.length / 2)
        await this.#insert(group.slice(0, middle))
        await this.#insert(group.slice(middle))
        return
      }
      const reason = describeOutcome(this.#store, error)
      for (const waiting of group) waiting.reject(reason)
    }
  }

  #takeGroup(): Waiting[] {
    const group: Waiting[] = []
    let bytes = 0
    let taken = 0
    for (const waiting of this.#waiting) {
      const isFull = group.length === MAX_GROUP || bytes + waiting.bytes > MAX_GROUP_BYTES
      if (group.length > 0 && isFull) break
      taken += 1
      if (waiting.signal?.aborted) {
        waiting.reject(waiting.signal.reason)
        continue
      }
      bytes += waiting.bytes
      group.push(waiting)
    }
    this.#waiting = this.#waiting.slice(taken)
    return group
  }
}

/** What a caller is told of a failed insert: `OUTCOME_UNKNOWN` when it may have been carried out, else the driver's own error. */
export function describeOutcome(store: Store, error: unknown): unknown {
  if (error instanceof MillraceError || !store.driver.outcomeIsUnknown(error)) return error
  return new MillraceError(
    'OUTCOME_UNKNOWN',
    {},
    {
      message:
        'The connection was lost before the answer to an enqueue came: the job may or may not exist. ' +
        'Enqueue it again if it may run twice.',
      cause: error,
    },
  )
}

function isDataError(error: unknown): boolean {
  return DATA_ERRORS.has(sqlState(error)?.slice(0, 2) ?? '')
}
