import { invalidField, Refusal } from './refusal.ts'
import { SHAPES } from './api/shapes.ts'
import { findFault, typesOf, type Schema } from './schema.ts'
import type { Route } from './route.ts'

/**
 * The parameters of a request as the route describes them: numbers, booleans and objects are no texts any more, and
 * what may be given several times is an array.
 */
export function readQuery(route: Pick<Route, 'query'>, url: string): Record<string, unknown> {
  const known = route.query ?? {}
  // Without a prototype, so that `__proto__` is a name like any other: one that is not known.
  const query = Object.create(null) as Record<string, unknown>
  for (const [name, text] of new URL(url).searchParams) {
    const schema = (Object.hasOwn(known, name) ? known[name] : undefined) ?? {}
    const given = Object.hasOwn(query, name) ? query[name] : undefined
    if (typesOf(schema).includes('array')) {
      query[name] = [...((given as string[] | undefined) ?? []), text]
    } else if (given === undefined) query[name] = readParameter(schema, name, text)
    else throw invalidField({ field: name, value: text, remedy: 'it is given once' })
  }
  check({ type: 'object', properties: known, additionalProperties: false }, query)
  return query
}

/** As `readQuery`, for what a form sends: a field that was left empty is none. */
export function readForm(page: Pick<Route, 'query'>, url: string): Record<string, unknown> {
  const filled = new URL(url)
  const entries = [...filled.searchParams].filter(([, text]) => text !== '')
  filled.search = new URLSearchParams(entries).toString()
  return readQuery(page, filled.href)
}

/** The body of a request, which must be as the route describes it. */
export function checkBody(route: Route, body: unknown): Record<string, unknown> {
  check(route.body ?? {}, body)
  return body as Record<string, unknown>
}

function check(schema: Schema, value: unknown): void {
  const fault = findFault(schema, value, SHAPES)
  if (fault !== undefined) throw invalidField(fault)
}

function readParameter(schema: Schema, field: string, text: string): unknown {
  const types = typesOf(schema)
  if (types.includes('integer') && /^-?\d{1,15}$/.test(text)) return Number(text)
  if (types.includes('boolean') && (text === 'true' || text === 'false')) return text === 'true'
  if (!types.includes('object')) return text
  try {
    return JSON.parse(text)
  } catch {
    throw invalidField({ field, value: text, remedy: 'it takes an object as JSON' })
  }
}

/** The address is there, but not for this method. */
export function methodNotAllowed(method: string, allowed: readonly string[]): Refusal {
  const allow = allowed.map((each) => each.toUpperCase()).join(', ')
  return new Refusal(405, 'METHOD_NOT_ALLOWED', `${method} is not possible here.`, {
    remedy: `use ${allow}`,
    headers: { allow },
  })
}
