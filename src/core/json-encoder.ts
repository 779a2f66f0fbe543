import { isDate } from 'node:util/types'
import { show, showNumber } from './show.ts'

/**
 * Writes a value as JSON text that comes back deeply equal from `JSON.parse` and from `jsonb`, or
 * says where it would not.
 *
 * It checks and writes in one walk that reads everything once. `JSON.stringify` after a check would
 * read twice, and a getter, a proxy or a `toJSON` may answer differently the second time.
 */
export function encodeJson(value: unknown, limits: JsonLimits, toError: ToError): string {
  const encoder = new Encoder(limits, toError)
  return encoder.encode(value)
}

/** How the text is bounded. */
export interface JsonLimits {
  /** How many bytes of UTF-8 at most. */
  readonly maxBytes: number
}

/** Why a value has no JSON text. */
export type JsonProblem =
  | {
      readonly kind: 'unfit'
      /** Where in the value, such as `.items[2].price`; empty for the value itself. */
      readonly path: string
      readonly value: unknown
      /** A sentence's end: `is NaN, which …; use …`. */
      readonly text: string
      readonly cause?: unknown
    }
  /** `bytes` is undefined when it was not written to its end. */
  | { readonly kind: 'too-large'; readonly bytes: number | undefined }

/** Makes the error that is thrown. */
export type ToError = (problem: JsonProblem) => Error

/**
 * How deep arrays and objects may be nested. PostgreSQL walks JSON by recursion: PostgreSQL 18 takes
 * 15,000 levels and refuses 20,000 with its default `max_stack_depth`; PGlite takes 4,000, and for
 * 6,000 it answers without a row and without an error.
 */
const MAX_DEPTH = 1_000

