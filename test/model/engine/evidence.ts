import type { Change, Stored, WorkerRow } from './audit.ts'
import type { Run, Witness } from './witness.ts'

/** All that is known of a scenario after it has ended. */
export interface Evidence {
  readonly witness: Witness
  readonly changes: readonly Change[]
  readonly stored: readonly Stored[]
  readonly workers: readonly WorkerRow[]
}

/** From a claim of a job until it left that worker's hands. */
export interface Tenure {
  readonly id: string
  readonly queue: string
  readonly worker: number
  readonly life: string
  readonly claimNo: number
  readonly from: number
  readonly isSuspect: boolean
  until: number
}

/** Reads the tenures off the changes. A FIFO job that its worker claims again begins a new one. */
export function tenuresOf({ changes, witness }: Evidence): Tenure[] {
  const tenures: Tenure[] = []
  const open = new Map<string, Tenure>()
  for (const change of changes) {
    const key = `${change.queue} ${change.id}`
    const current = open.get(key)
    if (current !== undefined) current.until = change.at
    open.delete(key)
    const { id, queue, holder, claimNo, at, isSuspect } = change
    // The update by which a suspect starts changes neither holder nor claim.
    if (change.op === 'DELETE' || holder === null || holder === 0) continue
    if (current?.worker === holder && current.claimNo === claimNo) {
      current.until = Infinity
      open.set(key, current)
      continue
    }
    const life = witness.lives.get(holder) ?? ''
    const tenure = { id, queue, worker: holder, life, claimNo: claimNo ?? 0, from: at, isSuspect }
    tenures.push({ ...tenure, until: Infinity })
    const pushed = tenures.at(-1)
    if (pushed !== undefined) open.set(key, pushed)
  }
  return tenures
}

/** The tenure under which a handler ran: its life's last claim of that job before it. */
export function tenureOf(run: Run, tenures: readonly Tenure[]): Tenure | undefined {
  return tenures.findLast(
    ({ id, life, from }) => id === run.jobId && life === run.life && from <= run.start + CLOCK_MS,
  )
}

/** The handler's clock and the database's are the same, read with different precision. */
export const CLOCK_MS = 2

/** How long a dead worker's handlers may still be seen running: it does not know that it is dead. */
export function diedAt(worker: number, { workers }: Evidence): number {
  return workers.find(({ id }) => id === worker)?.diedAt ?? Infinity
}
