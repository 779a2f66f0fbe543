import { randomUUID } from 'node:crypto'
import { bucketOf, BUCKETS, sparse, type Buckets } from './histogram.ts'

/** What is counted, in the order in which it is stored. */
export const COUNTS = [
  'enqueued',
  'started',
  'finished',
  'retried',
  'failed',
  'deadLettered',
  'snoozed',
  'interrupted',
  'crashed',
  'cancelled',
] as const

/** The name of a count. */
export type CountName = (typeof COUNTS)[number]

/** How a run can end. The first four tell how long it ran; of a run that is taken back that says little. */
export type RunEnd = 'finished' | 'retried' | 'failed' | 'deadLettered' | 'snoozed' | 'interrupted'

/** Times on their way into the database: exact to the microsecond in sum, by bucket otherwise. */
interface Times {
  sumUs: number
  readonly counts: Float64Array
}

/** What one process counted of one queue in one minute, so far. */
interface Minute {
  /** Names this tally among all that the process ever made: a row of the database belongs to one of them. */
  readonly part: number
  readonly counts: Record<CountName, number>
  readonly waits: Times
  readonly runs: Times
  isChanged: boolean
}

/** A tally as it is written down. It says all that was counted so far, so that writing it twice changes nothing. */
export interface TallyRow {
  readonly queueName: string
  /** The start of the minute, in microseconds since 1970 by the database's clock. */
  readonly at: number
  readonly writer: string
  readonly part: number
  readonly counts: Readonly<Record<CountName, number>>
  readonly waitUs: number
  readonly runUs: number
  readonly waits: Buckets
  readonly runs: Buckets
}

const MINUTE_US = 60_000_000
/** What could not be written for so long is refused by the database, and need not be kept. */
const KEPT_MINUTES = 5

/**
 * What this process counts of its queues, minute by minute of the database's clock. To count is to add to a few numbers:
 * nothing is made for a single job, and nothing is asked of the database.
 */
export class Tallies {
  /** This process among all that write; another one after each start. */
  readonly writer = randomUUID()
  readonly #queues = new Map<string, QueueTally>()
  readonly #owner: Owner

  /** `onChange` is called when something was counted, and not again before the next `take`. */
  constructor(onChange: () => void) {
    this.#owner = new Owner(onChange)
  }

