import type { QueueAtAGlance } from '../../store/glance.ts'
import { showNumber } from './figures.ts'
import type { Links } from './links.ts'
import type { Markup } from './page.ts'

/** How a queue behaves, in words. */
export function Settings({ queue, links }: { queue: QueueAtAGlance; links: Links }): Markup {
  const { dlq, keepFinishedMs, keepFailedMs } = queue
  return (
    <section class="panel">
      <h2>Settings</h2>
      <dl class="facts">
        <dt>Order</dt>
        <dd>{orderOf(queue)}</dd>
        <dt>Retries</dt>
        <dd>{retriesOf(queue)}</dd>
        <dt>Dead-letter queue</dt>
        <dd>
          {dlq === null ? (
            'none: jobs that failed for good stay here'
          ) : (
            <a href={links.deadLetters({ queue: dlq })}>{dlq}</a>
          )}
        </dd>
        <dt>Finished jobs</dt>
        <dd>
          {keepFinishedMs === null ? 'deleted at once' : `kept for ${inWords(keepFinishedMs)}`}
        </dd>
        <dt>Failed and cancelled jobs</dt>
        <dd>{`kept for ${keepFailedMs === null ? '30 days' : inWords(keepFailedMs)}`}</dd>
      </dl>
    </section>
  )
}

function orderOf({ fifo }: QueueAtAGlance): string {
  if (fifo === null) return 'not decided: nobody has opened it but as a dead-letter queue'
  if (fifo) return 'FIFO: one job at a time over all processes, in the order of enqueueing'
  return 'concurrent: by priority, then by time'
}

function retriesOf({ baseRetryDelayMs, maxRetryDelayMs, retryJitter }: QueueAtAGlance): string {
  const first = inWords(Math.min(baseRetryDelayMs, maxRetryDelayMs))
  const jitter =
    retryJitter === 0 ? '' : `, up to ${showNumber(retryJitter * 100)} % more or less at random`
  return `back-off from ${first} to ${inWords(maxRetryDelayMs)}${jitter}`
}

const UNITS = [
  [86_400_000, 'day'],
  [3_600_000, 'hour'],
  [60_000, 'minute'],
  [1_000, 'second'],
] as const

/** As somebody says it who set it: `7 days`, `90 minutes`. */
export function inWords(ms: number): string {
  const [unit, name] = UNITS.find(([unit]) => ms >= unit && ms % unit === 0) ?? [1, 'millisecond']
  const count = ms / unit
  return `${showNumber(count)} ${name}${count === 1 ? '' : 's'}`
}
