import { randomUUID } from 'node:crypto'
import { foldStatistics, retainStatistics } from '../../src/maintenance/statistics.ts'
import { COUNTS, type TallyRow } from '../../src/core/tally.ts'
import { foldTallies, readTotals, writeTallies } from '../../src/store/statistics.ts'
import { expect } from '../support/fixtures.ts'
import { sumOf } from '../metrics/arrange.ts'
import { test, type Scene } from './arrange.ts'

const NEVER = new AbortController().signal
const MINUTE = 60_000_000
const writer = randomUUID()

/** A tally of `finished` runs of a millisecond each. */
function tally(finished: number, rest: Partial<TallyRow> = {}): TallyRow {
  const counts = Object.fromEntries(COUNTS.map((name) => [name, 0])) as TallyRow['counts']
  return {
    ...{ queueName: 'default', at: Math.floor(Date.now() / 60_000) * MINUTE, writer, part: 1 },
    ...{ waitUs: 0, waits: {}, runUs: finished * 1_000, runs: { 32: finished } },
    counts: { ...counts, finished },
    ...rest,
  }
}

/** Lets what is written be so old. */
async function age(rows: (sql: string) => Promise<unknown>, interval: string): Promise<void> {
  await rows(`update {schema}.tallies set at = at - interval '${interval}'`)
}

async function total(scene: Scene): Promise<number> {
  const figures = await readTotals(scene.store)
  return figures.reduce((sum, each) => sum + each.figures.counts.finished, 0)
}

test('a row that is written again, because the answer was lost, counts once', async ({
  scene,
  rows,
}) => {
  await scene.queue('default')
  await writeTallies(scene.store, [tally(3)])
  await writeTallies(scene.store, [tally(3)])
  await writeTallies(scene.store, [tally(5)])
  expect(await sumOf(rows, 'tallies')).toMatchObject({ finished: 5, runs: 5 })
})

test('rows of other processes and parts are added', async ({ scene, rows }) => {
  await scene.queue('default')
  await writeTallies(scene.store, [tally(3), tally(4, { part: 2 })])
  await writeTallies(scene.store, [tally(5, { writer: randomUUID() })])
  expect(await sumOf(rows, 'tallies')).toMatchObject({ finished: 12 })
})

test('minutes that are over are folded, each once, and the sum stays what it was', async ({
  scene,
  rows,
}) => {
  await scene.queue('default')
  await writeTallies(scene.store, [tally(3), tally(4, { writer: randomUUID(), runs: { 40: 4 } })])
  await age(rows, '6 minutes')
  await writeTallies(scene.store, [tally(5, { part: 2 })])
  expect(await total(scene)).toBe(12)
  await foldStatistics(scene.store, NEVER)
  await foldStatistics(scene.store, NEVER)
  expect(await total(scene)).toBe(12)
  expect(await sumOf(rows, 'tallies')).toMatchObject({ finished: 5 })
  const folded = await rows(
    `select step, finished::int, runs from {schema}.statistics order by step`,
  )
  expect(folded).toEqual([
    { step: 'ever', finished: 7, runs: { 32: 3, 40: 4 } },
    { step: 'minute', finished: 7, runs: { 32: 3, 40: 4 } },
  ])
})

test('what comes late is added to what was folded before', async ({ scene, rows }) => {
  await scene.queue('default')
  const at = tally(0).at
  for (const part of [1, 2]) {
    await writeTallies(scene.store, [tally(2, { at, part, runs: { 32: 1, [40 + part]: 1 } })])
    await age(rows, '6 minutes')
    await foldStatistics(scene.store, NEVER)
  }
  const runs = { 32: 2, 41: 1, 42: 1 }
  expect(await rows(`select finished::int, runs from {schema}.statistics`)).toEqual([
    { finished: 4, runs },
    { finished: 4, runs },
  ])
})

test('a row that may have been folded already is refused', async ({ scene, rows }) => {
  await scene.queue('default')
  const { at } = tally(0)
  await writeTallies(scene.store, [tally(3, { at: at - 4 * MINUTE })])
  await writeTallies(scene.store, [tally(3, { at: at - 2 * MINUTE, queueName: 'unknown' })])
  expect(await sumOf(rows, 'tallies')).toMatchObject({ finished: 0 })
})

test('many who fold at once count everything once', async ({ scene, rows }) => {
  await scene.queue('default')
  const parts = Array.from({ length: 300 }, (_, part) => tally(1, { part }))
  await writeTallies(scene.store, parts)
  await age(rows, '6 minutes')
  const fold = async (): Promise<void> => {
    while ((await foldTallies(scene.store, 7)) > 0);
  }
  await Promise.all([fold(), fold(), fold(), fold()])
  await fold()
  expect(await sumOf(rows, 'tallies')).toMatchObject({ finished: 0 })
  const where = `step = 'minute'`
  expect(await sumOf(rows, 'statistics', { where })).toMatchObject({ finished: 300, runs: 300 })
  expect(await total(scene)).toBe(300)
})

test('a fold that is rolled back, as when its process dies, leaves all as it was', async ({
  scene,
  rows,
  db,
  schema,
}) => {
  await scene.queue('default')
  await writeTallies(scene.store, [tally(3)])
  await age(rows, '6 minutes')
  await rows(`alter table {schema}.statistics add constraint refuses check (step <> 'ever')`)
  await expect(foldTallies(scene.store, 100)).rejects.toThrow('refuses')
  expect(await sumOf(rows, 'tallies')).toMatchObject({ finished: 3 })
  await db.query(`alter table "${schema}".statistics drop constraint refuses`)
  await foldStatistics(scene.store, NEVER)
  expect(await total(scene)).toBe(3)
})

test('minutes become hours after a day, hours go after eight, and the total stays', async ({
  scene,
  rows,
}) => {
  await scene.queue('default')
  const sixty = Array.from({ length: 60 }, (_, part) => tally(1, { part }))
  await writeTallies(scene.store, sixty)
  await rows(
    `update {schema}.tallies
     set at = date_trunc('hour', statement_timestamp()) - interval '30 hours' + part * interval '1 minute'`,
  )
  await foldStatistics(scene.store, NEVER)
  await retainStatistics(scene.store, NEVER)
  await retainStatistics(scene.store, NEVER)
  const known = `select step, finished::int, runs from {schema}.statistics order by step`
  expect(await rows(known)).toEqual([
    { step: 'ever', finished: 60, runs: { 32: 60 } },
    { step: 'hour', finished: 60, runs: { 32: 60 } },
  ])
  await rows(`update {schema}.statistics set at = at - interval '8 days' where step = 'hour'`)
  await retainStatistics(scene.store, NEVER)
  expect(await rows(known)).toEqual([{ step: 'ever', finished: 60, runs: { 32: 60 } }])
})
