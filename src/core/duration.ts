import { showNumber } from './show.ts'
import { invalidOption } from './validate.ts'

/** A length of time: milliseconds, or a string such as `'250ms'`, `'1.5s'`, `'30m'`, `'24h'`, `'7d'`. At most ten years. */
export type Duration = number | `${number}${'ms' | 's' | 'm' | 'h' | 'd'}`

/** The longest duration: ten years of 365 days. */
export const MAX_DURATION_MS = 3_650 * 86_400_000

const UNITS_MS: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
}

const PATTERN = /^(\d+(?:\.\d+)?)(ms|s|m|h|d)$/

/**
 * Reads a duration, as whole milliseconds. Throws `INVALID_OPTION` for what is none, or is not from
 * `min` to `max` milliseconds.
 */
export function parseDuration(
  value: unknown,
  option: string,
  { min = 0, max = MAX_DURATION_MS }: { min?: number; max?: number } = {},
): number {
  const ms = toMilliseconds(value)
  if (ms !== undefined && ms >= min && ms <= max) return Math.round(ms) + 0 // -0 is 0
  const isDuration = ms !== undefined && !Number.isNaN(ms)
  throw invalidOption(option, value, isDuration ? describeRange(min, max) : describeForm(value))
}

function toMilliseconds(value: unknown): number | undefined {
  if (typeof value === 'number') return value
  if (typeof value !== 'string' || value.length > 1_000) return undefined
  const [, amount, unit] = PATTERN.exec(value) ?? []
  if (amount === undefined || unit === undefined) return undefined
  return Number(amount) * (UNITS_MS[unit] ?? Number.NaN)
}

function describeForm(value: unknown): string {
  const form = "it takes milliseconds, or a string such as '250ms', '1.5s', '30m', '24h' or '7d'"
  if (typeof value === 'string' && /^\d+(\.\d+)?$/.test(value)) return `${form}, with its unit`
  return form
}

function describeRange(min: number, max: number): string {
  const most = max === MAX_DURATION_MS ? 'ten years' : describeMs(max)
  return `it takes from ${describeMs(min)} to ${most}`
}

function describeMs(ms: number): string {
  if (ms >= 1_000 && ms % 1_000 === 0) return `${showNumber(ms / 1_000)} s`
  return `${showNumber(ms)} ms`
}
