import { expect } from 'vitest'
import { basicAuth, createDashboard } from '../../src/dashboard/index.ts'
import { Discard } from '../../src/index.ts'
import { parseExposition } from '../metrics/parse-exposition.ts'
import { describeEachDatabase } from '../support/fixtures.ts'
import { adminApi, apiOf } from './arrange.ts'

describeEachDatabase('statistics over HTTP', (test) => {
  test('what happened and what waits is said of a queue', async ({ db, schema, openQueue }) => {
    const api = adminApi(db, schema, { auth: () => 'viewer' })
    const queue = openQueue<string, unknown>(
      ({ args }) => {
        if (args === 'no') throw new Discard('no')
      },
      { queueName: 'a/b' },
    )
    await queue.enqueueMany([{ args: 'yes' }, { args: 'yes' }, { args: 'no' }])
    await queue.drain()
    await queue.enqueueMany([{ args: 'waits' }, { args: 'waits' }])
    const counts = { enqueued: 3, started: 3, finished: 2, failed: 1 }
    const { body, status } = await api('GET', '/api/queues/a%2Fb/stats')
    expect(status).toBe(200)
    expect(body).toMatchObject({
      total: { counts, wait: { count: 3 }, run: { count: 3 } },
      series: [{ ms: 60_000 }],
      backlog: { ready: 2, isExact: true },
    })
    const hours = await api('GET', '/api/queues/a%2Fb/stats?by=hour&since=2d&until=0s')
    expect(hours.body).toMatchObject({ total: { counts }, series: [{ ms: 3_600_000, counts }] })
    const since = encodeURIComponent('2020-01-01T01:00:00+01:00')
    const old = await api('GET', `/api/queues/a%2Fb/stats?since=${since}&until=2020-01-02T00:00Z`)
    expect(old.body).toMatchObject({
      since: '2020-01-01T00:00:00.000Z',
      until: '2020-01-02T00:00:00.000Z',
      series: [],
    })
    const backlog = await api('GET', '/api/queues/a%2Fb/backlog')
    expect(backlog.body).toMatchObject({
      ready: 2,
      isExact: true,
      oldestReadyMs: expect.any(Number) as number,
    })
  })

  test('what is wrong with the span is said', async ({ db, schema }) => {
    const api = adminApi(db, schema)
    await api('PUT', '/api/queues/a')
    const asked = async (query: string) => {
      const { status, body } = await api('GET', `/api/queues/a/stats?${query}`)
      return `${status} ${body.error?.code} ${body.error?.field}`
    }
    expect(await asked('since=soon')).toBe('400 INVALID_OPTION since')
    expect(await asked('since=2026-01-01')).toBe('400 INVALID_OPTION since')
    expect(await asked('since=1900-01-01T00:00Z')).toBe('400 INVALID_OPTION since')
    expect(await asked('since=1h&until=2h')).toBe('400 INVALID_OPTION since')
    expect(await asked(`until=${'9'.repeat(101)}`)).toBe('400 INVALID_OPTION until')
    expect(await asked('until=%00')).toBe('400 INVALID_OPTION until')
    expect(await asked('by=day')).toBe('400 INVALID_OPTION by')
    expect(await asked('sinc=1h')).toBe('400 INVALID_OPTION sinc')
    for (const path of ['none/stats', 'none/backlog', '%00/stats']) {
      expect((await api('GET', `/api/queues/${path}`)).body.error.code).toBe('QUEUE_NOT_FOUND')
    }
  })

  test('a scraper reads the metrics of all queues, whatever their names', async ({
    db,
    schema,
    openQueue,
  }) => {
    const auth = basicAuth({ prometheus: { password: 'x', role: 'viewer' } })
    const api = apiOf(createDashboard(db, { auth, schema, basePath: '/jobs' }))
    const hostile = `a"b\\c\nd{e="f"} 7`
    for (const queueName of ['plain', hostile]) {
      const queue = openQueue(async () => {}, { queueName })
      await queue.enqueue(1)
      await queue.drain()
      await queue.enqueue(2)
    }
    expect((await api('GET', '/jobs/metrics')).status).toBe(401)
    const authorization = `Basic ${Buffer.from('prometheus:x').toString('base64')}`
    const answer = await api('GET', '/jobs/metrics', undefined, { authorization })
    expect(answer.status).toBe(200)
    expect(answer.headers.get('content-type')).toBe('text/plain; version=0.0.4; charset=utf-8')
    expect(answer.headers.get('x-content-type-options')).toBe('nosniff')
    const metrics = parseExposition(answer.text)
    for (const name of ['millrace_jobs_finished_total', 'millrace_jobs_ready']) {
      const samples = metrics.get(name)?.samples ?? []
      const listed = samples.map(({ labels, value }) => [labels['queue'], value])
      expect(Object.fromEntries(listed)).toEqual({ [hostile]: 1, plain: 1 })
    }
    const posted = await api('POST', '/jobs/metrics', {}, { authorization })
    expect([posted.status, posted.headers.get('allow')]).toEqual([405, 'GET'])
    const queried = await api('GET', '/jobs/metrics?name=x', undefined, { authorization })
    expect(queried.body.error).toMatchObject({ code: 'INVALID_OPTION', field: 'name' })
  })
})
