import { showCount, showTime } from '../core/words.ts'
import { surveyWorkers, type SurveyedWorker } from '../store/examination.ts'
import { readOnly } from '../store/read-only.ts'
import type { Check } from './check.ts'
import { ok, warning, type Observation } from './finding.ts'

/** Whoever is left needs a lease to see that a worker died, and some seconds to say so. */
const OBSERVED_AFTER = { leases: 2, ms: 10_000 }
/** A rescue looks a last time a minute after the death. */
const RESCUED_WITHIN_MS = 120_000
/** More workers than this are not told one by one. */
const MOST = 10

/** Who lives, who fell silent, and whether what the dead held was freed. */
export const workers: Check = {
  name: 'workers',
  group: 'Queues',
  readsTables: true,
  async run({ store }) {
    const all = await readOnly(store, (tx) => surveyWorkers(store, tx))
    const lost = [...all.filter(isSilent).map(silent), ...all.filter(isLeft).map(left)]
    const shown = lost.slice(0, MOST)
    return [...shown, ...more(lost.length - shown.length), living(all)]
  },
}

function isSilent({ deadForMs, silentForMs, leaseMs }: SurveyedWorker): boolean {
  return deadForMs === null && silentForMs > OBSERVED_AFTER.leases * leaseMs + OBSERVED_AFTER.ms
}

function isLeft({ deadForMs }: SurveyedWorker): boolean {
  return deadForMs !== null && deadForMs > RESCUED_WITHIN_MS
}

const REMEDY =
  'Start a worker, of any queue: it frees what others held that died. Do not write to the tables yourself.'

function silent(worker: SurveyedWorker): Observation {
  const { silentForMs, leaseMs } = worker
  const message = `${nameOf(worker)} has been silent for ${showTime(silentForMs)}, longer than its lease of ${showTime(leaseMs)}, and nobody has declared it dead.`
  return warning(message, REMEDY, detailsOf(worker))
}

function left(worker: SurveyedWorker): Observation {
  const message = `${nameOf(worker)} was declared dead ${showTime(worker.deadForMs ?? 0)} ago, and what it held has not all been freed.`
  return warning(message, REMEDY, detailsOf(worker))
}

function nameOf({ id, host, pid }: SurveyedWorker): string {
  return `Worker ${id} (process ${pid} on ${host})`
}

function detailsOf({ id, host, pid, silentForMs, leaseMs, deadForMs }: SurveyedWorker) {
  return { worker: id, host, pid, silentForMs, leaseMs, deadForMs }
}

function more(count: number): Observation[] {
  if (count === 0) return []
  return [
    warning(`${showCount(count, 'worker')} more died like these.`, REMEDY, { workers: count }),
  ]
}

function living(all: readonly SurveyedWorker[]): Observation {
  const alive = all.filter(({ deadForMs, silentForMs, leaseMs }) => {
    return deadForMs === null && silentForMs <= leaseMs
  })
  const releases = [...new Set(alive.map(({ version }) => version))].sort()
  const which = releases.length === 0 ? '' : `, of Millrace ${releases.join(' and ')}`
  const message = `${showCount(alive.length, 'worker')} ${alive.length === 1 ? 'lives' : 'live'}${which}.`
  return ok(message, { living: alive.length, releases })
}
