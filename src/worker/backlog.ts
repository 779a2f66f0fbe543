import type { ClaimAnswer } from '../store/claim-answer.ts'
import type { Mark } from '../store/marks.ts'
import type { JobInHand } from './run.ts'
import type { Registration } from './registration.ts'

/** A job that was claimed and has not started. */
interface Waiting extends JobInHand {
  readonly claimedAt: number
}

/**
 * Jobs that are claimed and wait for a free slot, in the order in which they start. Those of a
 * claim that is larger than what starts at once may start only when a mark says so: after a crash
 * the mark tells the jobs that were running from those that only waited.
 */
export class Backlog {
  #waiting: Waiting[] = []
  /** So many at the front may start; the others need a mark first. */
  #startable = 0

  get size(): number {
    return this.#waiting.length
  }

  /** The numbers of the claims that they are of. */
  get claimNos(): Set<string> {
    return new Set(this.#waiting.map((waiting) => waiting.claimNo))
  }

  /** How many may start now. */
  get startable(): number {
    return this.#startable
  }

  /** How long the job at the front has been waiting, in milliseconds. */
  waitedMs(now: number): number {
    const [first] = this.#waiting
    return first === undefined ? 0 : now - first.claimedAt
  }

  add(
    answer: ClaimAnswer,
    claim: { registration: Registration; claimNo: number; queueId: number; startsAtOnce: boolean },
  ): void {
    const claimedAt = performance.now()
    const { registration, queueId } = claim
    const claimNo = String(claim.claimNo)
    const isFirst = this.#startable === this.#waiting.length
    for (const job of answer.jobs) {
      this.#waiting.push({ job, claimNo, registration, queueId, claimedAt })
    }
    if (claim.startsAtOnce && isFirst) this.#startable = this.#waiting.length
  }

  /** The next job to start, taken out; undefined when none may start. */
  take(): JobInHand | undefined {
    if (this.#startable === 0) return undefined
    this.#startable -= 1
    return this.#waiting.shift()
  }

  /** Takes those out that have one of these ids. */
  takeSome(ids: ReadonlySet<string>): JobInHand[] {
    const isTaken = ({ job }: Waiting): boolean => ids.has(job.id)
    const taken = this.#waiting.filter(isTaken)
    if (taken.length === 0) return taken
    this.#startable -= this.#waiting.slice(0, this.#startable).filter(isTaken).length
    this.#waiting = this.#waiting.filter((waiting) => !isTaken(waiting))
    return taken
  }

  /** What is claimed and waits. */
  get jobs(): readonly JobInHand[] {
    return this.#waiting
  }

  /** Takes everything out. */
  takeAll(): JobInHand[] {
    const all = this.#waiting
    this.#waiting = []
    this.#startable = 0
    return all
  }

  /**
   * Lets about `count` more jobs start, once `raise` has written the mark that says so. One call
   * at a time. Answers whether jobs became startable.
   */
  async allowMore(count: number, raise: (mark: Mark) => Promise<void>): Promise<boolean> {
    const next = this.#waiting[this.#startable]
    if (next === undefined) return false
    const from = this.#startable
    let upTo = from
    while (
      upTo < this.#waiting.length &&
      upTo - from < count &&
      this.#waiting[upTo]?.claimNo === next.claimNo
    )
      upTo += 1
    const last = this.#waiting[upTo - 1]
    if (last === undefined) return false
    await raise(markOf(last))
    const position = this.#waiting.indexOf(last)
    if (position < 0) return false // all was taken out meanwhile
    this.#startable = position + 1
    return true
  }
}

function markOf({ job, claimNo, registration, queueId }: JobInHand): Mark {
  const { priority, runAt, id } = job
  return { workerId: registration.id, queueId, claimNo, priority, runAt, id }
}

/** How large the arguments of claimed jobs are on average, as far as the claim carried them. */
export function meanBytes(jobs: readonly { readonly args: string | null }[]): number {
  if (jobs.length === 0) return 0
  return jobs.reduce((sum, job) => sum + (job.args?.length ?? 0), 0) / jobs.length
}
