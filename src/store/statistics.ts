import { COUNTS, type CountName, type TallyRow } from '../core/tally.ts'
import type { DBTX } from '../drivers/driver.ts'
import { fromMicros, toMicros, type Micros } from './instants.ts'
import { sqlArray } from './numerals.ts'
import { statement } from './statement.ts'
import type { Store } from './store.ts'

/** The numbers of a row, in the order of `COUNTS` and then the sums. */
const NUMBERS = [
  ...COUNTS.map((name) => name.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)),
  'wait_us',
  'run_us',
] as const

const HISTOGRAMS = ['waits', 'runs'] as const

const FIGURES = [...NUMBERS, ...HISTOGRAMS].join(', ')

/** SQL that adds two histograms, bucket by bucket. */
function addHistograms(one: string, other: string): string {
  return `(
    select coalesce(jsonb_object_agg(bucket.key, bucket.count), '{}')
    from (
      select part.key, sum(part.value::int8) as count
      from (select * from jsonb_each_text(${one}) union all select * from jsonb_each_text(${other})) as part
      group by part.key
    ) as bucket
  )`
}

/** SQL for the histograms of groups of rows: those of one queue and one instant, and with `orEver` of one queue. */
function sumHistograms(name: 'waits' | 'runs', orEver: boolean): string {
  const groups = (key: string): string =>
    orEver
      ? `grouping sets ((moved.queue_id, moved.at${key}), (moved.queue_id${key}))`
      : `moved.queue_id, moved.at${key}`
  return `
  select bucket.queue_id, bucket.at, jsonb_object_agg(bucket.key, bucket.count) as ${name}
  from (
    select moved.queue_id, moved.at, part.key, sum(part.value::int8) as count
    from moved
    cross join lateral jsonb_each_text(moved.${name}) as part
    group by ${groups(', part.key')}
  ) as bucket
  group by bucket.queue_id, bucket.at`
}

/** SQL that adds the rows that were moved to those that are there; without an instant to all that ever was. */
function addMoved(step: 'minute' | 'hour', orEver: boolean): string {
  const groups = orEver
    ? 'grouping sets ((moved.queue_id, moved.at), (moved.queue_id))'
    : 'moved.queue_id, moved.at'
  return `
sums as (
  select
    moved.queue_id, moved.at,
    ${NUMBERS.map((name) => `sum(moved.${name})::int8 as ${name}`).join(',\n    ')}
  from moved
  group by ${groups}
),
waits as (${sumHistograms('waits', orEver)}
),
runs as (${sumHistograms('runs', orEver)}
)
insert into {schema}.statistics (queue_id, step, at, ${FIGURES})
select
  sums.queue_id,
  case when sums.at is null then 'ever' else '${step}' end,
  coalesce(sums.at, 'epoch'),
  ${NUMBERS.map((name) => `sums.${name}`).join(', ')},
  coalesce(waits.waits, '{}'),
  coalesce(runs.runs, '{}')
from sums
left join waits on waits.queue_id = sums.queue_id and waits.at is not distinct from sums.at
left join runs on runs.queue_id = sums.queue_id and runs.at is not distinct from sums.at
order by 1, 2, 3
on conflict (queue_id, step, at) do update
set
  ${NUMBERS.map((name) => `${name} = statistics.${name} + excluded.${name}`).join(',\n  ')},
  ${HISTOGRAMS.map((name) => `${name} = ${addHistograms(`statistics.${name}`, `excluded.${name}`)}`).join(',\n  ')}
returning statistics.queue_id as "queueId"`
}

/**
 * A process writes its own rows, each with all that it has counted for it so far: to repeat that changes nothing. What is
 * older than three minutes is refused, as folding begins at five: no row comes back that was folded already, unless a
 * statement takes two minutes, and ours are given up after 15 s.
 */
