// Instants in the time zone of whoever looks, and how long ago they are.
const SECOND = 1_000
const MINUTE = 60 * SECOND
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR

const exactly = new Intl.DateTimeFormat(undefined, { dateStyle: 'full', timeStyle: 'long' })

export function startTimes() {
  showTimes(document)
  setInterval(() => showTimes(document), SECOND)
}

/** @param {ParentNode} root */
export function showTimes(root) {
  for (const element of root.querySelectorAll('time')) showTime(element)
}

/** @param {HTMLTimeElement} element */
function showTime(element) {
  const at = new Date(element.dateTime)
  if (Number.isNaN(at.getTime())) return
  const text = textOf(at, element.dataset.time)
  if (element.textContent !== text) element.textContent = text
  if (element.title === '') element.title = exactly.format(at)
}

/** @param {Date} at @param {string} [as] */
function textOf(at, as) {
  if (as === 'ago') return ago(at)
  return as === 'for' ? inWords(Math.max(0, Date.now() - at.getTime())) : instant(at)
}

/** @param {Date} at */
function ago(at) {
  const ms = Date.now() - at.getTime()
  const distance = Math.abs(ms)
  if (distance > 30 * DAY) return instant(at)
  if (distance < SECOND) return 'now'
  const text = inWords(distance)
  return ms > 0 ? `${text} ago` : `in ${text}`
}

/** @param {number} ms */
function inWords(ms) {
  if (ms < MINUTE) return `${Math.floor(ms / SECOND)} s`
  if (ms < HOUR) return `${Math.floor(ms / MINUTE)} min`
  return ms < 2 * DAY ? `${Math.floor(ms / HOUR)} h` : `${Math.floor(ms / DAY)} d`
}

/** "2026-11-24 22:10:03" @param {Date} at */
function instant(at) {
  const date = [at.getFullYear(), at.getMonth() + 1, at.getDate()].map(two).join('-')
  return `${date} ${[at.getHours(), at.getMinutes(), at.getSeconds()].map(two).join(':')}`
}

/** @param {number} value */
function two(value) {
  return String(value).padStart(2, '0')
}
