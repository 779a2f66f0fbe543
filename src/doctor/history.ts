import { showCount } from '../core/words.ts'
import type { DBTX } from '../drivers/driver.ts'
import { listReceptions } from '../store/examination.ts'
import { readClock } from '../store/poll.ts'
import { listQueues } from '../store/queues.ts'
import { readOnly } from '../store/read-only.ts'
import { statement } from '../store/statement.ts'
import type { Store } from '../store/store.ts'
import type { Check } from './check.ts'
import { ok, warning, type Observation } from './finding.ts'

const DAY_MS = 24 * 3_600_000
/** Workers make days two weeks ahead: that one of the next few is missing means that none did for long. */
const COMING_DAYS = 3

export const LIST_HISTORY_DAYS = statement({
  name: 'list_history_days',
  parameters: ['text'],
  indexes: [],
  sql: `
select to_char(to_date(right(attached.relname::text, 8), 'YYYYMMDD'), 'YYYY-MM-DD') as "day"
from pg_catalog.pg_namespace as namespace
join pg_catalog.pg_class as parent on parent.relnamespace = namespace.oid
join pg_catalog.pg_inherits as inheritance on inheritance.inhparent = parent.oid
join pg_catalog.pg_class as attached on attached.oid = inheritance.inhrelid
where namespace.nspname = $1::text
  and parent.relname = 'history'
  and attached.relname ~ '^history_[0-9]{8}$'
order by attached.relname`,
})

/** Whether history has its days: those on which jobs will expire that end now or soon, and none that is over. */
export const history: Check = {
  name: 'history',
  group: 'Schema',
  readsTables: true,
  async run({ store }) {
    const seen = await readOnly(store, (tx) => look(store, tx))
    if (seen.days.size === 0 && !seen.hasWorked) {
      return [ok('No day of history is needed before the first worker, which makes it.')]
    }
    const observations = [...missingDays(seen), ...leftDays(seen)]
    if (observations.length > 0) return observations
    const message = `History has ${showCount(seen.days.size, 'day')}, all that the coming ones need among them.`
    return [ok(message, { days: seen.days.size })]
  },
}

interface Seen {
  /** The days that there are, as ISO dates. */
  readonly days: ReadonlySet<string>
  readonly nowMs: number
  /** How long ended jobs are kept, of all queues. */
  readonly keepsMs: readonly number[]
  readonly hasWorked: boolean
}

async function look(store: Store, tx: DBTX): Promise<Seen> {
  const days = await store.run<{ day: string }>(LIST_HISTORY_DAYS, [store.schema], tx)
  const queues = await listQueues(store, tx)
  const keeps = new Set(queues.flatMap((queue) => [queue.keepFinishedMs, queue.keepFailedMs]))
  return {
    days: new Set(days.map(({ day }) => day)),
    nowMs: Number(await readClock(store, tx)) / 1_000,
    keepsMs: [...keeps].filter((keep) => keep !== null),
    hasWorked: (await listReceptions(store, tx)).size > 0,
  }
}

function missingDays({ days, nowMs, keepsMs }: Seen): Observation[] {
  const needed = keepsMs.flatMap((keepMs) =>
    Array.from({ length: COMING_DAYS + 1 }, (_, ahead) => dayOf(nowMs + keepMs + ahead * DAY_MS)),
  )
  const missing = [...new Set(needed)].filter((day) => !days.has(day)).sort()
  const [first] = missing
  if (first === undefined) return []
  const message = `History lacks ${showCount(missing.length, 'day')} that the coming ones need, the first of them ${first}.`
  const remedy =
    'Start a worker: it makes two weeks ahead, once an hour. Where workers do run, look for maintenance.failed in their ' +
    'log; they may lack a right. Until then each first settle of a day makes what it needs.'
  return [warning(message, remedy, { missing })]
}

function leftDays({ days, nowMs }: Seen): Observation[] {
  const left = [...days].filter((day) => day < dayOf(nowMs - DAY_MS)).sort()
  const [first] = left
  if (first === undefined) return []
  const message = `History still has ${showCount(left.length, 'day')} of jobs that have expired, the first of them ${first}.`
  const remedy =
    'Start a worker: it drops them, once an hour. Where workers do run, somebody reads history without end, or they lack ' +
    'a right: look for maintenance.failed in their log.'
  return [warning(message, remedy, { left })]
}

function dayOf(ms: number): string {
  return new Date(ms).toISOString().slice(0, 10)
}
