import type { EnqueueItem } from '../../core/enqueue-options.ts'
import { MillraceError, type MillraceErrorCode } from '../../core/errors.ts'
import { sqlState } from '../../store/store.ts'
import type { JobLine, RefusedLine } from './job-lines.ts'

/** One statement of `enqueueMany` holds so much. */
const MAX_JOBS = 2_000
const MAX_BYTES = 4 * 1024 * 1024

/** The checks that `enqueueMany` makes before it writes anything. */
const OF_THE_JOB: ReadonlySet<MillraceErrorCode> = new Set([
  'INVALID_ARGS',
  'ARGS_TOO_LARGE',
  'INVALID_OPTION',
])
/** SQLSTATE classes that say a value cannot be stored: data, constraint, limit. */
const OF_THE_DATA = new Set(['22', '23', '54'])

/** What the sender needs to know and to tell. */
export interface Sending {
  /** Stores jobs, all or none. */
  send(items: readonly EnqueueItem[]): Promise<unknown>
  /** Why a job cannot be stored; undefined when it can. */
  whyNot(item: EnqueueItem): string | undefined
  /** False where a statement that fails takes its transaction with it. */
  readonly canTryAgain: boolean
  /** Called in the order of the lines. A promise holds up what follows. */
  refused(line: RefusedLine): Promise<void> | void
  /** A batch is done with. */
  sent(): void
  /** It ended early, and nothing more is taken. */
  failed(error: unknown): void
}

/** The first and the last of some lines. */
export interface Span {
  readonly from: number
  readonly to: number
  /** How many of them are jobs. */
  readonly jobs: number
}

/**
 * Sends jobs in batches, one after the other, so that it can always be said which lines are in. What comes
 * while a batch is under way belongs to the next one, up to a bound: then whoever adds waits.
 */
export class LineSender {
  /** Jobs that are stored. */
  jobs = 0
  refusals = 0
  /** Every line before this one is done with. */
  nextLine: number
  /** Sent, and the answer was lost. */
  unknown: Span | undefined
  #failure: { readonly error: unknown } | undefined
  readonly #sending: Sending
  #next: (JobLine | RefusedLine)[] = []
  #nextJobs = 0
  #nextBytes = 0
  #underWay: Promise<void> | undefined

  constructor(sending: Sending, fromLine: number) {
    this.#sending = sending
    this.nextLine = fromLine
  }

  /** What ended it early. */
  get failure(): { readonly error: unknown } | undefined {
    return this.#failure
  }

  /** Takes a line; resolves when there is room for another one. */
  async add(line: JobLine | RefusedLine): Promise<void> {
    this.#next.push(line)
    this.#nextBytes += 'bytes' in line ? line.bytes : line.text.length
    this.#nextJobs += 1
    while (this.#isFull && this.#failure === undefined) await this.flush()
  }

  /** Sends what there is, unless a batch is under way: that one's end sends it. */
  kick(): void {
    if (this.#next.length === 0 || this.#underWay !== undefined) return
    this.#underWay = this.#sendNext().finally(() => {
      this.#underWay = undefined
      if (this.#failure === undefined) this.kick()
    })
  }

  /** Resolves when the batch under way is done with; there may be another one by then. */
  async flush(): Promise<void> {
    this.kick()
    await this.#underWay
  }

  /** Sends everything that was added. */
  async finish(): Promise<void> {
    while (this.#failure === undefined && this.#hasWork) await this.flush()
  }

  /** Waits for the batch under way, and forgets what is behind it. */
  async stop(): Promise<void> {
    this.#takeNext()
    await this.#underWay
  }

  get #hasWork(): boolean {
    return this.#next.length > 0 || this.#underWay !== undefined
  }

  get #isFull(): boolean {
    return this.#nextJobs >= MAX_JOBS || this.#nextBytes >= MAX_BYTES
  }

  #takeNext(): (JobLine | RefusedLine)[] {
    const lines = this.#next
    this.#next = []
    this.#nextJobs = 0
    this.#nextBytes = 0
    return lines
  }

  async #sendNext(): Promise<void> {
    const lines = this.#takeNext()
    const good = lines.filter((line): line is JobLine => 'item' in line)
    const refused = lines.filter((line): line is RefusedLine => 'reason' in line)
    try {
      await this.#send(good, refused)
      this.nextLine = (lines.at(-1)?.number ?? 0) + 1
      await this.#report(refused)
      this.#sending.sent()
    } catch (error) {
      this.#failure = { error }
      await this.#report(refused).catch(() => {}) // what stopped it matters more
      this.#sending.failed(error)
    }
  }

  async #report(refused: readonly RefusedLine[]): Promise<void> {
    for (const line of refused.toSorted((left, right) => left.number - right.number)) {
      this.refusals += 1
      await this.#sending.refused(line)
    }
  }

  /** Stores what can be stored, and puts what cannot to the refused. Throws what is nobody's line's fault. */
  async #send(lines: readonly JobLine[], refused: RefusedLine[]): Promise<void> {
    if (lines.length === 0) return
    try {
      await this.#sending.send(lines.map((line) => line.item))
      this.jobs += lines.length
    } catch (error) {
      if (isOfTheJob(error)) return this.#sendChecked(lines, refused, error)
      if (isOfTheData(error) && this.#sending.canTryAgain) {
        return this.#sendInHalves(lines, refused, error)
      }
      this.#rememberLost(lines, error)
      throw error
    }
  }

  /** `enqueueMany` refused the batch before it wrote anything: so each is looked at alone. */
  async #sendChecked(
    lines: readonly JobLine[],
    refused: RefusedLine[],
    error: unknown,
  ): Promise<void> {
    const good: JobLine[] = []
    for (const line of lines) {
      const reason = this.#sending.whyNot(line.item)
      if (reason === undefined) good.push(line)
      else refused.push({ number: line.number, text: line.text, reason })
    }
    if (good.length === lines.length) throw error
    return this.#send(good, refused)
  }

  /** The database refused a batch because of a value in it: halves, until it stands alone. */
  async #sendInHalves(
    lines: readonly JobLine[],
    refused: RefusedLine[],
    error: unknown,
  ): Promise<void> {
    const [line] = lines
    if (lines.length === 1 && line !== undefined) {
      const why = error instanceof Error ? error.message : String(error)
      refused.push({
        number: line.number,
        text: line.text,
        reason: `The database refuses it: ${why}.`,
      })
      return
    }
    const middle = Math.ceil(lines.length / 2)
    await this.#send(lines.slice(0, middle), refused)
    await this.#send(lines.slice(middle), refused)
  }

  #rememberLost(lines: readonly JobLine[], error: unknown): void {
    const [from, to] = [lines[0]?.number ?? 0, lines.at(-1)?.number ?? 0]
    const isUnknown = error instanceof MillraceError && error.code === 'OUTCOME_UNKNOWN'
    this.nextLine = from
    if (isUnknown) this.unknown = { from, to, jobs: lines.length }
  }
}

function isOfTheJob(error: unknown): boolean {
  return error instanceof MillraceError && OF_THE_JOB.has(error.code)
}

function isOfTheData(error: unknown): boolean {
  return OF_THE_DATA.has(sqlState(error)?.slice(0, 2) ?? '')
}
