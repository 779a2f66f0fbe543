const SECOND = 1_000
const MINUTE = 60 * SECOND
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR

const whole = new Intl.NumberFormat('en')
const fine = new Intl.NumberFormat('en', { maximumSignificantDigits: 3 })
const short = new Intl.NumberFormat('en', { notation: 'compact', maximumSignificantDigits: 3 })

/** `12,345` */
export function showWhole(value: number): string {
  return whole.format(value)
}

/** Three digits of it: `0.123`, `12.3`, `1,230`; from 100,000 on `123K`. */
export function showNumber(value: number): string {
  if (value !== 0 && Math.abs(value) < 0.001) return '< 0.001'
  return value >= 100_000 ? short.format(value) : fine.format(value)
}

/** `0.25` is `25 %`. */
export function showShare(share: number): string {
  if (share > 0 && share < 0.001) return '< 0.1 %'
  return `${fine.format(share * 100)} %`
}

/** `840 ms`, `1.4 s`, `3 min 20 s`, `2 h 5 min`, `12 d 3 h` */
export function showDuration(ms: number): string {
  if (ms < 1) return ms === 0 ? '0 ms' : '< 1 ms'
  if (ms < SECOND) return `${Math.round(ms)} ms`
  if (ms < 10 * SECOND) return `${(ms / SECOND).toFixed(1)} s`
  if (ms < MINUTE) return `${Math.round(ms / SECOND)} s`
  if (ms < HOUR) return inTwo(ms, MINUTE, 'min', SECOND, 's')
  return ms < DAY ? inTwo(ms, HOUR, 'h', MINUTE, 'min') : inTwo(ms, DAY, 'd', HOUR, 'h')
}

function inTwo(
  ms: number,
  large: number,
  largeName: string,
  small: number,
  smallName: string,
): string {
  const count = Math.floor(ms / large)
  const rest = Math.floor((ms - count * large) / small)
  return rest === 0 ? `${count} ${largeName}` : `${count} ${largeName} ${rest} ${smallName}`
}

/** `512 B`, `1.5 MB` (of 1,000,000 bytes) */
export function showBytes(bytes: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB']
  const power = bytes < 1 ? 0 : Math.min(Math.floor(Math.log10(bytes) / 3), units.length - 1)
  return `${fine.format(bytes / 1_000 ** power)} ${units[power] ?? ''}`
}
