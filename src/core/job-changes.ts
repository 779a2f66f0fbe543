import type { Duration } from './duration.ts'
import { JOB_OPTIONS, refuseInFifo, resolveJobOptions, type JobRules } from './enqueue-options.ts'
import { MillraceError } from './errors.ts'
import { encodeArgs } from './json.ts'
import type { Metadata } from './metadata.ts'
import type { RetryPolicyName } from './retry.ts'
import { showDetail } from './show.ts'
import { readOptions } from './validate.ts'

/** What `edit` changes of a job that waits. What is not given stays as it is. */
export interface JobChanges<Args = unknown> {
  /** Its arguments, all of them. @default as they are */
  args?: Args | undefined
  /** Its metadata, all of them: what this object does not have is gone. @default as they are */
  metadata?: Metadata | undefined
  /** Its tags, all of them; `[]` takes them away. @default as they are */
  tags?: readonly string[] | undefined
  /** Not before this instant; in the past means now. Not together with `delay`, and not in a FIFO queue. @default as it is */
  runAt?: Date | undefined
  /** Not before this time has passed from now on; 0 means now. Not together with `runAt`, and not in a FIFO queue. @default as it is */
  delay?: Duration | undefined
  /** Which of the due jobs run first: an integer from 0 (first) to 9 (last). Not in a FIFO queue. @default as it is */
  priority?: number | undefined
  /** How many runs may follow the first one; those that were made count. An integer from 0 to 32,767. @default as it is */
  maxRetries?: number | undefined
  /** How the delays before the retries grow. @default as it is */
  retryPolicy?: RetryPolicyName | undefined
  /** How long a run may take. From 1 ms; `null` takes the timeout away. @default as it is */
  timeout?: Duration | null | undefined
}

/** The changes of `edit`, checked. Null: as it is. */
export interface ResolvedJobChanges {
  readonly argsJson: string | null
  readonly metadataJson: string | null
  readonly tags: readonly string[] | null
  readonly maxRetries: number | null
  readonly retryPolicy: RetryPolicyName | null
  readonly priority: number | null
  /** 0: no timeout. */
  readonly timeoutMs: number | null
  /** Never together with `runAtMs`. */
  readonly delayMs: number | null
  readonly runAtMs: number | null
  /** Throws `INVALID_OPTION` if it changes what a FIFO queue keeps: the place of a job in it. */
  refuseInFifo(): void
}

/** What the queue says about the changes to its jobs. */
export interface ChangeRules extends JobRules {
  readonly maxArgsBytes: number
}

const CHANGES = ['args', ...JOB_OPTIONS] as const satisfies readonly (keyof JobChanges)[]

/** Checks the changes of `edit`. Throws `INVALID_OPTION`, `INVALID_ARGS`, `ARGS_TOO_LARGE`. */
export function resolveJobChanges(changes: unknown, rules: ChangeRules): ResolvedJobChanges {
  const read = readOptions(changes, { of: 'edit', known: CHANGES, whole: 'changes' })
  if (Object.keys(read).length === 0) throw nothingToChange(changes)
  const { args, timeout, ...others } = read
  const options = timeout === null ? others : { ...others, timeout }
  const resolved = resolveJobOptions(options, rules, '')
  const given = <T>(name: keyof typeof read, value: T): T | null =>
    read[name] === undefined ? null : value
  const argsJson =
    args === undefined ? null : encodeArgs(args, { maxBytes: rules.maxArgsBytes, path: 'args' })
  return {
    argsJson,
    metadataJson: given('metadata', resolved.metadataJson),
    tags: given('tags', resolved.tags),
    maxRetries: given('maxRetries', resolved.maxRetries),
    retryPolicy: given('retryPolicy', resolved.retryPolicy),
    priority: given('priority', resolved.priority),
    timeoutMs: given('timeout', resolved.timeoutMs ?? 0),
    delayMs: resolved.delayMs ?? null,
    runAtMs: resolved.runAtMs ?? null,
    refuseInFifo: () => refuseInFifo(others, ''),
  }
}

function nothingToChange(changes: unknown): MillraceError {
  return new MillraceError(
    'INVALID_OPTION',
    { option: 'changes', value: showDetail(changes) },
    { message: `The option "changes" names nothing to change; pass one of ${CHANGES.join(', ')}.` },
  )
}
