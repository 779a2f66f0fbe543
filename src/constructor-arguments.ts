import type { Worker, WorkFunction } from './core/job.ts'
import { invalidOption } from './core/validate.ts'

/** What the constructor was given after the database: a worker or none, and the options. */
export function tellApart(
  second: unknown,
  third: unknown,
): [worker: Worker | WorkFunction | undefined, options: unknown] {
  if (isWorker(second)) return [second, third]
  if (third === undefined) return [undefined, second]
  if (second === undefined) return [undefined, third]
  throw invalidOption('worker', second, 'it takes a function, or an object with a method work')
}

function isWorker(value: unknown): value is Worker | WorkFunction {
  if (typeof value === 'function') return true
  if (typeof value !== 'object' || value === null) return false
  try {
    return typeof Reflect.get(value, 'work') === 'function'
  } catch {
    return false // a proxy or a getter that throws
  }
}
