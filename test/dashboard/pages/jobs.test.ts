import { expect } from 'vitest'
import { describeEachDatabase, test as onServer } from '../../support/fixtures.ts'
import { adminApi } from '../arrange.ts'
import { HOSTILE } from './hostile.ts'
import { lookAs } from './look-at.ts'

const SECRET = '4111-1111'

describeEachDatabase('the jobs of a queue', (test) => {
  test('nothing at all says what would be there', async ({ db, schema }) => {
    await adminApi(db, schema)('PUT', `/api/queues/it's%3B%20rm`)
    const look = lookAs('admin', db, schema)
    const page = await look(`/queues/it's%3B%20rm/jobs`)
    expect(page).toMatchObject({ status: 200 })
    expect(page.text).toContain('There are no jobs in this queue')
    expect(page.text).toContain(`millrace enqueue 'it'\\''s; rm' '{"to":"ada@example.org"}'`)
    const nobody = await look('/queues/nobody/jobs')
    expect(nobody.status).toBe(404)
    expect(nobody.text).toContain('There is no queue "nobody"')
    const filtered = await look(`/queues/it's%3B%20rm/jobs?status=failed`)
    expect(filtered.text).toContain('No job passes the filter All have been looked at.')
  })

  test('each has a row, whatever became of it', async ({ db, schema, openQueue }) => {
    const queue = openQueue(
      (job) => {
        if (job.args === 'fails') throw new RangeError('no such user')
      },
      { queueName: 'emails' },
    )
    const [fails, done, waits] = await queue.enqueueMany([
      { args: 'fails', maxRetries: 0, tags: ['customer:42', 'mail & more'] },
      { args: { to: 'ada', text: 'x'.repeat(500) }, maxRetries: 4 },
      { args: [1], delay: '1h' },
    ])
    await queue.drain()
    const page = await lookAs('viewer', db, schema)('/queues/emails/jobs')
    expect(page.text).toContain(`${fails?.id} failed "fails" customer:42 mail & more 1 of 1`)
    expect(page.text).toContain('RangeError: no such user')
    expect(page.text).toContain(`${done?.id} finished {"to":"ada","text":"xxx`)
    expect(page.html).not.toContain('x'.repeat(300))
    expect(page.text).toContain(`${waits?.id} available [1] – none 0 of 4`)
    expect(page.html).toContain(`href="/jobs/${waits?.id}"`)
    expect(page.html).toContain('href="/queues/emails/jobs?tags=mail+%26+more"')
    expect(page.html).toContain('data-live="jobs"')
    expect(page.html).not.toContain('data-select')
    expect(page.actions).toEqual({})
  })

  test('a filter chooses, stands there, and can be taken away', async ({
    db,
    schema,
    openQueue,
  }) => {
    const queue = openQueue({ queueName: 'emails' })
    await queue.enqueueMany(
      Array.from({ length: 6 }, (_, n) => ({
        args: `job ${n}`,
        metadata: { tenant: n % 2 },
        tags: n < 3 ? ['early', 'all'] : ['all'],
      })),
    )
    const look = lookAs('operator', db, schema)
    const query =
      'status=available&tags=all&tags=&tags=early&tags=+all+&olderThan=&newerThan=+1h&errorText=' +
      '&metadata=%7B%22tenant%22%3A0%7D&order=oldest&cursor='
    const page = await look(`/queues/emails/jobs?${query}`)
    expect(page.text).toMatch(/"job 0".*"job 2"/)
    expect(page.text).not.toMatch(/"job [1345]"/)
    for (const chip of ['newer than 1h', 'metadata: {"tenant":0}', 'tag: early', 'tag: all']) {
      expect(page.text).toContain(`Take away: ${chip}`)
    }
    expect(page.html).toContain(
      'href="/queues/emails/jobs?status=available&amp;newerThan=1h&amp;tags=all&amp;metadata=%7B%22tenant%22%3A0%7D&amp;order=oldest"',
    )
    expect(page.html).toContain('<option value="available" selected')
    expect(page.html).toContain('<input type="hidden" name="tags" value="early"')
    const filter = {
      ...{ status: 'available', newerThan: '1h', metadata: { tenant: 0 }, tags: ['all', 'early'] },
    }
    expect(page.actions['Cancel']).toMatchObject({ body: filter, ofSelection: true, preview: true })
    // What the button sends is what the API takes.
    const api = adminApi(db, schema)
    const { path = '', body } = page.actions['Cancel'] ?? {}
    const preview = await api('POST', path, { ...body, dryRun: true })
    expect(preview.body.count.value).toBe(2)
  })

  test('pages follow each other, and only the first is live', async ({ db, schema, queue }) => {
    await queue.enqueueMany(Array.from({ length: 5 }, (_, n) => ({ args: `job ${n}` })))
    const look = lookAs('viewer', db, schema)
    const first = await look('/queues/default/jobs?limit=2')
    expect(first.text).toMatch(/"job 4".*"job 3"/)
    const next = nextOf(first.html)
    expect(next).toMatch(/^\/queues\/default\/jobs\?limit=2&cursor=/)
    const second = await look(next)
    expect(second.text).toMatch(/"job 2".*"job 1"/)
    expect(second.html).not.toContain('data-live')
    expect(second.html).toContain('<a href="/queues/default/jobs?limit=2">First page</a>')
    const third = await look(nextOf(second.html))
    expect(third.text).toContain('"job 0"')
    expect(third.html).not.toContain('rel="next"')
  })

  test('each role has the buttons that it may press, for what the filter can meet', async ({
    db,
    schema,
  }) => {
    await adminApi(db, schema)('PUT', '/api/queues/emails', { dlq: 'dead' })
    const admin = lookAs('admin', db, schema)
    const operator = lookAs('operator', db, schema)
    const buttons = async (look: typeof admin, path: string): Promise<string[]> =>
      Object.keys((await look(path)).actions)
    expect(await buttons(admin, '/queues/emails/jobs')).toEqual(['Retry', 'Cancel', 'Delete'])
    expect(await buttons(operator, '/queues/emails/jobs')).toEqual(['Retry', 'Cancel'])
    expect(await buttons(operator, '/queues/dead/jobs')).toEqual(['Retry', 'Redrive', 'Cancel'])
    const of = (status: string): Promise<string[]> =>
      buttons(admin, `/queues/dead/jobs?status=${status}`)
    expect(await of('available')).toEqual(['Redrive', 'Cancel', 'Delete'])
    expect(await of('running')).toEqual(['Cancel'])
    expect(await of('failed')).toEqual(['Retry', 'Delete'])
    expect(await of('finished')).toEqual(['Delete'])
    const { actions } = await admin('/queues/emails/jobs')
    expect(actions['Delete']).toMatchObject({
      ...{ method: 'POST', path: '/api/queues/emails/delete', body: { all: true }, danger: true },
    })
  })

  test('bad parameters are refused with what helps', async ({ db, schema }) => {
    await adminApi(db, schema)('PUT', '/api/queues/emails')
    const look = lookAs('viewer', db, schema)
    for (const [query, remedy] of [
      ['status=lost', 'it is one of available, running'],
      ['olderThan=yesterday', 'such as'],
      ['metadata=tenant', 'it takes an object as JSON'],
      ['metadata=%7B%7D', 'at least one key'],
      ['cursor=x', 'with the same parameters'],
      ['limit=0', 'from 1 to 100'],
      ['state=failed', 'there is no such field'],
      ['__proto__=1', 'there is no such field'],
    ]) {
      const page = await look(`/queues/emails/jobs?${query}`)
      expect([query, page.status]).toEqual([query, 400])
      expect(page.text).toContain(remedy)
    }
  })

  test('nothing of a job becomes markup', async ({ db, schema, openQueue }) => {
    const name = HOSTILE.join(' ')
    const queue = openQueue(
      (job, { progress }) => {
        progress({ isEscaped: true, value: HOSTILE })
        const error = new Error(HOSTILE.join(''))
        error.name = HOSTILE[0] ?? ''
        throw Object.assign(error, { isEscaped: true, args: job.args })
      },
      { queueName: name },
    )
    const html = { isEscaped: true, toString: '<b>', __html: '<b>', tag: 'script', props: {} }
    const metadata = JSON.parse('{"__proto__":"<b>","<b>":1}') as Record<string, unknown>
    const args = [...HOSTILE, html, JSON.parse('{"__proto__":{"x":"<i>"}}') as object]
    await queue.enqueueMany(
      args.map((each) => ({ args: each, metadata, tags: HOSTILE, maxRetries: 0 })),
    )
    await queue.drain()
    const look = lookAs('admin', db, schema)
    const address = `/queues/${encodeURIComponent(name)}/jobs`
    const page = await look(address)
    expect(page.status).toBe(200)
    for (const text of HOSTILE) expect(page.text).toContain(text)
    expect(page.text).toContain('"__html":"<b>"')
    const parameters = new URLSearchParams({
      ...{ errorText: HOSTILE[1] ?? '', metadata: JSON.stringify(metadata) },
    })
    for (const tag of HOSTILE) parameters.append('tags', tag)
    const filtered = await look(`${address}?${parameters.toString()}`)
    expect(filtered.text).toContain(`error: ${HOSTILE[1]}`)
    expect(filtered.text).toContain('metadata: {"__proto__":"<b>","<b>":1}')
  })
})

