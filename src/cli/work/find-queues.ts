import type { Worker, WorkFunction } from '../../core/job.ts'
import type { JobQueue } from '../../job-queue.ts'
import { Failure, usageFailure } from '../failure.ts'
import { printable } from '../terminal/printable.ts'
import type { Exports } from './load-module.ts'

/**
 * What the command line does with a queue. It may be of another copy of the package than ours: then it
 * is that copy's engine that works.
 */
export type AnyQueue = Pick<JobQueue, 'queueName' | 'receive' | 'drain' | 'observe'>

/** What a module has to offer. */
export type Offer =
  | { readonly kind: 'queues'; readonly queues: readonly AnyQueue[] }
  | { readonly kind: 'worker'; readonly worker: Worker | WorkFunction }

const WANTED =
  'It takes a default export that is a JobQueue, an array of them, or a worker function (with --queue <name>)'

/** Finds queues or a worker among a module's exports. Throws a `Failure`. */
export async function findQueues(exports: Exports, specifier: string): Promise<Offer> {
  const shown = printable(specifier)
  const main = await defaultOf(exports)
  const value = main ?? exports['queues']
  if (value === undefined || value === null) {
    const names = Object.keys(exports).filter((name) => name !== 'default')
    const others = names.length === 0 ? 'nothing' : `only ${printable(names.join(', '))}`
    throw new Failure(`${shown} has no default export; it exports ${others}. ${WANTED}.`)
  }
  if (isQueue(value)) return { kind: 'queues', queues: [value] }
  if (Array.isArray(value)) return { kind: 'queues', queues: checkQueues(value, shown) }
  if (isClass(value)) {
    throw new Failure(
      `The default export of ${shown} is a class: export an object of it, made by new.`,
    )
  }
  if (isWorker(value)) return { kind: 'worker', worker: value }
  throw new Failure(`The default export of ${shown} is ${describe(value)}. ${WANTED}.`)
}

/** Of the queues, the one with that name; without a name, all of them. */
export function chooseQueue(
  queues: readonly AnyQueue[],
  name: string | undefined,
  specifier: string,
): readonly AnyQueue[] {
  if (name === undefined) return queues
  const chosen = queues.filter(({ queueName }) => queueName === name)
  if (chosen.length > 0) return chosen
  const names = queues.map(({ queueName }) => queueName).join(', ')
  throw usageFailure(
    `${printable(specifier)} exports no queue ${printable(JSON.stringify(name))}; it exports ${printable(names)}.`,
  )
}

/** A module that was compiled to CommonJS has its default export one step further in. */
async function defaultOf(exports: Exports): Promise<unknown> {
  const value = await exports['default']
  const isCompiled = isObject(value) && value['__esModule'] === true
  return isCompiled ? await (value['default'] ?? value['queues']) : value
}

function checkQueues(values: readonly unknown[], shown: string): readonly AnyQueue[] {
  if (values.length === 0)
    throw new Failure(`${shown} exports an empty array: there is no queue in it.`)
  const wrong = values.findIndex((value) => !isQueue(value))
  if (wrong === -1) return values as readonly AnyQueue[]
  throw new Failure(
    `Item ${wrong} of the array that ${shown} exports is ${describe(values[wrong])}, not a JobQueue.`,
  )
}

function isQueue(value: unknown): value is AnyQueue {
  if (!isObject(value) || typeof value['queueName'] !== 'string') return false
  return ['receive', 'drain', 'observe'].every((name) => typeof value[name] === 'function')
}

function isWorker(value: unknown): value is Worker | WorkFunction {
  return typeof value === 'function' || (isObject(value) && typeof value['work'] === 'function')
}

function isClass(value: unknown): boolean {
  return typeof value === 'function' && /^class\b/.test(Function.prototype.toString.call(value))
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null
}

function describe(value: unknown): string {
  if (value === null) return 'null'
  if (Array.isArray(value)) return 'an array'
  if (typeof value !== 'object') return `a ${typeof value}`
  const name = (value as { constructor?: { name?: unknown } }).constructor?.name
  const isNamed = typeof name === 'string' && name !== '' && name !== 'Object'
  return isNamed ? `an object of ${printable(name)}` : 'an object'
}
