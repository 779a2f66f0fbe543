import { expect } from 'vitest'
import { describeEachDatabase, test as onServer } from '../../support/fixtures.ts'
import type { Action } from '../../../src/dashboard/pages/action.tsx'
import { createDashboard } from '../../../src/dashboard/index.ts'
import { adminApi, apiOf, type Api, type Read } from '../arrange.ts'
import { PageStream } from './arrange.ts'
import { HOSTILE } from './hostile.ts'
import { lookAs } from './look-at.ts'

const SECRET = '4111-1111'

describeEachDatabase('the page of a job', (test) => {
  test('one that waits: what it is, and when it is due', async ({ db, schema, openQueue }) => {
    const queue = openQueue({ queueName: 'emails' })
    const { id } = await queue.enqueue(
      { to: 'ada' },
      { ...{ delay: '1h', priority: 2, timeout: '90s', maxRetries: 4 }, tags: ['customer:42'] },
    )
    const page = await lookAs('viewer', db, schema)(`/jobs/${id}`)
    expect(page.status).toBe(200)
    expect(page.text).toContain(`Job ${id} available`)
    expect(page.text).toMatch(/Enqueued 20[\d-]+ [\d:]+ UTC Next: run 1, due 20/)
    expect(page.text).toContain('Attempts 0 of 5')
    expect(page.text).toContain('Priority 2, of 0 (first) to 9 (last)')
    expect(page.text).toContain('Timeout 1 min 30 s')
    expect(page.text).toContain('Arguments { "to": "ada" }')
    expect(page.text).not.toContain('Metadata')
    expect(page.text).not.toContain('Result')
    expect(page.text).toContain('Its runs have written nothing.')
    expect(page.html).toContain('href="/queues/emails/jobs?tags=customer%3A42"')
    expect(page.html).toContain('href="/queues/emails"')
    for (const part of ['headline', 'state', 'data', 'log']) {
      expect(page.html).toContain(`data-live="${part}"`)
    }
    expect(page.actions).toEqual({})
  })

  test('one that ended: each of its runs, and its result', async ({ db, schema, openQueue }) => {
    const queue = openQueue(
      (_job, { log }) => {
        log('a try', { host: 'mx1' })
        if (_job.attempt < 3) throw new RangeError(`no such user, try ${_job.attempt}`)
        return { sent: true }
      },
      { queueName: 'emails', baseRetryDelay: 0 },
    )
    const { id } = await queue.enqueue(null, { metadata: { tenant: 7 } })
    await queue.drain()
    const page = await lookAs('viewer', db, schema)(`/jobs/${id}`)
    const runs = new RegExp(
      'Run 1 failed [^·]* UTC began [^·]* after it was enqueued · ran .*RangeError: no such user, try 1 Stack RangeError' +
        '.*Run 2 failed [^·]* UTC began [^·]* after the run before had failed · ran .*try 2' +
        '.*Run 3 finished [^·]* UTC waited [^·]* · ran ',
    )
    expect(page.text).toMatch(runs)
    expect(page.text).toContain('Attempts 3 of 4')
    expect(page.text).toContain('Arguments null Result { "sent": true }')
    expect(page.text).toContain('Metadata { "tenant": 7 }')
    expect(page.text).toMatch(/UTC run 3 a try {"host":"mx1"} .* run 1 a try/)
    expect(page.html).toContain('<details>')
  })

  test('one that runs: how far it is, what it says, and that it is to be cancelled', async ({
    db,
    schema,
    openQueue,
    receive,
    seen,
    untilRow,
  }) => {
    let end = (): void => {}
    const ended = new Promise<void>((resolve) => (end = resolve))
    const queue = openQueue(
      async (_job, { progress, log }) => {
        progress({ done: 3, of: 10, step: 'charge' })
        log('three of them')
        await ended
      },
      { queueName: 'emails' },
    )
    const { id } = await queue.enqueue(1)
    receive(queue)
    await seen('job.started', id)
    await untilRow('select 1 as one from {schema}.job_logs')
    const look = lookAs('admin', db, schema)
    const page = await look(`/jobs/${id}`)
    expect(page.text).toContain(`Job ${id} running`)
    expect(page.text).toContain('Run 1 began')
    expect(page.html).toContain('<progress max="1" value="0.3" aria-label="Progress">')
    expect(page.text).toContain('3 of 10')
    expect(page.text).toContain('Progress { "of": 10, "done": 3, "step": "charge" }')
    expect(page.text).toContain('run 1 three of them')
    expect(Object.keys(page.actions)).toEqual(['Cancel'])
    const list = await look('/queues/emails/jobs')
    expect(list.html).toContain(
      `<progress max="1" value="0.3" aria-label="Progress of the job ${id}">`,
    )
    await adminApi(db, schema)('POST', `/api/jobs/${id}/cancel`)
    const asked = await lookAs('admin', db, schema)(`/jobs/${id}`)
    expect(asked.text).toContain('Somebody asked to cancel it: it will be cancelled')
    expect(asked.actions).toEqual({})
    end()
    await seen('job.finished', id)
  })

  test('a dead letter: where it came from, and the way back with other arguments', async ({
    db,
    schema,
    openQueue,
  }) => {
    const queue = openQueue(
      () => {
        throw new Error('no such user')
      },
      { queueName: 'emails', dlq: 'dead' },
    )
    const { id } = await queue.enqueue({ to: 'ada' }, { maxRetries: 0 })
    await queue.drain()
    const page = await lookAs('operator', db, schema)(`/jobs/${id}`)
    expect(page.text).toMatch(
      /Run 1 failed.*Moved here from emails, where it failed for good.* Waits to be redriven/,
    )
    expect(page.text).toContain('Came from emails')
    expect(Object.keys(page.actions)).toEqual(['Redrive', 'Edit', 'Cancel'])
    const redrive = page.actions['Redrive']
    expect(redrive?.fields).toMatchObject([
      { name: 'args', kind: 'json', value: '{\n  "to": "ada"\n}' },
    ])
    const api = adminApi(db, schema)
    const redriven = await send(api, redrive, { args: { to: 'eve' } })
    expect(redriven.body.changed).toBe(1)
    const back = await lookAs('operator', db, schema)(`/jobs/${id}`)
    expect(back.text).toContain('available emails Edit Cancel')
    expect(back.text).toContain('{ "to": "eve" }')
  })

  test('each role has the buttons that it may press, as the job stands', async ({
    db,
    schema,
    openQueue,
  }) => {
    const queue = openQueue(
      (job) => {
        if (job.args === 'fails') throw new Error('on purpose')
      },
      { queueName: 'emails' },
    )
    const [waits, done, fails] = await queue.enqueueMany([
      { args: 'waits', delay: '1h' },
      { args: 'done' },
      { args: 'fails', maxRetries: 0 },
    ])
    await queue.drain()
    const buttons = async (role: 'admin' | 'operator' | 'viewer', id = ''): Promise<string[]> =>
      Object.keys((await lookAs(role, db, schema)(`/jobs/${id}`)).actions)
    expect(await buttons('admin', waits?.id)).toEqual(['Edit', 'Cancel', 'Delete'])
    expect(await buttons('operator', waits?.id)).toEqual(['Edit', 'Cancel'])
    expect(await buttons('viewer', waits?.id)).toEqual([])
    expect(await buttons('admin', done?.id)).toEqual(['Delete'])
    expect(await buttons('admin', fails?.id)).toEqual(['Retry', 'Delete'])
    expect(await buttons('operator', fails?.id)).toEqual(['Retry'])
    const { actions } = await lookAs('admin', db, schema, { basePath: '/admin' })(
      `/admin/jobs/${waits?.id}`,
    )
    const { method, path, goTo: leadsTo } = actions['Delete'] ?? {}
    expect([method, path]).toEqual(['DELETE', `/api/jobs/${waits?.id}`])
    expect(leadsTo).toBe('/queues/emails/jobs') // the script adds where the dashboard is mounted
    const api = adminApi(db, schema)
    const fields = actions['Edit']?.fields?.map(({ name }) => name)
    expect(fields).toEqual(['args', 'runAt', 'priority'])
    const changes = { args: 'edited', runAt: '2100-01-01T00:00:00Z', priority: 0 }
    expect((await send(api, actions['Edit'], changes)).status).toBe(200)
  })

  test('a job that is not there says why that may be', async ({ db, schema }) => {
    const look = lookAs('viewer', db, schema)
    const gone = await look('/jobs/777777')
    expect(gone.status).toBe(404)
    expect(gone.text).toContain('There is no job "777777". It never was, was deleted, or ended')
    expect(gone.text).toContain('finished jobs stay for 24 hours')
    for (const address of ['/jobs/x', '/jobs/1?logsAfter=-1', '/jobs/1?after=1']) {
      expect([address, (await look(address)).status]).toEqual([address, 400])
    }
  })

  test('the log is read from its first line on, too', async ({ db, schema, openQueue, rows }) => {
    const queue = openQueue((_job, { log }) => log('line 1.'))
    const { id } = await queue.enqueue(1)
    await queue.drain()
    await rows(`insert into {schema}.job_logs (job_id, number, attempt, at, message)
      select job_id, n, attempt, at, 'line ' || n || '.' from {schema}.job_logs, generate_series(2, 450) as n`)
    const look = lookAs('viewer', db, schema)
    const latest = await look(`/jobs/${id}`)
    expect(latest.text).toMatch(/the latest line first .*line 450\..*line 251\./)
    expect(latest.text).not.toContain('line 250.')
    const first = await look(`/jobs/${id}?logsAfter=0`)
    expect(latest.html).toContain(`<a href="/jobs/${id}?logsAfter=0">From the first line</a>`)
    expect(first.text).toMatch(/line 1\..*line 200\./)
    expect(first.html).not.toContain('data-live="log"')
    expect(first.html).toContain(`<a href="/jobs/${id}?logsAfter=200" rel="next">`)
    const last = await look(`/jobs/${id}?logsAfter=400`)
    expect(last.text).toMatch(/line 401\..*line 450\./)
    expect(last.html).not.toContain('rel="next"')
    expect((await look(`/jobs/${id}?logsAfter=9000`)).text).toContain(
      'There is no line behind number 9000.',
    )
  })

  test('nothing of a job becomes markup', async ({ db, schema, openQueue }) => {
    const text = HOSTILE.join(' ')
    const html = { isEscaped: true, toString: '<b>', __html: '<b>', tag: 'script', props: {} }
    const odd = JSON.parse(`{"__proto__":{"isEscaped":true},"<b>":1}`) as Record<string, unknown>
    const queue = openQueue(
      (_job, { progress, log }) => {
        progress({ ...html, done: '<b>', of: HOSTILE })
        log(text, { ...html, [text]: HOSTILE })
        const error = new Error(text)
        error.name = HOSTILE[0] ?? ''
        error.stack = text
        throw error
      },
      { queueName: text, dlq: `dead ${text}` },
    )
    for (const args of [html, odd, HOSTILE, text]) {
      const { id } = await queue.enqueue(args, { metadata: odd, tags: HOSTILE, maxRetries: 0 })
      await queue.drain()
      const page = await lookAs('admin', db, schema)(`/jobs/${id}`)
      expect(page.status).toBe(200)
      expect(page.text).toContain(`Moved here from ${text}, where`)
      expect(page.text).toContain(`${HOSTILE[0]}: ${text} Stack ${text}`)
      expect(page.text).toMatch(/run 1 .* {"tag":"script"/)
      const field = (page.actions['Redrive']?.fields ?? [])[0]
      expect(JSON.parse(field?.value ?? '')).toEqual(args)
    }
  })
})

onServer('what changed is sent to who looks, and nothing else', async ({ db, schema, queue }) => {
  const { id } = await queue.enqueue(1, { delay: '1h' })
  const dashboard = createDashboard(db, { auth: () => ({ role: 'admin', name: 'ada' }), schema })
  const stream = await PageStream.open(dashboard, `/jobs/${id}`)
  const whole = await stream.next(({ type }) => type === 'parts')
  expect(Object.keys(whole?.data ?? {})).toEqual(['headline', 'state', 'data', 'log'])
  await apiOf(dashboard)('POST', `/api/jobs/${id}/cancel`)
  const changed = await stream.next(({ data }) => Object.keys(data).length > 0)
  expect(Object.keys(changed?.data ?? {})).toEqual(['headline', 'state'])
  expect(changed?.data['state']).toContain('<strong>Cancelled</strong>')
  await stream.close()
  dashboard.close()
})

onServer(
  'redaction holds, and what it hides is not sent back',
  async ({ db, schema, openQueue }) => {
    const queue = openQueue(
      (_job, { log, progress }) => {
        log(`charging ${SECRET}`, { card: SECRET })
        progress({ card: SECRET })
        throw new Error(`refused ${SECRET}`)
      },
      { queueName: 'pay', dlq: 'unpaid' },
    )
    const args = { card: SECRET, amount: 7, rest: Array.from({ length: 20_000 }, Math.random) }
    const { id } = await queue.enqueue(args, { tags: [SECRET], metadata: { card: SECRET } })
    const small = await queue.enqueue({ card: SECRET, amount: 7 }, { maxRetries: 0 })
    await queue.drain()
    const of = async (redact: NonNullable<Parameters<typeof lookAs>[3]>['redact'], job = id) =>
      lookAs('admin', db, schema, { redact })(`/jobs/${job}`)
    expect((await of(undefined)).html).toContain(SECRET)
    const paths = 'args.card errors tags metadata.card logs.*.message logs.*.fields.card progress'
    const page = await of(paths.split(' '), small.id)
    expect(page.status).toBe(200)
    expect(page.html).not.toContain(SECRET)
    expect(page.text).toContain('{ "card": "[redacted]", "amount": 7 }')
    expect((page.actions['Redrive']?.fields ?? [])[0]).toMatchObject({
      placeholder: 'as they are',
    })
    expect((page.actions['Redrive']?.fields ?? [])[0]).not.toHaveProperty('value')
    // A function decides by all of the job, also by what is large.
    const byAmount = await of((job) =>
      (job['args'] as typeof args).amount === 7 ? { id: job['id'] } : job,
    )
    expect(byAmount.status).toBe(200)
    expect(byAmount.html).not.toContain(SECRET)
    const everything = Object.keys((await adminApi(db, schema)('GET', `/api/jobs/${id}`)).body)
    const nothing = await of([...everything, 'logs'])
    expect(nothing.status).toBe(200)
    expect(nothing.html).not.toContain(SECRET)
  },
)

onServer(
  'however much a job carries, its page is of some size',
  async ({ db, schema, openQueue, rows }) => {
    const queue = openQueue(
      (_job, { log, progress }) => {
        for (let line = 1; line <= 10_000; line++)
          log('<'.repeat(65_536), { x: '<'.repeat(65_536) })
        progress('<'.repeat(10_000))
        throw new Error('<'.repeat(65_536))
      },
      { queueName: 'large' },
    )
    const many = await queue.enqueue(Array.from({ length: 60_000 }, Math.random), { maxRetries: 0 })
    const long = await queue.enqueue('<'.repeat(1_000_000), {
      ...{ maxRetries: 0, metadata: { ['<'.repeat(100_000)]: '<'.repeat(100_000) } },
    })
    await queue.drain()
    await rows(`update {schema}.history set error_count = 300, errors = (
    select jsonb_agg(jsonb_build_object('attempt', n, 'at', 1e15 + n * 1e6, 'startedAt', 1e15 + n * 1e6 - 1e5, 'name', repeat('<', 100),
      'message', repeat('<', 2000), 'stack', repeat('<', 8000)))
    from generate_series(1, 300) as n)`)
    await rows(`update {schema}.job_logs set message = repeat('<', 65536),
    fields = jsonb_build_object('x', repeat('<', 8000))`)
    const look = lookAs('admin', db, schema)
    const ofMany = await look(`/jobs/${many.id}`)
    expect(ofMany.text).toContain('Arguments Too large for this page: all of the job as JSON')
    expect(ofMany.text).toMatch(
      /Run 20 failed .* 260 more runs failed, of .* Run 281 failed .* Run 300 failed/,
    )
    expect(ofMany.text).not.toMatch(/Run (21|280) failed/)
    expect(ofMany.text).toMatch(
      /Run 20 failed [^<]* began 900 ms after the run before had failed · ran 100 ms/,
    )
    expect(ofMany.text).toMatch(/Run 281 failed [\d :-]+ UTC ran 100 ms/)
    const ofLong = await look(`/jobs/${long.id}`)
    expect(ofLong.text).toMatch(/All of it as JSON: 980,002 more characters/)
    for (const { html } of [ofMany, ofLong]) expect(html.length).toBeLessThan(3_500_000) // of "&lt;"
  },
)

/** Presses a button. */
function send(api: Api, action: Action | undefined, body: object): Promise<Read> {
  return api(action?.method ?? '', action?.path ?? '', body)
}
