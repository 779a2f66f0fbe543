// The dashboard by the keyboard; `?` shows the keys.
const base = document.documentElement.dataset.base ?? ''
const PLACES = { o: '/', j: '/jobs', d: '/dead-letters', w: '/workers', a: '/audit' }
const GO_MS = 1_500

let goneAt = -Infinity

export function startKeys() {
  document.addEventListener('keydown', (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || isBusy(event.target)) return
    if (handle(event.key)) event.preventDefault()
  })
}

/** Somebody writes, or is asked something. */
function isBusy(target) {
  const isWriting =
    target instanceof Element &&
    target.closest('input:not([type=checkbox]), textarea, select') !== null
  return isWriting || document.querySelector('dialog[open]') !== null
}

/** Whether the key meant something. */
function handle(key) {
  const isGoing = performance.now() - goneAt < GO_MS
  goneAt = -Infinity
  if (isGoing && key in PLACES) {
    location.assign(base + PLACES[key])
    return true
  }
  switch (key) {
    case '/':
      document.getElementById('search')?.focus()
      return true
    case '?':
      ;/** @type {HTMLDialogElement | null} */ (document.getElementById('keys'))?.showModal()
      return true
    case 'g':
      goneAt = performance.now()
      return true
    case 'j':
      return move(1)
    case 'k':
      return move(-1)
    case 'Enter':
      return openRow()
    case 'x':
      return toggleRow()
    default:
      return press(key)
  }
}

/** @returns {HTMLElement[]} */
function rows() {
  return /** @type {HTMLElement[]} */ ([...document.querySelectorAll('[data-row]')])
}

/** @returns {HTMLElement | undefined} */
function currentRow() {
  const row = document.activeElement?.closest('[data-row]')
  return row instanceof HTMLElement ? row : undefined
}

function move(by) {
  const all = rows()
  if (all.length === 0) return false
  const current = currentRow()
  const at = current === undefined ? (by > 0 ? -1 : all.length) : all.indexOf(current)
  const next = all[Math.min(Math.max(at + by, 0), all.length - 1)]
  next?.focus()
  next?.scrollIntoView({ block: 'nearest' })
  return true
}

function openRow() {
  // A link or button that has the focus is opened by the browser.
  const row = document.activeElement?.matches('[data-row]') ? document.activeElement : undefined
  if (row === undefined) return false
  location.assign(row.getAttribute('data-row'))
  return true
}

function toggleRow() {
  const box = boxOfRow()
  box?.click()
  return box !== undefined
}

/** Presses the button that has this key; for the current row where none is selected. */
function press(key) {
  /** @type {HTMLElement | null} */
  const button = document.querySelector(`[data-hotkey="${CSS.escape(key)}"]`)
  if (button === null) return false
  if (document.querySelector('input[data-select]:checked') === null) boxOfRow()?.click()
  button.click()
  return true
}

/** @returns {HTMLInputElement | undefined} */
function boxOfRow() {
  return currentRow()?.querySelector('input[data-select]') ?? undefined
}
