import { suggestName } from '../core/suggest.ts'
import { quote, showCommand } from '../core/show-command.ts'
import { showCount, showTime } from '../core/words.ts'
import type { DBTX } from '../drivers/driver.ts'
import { longestWait } from '../store/backlog.ts'
import { countNewDeadLetters, listReceptions, type Reception } from '../store/examination.ts'
import { readClock } from '../store/poll.ts'
import { listQueues, type QueueRow } from '../store/queues.ts'
import { readOnly } from '../store/read-only.ts'
import type { Check } from './check.ts'
import { ok, warning, withCommands, type Observation } from './finding.ts'
import type { Subject } from './subject.ts'

const HOUR_MS = 3_600_000
/** More queues than this are not told one by one. */
const MOST = 20

/** Whether somebody receives the queues in which jobs are due. */
export const queues: Check = {
  name: 'queues',
  group: 'Queues',
  readsTables: true,
  run: (subject) => readOnly(subject.store, (tx) => look(subject, tx)),
}

/** A queue that nobody receives, in which jobs have been due for long. */
interface Unreceived {
  readonly queue: QueueRow
  readonly waitMs: number
  /** For how long nobody has received it; undefined: for a day at least. */
  readonly aloneForMs: number | undefined
}

async function look({ store, limits }: Subject, tx: DBTX): Promise<Observation[]> {
  const all = await listQueues(store, tx)
  if (all.length === 0) return [ok('There are no queues yet.')]
  const receptions = await listReceptions(store, tx)
  const nowMs = Number(await readClock(store, tx)) / 1_000
  const isReceived = ({ id }: QueueRow): boolean => (receptions.get(id)?.living ?? 0) > 0
  const received = all.filter(isReceived).map(({ name }) => name)
  const dlqIds = new Set(all.map(({ dlqId }) => dlqId))
  const observations: Observation[] = []
  for (const queue of all.filter((queue) => queue.pausedAt !== null || !isReceived(queue))) {
    const waitMs = await longestWait(store, queue.id, tx)
    if (waitMs === null || waitMs < limits.waitMs) continue
    if (queue.pausedAt !== null) {
      observations.push(paused(queue, waitMs, store.schema))
      continue
    }
    if (dlqIds.has(queue.id)) {
      const count = await countNewDeadLetters(store, queue.id, HOUR_MS, tx)
      if (count >= limits.deadLettersAnHour) observations.push(growing(queue, count, store.schema))
      continue
    }
    const aloneForMs = aloneFor(receptions.get(queue.id), nowMs)
    observations.push(unreceived({ queue, waitMs, aloneForMs }, received, store.schema))
  }
  if (observations.length > MOST) return [...observations.slice(0, MOST), more(observations.length)]
  if (observations.length > 0) return observations
  return [ok(`${showCount(all.length, 'queue')}, and none whose due jobs nobody runs.`)]
}

function aloneFor(reception: Reception | undefined, nowMs: number): number | undefined {
  return reception === undefined ? undefined : nowMs - Number(reception.lastBeatAt) / 1_000
}

function unreceived(
  { queue, waitMs, aloneForMs }: Unreceived,
  received: readonly string[],
  schema: string,
): Observation {
  const since =
    aloneForMs === undefined
      ? 'nobody has received it in the last day'
      : `for ${showTime(aloneForMs)} nobody has received it`
  const meant = suggestName(queue.name, received)
  const hint = meant === undefined ? '' : ` Is ${JSON.stringify(meant)} meant, which is received?`
  return warning(
    `Jobs have been due for ${showTime(waitMs)} in the queue ${JSON.stringify(queue.name)}, and ${since}.${hint}`,
    withCommands(
      'Start a worker for it, or put the queueName of one side right. If a schedule drains it, this is its pause. To look:',
      showCommand(`jobs list --queue ${quote(queue.name)}`, { schema }),
    ),
    { queue: queue.name, waitMs: Math.round(waitMs), aloneForMs: aloneForMs ?? null },
  )
}

function paused(
  { name, pausedBy, pauseReason }: QueueRow,
  waitMs: number,
  schema: string,
): Observation {
  const by = pausedBy === null ? '' : ` by ${pausedBy}`
  const reason = pauseReason === null ? '' : ` (${pauseReason})`
  return warning(
    `Jobs have been due for ${showTime(waitMs)} in the queue ${JSON.stringify(name)}, which was paused${by}${reason}.`,
    withCommands(
      'When the reason is gone, resume it:',
      showCommand(`queues resume ${quote(name)}`, { schema }),
    ),
    { queue: name, waitMs: Math.round(waitMs), pausedBy, pauseReason },
  )
}

function growing({ name }: QueueRow, count: number, schema: string): Observation {
  return warning(
    `The dead-letter queue ${JSON.stringify(name)} grows: ${showCount(count, 'dead letter')} came within the last hour.`,
    withCommands(
      'See what their runs failed of, mend it, and send them back:',
      showCommand(`jobs list --queue ${quote(name)} --newest`, { schema }),
      showCommand(`redrive ${quote(name)} --limit 1`, { schema }),
    ),
    { queue: name, withinAnHour: count },
  )
}

function more(count: number): Observation {
  const message = `${showCount(count - MOST, 'queue')} more ${count - MOST === 1 ? 'is' : 'are'} like these.`
  return warning(message, 'See the column "oldest due" of `millrace queues`.', { queues: count })
}
