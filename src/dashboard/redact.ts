import { isPlainObject, invalidOption } from '../core/validate.ts'
import { HookFailure } from './refusal.ts'

/** What a job looks like when it leaves: an object as JSON has it. */
export type OutgoingJob = Record<string, unknown>

/**
 * What must not leave: paths into a job, such as `args.card`, `errors.*.stack` or `logs.*.fields` (`*` is every key or
 * element), or a function that is given each job as it would be sent and returns what is sent instead. A log is sent
 * as `logs` of its job.
 */
export type Redact = readonly string[] | ((job: OutgoingJob) => OutgoingJob)

export const REDACTED = '[redacted]'

/** What every job passes before it leaves. */
export interface Redactor {
  /** Whether anything is redacted at all: then errors do not show the values that they are about either. */
  readonly isActive: boolean
  job(job: OutgoingJob): OutgoingJob
}

/** Checks the option `redact`. Throws `INVALID_OPTION`. */
export function checkRedact(value: unknown): Redactor {
  if (value === undefined) return { isActive: false, job: (job) => job }
  if (typeof value === 'function') {
    return {
      isActive: true,
      job: (job) => passThrough(value as (job: OutgoingJob) => unknown, job),
    }
  }
  const remedy =
    "it takes paths such as 'args.card' or 'errors.*.stack', or a function (job) => job"
  if (!Array.isArray(value)) throw invalidOption('redact', value, remedy)
  const paths = value.map((path: unknown, index) => {
    if (typeof path === 'string' && path.split('.').every((part) => part !== '')) {
      return withListed(path.split('.'))
    }
    throw invalidOption(`redact[${index}]`, path, remedy)
  })
  return { isActive: true, job: (job) => paths.flat().reduce<unknown>(hide, job) as OutgoingJob }
}

/** Lists show the last error of a job apart from the others. */
function withListed(path: readonly string[]): (readonly string[])[] {
  const [first, , ...rest] = path
  return first === 'errors' ? [path, ['lastError', ...rest]] : [path]
}

/** It is given a copy, so that what it changes in place is gone even if it returns something else, or the same. */
function passThrough(redact: (job: OutgoingJob) => unknown, job: OutgoingJob): OutgoingJob {
  try {
    const answer = redact(structuredClone(job))
    if (isPlainObject(answer)) return answer
    throw invalidOption('redact', answer, 'the function returns the job as it may leave')
  } catch (error) {
    throw new HookFailure('redact', error)
  }
}

/** The value with everything hidden that the path leads to; nothing is changed in place. */
function hide(value: unknown, path: readonly string[]): unknown {
  const [first, ...rest] = path
  if (first === undefined) return value === null ? null : REDACTED
  if (Array.isArray(value)) {
    const items: readonly unknown[] = value
    return items.map((item, at) =>
      first === '*' || first === String(at) ? hide(item, rest) : item,
    )
  }
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value).map(([name, each]) => [
      name,
      first === '*' || first === name ? hide(each, rest) : (each as unknown),
    ]),
  )
}
