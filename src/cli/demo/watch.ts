import { setTimeout as sleep } from 'node:timers/promises'
import type { EventOf, JobQueue, LogFields, Logger } from '../../index.ts'
import { printable } from '../terminal/printable.ts'
import { showTime } from '../terminal/words.ts'
import type { DemoDatabase } from './database.ts'
import { RETRIES, type FileJob } from './indexing.ts'
import type { Progress } from './progress.ts'
import { isOver, readStanding, type Run, type Standing } from './run.ts'

const LOOK_EVERY_MS = 200
/** A database that is away for longer is not waited for by this program; Millrace itself would wait on. */
const PATIENCE_MS = 60_000
/** A folder that went away while it was indexed fails a thousand times; that need not be said a thousand times. */
const NOTED_FAILURES = 12
/** While a server is away the same is tried, and said, again and again. */
const NOTED_OF_A_KIND = 2

/** What this process did so far. */
export interface Tally {
  /** Runs that started. */
  runs: number
  /** Jobs that ended, the ones that failed for good among them. */
  jobs: number
  /** When the next run of a failed job is due, by this process's clock; it may happen in another process. */
  readonly retriesDueAt: Map<string, number>
}

/** Counts what happens to the jobs in this process, and notes each failed run and what becomes of its job. */
export function watchJobs(queue: JobQueue<FileJob>, progress: Progress): Tally {
  const tally: Tally = { runs: 0, jobs: 0, retriesDueAt: new Map() }
  const noteFailure = noteFailuresOn(progress)
  queue.observe((event) => {
    if (event.type === 'job.started') {
      tally.runs += 1
    } else if (event.type === 'job.retried') {
      tally.retriesDueAt.set(event.jobId, performance.now() + event.retryInMs)
      noteFailure(event, `next in ${showTime(event.retryInMs)}`)
    } else if (event.type === 'job.dead_lettered') {
      tally.jobs += 1
      noteFailure(event, 'to the dead letters')
    } else if (event.type === 'job.finished') {
      tally.jobs += 1
    }
  })
  return tally
}

function noteFailuresOn(progress: Progress) {
  let noted = 0
  return (event: EventOf<'job.retried' | 'job.dead_lettered'>, next: string): void => {
    noted += 1
    if (noted > NOTED_FAILURES) return
    const run = `run ${event.attempt} of ${RETRIES + 1}`
    const what = printable(event.error.message).replace(/\.$/, '')
    progress.note('warning', `✗ ${what}: ${run}, ${next}`)
    if (noted === NOTED_FAILURES) progress.note('quiet', '  Further failures are only counted.')
  }
}

/** Millrace's own warnings among the progress: a lost connection, a worker that died. */
export function loggerFor(progress: Progress): Logger {
  const noted = new Map<unknown, number>()
  const note = (message: string, fields?: LogFields): void => {
    const event = fields?.['event']
    if (String(event).startsWith('job.')) return // said by `watchJobs`, in fewer words
    const count = (noted.get(event) ?? 0) + 1
    noted.set(event, count)
    if (count <= NOTED_OF_A_KIND) progress.note('warning', `! ${printable(message)}`)
  }
  return { debug: () => {}, info: () => {}, warn: note, error: note }
}

/** Shows how the run goes on until it is over or `signal` aborts. */
export async function watchRun(
  db: DemoDatabase,
  run: Run,
  tally: Tally,
  progress: Progress,
  signal: AbortSignal,
): Promise<void> {
  let standing: Standing | undefined
  for (let seenAt = performance.now(); !signal.aborted;) {
    try {
      standing = await readStanding(db)
      seenAt = performance.now()
    } catch (error) {
      // Whoever restarts the server sees here that the work goes on when it is back.
      if (performance.now() - seenAt > PATIENCE_MS) throw error
    }
    if (standing !== undefined) {
      progress.show({ ...standing, jobs: run.jobs, retrying: countRetrying(tally) })
      if (isOver(standing)) return
    }
    await sleep(LOOK_EVERY_MS, undefined, { signal }).catch(() => {})
  }
}

function countRetrying({ retriesDueAt }: Tally): number {
  const now = performance.now()
  return [...retriesDueAt.values()].filter((dueAt) => dueAt > now).length
}
