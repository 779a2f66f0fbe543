import { encodeJson, type JsonProblem } from './json-encoder.ts'
import { MillraceError } from './errors.ts'
import { showDetail, showNumber } from './show.ts'
import { invalidOption, isPlainObject } from './validate.ts'

/** The largest progress, as JSON: it is written again and again. */
const MAX_PROGRESS_BYTES = 16_384
/** A message is cut behind so many characters. */
const MAX_MESSAGE = 2_000
/** Larger fields, as JSON, are kept as the beginning of their text. */
const MAX_FIELDS_BYTES = 8_192
const KEPT_OF_FIELDS = 2_000
/** Fields are not even written out beyond this. */
const MAX_READ_BYTES = 1_048_576

/** Something that a run says of itself: how far it is, or a line for its log. */
export type RunNote =
  | { readonly kind: 'progress'; readonly json: string }
  | { readonly kind: 'line'; readonly message: string; readonly fields: string | undefined }

/** Checks what `context.progress` was given. Throws `INVALID_OPTION`, naming the place in it. */
export function progressNote(value: unknown): RunNote {
  const json = encodeJson(value, { maxBytes: MAX_PROGRESS_BYTES }, (problem) => {
    if (problem.kind === 'unfit') return unfit('progress', problem)
    const { bytes } = problem
    const size = bytes === undefined ? 'more' : `${showNumber(bytes)} bytes`
    const message =
      `The progress takes ${size} as JSON; at most ${showNumber(MAX_PROGRESS_BYTES)} bytes are stored. ` +
      'Report figures, and return large data as the result.'
    return new MillraceError('INVALID_OPTION', { option: 'progress', bytes }, { message })
  })
  return { kind: 'progress', json }
}

/**
 * Checks what `context.log` was given, and cuts what is too long. Throws `INVALID_OPTION` for what is no text, or no
 * object that JSON can carry.
 */
export function lineNote(message: unknown, fields: unknown): RunNote {
  return {
    kind: 'line',
    message: checkMessage(message),
    fields: fields === undefined ? undefined : encodeFields(fields),
  }
}

function checkMessage(value: unknown): string {
  if (typeof value !== 'string') {
    throw invalidOption('message', value, 'it takes a text; pass what belongs to it as fields')
  }
  if (value.includes('\u0000')) {
    throw invalidOption(
      'message',
      value,
      'it contains \\u0000, which PostgreSQL cannot store; remove it',
    )
  }
  if (value.length <= MAX_MESSAGE) return wellFormed(value)
  const rest = value.length - MAX_MESSAGE
  return wellFormed(`${value.slice(0, MAX_MESSAGE)}… (${showNumber(rest)} more characters)`)
}

function encodeFields(value: unknown): string {
  const remedy = 'it takes a plain object of JSON values'
  if (!isPlainObject(value)) throw invalidOption('fields', value, remedy)
  let isHuge = false
  let json: string
  try {
    json = encodeJson(value, { maxBytes: MAX_READ_BYTES }, (problem) => {
      isHuge = problem.kind === 'too-large'
      return problem.kind === 'unfit' ? unfit('fields', problem) : new Error('too large')
    })
  } catch (error) {
    if (!isHuge) throw error
    return cutFields(`more than ${showNumber(MAX_READ_BYTES)} bytes`, '')
  }
  if (!json.startsWith('{')) throw invalidOption('fields', value, remedy) // its toJSON made something else of it
  const bytes = Buffer.byteLength(json)
  if (bytes <= MAX_FIELDS_BYTES) return json
  return cutFields(`${showNumber(bytes)} bytes`, json.slice(0, KEPT_OF_FIELDS))
}

/** What stands for fields that are too large. */
function cutFields(size: string, start: string): string {
  const truncated = `${size} of JSON; at most ${showNumber(MAX_FIELDS_BYTES)} are kept`
  return JSON.stringify(start === '' ? { truncated } : { truncated, start: wellFormed(start) })
}

/** Without halves of surrogate pairs, which UTF-8 cannot carry. */
function wellFormed(text: string): string {
  return text.replaceAll(/\p{Surrogate}/gu, '\ufffd')
}

function unfit(
  option: string,
  { path, value, text, cause }: Extract<JsonProblem, { kind: 'unfit' }>,
): MillraceError {
  const place = `${option}${path}`
  const details = { option: place, value: showDetail(value) }
  return new MillraceError('INVALID_OPTION', details, { message: `${place} ${text}.`, cause })
}
