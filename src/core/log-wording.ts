import type { EventOf, EventType, MillraceEvent } from './events.ts'
import { showNumber } from './show.ts'
import { describeThrown } from './thrown.ts'

/** How much a line of the log matters. */
export type LogLevel = 'debug' | 'info' | 'warn' | 'error'

/** The facts of a line of the log, by name. */
export type LogFields = Readonly<Record<string, unknown>>

/** A line of the log. */
export interface LogLine {
  readonly level: LogLevel
  readonly message: string
  readonly fields: LogFields
}

type Wording = {
  readonly [Type in EventType]: readonly [LogLevel, (event: EventOf<Type>) => string]
}

/** All that Millrace ever says in a log. Arguments and metadata of jobs are never among it. */
const WORDING: Wording = {
  'job.enqueued': ['debug', (event) => `Enqueued ${job(event)}.`],
  'job.started': ['debug', (event) => `Started ${run(event)}.`],
  'job.finished': ['debug', (event) => `Finished ${run(event)} in ${ms(event.ms)}.`],
  'job.retried': [
    'warn',
    (event) =>
      `Failed ${run(event)}: ${error(event.error)}. It is retried in ${ms(event.retryInMs)}.`,
  ],
  'job.failed': [
    'error',
    (event) => `Failed ${run(event)} for good: ${error(event.error)}. See its errors by queue.get.`,
  ],
  'job.dead_lettered': [
    'error',
    (event) =>
      `Failed ${run(event)} for good: ${error(event.error)}. It is in the dead-letter queue "${event.dlq}".`,
  ],
  'job.snoozed': ['debug', (event) => `Snoozed ${run(event)} for ${ms(event.afterMs)}.`],
  'job.cancel_requested': [
    'info',
    (event) => `Somebody asked to cancel ${run(event)}; its signal has aborted.`,
  ],
  'job.cancelled': ['info', (event) => `Cancelled ${run(event)}.`],
  'job.given_back': [
    'debug',
    (event) => `Gave back ${job(event)}, ${event.wasRunning ? 'interrupted' : 'not started'}.`,
  ],
  'job.rescued': [
    'warn',
    (event) =>
      event.ranAlone
        ? `Worker ${event.workerId} died while it ran ${run(event)} alone; that counts as a failed run.`
        : `Worker ${event.workerId} died while it ran ${run(event)} beside others; it runs again alone, free of charge.`,
  ],
  'job.lease_lost': [
    'warn',
    (event) => `Lost ${run(event)} to another worker; what this run did in Millrace is ignored.`,
  ],
  'job.timed_out': [
    'warn',
    (event) => `Timed out ${run(event)} after ${ms(event.timeoutMs)}; its signal has aborted.`,
  ],
  'job.handler_outlived': [
    'warn',
    (event) =>
      `The handler of ${run(event)} goes on after its ${OUTLIVED[event.reason]}; what it does is ignored. Let it listen to context.signal.`,
  ],
  'result.not_stored': [
    'warn',
    (event) => `Finished ${run(event)} without its result: ${thrown(event.error)}.`,
  ],
  'complete.error_after': [
    'warn',
    (event) =>
      `The handler of ${run(event)} threw after its transaction had committed: ${error(event.error)}. The job stays finished.`,
  ],
  'claim.made': ['debug', (event) => `Claimed ${jobs(event)} in ${ms(event.ms)}.`],
  'claim.failed': [
    'warn',
    (event) =>
      `Claiming from queue "${event.queueName}" failed: ${thrown(event.error)}. It is tried again in ${ms(event.retryInMs)}.`,
  ],
  'claim.recovered': [
    'warn',
    (event) => `A claim's answer was lost on the way; ${jobs(event)} were given back.`,
  ],
  'queue.paused': [
    'info',
    (event) =>
      `Queue "${event.queueName}" is paused: nothing of it starts until somebody resumes it.`,
  ],
  'queue.resumed': ['info', (event) => `Queue "${event.queueName}" goes on.`],
  'settle.made': ['debug', (event) => `Settled ${jobs(event)} in ${ms(event.ms)}.`],
  'settle.failed': [
    'warn',
    (event) =>
      `Settling jobs of queue "${event.queueName}" failed: ${thrown(event.error)}. It is tried again in ${ms(event.retryInMs)}.`,
  ],
  'progress.not_stored': [
    'warn',
    (event) =>
      `Progress and log lines of jobs of queue "${event.queueName}" could not be stored: ${thrown(event.error)}. It is tried again; the jobs go on.`,
  ],
  'poll.failed': [
    'warn',
    (event) => `Looking for due jobs failed: ${thrown(event.error)}. It is tried again soon.`,
  ],
  'worker.registered': [
    'info',
    (event) =>
      `This process works as worker ${event.workerId}, with a lease of ${ms(event.leaseMs)}.`,
  ],
  'worker.stopped': ['info', (event) => `Worker ${event.workerId} stopped.`],
  'worker.lease_lost': [
    'error',
    (event) =>
      `Worker ${event.workerId} was taken for dead and lost ${count(event.runs, 'run')}; it registers again. Was the process frozen, or its event loop blocked, for longer than leaseTimeout?`,
  ],
  'worker.died': [
    'warn',
    (event) =>
      `Worker ${event.workerId} was not heard of for ${ms(event.silentMs)} and is taken for dead.`,
  ],
  'worker.rescued': [
    'warn',
    (event) => `Freed ${count(event.count, 'job')} of the dead worker ${event.workerId}.`,
  ],
  'database.unavailable': [
    'error',
    (event) =>
      `The database cannot be reached (try ${event.attempt}): ${thrown(event.error)}. The next try is in ${ms(event.retryInMs)}.`,
  ],
  'database.restored': [
    'warn',
    (event) => `The database answers again after ${ms(event.afterMs)}.`,
  ],
  'listen.unavailable': [
    'warn',
    (event) =>
      `Notifications do not arrive here (is there a transaction pooler in between?); queues are polled every ${ms(event.pollIntervalMs)}.`,
  ],
  'listen.lost': [
    'warn',
    (event) => `The connection that listens broke: ${thrown(event.error)}. Another one is opened.`,
  ],
  'pool.exhausted': [
    'warn',
    (event) =>
      `An enqueue into "${event.queueName}" has waited ${ms(event.waitedMs)} for a connection of the pool, which its handlers hold. Raise the pool's max above the concurrency, or pass their transaction as tx.`,
  ],
  'history.partition_added': [
    'debug',
    (event) => `Made room for the history that expires on ${event.day}.`,
  ],
  'history.partition_dropped': [
    'debug',
    (event) => `Dropped the history that expired on ${event.day}.`,
  ],
  'maintenance.failed': [
    'warn',
    (event) =>
      `The chore "${event.chore}" failed: ${thrown(event.error)}. It is tried again later.`,
  ],
  'schema.unknown': [
    'info',
    (event) =>
      `The schema "${event.schema}" is at version ${event.version}; this release knows ${event.known} and still fits.`,
  ],
  'dashboard.failed': [
    'error',
    (event) => `The request ${event.id} to the dashboard failed: ${thrown(event.error)}.`,
  ],
  'audit.failed': [
    'error',
    (event) =>
      `The audit's entry ${event.entryId} could not be closed with "${event.outcome}": ${thrown(event.error)}.`,
  ],
  'listener.failed': ['error', (event) => `A listener of events threw: ${thrown(event.error)}.`],
}

