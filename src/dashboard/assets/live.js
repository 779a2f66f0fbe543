// Keeps the page true. One tab in front listens to the server (server-sent events); what has changed is put in place.
import { drawCharts } from './charts.js'
import { morphChildren } from './morph.js'
import { showSelection } from './selection.js'
import { showTimes } from './times.js'

/**
 * A browser opens six connections to a server that speaks HTTP/1.1, for all its tabs: so many of them listen, and the
 * others ask now and then, or no tab could load a page any more.
 */
const MOST_STREAMS = 4
const ASK_EVERY_MS = 4_000
/** Without an event for so long the stream is dead, whatever the browser believes. */
const PATIENCE_MS = 40_000

/** @type {AbortController | undefined} */
let watching

export function startLive() {
  if (document.querySelector('[data-live]') === null) {
    say('still', 'As of now')
    return
  }
  const follow = () => {
    watching?.abort()
    watching = undefined
    if (document.hidden) return
    watching = new AbortController()
    void watch(watching.signal)
  }
  document.addEventListener('visibilitychange', follow)
  addEventListener('pagehide', () => watching?.abort())
  addEventListener('pageshow', (event) => event.persisted && follow())
  follow()
}

/** @param {AbortSignal} signal */
async function watch(signal) {
  for (let slot = 0; slot < MOST_STREAMS; slot++) {
    if (signal.aborted) return
    if (await inSlot(slot, () => listen(signal))) return
  }
  await poll(signal)
}

/** Whether the slot was free; then `work` was done in it. Where there are no locks (plain HTTP) it always is. */
async function inSlot(slot, work) {
  if (navigator.locks === undefined) {
    await work()
    return true
  }
  const options = { ifAvailable: true }
  return navigator.locks.request(`millrace-stream-${slot}`, options, async (lock) => {
    if (lock === null) return false
    await work()
    return true
  })
}

/** Resolves when it is told to stop. @param {AbortSignal} signal @returns {Promise<void>} */
function listen(signal) {
  return new Promise((resolve) => {
    const source = new EventSource(location.href)
    let timer
    const isAlive = () => {
      clearTimeout(timer)
      timer = setTimeout(() => say('trouble', 'Silent'), PATIENCE_MS)
    }
    source.addEventListener('open', isAlive)
    source.addEventListener('parts', (event) => {
      isAlive()
      say('live', 'Live')
      showParts(JSON.parse(event.data))
    })
    source.addEventListener('trouble', (event) => {
      isAlive()
      say('trouble', 'Not live', JSON.parse(event.data).message)
    })
    source.addEventListener('error', () => {
      say('trouble', 'Reconnecting')
      // Refused rather than broken: it does not try again by itself.
      if (source.readyState === EventSource.CLOSED) void poll(signal)
    })
    const end = () => {
      clearTimeout(timer)
      source.close()
      resolve()
    }
    if (signal.aborted) end()
    else signal.addEventListener('abort', end, { once: true })
  })
}

/** @param {AbortSignal} signal */
async function poll(signal) {
  while (!signal.aborted) {
    await refresh()
    await new Promise((resolve) => setTimeout(resolve, ASK_EVERY_MS))
  }
}

/** Asks for the page once more, and shows it. */
export async function refresh() {
  try {
    const response = await fetch(location.href, { headers: { accept: 'text/html' } })
    const page = new DOMParser().parseFromString(await response.text(), 'text/html')
    const main = page.getElementById('main')
    if (!response.ok || main === null) {
      say('trouble', 'Not live', page.title)
      return
    }
    const here = document.getElementById('main')
    morphChildren(here, main)
    wasChanged(here)
    say('live', 'Live')
  } catch {
    say('trouble', 'Offline', 'The server does not answer. Trying again.')
  }
}

/** @param {Record<string, string>} parts HTML by the names of live parts */
function showParts(parts) {
  for (const [name, html] of Object.entries(parts)) {
    const part = document.querySelector(`[data-live="${CSS.escape(name)}"]`)
    if (part === null) continue
    const fresh = document.createElement('div')
    fresh.innerHTML = html
    morphChildren(part, fresh)
    wasChanged(part)
  }
}

/** @param {Element} part */
function wasChanged(part) {
  showTimes(part)
  drawCharts(part)
  showSelection()
}

function say(state, word, title = '') {
  const liveness = document.getElementById('liveness')
  if (liveness === null) return
  liveness.dataset.state = state
  liveness.title = title
  const text = liveness.querySelector('b')
  if (text !== null && text.textContent !== word) text.textContent = word
}
