import { resolveItems, type EnqueueItem, type JobOptions } from '../../core/enqueue-options.ts'
import { MillraceError } from '../../core/errors.ts'
import { DEFAULT_MAX_BYTES, encodeArgs } from '../../core/json.ts'
import { isPlainObject } from '../../core/validate.ts'
import { readInstant } from './instant.ts'
import type { Line } from './lines.ts'

/** A line is read up to this size; what is larger cannot be stored as arguments anyway. */
export const MAX_LINE_BYTES = DEFAULT_MAX_BYTES

/** How lines become jobs. */
export interface LineRules {
  /** A line is `{ "args": …, "delay"?: … }` rather than the arguments alone. */
  readonly isEnvelope: boolean
  /** For every job whose line says nothing else. */
  readonly defaults: JobOptions
  readonly fifo: boolean
}

/** A line that is a job. */
export interface JobLine {
  readonly number: number
  readonly text: string
  readonly bytes: number
  readonly item: EnqueueItem
}

/** A line that is none. */
export interface RefusedLine {
  readonly number: number
  readonly text: string
  /** A sentence. */
  readonly reason: string
}

/** Reads a line, as far as that is possible without a look at each of its values. */
export function readJobLine(line: Line, rules: LineRules): JobLine | RefusedLine {
  const { number, text, bytes, problem } = line
  if (problem !== undefined) return { number, text, reason: problem }
  try {
    const value = parse(text)
    const item = rules.isEnvelope ? open(value, rules) : { ...rules.defaults, args: value }
    return { number, text, bytes, item }
  } catch (error) {
    return { number, text, reason: reasonOf(error) }
  }
}

export function isRefused(line: JobLine | RefusedLine): line is RefusedLine {
  return 'reason' in line
}

/** Why the job cannot be stored; undefined when it can. */
export function whyNot(item: EnqueueItem, rules: LineRules): string | undefined {
  try {
    checkJobs([item], rules)
    return undefined
  } catch (error) {
    return reasonOf(error)
  }
}

/** Checks what `enqueueMany` checks before it writes. */
export function checkJobs(items: readonly EnqueueItem[], { fifo }: LineRules): void {
  resolveItems(items, { fifo })
  for (const { args } of items) encodeArgs(args, { maxBytes: DEFAULT_MAX_BYTES })
}

class Unfit extends Error {}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error)
    throw new Unfit(`It is not JSON: ${why.replaceAll(/\s+/g, ' ')}.`, { cause: error })
  }
}

/** What the line says counts; of the times, either of them, as both together are refused. */
function open(value: unknown, { defaults }: LineRules): EnqueueItem {
  if (!isPlainObject(value)) {
    throw new Unfit('It is not an object { "args": …, … }, which --envelope expects.')
  }
  if (!Object.hasOwn(value, 'args')) {
    throw new Unfit('It has no "args", which --envelope expects beside the options.')
  }
  const hasTime = value['delay'] !== undefined || value['runAt'] !== undefined
  const given = hasTime ? { ...defaults, delay: undefined, runAt: undefined } : defaults
  const item = { ...given, ...value } as EnqueueItem
  return typeof value['runAt'] === 'string'
    ? { ...item, runAt: readInstant(value['runAt'], 'runAt') }
    : item
}

function reasonOf(error: unknown): string {
  if (error instanceof Unfit) return error.message
  if (!(error instanceof MillraceError)) throw error
  return error.message.replaceAll('jobs[0].', '')
}