/** What cannot stand in a JSON string as it is, or must be looked at. */
// oxlint-disable-next-line no-control-regex -- it is control characters that it looks for
const NEEDS_CARE = /[\u0000-\u001f"\\\ud800-\udfff]/
const LONE_SURROGATE = /\p{Surrogate}/u

/** How much of an array is put together before it is flattened. */
const CHUNK_CHARACTERS = 2_048

/**
 * Makes V8 put the pieces of a string together (reading a character does). Left to the end, the
 * pieces of a large text cost more in garbage collection than all the rest: 100,000 small objects
 * took 240 ms instead of 130.
 */
function flatten(text: string): string {
  text.charCodeAt(0)
  return text
}

class Encoder {
  readonly #maxBytes: number
  readonly #toError: ToError
  /** The keys that lead to what is being written; only the first `#ancestors.length` count. */
  readonly #path: (string | number)[] = []
  /** The arrays and objects around what is being written. */
  readonly #ancestors: object[] = []
  #thrown: Error | undefined

  constructor(limits: JsonLimits, toError: ToError) {
    this.#maxBytes = limits.maxBytes
    this.#toError = toError
  }

  encode(value: unknown): string {
    const text = this.#guarded(value)
    // UTF-8 takes at most 3 bytes for each of JavaScript's characters: small texts need no counting.
    if (text.length * 3 > this.#maxBytes) {
      const bytes = Buffer.byteLength(text)
      if (bytes > this.#maxBytes) throw this.#toError({ kind: 'too-large', bytes })
    }
    return text
  }

  #guarded(value: unknown): string {
    try {
      const plain = this.#applyToJson(value, '')
      if (plain === undefined) {
        throw this.#unfit(plain, 'is undefined; pass null where there is nothing')
      }
      return this.#write(plain)
    } catch (error) {
      if (this.#thrown !== undefined && error === this.#thrown) throw error
      throw this.#unfit(undefined, 'throws when it is read', error) // a getter, a proxy, a toJSON
    }
  }

  #write(value: unknown): string {
    switch (typeof value) {
      case 'string':
        return this.#quote(value)
      case 'number':
        if (!Number.isFinite(value)) {
          throw this.#unfit(value, `is ${value}, which JSON cannot carry; pass null or a string`)
        }
        return String(value)
      case 'boolean':
        return value ? 'true' : 'false'
      case 'object':
        return value === null ? 'null' : this.#writeNested(value)
      case 'bigint':
        throw this.#unfit(value, `is the BigInt ${show(value)}; pass a string or a number`)
      case 'undefined':
      case 'function':
      case 'symbol':
        throw this.#unfit(value, `is ${this.#nameOf(value)}, which JSON cannot carry; leave it out`)
    }
  }

  #nameOf(value: unknown): string {
    return typeof value === 'symbol' ? `the symbol ${show(value)}` : show(value)
  }

  #writeNested(value: object): string {
    const ancestors = this.#ancestors
    if (ancestors.includes(value)) {
      throw this.#unfit(value, 'contains itself; JSON has no cycles, so pass an id instead')
    }
    if (ancestors.length >= MAX_DEPTH) {
      throw this.#unfit(
        value,
        `is nested more than ${showNumber(MAX_DEPTH)} levels deep; flatten it`,
      )
    }
    ancestors.push(value)
    const text = Array.isArray(value) ? this.#writeArray(value) : this.#writeObject(value)
    ancestors.pop()
    return text
  }

  #writeArray(array: readonly unknown[]): string {
    const depth = this.#ancestors.length - 1
    const { length } = array
    let written = '['
    let text = ''
    for (let index = 0; index < length; index++) {
      this.#path[depth] = index
      const value = this.#applyToJson(array[index], index)
      if (value === undefined) {
        const what = index in array ? 'is undefined' : 'is a hole'
        throw this.#unfit(value, `${what} in an array, which would come back as null; pass null`)
      }
      text += index === 0 ? this.#write(value) : `,${this.#write(value)}`
      if (text.length < CHUNK_CHARACTERS) continue
      written += flatten(text)
      text = ''
      if (written.length > this.#maxBytes) throw this.#tooLarge()
    }
    this.#path.length = depth
    if (Object.keys(array).length !== length) {
      throw this.#unfit(
        array,
        'is an array with properties of its own, which JSON drops; pass an object',
      )
    }
    this.#refuseSymbols(array)
    return `${written}${text}]`
  }

  #writeObject(object: object): string {
    const depth = this.#ancestors.length - 1
    const keys = Object.keys(object)
    const prototype: unknown = Object.getPrototypeOf(object)
    if (prototype !== Object.prototype && prototype !== null) this.#checkInstance(object, keys)
    this.#refuseSymbols(object)
    let text = '{'
    for (const key of keys) {
      this.#path[depth] = key
      const value = this.#applyToJson((object as Record<string, unknown>)[key], key)
      if (value === undefined) continue
      text += `${text.length === 1 ? '' : ','}${this.#quote(key, true)}:${this.#write(value)}`
      if (text.length > this.#maxBytes) throw this.#tooLarge()
    }
    this.#path.length = depth
    return `${text}}`
  }

  /** As `JSON.stringify` does: once, for objects, functions and BigInts that have the method. */
  #applyToJson(value: unknown, key: string | number): unknown {
    if (value === null || value === undefined) return value
    const kind = typeof value
    if (kind !== 'object' && kind !== 'function' && kind !== 'bigint') return value
    const { toJSON } = value as { toJSON?: unknown }
    if (typeof toJSON !== 'function') return value
    if (isDate(value) && Number.isNaN(Date.prototype.getTime.call(value))) {
      throw this.#unfit(value, 'is an invalid Date, which would come back as null; pass null')
    }
    return Reflect.apply(toJSON, value, [String(key)])
  }

  /** An instance of a class passes when its properties hold its data; they come back as a plain object. */
  #checkInstance(object: object, keys: readonly string[]): void {
    const tag = Object.prototype.toString.call(object)
    if (tag === '[object Object]' && keys.length > 0) return
    const isForeign = Object.getPrototypeOf(Object.getPrototypeOf(object)) === null
    if (tag === '[object Object]' && isForeign) return // {} of another realm
    throw this.#unfit(
      object,
      `is ${show(object)}, whose contents JSON drops; pass plain data, or give it a toJSON method`,
    )
  }

  #refuseSymbols(object: object): void {
    const symbols = Object.getOwnPropertySymbols(object)
    if (symbols.length === 0) return
    for (const symbol of symbols) {
      if (!Object.prototype.propertyIsEnumerable.call(object, symbol)) continue
      throw this.#unfit(
        object,
        `has the key ${show(symbol)}, which JSON drops; use a string as key`,
      )
    }
  }

  #quote(text: string, isKey = false): string {
    if (!NEEDS_CARE.test(text)) return `"${text}"`
    const what = isKey ? 'has a key that' : ''
    if (text.includes('\u0000')) {
      throw this.#unfit(text, `${what} contains \\u0000, which PostgreSQL cannot store; remove it`)
    }
    if (LONE_SURROGATE.test(text)) {
      throw this.#unfit(
        text,
        `${what} contains half a surrogate pair, which UTF-8 cannot carry; use text.toWellFormed()`,
      )
    }
    return JSON.stringify(text)
  }

  #tooLarge(): Error {
    this.#thrown = this.#toError({ kind: 'too-large', bytes: undefined })
    return this.#thrown
  }

  #unfit(value: unknown, text: string, cause?: unknown): Error {
    const path = describePath(this.#path)
    this.#thrown = this.#toError({ kind: 'unfit', path, value, text: text.trim(), cause })
    return this.#thrown
  }
}

/** `.items[2].price`, shortened in the middle when it is long. */
function describePath(keys: readonly (string | number)[]): string {
  const steps = keys.map(describeStep)
  if (steps.length > 12) steps.splice(6, steps.length - 12, '…')
  return steps.join('')
}

function describeStep(key: string | number): string {
  if (typeof key === 'number') return `[${key}]`
  return /^[A-Za-z_$][\w$]{0,60}$/.test(key) ? `.${key}` : `[${show(key)}]`
}
