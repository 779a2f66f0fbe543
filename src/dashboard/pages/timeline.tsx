import { Ago, Instant } from './elements.tsx'
import { showDuration, showWhole } from './figures.ts'
import { cut, sayError } from './job-elements.tsx'
import type { Markup } from './page.ts'
import type { ShownError, ShownJob } from './shown-job.ts'

/* What became of a job, in the order of time, as far as it is known. */

/** As much as is stored of one. */
const CHARACTERS_OF_MESSAGE = 2_000
const CHARACTERS_OF_STACK = 8_192
/** Of many errors the first and the last so many are kept. */
const ERRORS_AT_EACH_END = 20

interface Moment {
  /** Unique, and the same as long as it is the same moment. */
  readonly key: string
  readonly tone: 'failed' | 'finished' | 'running' | 'waiting' | ''
  readonly what: string
  readonly at: string | null
  /** It is to come, or has been going on since then. */
  readonly isOpen?: boolean
  readonly facts?: readonly string[]
  readonly error?: ShownError
}

export function Timeline({ job }: { job: ShownJob }): Markup {
  const moments = [...beginningOf(job), ...failedRunsOf(job), ...comeFrom(job), ...standingOf(job)]
  return (
    <ol class="timeline">
      {moments.map((moment) => (
        <Entry moment={moment} />
      ))}
    </ol>
  )
}

function Entry({ moment }: { moment: Moment }): Markup {
  const { key, tone, what, at, isOpen = false, facts = [], error } = moment
  const When = isOpen ? Ago : Instant
  return (
    <li class={tone} data-key={key}>
      <strong>{what}</strong> {at === null ? null : <When at={at} />}{' '}
      {facts.length === 0 ? null : <small>{facts.join(' · ')}</small>}
      {error === undefined ? null : <p>{sayError(error, CHARACTERS_OF_MESSAGE)}</p>}
      {error === undefined || error.stack === null ? null : (
        <details>
          <summary>Stack</summary>
          <pre class="stack" tabIndex={0} role="region" aria-label={`Stack of ${key}`}>
            <code>{cut(error.stack, CHARACTERS_OF_STACK)}</code>
          </pre>
        </details>
      )}
    </li>
  )
}

function beginningOf(job: ShownJob): Moment[] {
  const { createdAt, scheduledAt, status, attempt, errorCount } = job
  const enqueued: Moment = { key: 'enqueued', tone: '', what: 'Enqueued', at: createdAt }
  // Each retry has a time of its own, so that only until then it is known when the first run was due.
  const isFirst = errorCount === 0 && attempt === 1 && status !== 'available'
  const delay = between(createdAt, scheduledAt)
  if (!isFirst || delay === null || delay === 0) return [enqueued]
  const facts = [`${showDuration(delay)} after it was enqueued`]
  return [enqueued, { key: 'due', tone: '', what: 'Due', at: scheduledAt, facts }]
}

function failedRunsOf(job: ShownJob): Moment[] {
  const { errors, errorCount } = job
  const lost = errorCount - errors.length
  return errors.flatMap((error, index) => {
    const run = failedRun(job, index, error)
    return index === ERRORS_AT_EACH_END && lost > 0 ? [gap(lost), run] : [run]
  })
}

function gap(lost: number): Moment {
  const what = `${showWhole(lost)} more ${lost === 1 ? 'run' : 'runs'} failed, of which nothing is kept`
  return { key: 'gap', tone: '', what, at: null }
}

function failedRun(job: ShownJob, index: number, error: ShownError): Moment {
  const { attempt, at } = error
  const isBehindGap = index === ERRORS_AT_EACH_END && job.errorCount > job.errors.length
  const before = isBehindGap ? undefined : job.errors[index - 1]
  const isLatest = index === job.errors.length - 1 && attempt === job.attempt
  const startedAt = error.startedAt ?? (isLatest ? notAfter(job.startedAt, at) : null)
  const isLatestRun = isLatest && startedAt !== null && startedAt === job.startedAt
  const since = index === 0 ? job.createdAt : (before?.at ?? null)
  const wait = isLatestRun ? waitOf(job) : waitSince(since, startedAt, index)
  const isFresh = (before?.attempt ?? 0) > (attempt ?? Infinity)
  const facts = [
    ...(isFresh ? ['with a fresh set of attempts'] : []),
    ...wait,
    ...spanned('ran', startedAt, at),
  ]
  return {
    key: `run ${attempt ?? ''} ${at ?? index}`,
    tone: 'failed',
    what: attempt === null ? 'A run failed' : `Run ${showWhole(attempt)} failed`,
    ...{ at, facts, error },
  }
}

