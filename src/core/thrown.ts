import { inspect } from 'node:util'
import { isNativeError } from 'node:util/types'
import { show } from './show.ts'

/** What is stored of something that a worker threw. Safe for JSON, `jsonb` and `text`. */
export interface ErrorRecord {
  /** The error's name, or `NonError`. */
  readonly name: string
  /** At most 2 KB of UTF-8. */
  readonly message: string
  /** At most 8 KB of UTF-8; null where there is none. */
  readonly stack: string | null
}

const MAX_NAME_BYTES = 256
const MAX_MESSAGE_BYTES = 2_048
const MAX_STACK_BYTES = 8_192
/** How many errors behind an error its stack tells of. */
const MAX_CAUSES = 3

/**
 * Describes whatever was thrown: an error by its name, message and stack (with its causes), anything
 * else as a `NonError` with its text. Never throws, also when a getter or a proxy of it does.
 */
export function describeThrown(thrown: unknown): ErrorRecord {
  try {
    if (isError(thrown)) return describeError(thrown)
  } catch {
    // A proxy that throws; its text below says so.
  }
  return {
    name: 'NonError',
    message: storable(read(() => textOf(thrown)) ?? show(thrown), MAX_MESSAGE_BYTES),
    stack: null,
  }
}

function describeError(error: Error): ErrorRecord {
  const name = read(() => error.name)
  const message = read(() => error.message)
  const stack = describeStack(error)
  return {
    name: storable(isText(name) ? name : 'Error', MAX_NAME_BYTES),
    message: storable(typeof message === 'string' ? message : '', MAX_MESSAGE_BYTES),
    stack: stack === '' ? null : storable(stack, MAX_STACK_BYTES),
  }
}

/** The stack, and below it those of what caused the error: mostly they are what one looks for. */
function describeStack(error: Error): string {
  const stack = read(() => error.stack)
  let text = isText(stack) ? stack : ''
  let cause = read(() => error.cause)
  for (let count = 0; count < MAX_CAUSES && cause !== undefined; count++) {
    const current = cause
    const causeStack = read(() => (isError(current) ? current.stack : undefined))
    const shown = isText(causeStack) ? causeStack : (read(() => textOf(current)) ?? show(current))
    text += `\nCaused by: ${shown}`
    cause = read(() => (isError(current) ? current.cause : undefined))
  }
  return text
}

function isError(value: unknown): value is Error {
  return isNativeError(value) || value instanceof Error
}

/** `inspect` runs no code of the value's: no getters, no proxy traps, no custom inspection. */
function textOf(value: unknown): string {
  if (typeof value === 'string') return value
  return inspect(value, {
    depth: 2,
    customInspect: false,
    maxArrayLength: 20,
    maxStringLength: 500,
    breakLength: Number.POSITIVE_INFINITY,
  })
}

function read<T>(get: () => T): T | undefined {
  try {
    return get()
  } catch {
    return undefined
  }
}

function isText(value: unknown): value is string {
  return typeof value === 'string' && value !== ''
}

/** Text that PostgreSQL can store (no `\u0000`, no half surrogate pair), cut to a number of bytes in UTF-8. */
function storable(text: string, maxBytes: number): string {
  const start = text.slice(0, maxBytes).replaceAll('\u0000', '\uFFFD')
  const clean = start.replaceAll(/\p{Surrogate}/gu, '\uFFFD')
  const isWhole = text.length <= maxBytes && Buffer.byteLength(clean) <= maxBytes
  return isWhole ? clean : cutAt(clean, maxBytes)
}

function cutAt(text: string, maxBytes: number): string {
  const bytes = Buffer.from(text)
  let end = Math.min(bytes.length, maxBytes - Buffer.byteLength('…'))
  // A byte 10xxxxxx goes on with the character before it.
  while (end > 0 && ((bytes[end] ?? 0) & 0b1100_0000) === 0b1000_0000) end -= 1
  return `${bytes.toString('utf8', 0, end)}…`
}
