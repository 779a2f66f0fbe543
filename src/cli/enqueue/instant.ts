import { invalidOption } from '../../core/validate.ts'

/** A day and a time with its zone: what has none would mean another instant on each machine. */
const INSTANT = /^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d{1,9})?)?(Z|[+-]\d\d:\d\d)$/i

/** Reads an instant such as `2027-01-31T08:00:00Z`. Throws `INVALID_OPTION`. */
export function readInstant(text: string, option: string): Date {
  const instant = new Date(text)
  if (INSTANT.test(text) && !Number.isNaN(instant.getTime()) && isDay(text.slice(0, 10))) {
    return instant
  }
  throw invalidOption(
    option,
    text,
    'it takes a time with its zone, such as 2027-01-31T08:00:00Z or 2027-01-31T08:00+01:00',
  )
}

/** `Date` makes the 3rd of March of the 31st of February. */
function isDay(day: string): boolean {
  return new Date(`${day}T00:00:00Z`).toISOString().startsWith(day)
}
