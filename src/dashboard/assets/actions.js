// Buttons that change something. Each is a request to the JSON API, which checks it; what may surprise is asked first.
import { ask } from './dialog.js'
import { refresh } from './live.js'
import { selectedIds } from './selection.js'

const SAID_MS = 6_000

/** @type {ReturnType<typeof setTimeout> | undefined} */
let silence

const base = document.documentElement.dataset.base ?? ''

export function startActions() {
  document.addEventListener('click', (event) => {
    const button = event.target instanceof Element ? event.target.closest('[data-action]') : null
    if (button !== null) void perform(JSON.parse(button.getAttribute('data-action')))
  })
}

async function perform(given) {
  const ids = given.ofSelection === true ? selectedIds() : []
  const action = ids.length === 0 ? given : ofThese(given, ids)
  await ask({
    ...action,
    look:
      action.preview === true ? () => send(action, { ...action.body, dryRun: true }) : undefined,
    carryOut: (values, tell) => carryOut(action, values, tell),
    done: (message) => finish(action, message),
  })
}

/** The same for the selected rows in place of whatever the filter chooses. */
function ofThese({ body: _filter, ...action }, ids) {
  const jobs = ids.length === 1 ? `The job ${ids[0]}` : `The ${ids.length} selected jobs`
  const text = action.danger === true ? `${jobs}. It cannot be taken back.` : `${jobs}.`
  return { ...action, preview: false, body: { ids }, text }
}

/**
 * Sends it, again and again where it ended at its limit and there may be more. Resolves with a sentence on what was done.
 */
async function carryOut(action, values, tell) {
  const body = structuredClone(action.body ?? {})
  for (const [path, value] of Object.entries(values)) put(body, path.split('.'), value)
  let changed = 0
  for (;;) {
    const answer = await send(action, body)
    if (typeof answer.changed !== 'number') return action.done ?? 'Done.'
    changed += answer.changed
    if (answer.isComplete || answer.changed === 0) return sentence(action, changed, answer.refused)
    if (!tell(`${count(changed)} so far.`)) return `${count(changed)} were done; then you ended it.`
  }
}

function sentence(action, changed, refused) {
  if (changed === 0) return 'Nothing was changed: it is gone, or in another status by now.'
  const rest = refused > 0 ? ` ${count(refused)} could not be.` : ''
  if (action.done !== undefined && changed === 1) return action.done + rest
  return `${count(changed)} changed.${rest}`
}

function count(jobs) {
  return `${jobs.toLocaleString('en')} ${jobs === 1 ? 'job' : 'jobs'}`
}

function put(body, path, value) {
  const [name, ...rest] = path
  if (rest.length === 0) body[name] = value
  else put(body[name], rest, value)
}

/** The answer, or an error with what the API says of it. */
async function send({ method, path }, body) {
  const json = { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }
  const response = await fetch(base + path, method === 'DELETE' ? { method } : { method, ...json })
  const answer = await response.json().catch(() => ({}))
  if (response.ok) return answer
  const { message = `The server answered ${response.status}.`, remedy } = answer.error ?? {}
  const isSaid = remedy === undefined || message.includes(remedy)
  throw new Error(isSaid ? message : `${message} What helps: ${remedy}.`)
}

function finish(action, message) {
  if (action.goTo !== undefined) {
    sessionStorage.setItem('millrace-said', message)
    location.assign(base + action.goTo)
    return
  }
  document.dispatchEvent(new Event('millrace:done'))
  tellAll(message)
  void refresh()
}

/** A sentence that stays for a while, and that those who listen hear. */
function tellAll(message) {
  const said = document.getElementById('said') ?? document.createElement('output')
  said.id = 'said'
  said.textContent = message
  document.body.append(said)
  clearTimeout(silence)
  silence = setTimeout(() => said.remove(), SAID_MS)
}

// What was said when a page was left for this one.
const said = sessionStorage.getItem('millrace-said')
if (said !== null) {
  sessionStorage.removeItem('millrace-said')
  tellAll(said)
}
