import { showNumber } from './show.ts'

/* Numbers as people say them, in messages and in tables. */

/** showCount(1, 'file') → "1 file", showCount(2000, 'file') → "2,000 files" */
export function showCount(value: number, noun: string): string {
  return `${showNumber(value)} ${noun}${value === 1 ? '' : 's'}`
}

/** 9279724 → "9.3 MB" */
export function showBytes(bytes: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB']
  let [value, unit] = [bytes, 0]
  // 999.95 would be shown as 1000.0
  while (value >= 999.95 && unit < units.length - 1) {
    value /= 1_000
    unit += 1
  }
  return `${unit === 0 ? value : value.toFixed(1)} ${units[unit]}`
}

/** 4200 → "4.2 s", 83000 → "1 min 23 s" */
export function showTime(ms: number): string {
  if (ms < 999.5) return `${Math.round(ms)} ms`
  if (ms < 59_950) return `${(ms / 1_000).toFixed(1)} s`
  const seconds = Math.round(ms / 1_000)
  if (seconds < 3_600) return `${Math.floor(seconds / 60)} min ${seconds % 60} s`
  const minutes = Math.round(seconds / 60)
  if (minutes < 48 * 60) return `${Math.floor(minutes / 60)} h ${minutes % 60} min`
  return `${Math.round(minutes / 1_440)} days`
}
