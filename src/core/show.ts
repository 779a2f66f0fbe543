/** How much of a value is shown in a message. */
const SHOWN_CHARACTERS = 60
/** Larger integers take long to be written out. */
const SHOWN_BIGINT = 10n ** 30n

/** A value as it stands in a message: short, in one line, and safe for whatever it is. */
export function show(value: unknown): string {
  try {
    return showUnguarded(value)
  } catch {
    return 'an object that cannot be inspected' // a revoked proxy, a getter that throws
  }
}

/** A value as it stands in an error's details: as it is where JSON carries it, otherwise as it is shown. */
export function showDetail(value: unknown): unknown {
  if (typeof value === 'string') return cut(value, 1_000)
  if (typeof value === 'number') return Number.isFinite(value) ? value : String(value)
  if (value === undefined || value === null || typeof value === 'boolean') return value
  return show(value)
}

/** Made once, at the first use: `toLocaleString` makes one for each call, 53 µs instead of 1. */
let numbers: Intl.NumberFormat | undefined

/** A number with commas, for people. */
export function showNumber(value: number): string {
  numbers ??= new Intl.NumberFormat('en-US', { maximumFractionDigits: 3 })
  return numbers.format(value)
}

function showUnguarded(value: unknown): string {
  switch (typeof value) {
    case 'string':
      return showString(value)
    case 'number':
      return Object.is(value, -0) ? '-0' : String(value)
    case 'bigint':
      if (value > SHOWN_BIGINT || value < -SHOWN_BIGINT) return 'a BigInt of more than 30 digits'
      return `${value}n`
    case 'symbol':
      return cut(String(value), SHOWN_CHARACTERS)
    case 'function':
      return 'a function'
    case 'object':
      return value === null ? 'null' : showObject(value)
    case 'boolean':
    case 'undefined':
      return String(value)
  }
}

function showString(value: string): string {
  if (value.length <= SHOWN_CHARACTERS) return JSON.stringify(value)
  const start = JSON.stringify(value.slice(0, SHOWN_CHARACTERS))
  return `${start.slice(0, -1)}…" (${showNumber(value.length)} characters)`
}

function showObject(value: object): string {
  if (Array.isArray(value)) {
    return value.length === 0 ? 'an empty array' : `an array of ${showNumber(value.length)}`
  }
  const tag = Object.prototype.toString.call(value).slice('[object '.length, -1)
  if (tag === 'Date') return showDate(value as Date)
  const name = tag === 'Object' ? classOf(value) : tag
  if (name === 'Object' || name === '') return 'an object'
  return `${/^[AEIO]/.test(name) ? 'an' : 'a'} ${cut(name, SHOWN_CHARACTERS)}`
}

function showDate(value: Date): string {
  const time = Date.prototype.getTime.call(value)
  return Number.isNaN(time) ? 'an invalid Date' : `the Date ${new Date(time).toISOString()}`
}

function classOf(value: object): string {
  const prototype: unknown = Object.getPrototypeOf(value)
  if (prototype === null || typeof prototype !== 'object') return ''
  const { constructor } = prototype
  if (typeof constructor !== 'function') return ''
  const { name } = constructor as { name: unknown }
  return typeof name === 'string' ? name : ''
}

function cut(text: string, characters: number): string {
  return text.length <= characters ? text : `${text.slice(0, characters)}…`
}
