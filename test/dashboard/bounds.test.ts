import { expect } from 'vitest'
import { driverFor } from '../../src/drivers/recognise.ts'
import { READ_BACKLOGS } from '../../src/store/backlog.ts'
import { BROWSE_NEWEST_LIVE_JOBS, BROWSE_NEWEST_PAST_JOBS } from '../../src/store/browse.ts'
import { GLANCE_AT_QUEUES } from '../../src/store/glance.ts'
import { COUNT_LIVE_JOBS, SURVEY_QUEUES } from '../../src/store/overview.ts'
import { readBounded } from '../../src/store/read-only.ts'
import { LOCATE_LIVE_JOB, LOCATE_PAST_JOB } from '../../src/store/locate.ts'
import { READ_MINUTES, READ_TOTALS, SUM_MINUTES } from '../../src/store/statistics.ts'
import type { Statement } from '../../src/store/statement.ts'
import { Store } from '../../src/store/store.ts'
import { test, type Fixtures } from '../support/fixtures.ts'
import { adminApi } from './arrange.ts'

/*
 * The size at which people ask is 5 million jobs in 200 queues (bench/http-api.mjs); what makes that quick is that no
 * answer reads more than so much, which shows at any size beyond the bounds.
 */

const QUEUES = 40
const JOBS = 60_000 // 3,000 of them in each of the first 10 queues, 1,000 in the others
const DAYS = 10

/** Fills a schema with queues, with jobs that wait, and with as many in history over ten days. */
async function fill(rows: Fixtures['rows']): Promise<void> {
  await rows(`insert into {schema}.queues (name, base_retry_delay_ms, max_retry_delay_ms, retry_jitter)
    select 'queue ' || to_char(n, 'fm000'), 2000, 3600000, 0 from generate_series(1, ${QUEUES}) as n`)
  const queueOf = `case when n % 2 = 0 then n / 2 % 10 + 1 else n / 2 % 30 + 11 end`
  await rows(`insert into {schema}.jobs (run_at, created_at, queue_id, priority, max_retries, retry_policy, args, metadata)
    select now() - n * interval '1 second', now(), ${queueOf}, n % 10, 3, 'constant', '{"to":"ada"}', '{}'
    from generate_series(1, ${JOBS}) as n`)
  await rows(
    `select {schema}.add_history_partition(current_date + n) from generate_series(0, ${DAYS}) as n`,
  )
  await rows(`insert into {schema}.history (id, expires_at, finished_at, run_at, created_at, queue_id, priority,
      max_retries, retry_policy, outcome, attempt, error_count, args, metadata)
    select nextval('{schema}.job_ids'), now() + n % ${DAYS} * interval '1 day', now(), now(), now(), ${queueOf}, 5, 3,
      'constant', case when n % 7 = 0 then 'failed' else 'finished' end::{schema}.outcome, 1, 0, '{}', '{}'
    from generate_series(1, ${JOBS}) as n`)
  await rows('analyze {schema}.jobs')
  await rows('analyze {schema}.history')
}

interface Buffers {
  readonly 'Shared Hit Blocks': number
  readonly 'Shared Read Blocks': number
}

/** How many pages a statement reads. */
function readBuffers(
  db: Fixtures['db'],
  schema: string,
  statement: Statement,
  values: unknown[],
): Promise<number> {
  const store = new Store(driverFor(db), schema)
  return readBounded(store, async (tx) => {
    const text = `explain (analyze, buffers, format json) ${store.text(statement)}`
    const answer = await tx.query(text, values)
    const json = answer.rows[0]?.['QUERY PLAN'] as string
    const [{ Plan: plan }] = JSON.parse(json) as [{ Plan: Buffers }]
    return plan['Shared Hit Blocks'] + plan['Shared Read Blocks']
  })
}