export const WRITE_TALLIES = statement({
  name: 'write_tallies',
  parameters: ['text'],
  indexes: [],
  sql: `
insert into {schema}.tallies (queue_id, at, writer, part, ${FIGURES})
select
  queues.id, ${fromMicros('tally.at')}, tally.writer, tally.part,
  ${[...NUMBERS, ...HISTOGRAMS].map((name) => `tally.${name}`).join(', ')}
from jsonb_to_recordset($1::text::jsonb) as tally (
  queue text, at int8, writer uuid, part int4,
  ${NUMBERS.map((name) => `${name} int8`).join(', ')}, waits jsonb, runs jsonb
)
join {schema}.queues on queues.name = tally.queue
where ${fromMicros('tally.at')} >= statement_timestamp() - interval '3 minutes'
order by 1, 2, 3, 4
on conflict (queue_id, at, writer, part) do update
set
  ${[...NUMBERS, ...HISTOGRAMS].map((name) => `${name} = excluded.${name}`).join(',\n  ')}
returning tallies.queue_id as "queueId"`,
})

/**
 * Moves tallies of minutes that are over into the statistics, and adds them to all that ever was. One statement: it
 * happens as a whole or not at all, and two processes that do it at once take different rows.
 */
export const FOLD_TALLIES = statement({
  name: 'fold_tallies',
  parameters: ['int4'],
  indexes: [],
  sql: `
with moved as (
  delete from {schema}.tallies
  where (tallies.queue_id, tallies.at, tallies.writer, tallies.part) in (
    select old.queue_id, old.at, old.writer, old.part
    from {schema}.tallies as old
    where old.at < statement_timestamp() - interval '5 minutes'
    order by old.queue_id, old.at, old.writer, old.part
    limit $1::int4
    for update skip locked
  )
  returning tallies.queue_id, tallies.at, ${FIGURES}
),${addMoved('minute', true)}`,
})

/** Makes hours of minutes that are older than a day. Whole hours: what comes late is added. */
export const FOLD_MINUTES = statement({
  name: 'fold_minutes',
  parameters: ['int4'],
  indexes: [],
  sql: `
with old as (
  delete from {schema}.statistics
  where (statistics.queue_id, statistics.step, statistics.at) in (
    select minute.queue_id, minute.step, minute.at
    from {schema}.statistics as minute
    where minute.step = 'minute' and minute.at < date_trunc('hour', statement_timestamp() - interval '1 day')
    order by minute.queue_id, minute.at
    limit $1::int4
    for update skip locked
  )
  returning statistics.queue_id, date_trunc('hour', statistics.at) as at, ${FIGURES}
),
moved as (select old.queue_id, old.at, ${FIGURES} from old),${addMoved('hour', false)}`,
})

/** Forgets the hours that are older than eight days. */
export const FORGET_STATISTICS = statement({
  name: 'forget_statistics',
  parameters: [],
  indexes: [],
  sql: `
delete from {schema}.statistics
where statistics.step = 'hour' and statistics.at < statement_timestamp() - interval '8 days'`,
})

/** Texts as they are: one JSON array of all of it took the server twice as long. */
const FIGURES_AS_TEXT = `
  concat_ws(' ', ${NUMBERS.join(', ')}) as "numbers",
  waits::text as "waits",
  runs::text as "runs"`

/** What is known of a queue from one instant (in microseconds) up to another; of one minute there may be several rows. */
export const READ_STATISTICS = statement({
  name: 'read_statistics',
  parameters: ['int4', 'int8', 'int8'],
  indexes: ['statistics_of_queue', 'tallies_of_queue'],
  sql: `
select
  ${toMicros('known.at')} as "at",
  known.step as "step",${FIGURES_AS_TEXT}
from (
  select statistics.at, statistics.step, ${FIGURES}
  from {schema}.statistics
  where statistics.queue_id = $1::int4
    and statistics.step in ('minute', 'hour')
    and statistics.at >= ${fromMicros('$2::int8')}
    and statistics.at < ${fromMicros('$3::int8')}
  union all
  select tallies.at, 'minute', ${FIGURES}
  from {schema}.tallies
  where tallies.queue_id = $1::int4
    and tallies.at >= ${fromMicros('$2::int8')}
    and tallies.at < ${fromMicros('$3::int8')}
) as known`,
})

