import { expect } from 'vitest'
import { Discard } from '../../../src/index.ts'
import { describeEachDatabase, test } from '../../support/fixtures.ts'
import { adminApi } from '../arrange.ts'
import { HOSTILE, seeAs } from './see.ts'

const quiet = { debug() {}, info() {}, warn() {}, error() {} }

/** The line of a queue in the table. */
function lineOf(text: string, name: string): string {
  return text.split('\n').find((line) => line.startsWith(` ${name} `)) ?? ''
}

describeEachDatabase('the overview', (test) => {
  test('says how a queue comes to be where there is none', async ({ db, schema }) => {
    const see = seeAs('viewer', db, schema)
    const { status, text } = await see('/')
    expect(status).toBe(200)
    expect(text).toContain('There is no queue yet')
    expect(text).toContain(`new JobQueue(db, { queueName: 'emails' })`)
    expect((await see('/?name=nothing')).text).toContain('No queue has “nothing” in its name')
  })

  test('says of every queue what is in it, how it does, and what is special', async ({
    db,
    schema,
    openQueue,
  }) => {
    const emails = openQueue<string, void>(
      ({ args }) => {
        if (args === 'no') throw new Discard('no')
      },
      { queueName: 'emails', dlq: 'emails dead', logger: quiet },
    )
    await emails.enqueueMany([{ args: 'yes' }, { args: 'yes' }, { args: 'yes' }, { args: 'no' }])
    await emails.drain()
    await emails.enqueueMany([{ args: 'waits' }, { args: 'waits' }])
    await emails.pause({ by: 'grace', reason: 'the mail server is "down"' })
    await openQueue({ queueName: 'later' }).enqueue(1, { delay: '1h' })
    await openQueue({ queueName: 'orders', fifo: true }).enqueue(1)
    const { text, html } = await seeAs('viewer', db, schema)('/')
    expect(lineOf(text, 'emails')).toMatch(/paused 2 0 .* UTC .*25 %/)
    expect(html).toMatch(/title="Paused by grace since [^"]*: the mail server is &quot;down&quot;"/)
    expect(lineOf(text, 'emails dead')).toMatch(/dead letters 1 0/)
    expect(lineOf(text, 'later')).toMatch(/^ later 1 0 – none is due 0 – nothing ran/)
    expect(lineOf(text, 'orders')).toMatch(/FIFO 1 0 .* UTC/)
    expect(text).toMatch(/Queues 4 Available 5 Running 0/)
    expect(text).toMatch(/Failed for good 1 25 % of runs/)
    expect(text).toMatch(/Workers 0 nobody receives/)
    expect(html).toContain('href="/queues/emails%20dead"')
    expect(html).toMatch(/aria-label="\d jobs ended in the last hour/)
    expect(html).not.toContain('data-action')
  })

  test('counts far where few queues are long', async ({ db, schema, rows, openQueue }) => {
    await openQueue({ queueName: 'short' }).enqueue(1)
    await openQueue({ queueName: 'long' }).enqueue(1)
    await rows(`insert into {schema}.jobs (run_at, created_at, queue_id, priority, max_retries, retry_policy, args, metadata)
      select now(), now(), (select id from {schema}.queues where name = 'long'), 5, 0, 'constant', '1', '{}'
      from generate_series(1, 1499) as n`)
    const { text } = await seeAs('viewer', db, schema)('/')
    expect(lineOf(text, 'long')).toMatch(/^ long 1,500 0 /)
    expect(text).toMatch(/Queues 2 Available 1,500 /)
  })

  test('shows hostile names and reasons as what they are', async ({ db, schema, openQueue }) => {
    const queue = openQueue({ queueName: HOSTILE, dlq: `${HOSTILE} dead` })
    await queue.enqueue(1)
    await queue.pause({ by: HOSTILE, reason: HOSTILE })
    const see = seeAs('admin', db, schema)
    const { text } = await see('/')
    expect(text).toContain(HOSTILE)
    const found = await see(`/?name=${encodeURIComponent(HOSTILE)}`)
    expect(found.text).toContain(HOSTILE)
    expect((await see(`/?name=${encodeURIComponent(`${HOSTILE}?`)}`)).text).toContain('No queue')
  })

  test('is found by a part of its name, page by page', async ({ db, schema, rows }) => {
    await rows(`insert into {schema}.queues (name, base_retry_delay_ms, max_retry_delay_ms, retry_jitter)
      select 'Mail ' || to_char(n, 'fm000'), 0, 0, 0 from generate_series(1, 60) as n
      union all select '100% other_', 0, 0, 0`)
    const see = seeAs('viewer', db, schema)
    const first = await see('/?name=mail&limit=50')
    expect(lineOf(first.text, 'Mail 050')).not.toBe('')
    expect(lineOf(first.text, 'Mail 051')).toBe('')
    const [, next = ''] = /href="([^"]*)" rel="next"/.exec(first.html) ?? []
    const second = await see(next.replaceAll('&amp;', '&'))
    expect(lineOf(second.text, 'Mail 050')).toBe('')
    expect(lineOf(second.text, 'Mail 060')).not.toBe('')
    expect(second.html).toContain('href="/?name=mail"')
    expect(second.html).not.toContain('rel="next"')
    expect(lineOf((await see('/?name=0%25%20OTHER_')).text, '100% other_')).not.toBe('')
  })

  test('refuses parameters that it does not know', async ({ db, schema }) => {
    const see = seeAs('viewer', db, schema)
    for (const query of ['nam=x', 'name=%00', 'limit=0', 'cursor=x', `name=${'x'.repeat(201)}`]) {
      expect([query, (await see(`/?${query}`)).status]).toEqual([query, 400])
    }
  })
})