test('an answer reads so much and no more, however many jobs there are', async ({
  db,
  schema,
  rows,
}) => {
  await fill(rows)
  const buffersOf = (statement: Statement, values: unknown[]) =>
    readBuffers(db, schema, statement, values)
  const nothing = [null, null, null, null, null]
  const newest = [1, '9223372036854775807', 50]
  // One job after the other, of 2,000; and the index.
  expect(
    await buffersOf(BROWSE_NEWEST_LIVE_JOBS, [...newest, null, ...nothing, 2_000, 4_096]),
  ).toBeLessThan(3_000)
  const none = [...newest, null, null, null, null, '{"no":"such"}', null, 2_000, 4_096]
  expect(await buffersOf(BROWSE_NEWEST_LIVE_JOBS, none)).toBeLessThan(3_000)
  expect(await buffersOf(BROWSE_NEWEST_PAST_JOBS, none)).toBeLessThan(3_000)
  const untagged = [...newest, null, ...nothing.slice(1), '{nobody}', 2_000, 4_096]
  expect(await buffersOf(BROWSE_NEWEST_LIVE_JOBS, untagged)).toBeLessThan(3_000)
  expect(await buffersOf(BROWSE_NEWEST_PAST_JOBS, untagged)).toBeLessThan(3_000)
  // Of each of 40 queues a sample of 100 twice, ten lanes, and each day of history.
  expect(await buffersOf(GLANCE_AT_QUEUES, ['', 100, 100, null])).toBeLessThan(QUEUES * 400)
  // Claimed and due jobs alone: of the whole page, and with a smaller sample of all queues.
  expect(await buffersOf(SURVEY_QUEUES, ['', 51, 500, ''])).toBeLessThan(QUEUES * 700)
  expect(await buffersOf(SURVEY_QUEUES, ['', 1_001, 100, ''])).toBeLessThan(QUEUES * 300)
  expect(await buffersOf(COUNT_LIVE_JOBS, ['{1,2}', 1_500])).toBeLessThan(2 * 2_000)
  expect(await buffersOf(GLANCE_AT_QUEUES, ['', 1, 2_000, 'queue 001'])).toBeLessThan(6_000)
  // A hundred of each lane that has them, and one look for each lane.
  const queueIds = `{${Array.from({ length: QUEUES }, (_, index) => index + 1).join(',')}}`
  expect(await buffersOf(READ_BACKLOGS, [queueIds, 100])).toBeLessThan(QUEUES * 10 * 110)
  expect(await buffersOf(READ_BACKLOGS, [queueIds, 1])).toBeLessThan(QUEUES * 10 * 8)
  expect(await buffersOf(READ_BACKLOGS, ['{1}', 1])).toBeLessThan(10 * 8) // of 300 in each lane
  expect(await buffersOf(LOCATE_LIVE_JOB, ['7777777'])).toBeLessThan(QUEUES * 4)
  expect(await buffersOf(LOCATE_PAST_JOB, ['7777777'])).toBeLessThan(QUEUES * 4 * DAYS)
})

test('what ever was is read beside all minutes, not through them', async ({ db, schema, rows }) => {
  await fill(rows)
  const numbers = Array.from({ length: 12 }, () => '1').join(', ')
  const histogram = `{${Array.from({ length: 30 }, (_, bucket) => `"${bucket}": 1`).join(', ')}}`
  await rows(`insert into {schema}.statistics
    select id, step, at, ${numbers}, '${histogram}', '${histogram}'
    from {schema}.queues
    cross join (
      select 'ever' as step, timestamptz 'epoch' as at
      union all
      select 'minute', now() - n * interval '1 minute' from generate_series(1, 200) as n
    ) as steps`)
  await rows('analyze {schema}.statistics')
  const store = new Store(driverFor(db), schema)
  const explained = await rows(`explain (analyze, buffers, format json) ${store.text(READ_TOTALS)}`)
  const [{ 'QUERY PLAN': json }] = explained as [{ 'QUERY PLAN': [{ Plan: Buffers }] }]
  const [{ Plan: plan }] = json
  expect(plan['Shared Hit Blocks'] + plan['Shared Read Blocks']).toBeLessThan(QUEUES * 6)
})