/** SQL for what is known of the queue `asked.id`, minute by minute since `from`. */
function minutesSince(from: string): string {
  return `
  select statistics.at, ${FIGURES}
  from {schema}.statistics
  where statistics.queue_id = asked.id
    and statistics.step = 'minute'
    and statistics.at >= ${fromMicros(from)}
  union all
  select tallies.at, ${FIGURES}
  from {schema}.tallies
  where tallies.queue_id = asked.id and tallies.at >= ${fromMicros(from)}`
}

/** As READ_STATISTICS, of many queues at once, since an instant of the last day. */
export const READ_MINUTES = statement({
  name: 'read_minutes',
  parameters: ['int4[]', 'int8'],
  indexes: ['statistics_of_queue', 'tallies_of_queue'],
  sql: `
select asked.id as "queueId", ${toMicros('known.at')} as "at", ${FIGURES_AS_TEXT}
from unnest($1::int4[]) as asked (id)
cross join lateral (${minutesSince('$2::int8')}
) as known`,
})

/** The counts of all queues together, since an instant of the last day. */
export const SUM_MINUTES = statement({
  name: 'sum_minutes',
  parameters: ['int8'],
  indexes: ['statistics_of_queue', 'tallies_of_queue'],
  sql: `
select
  concat_ws(' ', ${NUMBERS.map((name) => `coalesce(sum(known.${name}), 0)`).join(', ')}) as "numbers",
  ''::text as "waits",
  ''::text as "runs"
from {schema}.queues as asked
cross join lateral (${minutesSince('$1::int8')}
) as known`,
})

/**
 * All that ever was, of every queue: it only grows, whatever is folded and forgotten. Histograms of the last minutes
 * stand one behind the other, as `addBuckets` reads them: to add them here takes longer than to write them down.
 */
export const READ_TOTALS = statement({
  name: 'read_totals',
  parameters: [],
  indexes: ['statistics_of_queue'],
  sql: `
select
  known.queue_id as "queueId",
  concat_ws(' ', ${NUMBERS.map((name) => `sum(known.${name})`).join(', ')}) as "numbers",
  string_agg(known.waits::text, '') as "waits",
  string_agg(known.runs::text, '') as "runs"
from (
  select queues.id as queue_id, ${FIGURES}
  from {schema}.queues
  -- A look for each queue: the minutes and hours are a thousand times as many.
  cross join lateral (
    select ${FIGURES}
    from {schema}.statistics
    where statistics.queue_id = queues.id and statistics.step = 'ever' and statistics.at = 'epoch'
    limit 1
  ) as ever
  union all
  select tallies.queue_id, ${FIGURES}
  from {schema}.tallies
) as known
group by known.queue_id`,
})

/** What ended in each queue in the minutes that began less than five minutes ago: none of these is folded yet. */
export const READ_RECENT = statement({
  name: 'read_recent',
  parameters: [],
  indexes: [],
  sql: `
select
  tallies.queue_id as "queueId",
  sum(tallies.finished + tallies.failed + tallies.dead_lettered)::text as "ended",
  (date_part('epoch', statement_timestamp() - min(tallies.at)) * 1000)::int8::text as "ms"
from {schema}.tallies
where tallies.at >= statement_timestamp() - interval '5 minutes'
group by tallies.queue_id`,
})

/** Counts and times that were read. */
export interface Figures {
  readonly counts: Readonly<Record<CountName, number>>
  readonly waitUs: number
  readonly runUs: number
  /** Histograms, as `addBuckets` reads them. */
  readonly waits: string
  readonly runs: string
}

/** A minute or an hour of a queue; there may be several of the same, which are to be added. */
export interface StatisticsRow {
  readonly at: Micros
  readonly step: 'minute' | 'hour'
  readonly figures: Figures
}

