import { invalidField } from '../refusal.ts'

const ISO = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2}(\.\d+)?)?(Z|[+-]\d{2}:\d{2})$/i

/** The options of a job as the library takes them: with a `Date` for the instant that JSON has as a text. */
export function withInstant(
  options: Readonly<Record<string, unknown>>,
  prefix = '',
): Record<string, unknown> {
  const { runAt, ...others } = options
  if (runAt === undefined) return others
  const instant = readInstant(runAt)
  if (instant !== undefined) return { ...others, runAt: instant }
  const remedy = 'it takes an instant with its zone, such as 2030-01-31T12:00:00Z'
  throw invalidField({ field: `${prefix}runAt`, value: runAt, remedy })
}

/** The instant that a text in ISO 8601 names, with its zone; undefined when it names none. */
export function readInstant(value: unknown): Date | undefined {
  const instant = new Date(typeof value === 'string' && ISO.test(value) ? value : Number.NaN)
  return Number.isNaN(instant.getTime()) ? undefined : instant
}
