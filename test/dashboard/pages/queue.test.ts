import { describe, expect } from 'vitest'
import type { Redact } from '../../../src/dashboard/index.ts'
import { test } from '../../support/fixtures.ts'
import { visitor } from './arrange.ts'
import { chartsOf, linksOf, openDashboard } from './html.ts'
import { actionsOf, lookAs, textOf } from './look-at.ts'

describe('the page of a queue', () => {
  test('of one in which nothing has happened', async ({ db, schema }) => {
    const { api, visit } = openDashboard(db, schema)
    await api('PUT', '/api/queues/emails')
    const { status, html } = await visit('/queues/emails')
    expect(status).toBe(200)
    const read = textOf(html)
    for (const words of [
      'emails',
      'No failures',
      'Nobody receives this queue',
      'kept for 1 day',
      'kept for 30 days',
      'back-off from 2 seconds to 1 hour',
      'none: jobs that failed for good stay here',
      'Oldest waiting – none is due',
    ]) {
      expect(read).toContain(words)
    }
    expect(read).not.toMatch(/NaN|undefined|null|\[object/)
    const charts = chartsOf(html)
    expect([...charts.keys()]).toEqual(['Throughput', 'Failed runs', 'Waiting', 'Running'])
    const throughput = charts.get('Throughput')
    expect(throughput?.times).toHaveLength(60)
    expect(throughput?.series[0]?.values).toEqual(Array(60).fill(0))
    expect(charts.get('Waiting')?.series[0]?.values).toEqual(Array(60).fill(null))
  })

  test('is refused where there is none, and with what it does not know', async ({ db, schema }) => {
    const { api, visit } = openDashboard(db, schema)
    await api('PUT', '/api/queues/emails')
    const asked = async (path: string) => {
      const { status, html } = await visit(path)
      return `${status} ${textOf(html)}`
    }
    expect(await asked('/queues/none')).toMatch(/^404 .*There is no queue "none"/)
    expect(await asked('/queues/no%00ne')).toMatch(/^404 /)
    expect(await asked('/queues/emails?span=2h')).toMatch(/^400 .*it is one of 1h, 24h, 7d/)
    expect(await asked('/queues/emails?spam=1h')).toMatch(/^400 .*did you mean "span"/)
  })

  test('groups what its jobs fail of, wherever they went', async ({ db, schema, openQueue }) => {
    const { api, visit } = openDashboard(db, schema)
    const work = async ({ args }: { args: unknown }): Promise<void> => {
      throw new TypeError(`no user ${String(args)} at 10.0.0.${String(args)}:80`)
    }
    const kept = openQueue(work, { queueName: 'kept', baseRetryDelay: '1h' })
    await kept.enqueueMany([1, 22, 3].map((args) => ({ args, maxRetries: 0 })))
    await kept.enqueue(4, { maxRetries: 1 }) // waits for its retry
    await kept.drain()
    const { html } = await visit('/queues/kept')
    expect(textOf(html)).toContain('TypeError no user ‹number› at ‹address›')
    expect(textOf(html)).toContain('4 failures of jobs that failed for good, or wait')
    expect(linksOf(html)).toContain('/queues/kept/jobs?errorText=TypeError%3A+no+user')
    const found = await api('GET', '/api/queues/kept/jobs?errorText=TypeError%3A+no+user')
    expect(found.body.jobs).toHaveLength(4)
    expect(html).toContain('<summary>Newest stack</summary>')
    expect(html.match(/<tr data-key="TypeError:/g)).toHaveLength(1)

    const moved = openQueue(work, { queueName: 'moved', dlq: 'dead' })
    await moved.enqueueMany([1, 2].map((args) => ({ args, maxRetries: 0 })))
    await moved.drain()
    const there = await visit('/queues/moved')
    expect(linksOf(there.html)).toContain('/queues/dead/jobs?errorText=TypeError%3A+no+user')
    expect(linksOf(there.html)).toContain('/dead-letters?queue=dead')
    expect(textOf(there.html)).toContain('2 failures of')
    const dead = textOf((await visit('/queues/dead')).html)
    expect(dead).toContain('Failed jobs of moved come here')
  })

  test('does not change by itself', async ({ db, schema, openQueue }) => {
    const queue = openQueue(
      async () => {
        throw new Error('no')
      },
      { queueName: 'emails', baseRetryDelay: '1h' },
    )
    await queue.enqueue(1)
    await queue.drain()
    await queue.enqueue(2) // waits, longer from moment to moment
    const seen = async () => {
      const { html } = await openDashboard(db, schema).visit('/queues/emails')
      return html
        .replaceAll(/ data-chart="[^"]*"/g, '')
        .replaceAll(/aria-label="[^"]*Last:[^"]*"/g, '')
    }
    const before = await seen()
    expect(await seen()).toBe(before)
    expect(before).toContain('data-time="for"')
  })

  test('says how it went over each span', async ({ db, schema, rows }) => {
    const { api, visit } = openDashboard(db, schema)
    await api('PUT', '/api/queues/emails')
    await rows(`
      insert into {schema}.statistics (queue_id, step, at, enqueued, started, finished, retried, failed,
        dead_lettered, snoozed, interrupted, crashed, cancelled, wait_us, run_us, waits, runs)
      select 1, 'minute', date_trunc('minute', now()) - n * interval '1 minute', 60, 60, 30, 12, 12, 6, 0, 0, 0, 0,
        60000, 60000, '{"40": 30, "80": 30}', '{"40": 60}'
      from unnest(array[2, 61, 700]) as n`)
    const at = async (span: string) => chartsOf((await visit(`/queues/emails?span=${span}`)).html)
    const hour = (await at('1h')).get('Throughput')
    expect(hour?.series.map(({ values }) => values.at(-2))).toEqual([0.5, 0.3, 0.2])
    expect(hour?.series[0]?.values.filter((value) => value !== 0)).toEqual([0.5])
    const day = await at('24h')
    expect(day.get('Throughput')?.times.length).toBeLessThanOrEqual(145)
    expect(day.get('Failed runs')?.series[0]?.values.filter((value) => value !== null)).toEqual(
      Array(3).fill(0.5),
    )
    const week = await at('7d')
    expect(week.get('Running')?.times.length).toBeLessThanOrEqual(169)
    const { html } = await visit('/queues/emails?span=7d')
    expect(html).toMatch(/aria-current="page">7 days</)
    expect(textOf(html)).toContain('50 % over 7 days')
  })

  test('says who works on it, and what it is', async ({ db, schema, rows, openQueue }) => {
    const { visit } = openDashboard(db, schema)
    await openQueue({ queueName: 'line', fifo: true, keepFinished: false }).enqueue(1)
    await rows(`insert into {schema}.workers (token, host, pid, version, queue_ids, lease_ms, beat_at, dead_at)
      values ('a', 'alpha', 11, '0.1.0', '{1}', 30000, now(), null),
        ('b', 'beta', 12, '0.1.0', '{1}', 30000, now() - interval '1 hour', null),
        ('c', 'gamma', 13, '0.1.0', '{1}', 30000, now(), now()), ('d', 'delta', 14, '0.1.0', '{}', 30000, now(), null)`)
    await rows('update {schema}.queues set owner_id = 1')
    const read = textOf((await visit('/queues/line')).html)
    expect(read).toMatch(/beta 12 silent .* alpha owner 11 alive/)
    expect(read).not.toMatch(/gamma|delta/)
    for (const words of ['FIFO: one job at a time', 'deleted at once'])
      expect(read).toContain(words)
    expect(linksOf((await visit('/queues/line')).html)).toContain(
      '/queues/line/jobs?status=available',
    )
  })

  test('is paused and resumed by its buttons, and enqueued into', async ({ db, schema }) => {
    const { api, visit } = openDashboard(db, schema)
    const name = 'a/b ü?%'
    const path = encodeURIComponent(name)
    await api('PUT', `/api/queues/${path}`)
    const press = async (words: string, body?: object) => {
      const { html } = await visit(`/queues/${path}`)
      const action = actionsOf(html)[words]
      const answer = await api(String(action?.method), String(action?.path), body)
      return `${words} ${answer.status}`
    }
    expect(await press('Pause', { reason: 'the mail server moves' })).toBe('Pause 200')
    const paused = textOf((await visit(`/queues/${path}`)).html)
    expect(paused).toContain('Paused by ada')
    expect(paused).toContain('the mail server moves')
    expect(await press('Resume', {})).toBe('Resume 200')
    expect(await press('Enqueue', { jobs: [{ args: { to: 'ada' } }] })).toBe('Enqueue 201')
    const { html } = await visit(`/queues/${path}`)
    const enqueue = actionsOf(html)['Enqueue']
    expect(enqueue).toMatchObject({
      body: { jobs: [{}] },
      fields: [{ name: 'jobs.0.args', kind: 'json' }],
    })
    expect(html).toContain('data-hotkey="p"')
    expect(textOf(html)).toContain(`Available 1`)
  })

  test('has buttons only for who may press them', async ({ db, schema }) => {
    await openDashboard(db, schema).api('PUT', '/api/queues/emails')
    const seenBy = async (role: 'viewer' | 'operator' | 'admin') => {
      const { status, html } = await visitor(db, schema, role)('/queues/emails')
      return [status, ...Object.keys(actionsOf(html))]
    }
    expect(await seenBy('viewer')).toEqual([200])
    expect(await seenBy('operator')).toEqual([200, 'Enqueue', 'Pause'])
    expect(await seenBy('admin')).toEqual([200, 'Enqueue', 'Pause'])
  })

  test('shows hostile data as the text that it is', async ({ db, schema, openQueue }) => {
    const evil = `<script>alert("x")</script>'"><img src=x>`
    const queue = openQueue(
      async ({ args }) => {
        const error = new Error(String(args))
        error.name = evil
        error.stack = `${evil}\n    at ${evil}`
        throw error
      },
      { queueName: evil },
    )
    const all = [evil, '__proto__', '{"isEscaped":true}', '\u202e&lt;b&gt;', 'x'.repeat(5_000)]
    await queue.enqueueMany(all.map((args) => ({ args, maxRetries: 0 })))
    await queue.drain()
    await queue.pause({ by: evil, reason: evil })
    const { status, html } = await lookAs(
      'admin',
      db,
      schema,
    )(`/queues/${encodeURIComponent(evil)}`)
    expect(status).toBe(200)
    expect(html).toContain('__proto__')
    expect(html).toContain('&amp;lt;b&amp;gt;')
    for (const address of linksOf(html)) expect(address).toMatch(/^[/#]/)
  })

  test('shows of errors what redaction lets pass', async ({ db, schema, openQueue }) => {
    const queue = openQueue(
      async () => {
        throw new RangeError('refused 4111-1111 of ada')
      },
      { queueName: 'pay' },
    )
    await queue.enqueue({ card: '4111-1111' }, { maxRetries: 0 })
    await queue.drain()
    const seen = async (redact: Redact | undefined) =>
      (await visitor(db, schema, 'admin', { redact })('/queues/pay')).html
    const byPath = await seen(['errors.*.message', 'errors.*.stack'])
    expect(byPath).not.toMatch(/refused|4111/)
    expect(textOf(byPath)).toContain('RangeError [redacted]')
    expect(linksOf(byPath)).toContain('/queues/pay/jobs?errorText=RangeError%3A')
    const whole = await seen(['errors'])
    expect(whole).not.toMatch(/refused|RangeError|4111/)
    expect(whole).not.toContain('errorText')
    const byFunction = await seen(({ id, queue, status }) => ({ id, queue, status }))
    expect(byFunction).not.toMatch(/refused|RangeError|4111/)
    const masked = await seen((job) => ({
      ...job,
      errors: (job['errors'] as object[]).map((error) => ({
        ...error,
        message: 'a card refused',
        stack: 7,
      })),
    }))
    expect(textOf(masked)).toContain('RangeError a card refused')
    expect(masked).not.toMatch(/errorText=[^"]*card/)
    const unredacted = await seen(undefined)
    expect(textOf(unredacted)).toContain('RangeError refused ‹number›')
  })
})
