import path from 'node:path'
import { showNumber } from '../../core/show.ts'
import { showBytes, showCount, showTime } from '../../core/words.ts'
import { printable } from './printable.ts'

export { showBytes, showCount, showNumber, showTime }

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