onServer('what is redacted is not there, whatever is', async ({ db, schema, openQueue }) => {
  const queue = openQueue(
    () => {
      throw new Error(`refused ${SECRET}`)
    },
    { queueName: 'pay' },
  )
  await queue.enqueue({ card: SECRET, amount: 7 }, { tags: [SECRET], maxRetries: 0 })
  await queue.drain()
  const of = async (redact: NonNullable<Parameters<typeof lookAs>[3]>['redact']) =>
    lookAs('admin', db, schema, { redact })('/queues/pay/jobs')
  expect((await of(undefined)).html).toContain(SECRET)
  const paths = await of(['args.card', 'errors.*.message', 'tags'])
  expect(paths.html).not.toContain(SECRET)
  expect(paths.text).toContain('{"card":"[redacted]","amount":7}')
  const everything = await of(
    'id queue status args tags attempt maxRetries createdAt scheduledAt errors finishedAt'.split(
      ' ',
    ),
  )
  expect(everything.status).toBe(200)
  expect(everything.html).not.toContain(SECRET)
  const little = await of(({ id }) => ({ id, createdAt: { isEscaped: true }, lastError: '<b>' }))
  expect(little.status).toBe(200)
  expect(little.html).not.toContain(SECRET)
})

onServer('a page without hits says how far it looked', async ({ db, schema, queue, rows }) => {
  await queue.enqueue('old', { tags: ['wanted'] })
  await rows(`insert into {schema}.jobs (run_at, created_at, queue_id, priority, max_retries, retry_policy, args, metadata)
    select now(), now(), queue_id, 5, 3, 'constant', '1', '{}'
    from {schema}.jobs, generate_series(1, 2500)`)
  const look = lookAs('viewer', db, schema)
  const first = await look('/queues/default/jobs?tags=wanted')
  expect(first.text).toContain('No job passes the filter so far')
  expect(first.text).toMatch(/Searched ids down to \d+ so far\. The next page goes on\./)
  const second = await look(nextOf(first.html))
  expect(second.text).toContain('"old"')
})

onServer('large jobs have a row like others', async ({ db, schema, queue }) => {
  const large = Array.from({ length: 100_000 }, (_, n) => Math.sin(n))
  await queue.enqueue(large)
  await queue.enqueue('<'.repeat(1_000_000))
  const page = await lookAs('admin', db, schema)('/queues/default/jobs')
  expect(page.text).toContain('too large for a list')
  expect(page.html.length).toBeLessThan(20_000)
})

function nextOf(html: string): string {
  const [, href = ''] = /<a href="([^"]*)" rel="next">/.exec(html) ?? []
  return href.replaceAll('&amp;', '&')
}
