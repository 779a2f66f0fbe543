import { expect } from 'vitest'
import { describeEachDatabase, test as onServer } from '../support/fixtures.ts'
import { adminApi } from './arrange.ts'

describeEachDatabase('jobs over HTTP', (test) => {
  test('jobs are enqueued, listed and read', async ({ db, schema }) => {
    const api = adminApi(db, schema)
    expect(await api('PUT', '/api/queues/emails', { keepFinished: '1h' })).toMatchObject({
      status: 200,
      body: { name: 'emails', fifo: false, keepFinishedMs: 3_600_000 },
    })
    const jobs = [
      { args: { to: 'ada' }, metadata: { tenant: 7 }, priority: 2, maxRetries: 1 },
      { args: null, runAt: '2100-01-01T00:00:00+01:00' },
      { args: [1], delay: '1h', timeout: '5s', retryPolicy: 'constant' },
    ]
    const enqueued = await api('POST', '/api/queues/emails/jobs', { jobs })
    expect(enqueued.status).toBe(201)
    expect(enqueued.body.jobs.map((job) => job.args)).toEqual(jobs.map(({ args }) => args))
    const ids = enqueued.body.jobs.map(({ id }) => id)
    const listed = await api('GET', '/api/queues/emails/jobs?order=oldest&limit=2')
    expect(listed.body.jobs).toMatchObject([
      { id: ids[0], queue: 'emails', status: 'available', args: { to: 'ada' }, attempt: 0 },
      { id: ids[1], scheduledAt: '2099-12-31T23:00:00.000Z', lastError: null, omitted: [] },
    ])
    const second = await api(
      'GET',
      `/api/queues/emails/jobs?order=oldest&limit=2&cursor=${listed.body.next}`,
    )
    expect(second.body).toMatchObject({ jobs: [{ id: ids[2] }], next: null })
    const one = await api('GET', `/api/jobs/${ids[0]}`)
    expect(one.body).toMatchObject({
      id: ids[0],
      metadata: { tenant: 7 },
      errors: [],
      result: null,
    })
    expect((await api('GET', '/api/jobs/999999999')).body.error.code).toBe('JOB_NOT_FOUND')
  })

  test('a filter chooses, and a page says where the next one begins', async ({ db, schema }) => {
    const api = adminApi(db, schema)
    await api('PUT', '/api/queues/emails')
    const jobs = Array.from({ length: 30 }, (_, n) => ({ args: n, metadata: { odd: n % 2 === 1 } }))
    await api('POST', '/api/queues/emails/jobs', { jobs })
    const seen: number[] = []
    const address = `/api/queues/emails/jobs?limit=4&metadata=${encodeURIComponent('{"odd":true}')}`
    for (let next: string | null = ''; next !== null;) {
      const page = await api('GET', `${address}${next && `&cursor=${next}`}`)
      seen.push(...page.body.jobs.map(({ args }) => args as number))
      next = page.body.next
    }
    expect(seen).toEqual(Array.from({ length: 15 }, (_, n) => 29 - 2 * n))
  })

  test('a waiting job is edited, and others are refused', async ({ db, schema, openQueue }) => {
    const api = adminApi(db, schema)
    const queue = openQueue(async () => 'done', { queueName: 'emails' })
    const { id } = await queue.enqueue({ to: 'ada' }, { delay: '1h' })
    const edited = await api('PATCH', `/api/jobs/${id}`, {
      args: { to: 'bob' },
      delay: 0,
      timeout: null,
    })
    expect(edited).toMatchObject({ status: 200, body: { id, args: { to: 'bob' } } })
    await queue.drain()
    const late = await api('PATCH', `/api/jobs/${id}`, { args: 1 })
    expect(late).toMatchObject({ status: 409, body: { error: { code: 'JOB_NOT_WAITING' } } })
    expect(late.body.error.message).toContain('finished')
    expect((await api('GET', `/api/jobs/${id}`)).body).toMatchObject({
      status: 'finished',
      result: 'done',
    })
  })

  test('jobs are cancelled, retried, deleted and redriven by their ids', async ({
    db,
    schema,
    openQueue,
  }) => {
    const api = adminApi(db, schema)
    const queue = openQueue(
      async () => {
        throw new Error('no such user')
      },
      { queueName: 'emails', dlq: 'emails-dead' },
    )
    const [first, second] = await queue.enqueueMany([
      { args: 1, delay: '1h' },
      { args: 2, maxRetries: 0 },
    ])
    const cancelled = await api('POST', `/api/jobs/${first?.id}/cancel`)
    expect(cancelled.body).toEqual({
      changed: 1,
      refused: 0,
      changedIds: [first?.id],
      refusedIds: [],
      isComplete: true,
    })
    const again = await api('POST', '/api/queues/emails/cancel', { ids: [first?.id, '77'] })
    expect(again.body).toMatchObject({ changed: 0, refusedIds: [first?.id, '77'] })
    expect((await api('POST', '/api/queues/emails/retry', { ids: [first?.id] })).body.changed).toBe(
      1,
    )
    await queue.drain()
    const dead = await api('GET', '/api/queues/emails-dead/jobs')
    const [letter] = dead.body.jobs
    expect(letter).toMatchObject({
      id: second?.id,
      originQueue: 'emails',
      errorCount: 1,
      lastError: { name: 'Error', message: 'no such user' },
    })
    const redriven = await api('POST', '/api/queues/emails-dead/redrive', {
      ids: [letter?.id],
      args: { to: 'eve' },
    })
    expect(redriven.body.changed).toBe(1)
    expect((await api('GET', `/api/jobs/${letter?.id}`)).body).toMatchObject({
      queue: 'emails',
      args: { to: 'eve' },
      originQueue: null,
    })
    expect((await api('DELETE', `/api/jobs/${letter?.id}`)).body.changed).toBe(1)
    expect((await api('GET', `/api/jobs/${letter?.id}`)).status).toBe(404)
  })

  test('many are steered by a filter, up to a limit, and a dry run only says which', async ({
    db,
    schema,
  }) => {
    const api = adminApi(db, schema)
    await api('PUT', '/api/queues/emails')
    const jobs = Array.from({ length: 25 }, (_, n) => ({ args: n }))
    await api('POST', '/api/queues/emails/jobs', { jobs })
    const preview = await api('POST', '/api/queues/emails/cancel', { all: true, dryRun: true })
    expect(preview.body.count).toEqual({ value: 25, precision: 'exact' })
    expect(preview.body.sample).toHaveLength(10)
    const part = await api('POST', '/api/queues/emails/cancel', { status: 'available', limit: 20 })
    expect(part.body).toMatchObject({ changed: 20, isComplete: false })
    const rest = await api('POST', '/api/queues/emails/cancel', { all: true })
    expect(rest.body).toMatchObject({ changed: 5, isComplete: true })
    const { body } = await api('GET', '/api/queues/emails')
    expect(body.counts.cancelled).toEqual({ value: 25, precision: 'exact' })
    expect(body.counts.available).toEqual({ value: 0, precision: 'exact' })
    const without = await api('POST', '/api/queues/emails/delete', {})
    expect(without).toMatchObject({ status: 400, body: { error: { code: 'INVALID_OPTION' } } })
  })
})