  /** Where a queue is counted. Stays the same for ever: ask once. */
  of(queueName: string): QueueTally {
    let tally = this.#queues.get(queueName)
    if (tally === undefined) {
      tally = new QueueTally(this.#owner)
      this.#queues.set(queueName, tally)
    }
    return tally
  }

  /** All that changed since it was last taken. */
  take(): TallyRow[] {
    this.#owner.isChanged = false
    const rows: TallyRow[] = []
    for (const [queueName, tally] of this.#queues) rows.push(...tally.take(queueName, this.writer))
    return rows
  }

  /** What was taken has been written down: minutes that are over need not be kept. */
  written(): void {
    for (const tally of this.#queues.values()) tally.forget()
  }

  /** What was taken may not have been written down. */
  putBack(rows: readonly TallyRow[]): void {
    for (const { queueName, at } of rows) this.of(queueName).putBack(at)
  }
}

/** What the tallies of all queues share. */
class Owner {
  isChanged = false
  readonly #onChange: () => void
  #parts = 0
  /** The database's clock in microseconds beside this process's, when a minute was last begun. */
  #clock = { database: Date.now() * 1_000, process: performance.now() }

  constructor(onChange: () => void) {
    this.#onChange = onChange
  }

  changed(): void {
    this.isChanged = true
    this.#onChange()
  }

  nextPart(at: number): number {
    this.#clock = { database: at, process: performance.now() }
    this.#parts += 1
    return this.#parts
  }

  now(): number {
    return this.#clock.database + (performance.now() - this.#clock.process) * 1_000
  }
}

/** What this process counts of one queue. */
export class QueueTally {
  readonly #owner: Owner
  readonly #minutes = new Map<number, Minute>()
  #current: Minute | undefined
  /** When the current minute begins, in microseconds of the database's clock. */
  #from = 0

  constructor(owner: Owner) {
    this.#owner = owner
  }

  /** Jobs were stored at `at` (microseconds of the database's clock). */
  enqueued(at: number, count: number): void {
    this.#minuteAt(at).counts.enqueued += count
  }

  /** A run started at `at`, of a job that was due at `dueAt`. */
  started(at: number, dueAt: number): void {
    const minute = this.#minuteAt(at)
    minute.counts.started += 1
    add(minute.waits, (at - dueAt) / 1_000)
  }

  /** A run ended at `at`, `ms` after it started, and that is written down. */
  ended(at: number, end: RunEnd, ms: number): void {
    const minute = this.#minuteAt(at)
    minute.counts[end] += 1
    if (end !== 'snoozed' && end !== 'interrupted') add(minute.runs, ms)
  }

  /** Something of which the database did not say when it was: now. */
  count(what: 'crashed' | 'cancelled', count: number): void {
    if (count > 0) this.#minuteAt(this.#owner.now()).counts[what] += count
  }

  take(queueName: string, writer: string): TallyRow[] {
    const rows: TallyRow[] = []
    for (const [at, minute] of this.#minutes) {
      if (!minute.isChanged) continue
      minute.isChanged = false
      const { part, counts, waits, runs } = minute
      rows.push({
        ...{ queueName, at, writer, part, counts: { ...counts } },
        ...{ waitUs: waits.sumUs, waits: sparse(waits.counts) },
        ...{ runUs: runs.sumUs, runs: sparse(runs.counts) },
      })
    }
    return rows
  }

  forget(): void {
    for (const [at, minute] of this.#minutes) {
      if (minute !== this.#current && !minute.isChanged) this.#minutes.delete(at)
    }
  }

  putBack(at: number): void {
    const minute = this.#minutes.get(at)
    if (minute === undefined) return
    minute.isChanged = true
    if (!this.#owner.isChanged) this.#owner.changed()
  }

  #minuteAt(at: number): Minute {
    const isCurrent = at >= this.#from && at < this.#from + MINUTE_US
    const minute = isCurrent ? (this.#current ?? this.#turnTo(at)) : this.#turnTo(at)
    minute.isChanged = true
    if (!this.#owner.isChanged) this.#owner.changed()
    return minute
  }

  /** A minute that was written down and forgotten is begun anew, as another part: nothing is counted twice. */
  #turnTo(at: number): Minute {
    this.#from = Math.floor(at / MINUTE_US) * MINUTE_US
    let minute = this.#minutes.get(this.#from)
    if (minute === undefined) {
      minute = newMinute(this.#owner.nextPart(at))
      this.#minutes.set(this.#from, minute)
      const [oldest] = this.#minutes.keys()
      if (this.#minutes.size > KEPT_MINUTES && oldest !== undefined) this.#minutes.delete(oldest)
    }
    this.#current = minute
    return minute
  }
}

function newMinute(part: number): Minute {
  return {
    part,
    counts: {
      ...{ enqueued: 0, started: 0, finished: 0, retried: 0, failed: 0, deadLettered: 0 },
      ...{ snoozed: 0, interrupted: 0, crashed: 0, cancelled: 0 },
    },
    waits: { sumUs: 0, counts: new Float64Array(BUCKETS) },
    runs: { sumUs: 0, counts: new Float64Array(BUCKETS) },
    isChanged: false,
  }
}

/** Of two clocks that were compared a while ago a time may come out below 0; then it was none. */
function add(times: Times, ms: number): void {
  const bucket = bucketOf(ms)
  times.counts[bucket] = (times.counts[bucket] ?? 0) + 1
  if (ms > 0) times.sumUs += Math.round(ms * 1_000)
}
