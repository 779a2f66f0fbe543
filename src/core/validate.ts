import { MillraceError } from './errors.ts'
import { show, showDetail, showNumber } from './show.ts'
import { suggestName } from './suggest.ts'

/** The error for an option: which one, its value, and what it takes instead. */
export function invalidOption(
  option: string,
  value: unknown,
  remedy: string,
  cause?: unknown,
): MillraceError {
  const problem = value === undefined ? 'is missing' : `cannot be ${show(value)}`
  return new MillraceError(
    'INVALID_OPTION',
    { option, value: showDetail(value) },
    { message: `The option "${option}" ${problem}; ${remedy}.`, cause },
  )
}

/** Whether it is an object as `{}` makes it, also one of another realm or without a prototype. */
export function isPlainObject(value: unknown): value is Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false
  const prototype: unknown = Object.getPrototypeOf(value)
  if (prototype === null || prototype === Object.prototype) return true
  return Object.getPrototypeOf(prototype) === null // the Object.prototype of another realm
}

/** Which options a call takes. */
export interface OptionNames<Name extends string> {
  /** What takes them, for messages: `enqueue`, `a queue`. */
  readonly of: string
  readonly known: readonly Name[]
  /** What stands before each name in messages, such as `jobs[3].`. */
  readonly prefix?: string
  /** What messages call the whole of them. @default the prefix, or `options` */
  readonly whole?: string
  /** Remedies for names that are known to be tried in vain. */
  readonly elsewhere?: Readonly<Record<string, string>>
}

/**
 * Reads each known option exactly once, into an object of its own, and refuses unknown names.
 * Undefined options are as if they were not given.
 */
export function readOptions<Name extends string>(
  options: unknown,
  names: OptionNames<Name>,
): Partial<Record<Name, unknown>> {
  const { of, known } = names
  const read: Partial<Record<Name, unknown>> = {}
  if (options === undefined) return read
  try {
    if (!isPlainObject(options)) {
      throw invalidOption(wholeOf(names), options, `${of} takes a plain object of options`)
    }
    for (const name of Reflect.ownKeys(options)) {
      if (!Object.prototype.propertyIsEnumerable.call(options, name)) continue
      const value: unknown = Reflect.get(options, name)
      if (!isKnown(name, known)) throw unknownOption(name, value, names)
      if (value !== undefined) read[name] = value
    }
  } catch (error) {
    if (error instanceof MillraceError && error.code === 'INVALID_OPTION') throw error
    throw invalidOption(wholeOf(names), options, 'they throw when they are read', error)
  }
  return read
}

/** What messages call all of the options. */
function wholeOf({ whole, prefix = '' }: OptionNames<string>): string {
  return whole ?? (prefix === '' ? 'options' : prefix.slice(0, -1))
}

function isKnown<Name extends string>(name: string | symbol, known: readonly Name[]): name is Name {
  return (known as readonly (string | symbol)[]).includes(name)
}

function unknownOption(
  name: string | symbol,
  value: unknown,
  { of, known, prefix = '', elsewhere = {} }: OptionNames<string>,
): MillraceError {
  const shown = typeof name === 'symbol' ? show(name) : show(name).slice(1, -1)
  const suggestion = typeof name === 'symbol' ? undefined : suggestName(name, known)
  const remedy =
    (Object.hasOwn(elsewhere, name) ? elsewhere[String(name)] : undefined) ??
    (suggestion === undefined
      ? `it takes ${known.join(', ')}`
      : `did you mean "${prefix}${suggestion}"? It takes ${known.join(', ')}`)
  return new MillraceError(
    'INVALID_OPTION',
    { option: `${prefix}${shown}`, value: showDetail(value), suggestion },
    { message: `There is no option "${prefix}${shown}" (${show(value)}) for ${of}; ${remedy}.` },
  )
}

/** An option's value, or its default when it was not given. Only `undefined` is not given: `null` is a value, and a wrong one. */
export function orDefault(value: unknown, fallback: unknown): unknown {
  return value === undefined ? fallback : value
}

/** An option that is an integer from `min` to `max`. */
export function checkInteger(option: string, value: unknown, min: number, max: number): number {
  if (typeof value === 'number' && Number.isInteger(value) && value >= min && value <= max) {
    return value + 0 // -0 is 0
  }
  throw invalidOption(
    option,
    value,
    `it takes an integer from ${showNumber(min)} to ${showNumber(max)}`,
  )
}

/** An option that is a number from `min` to `max`. */
export function checkNumber(option: string, value: unknown, min: number, max: number): number {
  if (typeof value === 'number' && value >= min && value <= max) return value + 0
  throw invalidOption(
    option,
    value,
    `it takes a number from ${showNumber(min)} to ${showNumber(max)}`,
  )
}

/** An option that is an array, whose elements are checked one by one; a hole is as undefined. */
export function checkArray<T>(
  option: string,
  value: unknown,
  remedy: string,
  check: (element: unknown, index: number) => T,
): T[] {
  const checked: T[] = []
  const array = readArray(option, value, remedy)
  // Not Array.from, which would first walk through all holes of a mistaken new Array(1e9).
  for (let index = 0; index < array.length; index++) checked.push(check(array[index], index))
  return checked
}

function readArray(option: string, value: unknown, remedy: string): readonly unknown[] {
  try {
    if (Array.isArray(value)) return value
  } catch (error) {
    throw invalidOption(option, value, remedy, error) // a revoked proxy
  }
  throw invalidOption(option, value, remedy)
}

/** An option that is true or false. */
export function checkBoolean(option: string, value: unknown): boolean {
  if (typeof value === 'boolean') return value
  throw invalidOption(option, value, 'it takes true or false')
}

/** An option that is a function, which is called with `what`. */
export function checkFunction(option: string, value: unknown, what: string): void {
  if (typeof value === 'function') return
  throw invalidOption(option, value, `it takes a function that is called with ${what}`)
}

/** An option that is an `AbortSignal`, also one of another realm or a polyfill. */
export function checkSignal(option: string, value: unknown): AbortSignal {
  const remedy = 'it takes an AbortSignal, such as the signal of a new AbortController()'
  try {
    if (typeof value === 'object' && value !== null && isSignal(value)) return value
  } catch (error) {
    throw invalidOption(option, value, remedy, error)
  }
  throw invalidOption(option, value, remedy)
}

function isSignal(value: object): value is AbortSignal {
  const { aborted, addEventListener, removeEventListener } = value as Partial<AbortSignal>
  return (
    typeof aborted === 'boolean' &&
    typeof addEventListener === 'function' &&
    typeof removeEventListener === 'function'
  )
}
