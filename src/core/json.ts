import { MillraceError } from './errors.ts'
import { encodeJson, type JsonProblem } from './json-encoder.ts'
import { showDetail, showNumber } from './show.ts'
import { invalidOption, isPlainObject } from './validate.ts'

/** The largest arguments of a queue that says nothing else, and the largest metadata and result: 32 MiB. */
export const DEFAULT_MAX_BYTES = 32 * 1_048_576

/**
 * The JSON text of a job's arguments. Throws `INVALID_ARGS` for what would not come back deeply equal,
 * naming the place in it, and `ARGS_TOO_LARGE`.
 */
export function encodeArgs(
  args: unknown,
  limits: { readonly maxBytes: number; readonly path?: string | (() => string) },
): string {
  return encodeJson(args, limits, (problem) => {
    const { maxBytes, path = 'args' } = limits
    return argsError(problem, typeof path === 'string' ? path : path(), maxBytes)
  })
}

/** The JSON text of a job's metadata, which is an object. Throws `INVALID_OPTION`, naming the place in it. */
export function encodeMetadata(metadata: unknown, option = 'metadata'): string {
  const remedy = 'it takes a plain object of JSON values'
  if (!isPlainObject(metadata)) throw invalidOption(option, metadata, remedy)
  const text = encodeJson(metadata, { maxBytes: DEFAULT_MAX_BYTES }, (problem) =>
    metadataError(problem, option),
  )
  if (text.startsWith('{')) return text
  throw invalidOption(option, metadata, remedy) // its toJSON made something else of it
}

/** The JSON text of what a worker returned; undefined when it returned nothing. Throws `RESULT_NOT_STORED`. */
export function encodeResult(result: unknown, maxBytes = DEFAULT_MAX_BYTES): string | undefined {
  if (result === undefined) return undefined
  return encodeJson(result, { maxBytes }, (problem) => resultError(problem, maxBytes))
}

function argsError(problem: JsonProblem, root: string, maxBytes: number): MillraceError {
  if (problem.kind === 'unfit') {
    const { path, message, value, cause } = describeUnfit(problem, root)
    return new MillraceError('INVALID_ARGS', { path, value }, { message, cause })
  }
  const { bytes } = problem
  const size = describeSize(bytes, maxBytes)
  const message = `The arguments (${root}) are ${size} of JSON, which is more than maxArgsBytes allows (${showNumber(maxBytes)}); store the data elsewhere and enqueue where it is, or raise maxArgsBytes.`
  return new MillraceError('ARGS_TOO_LARGE', { path: root, bytes, maxBytes }, { message })
}

function metadataError(problem: JsonProblem, root: string): MillraceError {
  if (problem.kind === 'unfit') {
    const { path, message, value, cause } = describeUnfit(problem, root)
    return new MillraceError('INVALID_OPTION', { option: path, value }, { message, cause })
  }
  const { bytes } = problem
  const size = describeSize(bytes, DEFAULT_MAX_BYTES)
  const message = `The option "${root}" is ${size} of JSON; at most ${showNumber(DEFAULT_MAX_BYTES)} are stored. Pass large data as arguments, or store it elsewhere.`
  return new MillraceError('INVALID_OPTION', { option: root, bytes }, { message })
}

function resultError(problem: JsonProblem, maxBytes: number): MillraceError {
  if (problem.kind === 'unfit') {
    const { path, message, value, cause } = describeUnfit(problem, 'result')
    return new MillraceError('RESULT_NOT_STORED', { path, value }, { message, cause })
  }
  const { bytes } = problem
  const size = describeSize(bytes, maxBytes)
  const message = `The result is ${size} of JSON; at most ${showNumber(maxBytes)} are stored. Store it elsewhere and return where it is.`
  return new MillraceError('RESULT_NOT_STORED', { path: 'result', bytes, maxBytes }, { message })
}

function describeUnfit(
  { path, value, text, cause }: Extract<JsonProblem, { kind: 'unfit' }>,
  root: string,
): { path: string; message: string; value: unknown; cause: unknown } {
  const full = `${root}${path}`
  return { path: full, message: `${full} ${text}.`, value: showDetail(value), cause }
}

function describeSize(bytes: number | undefined, maxBytes: number): string {
  return bytes === undefined ? `over ${showNumber(maxBytes)} bytes` : `${showNumber(bytes)} bytes`
}
