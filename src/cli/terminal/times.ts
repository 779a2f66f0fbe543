/** "2026-11-24 22:10:03", in the time zone of whoever reads it. */
export function showInstant(instant: Date): string {
  const [year, month, day] = [instant.getFullYear(), instant.getMonth() + 1, instant.getDate()]
  const [hour, minute, second] = [instant.getHours(), instant.getMinutes(), instant.getSeconds()]
  return `${year}-${two(month)}-${two(day)} ${two(hour)}:${two(minute)}:${two(second)}`
}

/** The same to the millisecond. */
export function showExactly(instant: Date): string {
  return `${showInstant(instant)}.${String(instant.getMilliseconds()).padStart(3, '0')}`
}

function two(value: number): string {
  return String(value).padStart(2, '0')
}