/** Of a run that is not the latest one it is not known when it was due, but what was before. */
function waitSince(before: string | null, startedAt: string | null, index: number): string[] {
  const ms = between(before, startedAt)
  if (ms === null) return []
  const what = index === 0 ? 'it was enqueued' : 'the run before had failed'
  return [`began ${showDuration(ms)} after ${what}`]
}

/** How it came into this dead-letter queue. */
function comeFrom({ originQueue, status, attempt, scheduledAt }: ShownJob): Moment[] {
  if (originQueue === null) return []
  const isNew = status === 'available' && attempt === 0
  const what = `Moved here from ${originQueue}, where it failed for good`
  return [{ key: 'moved', tone: 'failed', what, at: isNew ? scheduledAt : null }]
}

/** Where it stands now, or how it ended. */
function standingOf(job: ShownJob): Moment[] {
  const { status, startedAt, finishedAt } = job
  switch (status) {
    case 'available':
      return [waitingOf(job)]
    case 'running':
      return runningOf(job)
    case 'finished': {
      const facts = [...waitOf(job), ...spanned('ran', startedAt, finishedAt)]
      const what = `${latestRun(job)} finished`
      return [{ key: 'end', tone: 'finished', what, at: finishedAt, facts }]
    }
    case 'failed':
      return [{ key: 'end', tone: 'failed', what: 'Failed for good', at: finishedAt }]
    case 'cancelled':
      return [{ key: 'end', tone: '', what: 'Cancelled', at: finishedAt }]
    case null:
      return []
  }
}

function waitingOf({ attempt, scheduledAt, originQueue }: ShownJob): Moment {
  if (originQueue !== null && attempt === 0) {
    return {
      key: 'next',
      tone: 'waiting',
      what: 'Waits to be redriven, or to be run here',
      at: null,
    }
  }
  const what = attempt === null ? 'Next run, due' : `Next: run ${showWhole(attempt + 1)}, due`
  return { key: 'next', tone: 'waiting', what, at: scheduledAt, isOpen: true }
}

function runningOf(job: ShownJob): Moment[] {
  const { startedAt, cancelRequestedAt } = job
  const run: Moment =
    startedAt === null
      ? { key: 'claimed', tone: 'running', what: 'Claimed, not started yet', at: null }
      : {
          ...{ key: `${latestRun(job)} began`, tone: 'running', what: `${latestRun(job)} began` },
          ...{ at: startedAt, isOpen: true, facts: waitOf(job) },
        }
  if (cancelRequestedAt === null) return [run]
  const what = 'Somebody asked to cancel it'
  return [run, { key: 'asked', tone: '', what, at: cancelRequestedAt, isOpen: true }]
}

function latestRun({ attempt }: ShownJob): string {
  return attempt === null ? 'The run' : `Run ${showWhole(attempt)}`
}

/** How long the latest run was due before it started. */
function waitOf({ scheduledAt, startedAt }: ShownJob): string[] {
  return spanned('waited', scheduledAt, startedAt)
}

function spanned(what: string, from: string | null, to: string | null): string[] {
  const ms = between(from, to)
  return ms === null ? [] : [`${what} ${showDuration(ms)}`]
}

function notAfter(instant: string | null, limit: string | null): string | null {
  return between(instant, limit) === null ? null : instant
}

/** In milliseconds; null where one is not known, or they are the other way round. */
function between(from: string | null, to: string | null): number | null {
  if (from === null || to === null) return null
  const ms = Date.parse(to) - Date.parse(from)
  return ms >= 0 ? ms : null
}