const OUTLIVED = { timeout: 'timeout', shutdown: 'shutdown', lease_lost: 'lease was lost' } as const

/** The line of the log for an event. */
export function describeEvent(event: MillraceEvent): LogLine {
  // The table's own type binds each sentence to the event that it is said of.
  const [level, say] = WORDING[event.type] as readonly [LogLevel, (event: MillraceEvent) => string]
  const { type, ...fields } = event
  const described: LogFields =
    'error' in event ? { ...fields, error: recordOf(event.error) } : fields
  return { level, message: say(event), fields: { event: type, ...described } }
}

/** How much the event matters. */
export function levelOf(type: EventType): LogLevel {
  return WORDING[type][0]
}

/** The events of a level. */
export function typesAtLevel(level: LogLevel): EventType[] {
  return (Object.keys(WORDING) as EventType[]).filter((type) => levelOf(type) === level)
}

interface Named {
  readonly name: string
  readonly message: string
}

function recordOf(error: unknown): unknown {
  if (isNamed(error)) return error
  const { name, message, stack } = describeThrown(error)
  return { name, message, stack, ...codeOf(error) }
}

/** Whether it is an `ErrorRecord` already. */
function isNamed(error: unknown): error is Named {
  return (
    typeof error === 'object' &&
    error !== null &&
    Object.getPrototypeOf(error) === Object.prototype &&
    'stack' in error
  )
}

/** The SQLSTATE or the code of a `MillraceError`. */
function codeOf(error: unknown): { code?: string } {
  try {
    const code: unknown = (error as { code?: unknown } | undefined)?.code
    return typeof code === 'string' ? { code } : {}
  } catch {
    return {}
  }
}

function job(event: { jobId: string; queueName: string }): string {
  return `job ${event.jobId} of queue "${event.queueName}"`
}

function run(event: { jobId: string; queueName: string; attempt: number }): string {
  return `${job(event)} (run ${event.attempt})`
}

function jobs(event: { count: number; queueName: string }): string {
  return `${count(event.count, 'job')} of queue "${event.queueName}"`
}

function count(number: number, noun: string): string {
  return `${showNumber(number)} ${noun}${number === 1 ? '' : 's'}`
}

function error({ name, message }: Named): string {
  return `${name}: ${message.replace(/\.$/, '')}` // the line has its own full stop
}

function thrown(value: unknown): string {
  return error(describeThrown(value))
}

function ms(value: number): string {
  if (value < 1_000) return `${showNumber(Math.round(value))} ms`
  return `${showNumber(Math.round(value / 100) / 10)} s`
}
