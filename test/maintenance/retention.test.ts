import { retain } from '../../src/maintenance/retention.ts'
import { addPartition } from '../../src/store/history.ts'
import type { Fixtures } from '../support/fixtures.ts'
import { expect } from '../support/fixtures.ts'
import { test, WORKERS } from './arrange.ts'

const DAY_MS = 24 * 3_600_000

/** The days that have a partition, as numbers of days from today by the database's clock. */
async function daysOf(rows: Fixtures['rows']): Promise<number[]> {
  const found = await rows(`
    select to_date(substring(pg_class.relname from 9), 'YYYYMMDD') - (now() at time zone 'UTC')::date as day
    from pg_inherits join pg_class on pg_class.oid = inhrelid
    where inhparent = '{schema}.history'::regclass
    order by 1`)
  return found.map(({ day }) => Number(day))
}

const OVER = ['2001-02-03', '2001-02-04']

async function addOver(rows: Fixtures['rows']): Promise<void> {
  for (const day of OVER) await rows('select {schema}.add_history_partition($1::text::date)', [day])
}

test('the days on which jobs of the coming two weeks will expire are there, for every time that a queue keeps', async ({
  scene,
  bus,
  rows,
  events,
}) => {
  await scene.queue('kept', { keepFinishedMs: 1.5 * DAY_MS, keepFailedMs: 40 * DAY_MS })
  await scene.queue('kept too', { keepFinishedMs: 3_600_000, keepFailedMs: 40 * DAY_MS })
  await scene.queue('known only as a dead-letter queue', { keepFailedMs: null })
  await retain(scene.store, bus)
  const near = Array.from({ length: 16 }, (_, day) => day)
  const far = Array.from({ length: 15 }, (_, day) => 40 + day)
  expect(await daysOf(rows)).toEqual([...near, ...far])
  const [today] = await rows(`select to_char(now() at time zone 'UTC', 'YYYY-MM-DD') as day`)
  const told = events.all('history.partition_added')
  expect(told).toHaveLength(31)
  expect(told[0]?.day).toBe(today?.['day'])
})

test('what is there already is not made again', async ({ scene, bus, rows, events }) => {
  await scene.queue('default')
  await retain(scene.store, bus)
  const days = await daysOf(rows)
  await retain(scene.store, bus)
  expect(await daysOf(rows)).toEqual(days)
  expect(events.all('history.partition_added')).toHaveLength(15)
})

test('a job that ends in the last minute of its queue finds its day', async ({
  scene,
  bus,
  rows,
}) => {
  await scene.queue('default', { keepFinishedMs: 1.99 * DAY_MS })
  await retain(scene.store, bus)
  const days = await daysOf(rows)
  for (const inDays of [0, 1, 6]) {
    expect(await addPartition(scene.store, (inDays + 1.99) * DAY_MS)).toBe(false)
  }
  expect(await daysOf(rows)).toEqual(days)
})

test('days that are over are dropped, and their ISO dates told', async ({
  scene,
  bus,
  rows,
  events,
}) => {
  await addOver(rows)
  await retain(scene.store, bus)
  expect(await daysOf(rows)).toEqual([])
  expect(events.all('history.partition_dropped').map(({ day }) => day)).toEqual(OVER)
})

test('today is not over', async ({ scene, bus, rows }) => {
  await rows(`select {schema}.add_history_partition((now() at time zone 'UTC')::date)`)
  await retain(scene.store, bus)
  expect(await daysOf(rows)).toEqual([0])
})

test.for([
  ['one day', 'history_20010203', ['2001-02-04']],
  ['all of history', 'history', []],
] as const)(
  'of days that are over, those that somebody reads stay for the next time (%s)',
  async ([, table, dropped], { scene, bus, db, schema, rows, events }) => {
    await addOver(rows)
    const reader = await db.connect()
    try {
      await reader.query(`begin; select from "${schema}".${table}`)
      await retain(scene.store, bus)
      expect(events.all('history.partition_dropped').map(({ day }) => day)).toEqual(dropped)
      expect(await daysOf(rows)).toHaveLength(OVER.length - dropped.length)
      await reader.query('commit')
    } finally {
      reader.release()
    }
    await retain(scene.store, bus)
    expect(await daysOf(rows)).toEqual([])
  },
)

test('workers are forgotten a day after they ended, with their marks', async ({
  scene,
  bus,
  rows,
}) => {
  const queue = await scene.queue('default')
  await scene.enqueue(queue, 1)
  const ids = []
  for (let workers = 0; workers < 5; workers++) ids.push(await scene.worker([queue]))
  const [stopped = 0, rescued = 0, justStopped = 0, dead = 0, living = 0] = ids
  const [job] = await scene.claim(queue, stopped, { limit: 1, starts: false })
  if (job !== undefined) await scene.mark(queue, stopped, job)
  const set = (id: number, what: string) =>
    rows(`update {schema}.workers set ${what} where id = $1`, [id])
  await set(stopped, `stopped_at = now() - interval '25 hours'`)
  await set(rescued, `dead_at = now() - interval '26 h', rescued_at = now() - interval '25 h'`)
  await set(justStopped, `stopped_at = now() - interval '23 hours'`)
  await set(dead, `dead_at = now() - interval '3 days', looked_at = now() - interval '3 days'`)
  await retain(scene.store, bus)
  expect((await rows(WORKERS)).map(({ id }) => id)).toEqual([justStopped, dead, living])
  expect(await rows('select from {schema}.marks')).toEqual([])
})