onServer(
  'queues are listed page by page, with what waits in them',
  async ({ db, schema, queue }) => {
    const api = adminApi(db, schema)
    await queue.enqueueMany([{ args: 1 }, { args: 2 }])
    for (const name of ['a', 'b/ü %2F', 'c']) {
      expect((await api('PUT', `/api/queues/${encodeURIComponent(name)}`)).body.name).toBe(name)
    }
    const first = await api('GET', '/api/queues?limit=3')
    expect(first.body.queues.map(({ name }) => name)).toEqual(['a', 'b/ü %2F', 'c'])
    const second = await api('GET', `/api/queues?limit=3&cursor=${first.body.next}`)
    expect(second.body).toMatchObject({
      queues: [{ name: 'default', counts: { available: { value: 2, precision: 'exact' } } }],
      next: null,
    })
    expect(second.body.queues[0]?.longestWaitMs).toBeGreaterThanOrEqual(0)
  },
)

onServer(
  'workers are listed with what they work on',
  async ({ db, schema, openQueue, receive, seen }) => {
    const api = adminApi(db, schema)
    const queue = openQueue(async () => {}, { queueName: 'emails' })
    const { id } = await queue.enqueue(1)
    receive(queue)
    await seen('job.finished', id)
    const { body } = await api('GET', '/api/workers')
    expect(body).toMatchObject({
      workers: [{ pid: process.pid, state: 'alive', queues: ['emails'] }],
      next: null,
    })
    const { inFlight, rssBytes, heapBytes, eventLoopLagMs } = body.workers[0] ?? {}
    expect(inFlight).toBe(0)
    expect(rssBytes).toBeGreaterThan(1_000_000)
    expect(heapBytes).toBeGreaterThan(1_000_000)
    expect(eventLoopLagMs).toBeGreaterThanOrEqual(0)
  },
)