export async function writeTallies(store: Store, rows: readonly TallyRow[]): Promise<void> {
  await store.run(WRITE_TALLIES, [JSON.stringify(rows.map(tallyOf))])
}

/** Answers how many rows of statistics came or changed; 0: there was nothing to fold. */
export async function foldTallies(store: Store, limit: number): Promise<number> {
  return (await store.run(FOLD_TALLIES, [limit])).length
}

/** As `foldTallies`. */
export async function foldMinutes(store: Store, limit: number): Promise<number> {
  return (await store.run(FOLD_MINUTES, [limit])).length
}

export async function forgetStatistics(store: Store): Promise<void> {
  await store.run(FORGET_STATISTICS, [])
}

export async function readStatistics(
  store: Store,
  queueId: number,
  span: { readonly from: number; readonly to: number },
  tx?: DBTX,
): Promise<StatisticsRow[]> {
  type Row = Omit<StatisticsRow, 'figures'> & FiguresRow
  const rows = await store.run<Row>(READ_STATISTICS, [queueId, span.from, span.to], tx)
  return rows.map((row) => ({ at: row.at, step: row.step, figures: readFigures(row) }))
}

/** What happened in each minute of these queues since `from`, in microseconds; of one minute there may be several. */
export async function readMinutes(
  store: Store,
  queueIds: readonly number[],
  from: number,
  tx?: DBTX,
): Promise<{ queueId: number; at: Micros; figures: Figures }[]> {
  type Row = { queueId: number; at: Micros } & FiguresRow
  const rows = await store.run<Row>(READ_MINUTES, [sqlArray(queueIds), from], tx)
  return rows.map((row) => ({ queueId: row.queueId, at: row.at, figures: readFigures(row) }))
}

/** What happened in all queues since `from`, in microseconds: counts and sums, no histograms. */
export async function sumMinutes(store: Store, from: number, tx?: DBTX): Promise<Figures> {
  const [row] = await store.run<FiguresRow>(SUM_MINUTES, [from], tx)
  if (row === undefined) throw new Error('sum_minutes answered no row')
  return readFigures(row)
}

export async function readTotals(
  store: Store,
  tx?: DBTX,
): Promise<{ queueId: number; figures: Figures }[]> {
  const rows = await store.run<{ queueId: number } & FiguresRow>(READ_TOTALS, [], tx)
  return rows.map((row) => ({ queueId: row.queueId, figures: readFigures(row) }))
}

/**
 * Jobs that end in a second, by the id of the queue, over the last five minutes; in a queue where the first of them is
 * younger, since then.
 */
export async function readPaces(store: Store, tx?: DBTX): Promise<Map<number, number>> {
  type Row = { queueId: number; ended: string; ms: string }
  const rows = await store.run<Row>(READ_RECENT, [], tx)
  return new Map(
    rows.map(({ queueId, ended, ms }) => [
      queueId,
      (Number(ended) / Math.max(1, Number(ms))) * 1_000,
    ]),
  )
}

function tallyOf({ queueName, at, writer, part, counts, ...times }: TallyRow): object {
  const numbers = [...COUNTS.map((name) => counts[name]), times.waitUs, times.runUs]
  return {
    ...{ queue: queueName, at, writer, part, waits: times.waits, runs: times.runs },
    ...Object.fromEntries(NUMBERS.map((name, index) => [name, numbers[index]])),
  }
}

interface FiguresRow {
  numbers: string
  waits: string
  runs: string
}

/** A page of queues has thousands of rows: nothing is made for a row but what it answers. */
function readFigures({ numbers, waits, runs }: FiguresRow): Figures {
  const values = numbers.split(' ').map(Number)
  const counts = {} as Record<CountName, number>
  for (const [index, name] of COUNTS.entries()) counts[name] = values[index] ?? 0
  const [waitUs = 0, runUs = 0] = values.slice(COUNTS.length)
  return { counts, waitUs, runUs, waits, runs }
}
