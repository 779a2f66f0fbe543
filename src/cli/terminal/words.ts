import path from 'node:path'
import { showNumber } from '../../core/show.ts'
import { printable } from './printable.ts'

export { showNumber }

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

/** 3600 → "4 s": whole seconds, for a figure that changes all the time. */
export function showSeconds(ms: number): string {
  return ms < 59_500 ? `${Math.max(1, Math.round(ms / 1_000))} s` : showTime(ms)
}

/** The path from the working directory, or the whole path where that is shorter. */
export function nearest(file: string): string {
  const relative = path.relative(process.cwd(), file)
  const isShorter = relative !== '' && relative.length < file.length
  return printable(isShorter ? relative : file)
}

/** The end of a path says more than its beginning: "…/pglite/dist/index.js" */
export function shorten(text: string, width: number): string {
  const characters = Array.from(text)
  return characters.length <= width ? text : `…${characters.slice(1 - width).join('')}`
}
