import { isPromise } from 'node:util/types'
import type { JobRecord } from './core/job.ts'
import { parseJobId } from './core/job-id.ts'
import { encodeArgs } from './core/json.ts'
import { checkArray, invalidOption, readOptions } from './core/validate.ts'
import type { DBTX } from './drivers/driver.ts'
import type { Engine } from './engine.ts'
import { toJobRecord } from './job-record.ts'
import { redrive } from './store/dead-letters.ts'
import { compareNumerals } from './store/numerals.ts'
import { redriveNamed, type Rewrite } from './store/redrive.ts'

/** At most so many dead letters go back in one transaction. */
const BATCH = 500

/** How `redriveMany` sends dead letters back. */
export interface RedriveManyOptions<Args = unknown> {
  /**
   * The arguments with which a job goes back, checked as those of `enqueue`. It is called while the job is held in a
   * transaction, and again if that has to be repeated: so it returns at once, no promise, and does nothing else. When
   * it throws, the call rejects with that, and the jobs of this batch stay as they were. @default none: as they are
   */
  edit?(job: JobRecord<Args>): Args
}

/** Checks the options of `redriveMany`. Throws `INVALID_OPTION`. */
export function resolveRedriveMany(
  options: unknown,
  rules: { readonly maxArgsBytes: number },
): Rewrite | undefined {
  const { edit } = readOptions(options, { of: 'redriveMany', known: ['edit'] })
  return resolveEdit(edit, rules)
}

/** Checks the option `edit`, and makes of it what works on what is stored. Throws `INVALID_OPTION`. */
export function resolveEdit(
  edit: unknown,
  { maxArgsBytes }: { readonly maxArgsBytes: number },
): Rewrite | undefined {
  if (edit === undefined) return undefined
  const remedy = 'it takes a function that is given a job and returns its new arguments'
  if (typeof edit !== 'function') throw invalidOption('edit', edit, remedy)
  return (row) => {
    const args: unknown = Reflect.apply(edit, undefined, [toJobRecord(row)])
    if (isPromise(args)) {
      args.catch(() => {}) // nobody waits for it
      throw invalidOption('edit', args, `${remedy} at once; await what it needs before`)
    }
    return encodeArgs(args, { maxBytes: maxArgsBytes, path: `jobs["${row.id}"].args` })
  }
}

/** Checks the ids that a call for many is given. Throws `INVALID_OPTION`, `INVALID_JOB_ID`. */
export function checkIds(ids: unknown): string[] {
  const checked = checkArray('ids', ids, 'it takes an array of job ids', parseJobId)
  return [...new Set(checked)]
}

/** Sends at most `limit` waiting dead letters back, the oldest first. Answers how many went. */
export async function redriveOldest(engine: Engine, dlqId: number, limit: number): Promise<number> {
  let count = 0
  // Once through the queue: what fails again meanwhile and comes back has a lower id.
  let lastId: string | undefined = '0'
  while (count < limit && lastId !== undefined) {
    const moved = await redrive(engine.store, dlqId, Math.min(BATCH, limit - count), lastId)
    for (const queueId of moved.queueIds) engine.wake(queueId)
    count += moved.count
    lastId = moved.lastId
  }
  return count
}

/** Sends those of these jobs back that wait in the dead-letter queue and came from elsewhere. Answers which. */
export async function redriveMany(
  engine: Engine,
  dlqId: number,
  ids: readonly string[],
  rewrite: Rewrite | undefined,
  tx?: DBTX,
): Promise<string[]> {
  const gone: string[] = []
  let left = ids.toSorted(compareNumerals)
  while (left.length > 0) {
    const batch = left.slice(0, BATCH)
    const redriven = await redriveNamed(engine.store, dlqId, batch, rewrite, tx)
    if (tx === undefined) for (const queueId of redriven.queueIds) engine.wake(queueId)
    gone.push(...redriven.ids)
    // What is behind the last one that went may not have fitted; what is before it does not wait there.
    const last = redriven.ids.at(-1)
    left = left.slice(last === undefined ? batch.length : left.indexOf(last) + 1)
  }
  return gone
}