test('the last hour is read without the week before it', async ({ db, schema, rows }) => {
  const queues = 50
  await rows(`insert into {schema}.queues (name, base_retry_delay_ms, max_retry_delay_ms, retry_jitter)
    select 'queue ' || to_char(n, 'fm000'), 2000, 3600000, 0 from generate_series(1, ${queues}) as n`)
  // Hours of minutes, and days of hours before them. Times spread over 30 buckets.
  const buckets = `(select jsonb_object_agg(60 + 3 * b, b) from generate_series(1, 30) as b)`
  const figures = `9, 9, 8, 0, 1, 0, 0, 0, 0, 0, 1000, 1000, ${buckets}, ${buckets}`
  const minute = `date_trunc('minute', now())`
  await rows(`insert into {schema}.statistics
    select queue, 'minute', ${minute} - (n + 5) * interval '1 minute', ${figures}
    from generate_series(0, 400) as n, generate_series(1, ${queues}) as queue`)
  await rows(`insert into {schema}.statistics
    select queue, 'hour', date_trunc('hour', now()) - n * interval '1 hour', ${figures}
    from generate_series(25, 125) as n, generate_series(1, ${queues}) as queue`)
  await rows(`insert into {schema}.tallies
    select queue, ${minute} - n * interval '1 minute', gen_random_uuid(), part, ${figures}
    from generate_series(0, 4) as n, generate_series(1, 3) as part, generate_series(1, ${queues}) as queue`)
  await rows('analyze {schema}.statistics')
  const hourAgo = String((Date.now() - 3_600_000) * 1_000)
  const some = '{1,2,3,4,5}'
  const ofSome = await readBuffers(db, schema, READ_MINUTES, [some, hourAgo])
  expect(ofSome).toBeLessThan(5 * (60 + 15) * 4)
  expect(await readBuffers(db, schema, SUM_MINUTES, [hourAgo])).toBeLessThan(queues * (60 + 15) * 4)
})

test('what is not counted is estimated, and said to be', async ({ db, schema, rows }) => {
  await fill(rows)
  const api = adminApi(db, schema)
  const { queues } = (await api('GET', '/api/queues?limit=100')).body
  expect(queues).toHaveLength(QUEUES)
  for (const { counts } of queues) {
    expect(counts['available']?.precision).toBe('estimate')
    expect(counts['finished']?.precision).toMatch(/estimate|atLeast/)
  }
  const sum = queues.reduce((all, { counts }) => all + (counts['available']?.value ?? 0), 0)
  expect(sum).toBeGreaterThan(JOBS * 0.8)
  expect(sum).toBeLessThan(JOBS * 1.2)
  const one = (await api('GET', '/api/queues/queue%20011')).body
  expect(one.counts).toMatchObject({
    available: { value: 1_000, precision: 'exact' },
    finished: { precision: 'exact' },
  })
  const preview = await api('POST', '/api/queues/queue%20001/cancel', { all: true, dryRun: true })
  expect(preview.body.count).toEqual({ value: 3_000, precision: 'exact' })
})

test('a filter that nothing passes is answered page by page', async ({ db, schema, rows }) => {
  await fill(rows)
  const api = adminApi(db, schema)
  const address = `/api/queues/queue%20001/jobs?errorText=nothing`
  const pages = []
  for (let next: string | null = ''; next !== null;) {
    const { body } = await api('GET', `${address}${next && `&cursor=${next}`}`)
    pages.push(body.jobs.length)
    next = body.next
  }
  expect(pages.length).toBeGreaterThanOrEqual(2)
  expect(pages.length).toBeLessThanOrEqual(5)
  expect(new Set(pages)).toEqual(new Set([0]))
})

test('what reads cannot change anything', async ({ db, schema, queue, rows }) => {
  const { id } = await queue.enqueue(1)
  await rows(`create function {schema}.tattle() returns trigger language plpgsql as $$
    begin raise exception 'a write'; end $$`)
  for (const table of ['jobs', 'queues', 'history', 'workers', 'audit', 'tallies', 'job_logs']) {
    await rows(`create trigger tattle before insert or update or delete or truncate on {schema}.${table}
      for each statement execute function {schema}.tattle()`)
  }
  const api = adminApi(db, schema)
  for (const address of [
    '/',
    '/api/overview',
    '/api/queues',
    '/api/queues/default',
    '/api/queues/default/jobs',
  ]) {
    expect((await api('GET', address)).status).toBe(200)
  }
  for (const address of ['stats', 'backlog']) {
    expect((await api('GET', `/api/queues/default/${address}`)).status).toBe(200)
  }
  for (const address of [`/api/jobs/${id}`, `/api/jobs/${id}/logs`, '/api/workers', '/api/audit']) {
    expect((await api('GET', address)).status).toBe(200)
  }
  for (const address of ['/metrics', '/openapi.json']) {
    expect((await api('GET', address)).status).toBe(200)
  }
  for (const address of ['/queues/default/jobs', `/jobs/${id}`]) {
    const page = await api('GET', address, undefined, { accept: 'text/html' })
    expect([address, page.status]).toEqual([address, 200])
  }
  const preview = await api('POST', '/api/queues/default/cancel', { all: true, dryRun: true })
  expect(preview.status).toBe(200)
})
