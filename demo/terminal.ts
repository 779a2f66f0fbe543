import path from 'node:path'
import type { WriteStream } from 'node:tty'
import { styleText } from 'node:util'

/** The looks of a text, by what they mean. */
export type Look = 'title' | 'bar' | 'good' | 'bad' | 'warning' | 'quiet'

const STYLES = {
  title: 'bold',
  bar: 'cyan',
  good: 'green',
  bad: 'red',
  warning: 'yellow',
  quiet: 'dim',
} as const satisfies Record<Look, Parameters<typeof styleText>[0]>

/** Gives a text its look, or leaves it as it is. */
export type Paint = (look: Look, text: string) => string

/** Colours for a terminal that shows them; `hasColors` knows NO_COLOR and TERM=dumb, for the stream at hand. */
export function paintFor(out: WriteStream): Paint {
  const isColoured = out.isTTY && out.hasColors()
  return isColoured
    ? (look, text) => styleText(STYLES[look], text, { validateStream: false })
    : (_look, text) => text
}

const NUMBERS = new Intl.NumberFormat('en-GB', { maximumFractionDigits: 0 })

/** 2001 → "2,001" */
export function showNumber(value: number): string {
  return NUMBERS.format(value)
}

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
  return `${Math.floor(seconds / 3_600)} h ${Math.floor((seconds % 3_600) / 60)} min`
}

/** 3600 → "4 s": whole seconds, for a figure that changes all the time. */
export function showSeconds(ms: number): string {
  return ms < 59_500 ? `${Math.max(1, Math.round(ms / 1_000))} s` : showTime(ms)
}

/** The path from where we are, or the whole path where that is shorter. */
export function nearest(file: string): string {
  const relative = path.relative(process.cwd(), file)
  const isShorter = relative !== '' && relative.length < file.length
  return printable(isShorter ? relative : file)
}

/** A bar of `width` characters of which `share` is filled, to the eighth of a character. */
export function showBar(share: number, width: number): string {
  const eighths = Math.round(Math.min(1, Math.max(0, share)) * width * 8)
  const part = ['', '▏', '▎', '▍', '▌', '▋', '▊', '▉'][eighths % 8] ?? ''
  return ('█'.repeat(Math.floor(eighths / 8)) + part).padEnd(width)
}

/** The end of a path says more than its beginning: "…/pglite/dist/index.js" */
export function shorten(text: string, width: number): string {
  const characters = Array.from(text)
  return characters.length <= width ? text : `…${characters.slice(1 - width).join('')}`
}

/**
 * Makes the names of files safe for a terminal: a name may hold a newline, or an escape sequence that moves the cursor.
 */
export function printable(text: string): string {
  // oxlint-disable-next-line no-control-regex -- they are what must not come through
  return text.replaceAll(/[\u0000-\u001f\u007f-\u009f]/g, '·')
}

/** A line of `width` characters, heavy as far as something has come. */
export function showTrack(share: number, width: number, paint: Paint): string {
  const done = Math.round(Math.min(1, Math.max(0, share)) * width)
  return paint('bar', '━'.repeat(done)) + paint('quiet', '─'.repeat(width - done))
}