test('the last hour is that of all processes, merged exactly, however it is stored', async ({
  db,
  schema,
  rows,
  openQueue,
}) => {
  await openQueue({ queueName: 'a' }).enqueue(1)
  await openQueue({ queueName: 'b' }).enqueue(1)
  // Every column of a row: the ten counts, the two sums, the two histograms.
  const figures = `0, 0, 6, 2, 1, 1, 0, 0, 0, 0, 3000, 4000, '{"40": 9, "80": 1}', '{"50": 10}'`
  const columns = `enqueued, started, finished, retried, failed, dead_lettered, snoozed, interrupted, crashed,
    cancelled, wait_us, run_us, waits, runs`
  const minute = `date_trunc('minute', now())`
  const idOf = `(select id from {schema}.queues where name = 'a')`
  await rows(`insert into {schema}.statistics (queue_id, step, at, ${columns}) values
    (${idOf}, 'minute', ${minute} - interval '50 minutes', ${figures}),
    (${idOf}, 'minute', ${minute} - interval '62 minutes', ${figures}),
    (${idOf}, 'hour', ${minute} - interval '30 minutes', ${figures}),
    (${idOf}, 'ever', 'epoch', ${figures})`)
  await rows(`insert into {schema}.tallies (queue_id, at, writer, part, ${columns}) values
    (${idOf}, ${minute} - interval '2 minutes', gen_random_uuid(), 0, ${figures}),
    (${idOf}, ${minute} - interval '2 minutes', gen_random_uuid(), 0, ${figures})`)
  const { body } = await adminApi(db, schema)('GET', '/api/overview')
  const [a, b] = body.queues as unknown as Record<string, unknown>[]
  expect(a).toMatchObject({
    name: 'a',
    lastHour: {
      counts: { finished: 18, retried: 6, failed: 3, deadLettered: 3 },
      failureRate: 0.4,
      wait: { count: 30, meanMs: 0.3 },
      run: { count: 30, meanMs: 0.4 },
    },
  })
  const ended = a?.['endedByMinute'] as number[]
  expect(ended).toHaveLength(60)
  expect(ended.filter((count) => count > 0)).toEqual([8, 16])
  expect([9, 10]).toContain(ended.indexOf(8)) // the minute may have changed meanwhile
  expect(ended.indexOf(16) - ended.indexOf(8)).toBe(48)
  expect(b).toMatchObject({ lastHour: { failureRate: null }, perSecond: 0 })
  expect(body).toMatchObject({ totals: { failed: 6, failureRate: 0.4, workers: 0 } })
})
