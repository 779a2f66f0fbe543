import { show } from '../core/show.ts'
import { suggestName } from '../core/suggest.ts'

/**
 * The part of JSON Schema (2020-12, which OpenAPI 3.1 speaks) in which requests and answers are described. What is
 * described is what is checked: requests when they come, answers by the tests.
 */
export interface Schema {
  readonly $ref?: string
  readonly type?: SchemaType | readonly SchemaType[]
  readonly description?: string
  readonly properties?: Readonly<Record<string, Schema>>
  readonly required?: readonly string[]
  readonly additionalProperties?: boolean
  readonly items?: Schema
  readonly enum?: readonly (string | null)[]
  readonly anyOf?: readonly Schema[]
  readonly minimum?: number
  readonly maximum?: number
  readonly minLength?: number
  readonly maxLength?: number
  readonly minItems?: number
  readonly maxItems?: number
  readonly pattern?: string
  readonly format?: string
  readonly default?: unknown
  readonly examples?: readonly unknown[]
}

type SchemaType = 'object' | 'array' | 'string' | 'integer' | 'number' | 'boolean' | 'null'

/** Where a value is not as its schema says. */
export interface Fault {
  /** `jobs[0].args`; empty: the whole. */
  readonly field: string
  readonly value: unknown
  readonly remedy: string
}

/** Schemas by their names, for `$ref`. */
export type Schemas = Readonly<Record<string, Schema>>

/** The first place where a value is not as its schema says; undefined when it is. */
export function findFault(
  schema: Schema,
  value: unknown,
  schemas: Schemas,
  field = '',
): Fault | undefined {
  if (schema.$ref !== undefined) return findFault(resolve(schema, schemas), value, schemas, field)
  if (schema.anyOf !== undefined) {
    const faults = schema.anyOf.map((each) => findFault(each, value, schemas, field))
    if (faults.every((fault) => fault !== undefined)) return faults[0]
  }
  const isWrongType = schema.type !== undefined && !typesOf(schema).some((type) => is(type, value))
  if (isWrongType) return { field, value, remedy: `it takes ${describeTypes(schema)}` }
  if (schema.enum !== undefined && !schema.enum.includes(value as string)) {
    return { field, value, remedy: `it is one of ${schema.enum.join(', ')}` }
  }
  if (typeof value === 'string') return faultOfText(schema, value, field)
  if (typeof value === 'number') return faultOfNumber(schema, value, field)
  if (Array.isArray(value)) return faultOfArray(schema, value, schemas, field)
  if (is('object', value)) return faultOfObject(schema, value as object, schemas, field)
  return undefined
}

/** The schema that a reference names. */
export function resolve(schema: Schema, schemas: Schemas): Schema {
  const name = schema.$ref?.replace('#/components/schemas/', '')
  const resolved = name === undefined ? schema : schemas[name]
  if (resolved === undefined) throw new Error(`There is no schema ${schema.$ref}`)
  return resolved
}

/** The types that a schema allows. */
export function typesOf({ type }: Schema): readonly SchemaType[] {
  if (type === undefined) return []
  return typeof type === 'string' ? [type] : type
}

function is(type: SchemaType, value: unknown): boolean {
  switch (type) {
    case 'object':
      return typeof value === 'object' && value !== null && !Array.isArray(value)
    case 'array':
      return Array.isArray(value)
    case 'integer':
      return Number.isSafeInteger(value)
    case 'null':
      return value === null
    case 'string':
    case 'number':
    case 'boolean':
      return typeof value === type
  }
}

const WORDS: Readonly<Record<SchemaType, string>> = {
  object: 'an object',
  array: 'an array',
  string: 'a text',
  integer: 'a whole number',
  number: 'a number',
  boolean: 'true or false',
  null: 'null',
}

function describeTypes(schema: Schema): string {
  return typesOf(schema)
    .map((type) => WORDS[type])
    .join(' or ')
}

function faultOfText(schema: Schema, value: string, field: string): Fault | undefined {
  const { minLength = 0, maxLength = Infinity, pattern } = schema
  if (value.length < minLength || value.length > maxLength) {
    const most = maxLength === Infinity ? 'any number of' : String(maxLength)
    return { field, value, remedy: `it takes a text of ${minLength} to ${most} characters` }
  }
  if (pattern === undefined || new RegExp(pattern, 'u').test(value)) return undefined
  return { field, value, remedy: schema.description ?? `it takes a text like ${pattern}` }
}

function faultOfNumber(schema: Schema, value: number, field: string): Fault | undefined {
  const { minimum = -Infinity, maximum = Infinity } = schema
  if (value >= minimum && value <= maximum) return undefined
  return { field, value, remedy: `it takes a number from ${minimum} to ${maximum}` }
}

function faultOfArray(
  schema: Schema,
  value: readonly unknown[],
  schemas: Schemas,
  field: string,
): Fault | undefined {
  const { items, minItems = 0, maxItems = Infinity } = schema
  if (value.length < minItems || value.length > maxItems) {
    return { field, value, remedy: `it takes ${minItems} to ${maxItems} of them` }
  }
  if (items === undefined) return undefined
  for (const [index, item] of value.entries()) {
    const fault = findFault(items, item, schemas, `${field}[${index}]`)
    if (fault !== undefined) return fault
  }
  return undefined
}

function faultOfObject(
  schema: Schema,
  value: object,
  schemas: Schemas,
  field: string,
): Fault | undefined {
  const { properties, required = [], additionalProperties = true } = schema
  if (properties === undefined) return undefined
  const below = (name: string): string => (field === '' ? name : `${field}.${name}`)
  const known = Object.keys(properties)
  for (const [name, each] of Object.entries(value)) {
    const property = Object.hasOwn(properties, name) ? properties[name] : undefined
    if (property !== undefined) {
      const fault = findFault(property, each, schemas, below(name))
      if (fault !== undefined) return fault
    } else if (!additionalProperties) {
      return { field: below(name), value: each, remedy: remedyFor(name, known) }
    }
  }
  const missing = required.find((name) => !Object.hasOwn(value, name))
  if (missing === undefined) return undefined
  return { field: below(missing), value: undefined, remedy: 'it must be there' }
}

function remedyFor(name: string, known: readonly string[]): string {
  if (known.length === 0) return 'there is no such field: leave it out'
  const meant = suggestName(name, known)
  const hint = meant === undefined ? '' : `; did you mean ${show(meant)}?`
  return `there is no such field${hint}; it takes ${known.join(', ')}`
}
