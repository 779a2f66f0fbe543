import { parseDuration, type Duration } from './duration.ts'
import { invalidOption, readOptions } from './validate.ts'

/** Which part of a queue's statistics `stats` reads. */
export interface StatsOptions {
  /**
   * Where it begins: an instant, or so long ago. The minute or hour in which that lies is read as a whole. Minutes are
   * kept for a day and hours for eight days. @default '1h'
   */
  since?: Date | Duration | undefined
  /** Where it ends: an instant, or so long ago. @default 0: now */
  until?: Date | Duration | undefined
  /** How long a point of the series is. What is older than a day is known by the hour only. @default 'minute' */
  by?: 'minute' | 'hour' | undefined
}

/** An instant, or one before the moment of asking, in milliseconds. */
type Moment = { readonly at: number } | { readonly agoMs: number }

/** The options of `stats`, checked. */
export interface StatsRequest {
  readonly by: 'minute' | 'hour'
  readonly since: Moment
  readonly until: Moment
  /** The option `since` as it was given, for messages. */
  readonly givenSince: unknown
}

/** Checks the options of `stats`. Throws `INVALID_OPTION`. */
export function resolveStatsOptions(options?: unknown): StatsRequest {
  const given = readOptions(options, { of: 'stats', known: ['since', 'until', 'by'] })
  const { since = '1h', until = 0, by = 'minute' } = given
  return {
    by: checkBy(by),
    since: readMoment('since', since),
    until: readMoment('until', until),
    givenSince: given.since,
  }
}

function checkBy(value: unknown): 'minute' | 'hour' {
  if (value === 'minute' || value === 'hour') return value
  throw invalidOption('by', value, `it takes 'minute' or 'hour'`)
}

/** The span that is meant at the moment `now`, in milliseconds. Throws `INVALID_OPTION` when it is none. */
export function spanOf(request: StatsRequest, now: number): { since: number; until: number } {
  const since = momentAt(request.since, now)
  const until = momentAt(request.until, now)
  if (since < until) return { since, until }
  throw invalidOption('since', request.givenSince, 'it must be before the option "until"')
}

function momentAt(moment: Moment, now: number): number {
  return 'at' in moment ? moment.at : now - moment.agoMs
}

function readMoment(option: string, value: unknown): Moment {
  if (!(value instanceof Date)) return { agoMs: parseDuration(value, option) }
  const at = value.getTime()
  const isInRange = at >= 0 && at <= Date.UTC(2200, 0)
  if (isInRange) return { at }
  throw invalidOption(option, value, 'it takes a Date between 1970 and 2200')
}
