import { showNumber } from '../core/show.ts'
import { showCount, showTime } from '../core/words.ts'
import { surveyWorkers, type SurveyedWorker } from '../store/examination.ts'
import { readOnly } from '../store/read-only.ts'
import type { Check } from './check.ts'
import { ok, warning, type Observation } from './finding.ts'

/** Whoever is left needs a lease to see that a worker died, and some seconds to say so. */
const OBSERVED_AFTER = { leases: 2, ms: 10_000 }
/** A rescue looks a last time a minute after the death. */
const RESCUED_WITHIN_MS = 120_000
/** An event loop that stands still for so much of the lease has missed a heartbeat; all of them, and the lease is lost. */
const BLOCKED_FOR = 1 / 3
/** More workers than this are not told one by one. */
const MOST = 10

/** Who lives, who fell silent, whether what the dead held was freed, and whose event loop is blocked. */
export const workers: Check = {
  name: 'workers',
  group: 'Queues',
  readsTables: true,
  async run({ store }) {
    const all = await readOnly(store, (tx) => surveyWorkers(store, tx))
    const lost = [...all.filter(isSilent).map(silent), ...all.filter(isLeft).map(left)]
    const late = all.filter(isBlocked).sort(byLag).map(blocked)
    return [...firstOf(lost, 'died', REMEDY), ...firstOf(late, 'are', UNBLOCK), living(all)]
  },
}

function isSilent({ deadForMs, silentForMs, leaseMs }: SurveyedWorker): boolean {
  return deadForMs === null && silentForMs > OBSERVED_AFTER.leases * leaseMs + OBSERVED_AFTER.ms
}

function isLeft({ deadForMs }: SurveyedWorker): boolean {
  return deadForMs !== null && deadForMs > RESCUED_WITHIN_MS
}

function isAlive({ deadForMs, silentForMs, leaseMs }: SurveyedWorker): boolean {
  return deadForMs === null && silentForMs <= leaseMs
}

function isBlocked(worker: SurveyedWorker): boolean {
  return isAlive(worker) && lagOf(worker) > worker.leaseMs * BLOCKED_FOR
}

function lagOf({ eventLoopLagMs }: SurveyedWorker): number {
  return eventLoopLagMs ?? 0
}

function byLag(left: SurveyedWorker, right: SurveyedWorker): number {
  return lagOf(right) - lagOf(left) || left.id - right.id
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

const UNBLOCK =
  'Something computes there in one piece: a handler, JSON of many megabytes, a synchronous call; node --cpu-prof shows ' +
  'what. Move it to worker_threads, or let others have their turn by an await between portions, or set a longer ' +
  'leaseTimeout: who stands still for a whole lease is taken for dead. A machine without CPU to spare looks the same.'

function blocked(worker: SurveyedWorker): Observation {
  const message = `${nameOf(worker)} has an event loop that is blocked: it stood still for ${showNumber(lagOf(worker))} ms between its last two heartbeats, more than a third of its lease of ${showTime(worker.leaseMs)}.`
  return warning(message, UNBLOCK, detailsOf(worker))
}

function nameOf({ id, host, pid }: SurveyedWorker): string {
  return `Worker ${id} (process ${pid} on ${host})`
}

function detailsOf({
  id,
  host,
  pid,
  silentForMs,
  leaseMs,
  deadForMs,
  eventLoopLagMs,
}: SurveyedWorker) {
  return { worker: id, host, pid, silentForMs, leaseMs, deadForMs, eventLoopLagMs }
}

/** The first of them, and how many more there are. */
function firstOf(all: readonly Observation[], verb: string, remedy: string): Observation[] {
  const shown = all.slice(0, MOST)
  const count = all.length - shown.length
  if (count === 0) return shown
  const message = `${showCount(count, 'worker')} more ${verb} like these.`
  return [...shown, warning(message, remedy, { workers: count })]
}

function living(all: readonly SurveyedWorker[]): Observation {
  const alive = all.filter(isAlive)
  const releases = [...new Set(alive.map(({ version }) => version))].sort()
  const which = releases.length === 0 ? '' : `, of Millrace ${releases.join(' and ')}`
  const message = `${showCount(alive.length, 'worker')} ${alive.length === 1 ? 'lives' : 'live'}${which}.`
  return ok(message, { living: alive.length, releases })
}
