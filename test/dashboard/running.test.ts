import { expect } from 'vitest'
import { describeEachDatabase, until } from '../support/fixtures.ts'
import { adminApi } from './arrange.ts'

const SECRET = '4111-1111'

describeEachDatabase('jobs that run, over HTTP', (test) => {
  test('their progress and their log are read while they run, and they are cancelled', async ({
    db,
    schema,
    openQueue,
    receive,
    seen,
  }) => {
    const api = adminApi(db, schema)
    const queue = openQueue(
      async (_job, { progress, log, signal }) => {
        progress({ done: 3, of: 10 })
        log('began')
        log('three of them', { done: 3 })
        await new Promise((resolve) => signal.addEventListener('abort', resolve))
        log('told to end')
        throw new Error('ended')
      },
      { queueName: 'emails' },
    )
    const { id } = await queue.enqueue(1)
    const before = await api('GET', `/api/jobs/${id}`)
    const nothing = { progress: null, progressAt: null, cancelRequestedAt: null }
    expect(before.body).toMatchObject(nothing)
    expect((await api('GET', `/api/jobs/${id}/logs`)).body).toEqual({ logs: [], next: null })
    expect((await api('GET', `/api/jobs/${id}/logs?after=0`)).body).toEqual({ logs: [], next: 0 })
    receive(queue)

    const first = await until(async () => {
      const answer = await api('GET', `/api/jobs/${id}/logs`)
      return answer.body.logs.length === 2 ? answer : undefined
    })
    const at = expect.stringMatching(/Z$/) as string
    expect(first.body).toEqual({
      logs: [
        { number: 1, attempt: 1, at, message: 'began', fields: null },
        { number: 2, attempt: 1, at, message: 'three of them', fields: { done: 3 } },
      ],
      next: 2,
    })
    const said = { status: 'running', progress: { done: 3, of: 10 }, progressAt: at }
    expect((await api('GET', `/api/jobs/${id}`)).body).toMatchObject(said)
    const listed = await api('GET', '/api/queues/emails/jobs?status=running')
    expect(listed.body.jobs).toMatchObject([{ ...said, cancelRequestedAt: null, omitted: [] }])

    const filter = { status: 'running', dryRun: true }
    const preview = await api('POST', '/api/queues/emails/cancel', filter)
    expect(preview.body).toMatchObject({ count: { value: 1 }, sample: [{ id, progress: {} }] })
    expect((await api('POST', '/api/queues/emails/cancel', { all: true })).body.changed).toBe(0)
    const cancelled = await api('POST', '/api/queues/emails/cancel', { status: 'running' })
    expect(cancelled.body).toMatchObject({ changed: 1, changedIds: [id] })
    await seen('job.cancelled', id)
    const after = await api('GET', `/api/jobs/${id}/logs?after=${first.body.next}`)
    expect(after.body).toMatchObject({ logs: [{ number: 3, message: 'told to end' }], next: 3 })
    const end = await api('GET', `/api/jobs/${id}/logs?after=3`)
    expect(end.body).toEqual({ logs: [], next: 3 })
    const past = await api('GET', '/api/queues/emails/jobs')
    expect(past.body.jobs).toMatchObject([{ ...said, status: 'cancelled' }])
  })

  test('it is seen that somebody asked, and one is asked by its id', async ({
    db,
    schema,
    openQueue,
    receive,
    seen,
  }) => {
    const api = adminApi(db, schema)
    let end = (): void => {}
    const ended = new Promise<void>((resolve) => (end = resolve))
    const queue = openQueue(async () => ended, { queueName: 'emails' })
    const { id } = await queue.enqueue(1)
    receive(queue)
    await seen('job.started', id)
    const asked = await api('POST', `/api/jobs/${id}/cancel`)
    expect(asked.body).toMatchObject({ changed: 1, refused: 0, changedIds: [id] })
    const since = { status: 'running', cancelRequestedAt: expect.any(String) as string }
    expect((await api('GET', `/api/jobs/${id}`)).body).toMatchObject(since)
    const listed = await api('GET', '/api/queues/emails/jobs')
    expect(listed.body.jobs).toMatchObject([since])
    end()
    await seen('job.finished', id)
    const done = await api('GET', `/api/jobs/${id}`)
    expect(done.body).toMatchObject({ status: 'finished', cancelRequestedAt: null })
  })

  test('logs are read in pages, from either end', async ({ db, schema, openQueue }) => {
    const api = adminApi(db, schema)
    const queue = openQueue((_job, { log, progress }) => {
      for (let line = 1; line <= 25; line++) log(`line ${line}`)
      progress(Array.from({ length: 1_500 }, (_, n) => String(Math.sin(n)).slice(3, 9)))
    })
    const { id } = await queue.enqueue(1)
    await queue.drain()
    const page = async (query: string) => {
      const { logs, next } = (await api('GET', `/api/jobs/${id}/logs?${query}`)).body
      return [logs[0]?.number, logs.at(-1)?.number, next]
    }
    expect(await page('limit=10')).toEqual([1, 10, 10])
    expect(await page('limit=10&after=20')).toEqual([21, 25, 25])
    expect(await page('limit=10&order=newest')).toEqual([25, 16, 16])
    expect(await page('limit=10&order=newest&after=6')).toEqual([5, 1, 1])
    const listed = await api('GET', '/api/queues/default/jobs')
    expect(listed.body.jobs).toMatchObject([{ progress: null, omitted: ['progress'] }])
    expect((await api('GET', `/api/jobs/${id}`)).body).toMatchObject({
      progress: expect.any(Array) as unknown,
    })

    const asked = async (path: string) => {
      const { status, body } = await api('GET', path)
      return [status, body.error.code, body.error.field]
    }
    for (const [query, field] of [
      ['limit=0', 'limit'],
      ['limit=1001', 'limit'],
      ['after=-1', 'after'],
      ['after=x', 'after'],
      ['after=1e3', 'after'],
      ['order=last', 'order'],
      ['cursor=1', 'cursor'],
    ]) {
      const path = `/api/jobs/${id}/logs?${query}`
      expect([query, ...(await asked(path))]).toEqual([query, 400, 'INVALID_OPTION', field])
    }
    expect(await asked('/api/jobs/777777/logs')).toEqual([404, 'JOB_NOT_FOUND', undefined])
    expect((await asked('/api/jobs/x/logs'))[1]).toBe('INVALID_JOB_ID')
  })

  test('progress, logs and tags are redacted as the rest', async ({ db, schema, openQueue }) => {
    const queue = openQueue((_job, { log, progress }) => {
      log(`charging ${SECRET}`, { card: SECRET, amount: 7 })
      progress({ card: SECRET, step: 'charge' })
    })
    const { id } = await queue.enqueue(1, { tags: [SECRET] })
    await queue.drain()
    const everything = async (api: ReturnType<typeof adminApi>): Promise<string> => {
      const answers = [
        await api('GET', `/api/jobs/${id}`),
        await api('GET', `/api/jobs/${id}/logs`),
        await api('GET', `/api/queues/default/jobs?tags=${SECRET}`),
        await api('GET', `/api/queues/default/jobs?tags=${SECRET}&tags=${SECRET}`),
        await api('POST', '/api/queues/default/cancel', { tags: [SECRET] }),
        await api('GET', '/api/audit'),
      ]
      return answers.map(({ text }) => text).join('\n')
    }
    expect(await everything(adminApi(db, schema))).toContain(SECRET)
    const redact = ['progress.card', 'logs.*.message', 'logs.*.fields.card', 'tags']
    const said = await everything(adminApi(db, schema, { redact }))
    expect(said).not.toContain(SECRET)
    expect(said).toContain('"fields":{"card":"[redacted]","amount":7}')
    expect(said).toContain('"progress":{"card":"[redacted]","step":"charge"}')

    const none = adminApi(db, schema, { redact: ({ id: kept }) => ({ id: kept }) })
    expect(await everything(none)).not.toContain(SECRET)
    expect((await none('GET', `/api/jobs/${id}/logs`)).body).toEqual({ logs: [], next: 1 })
    const some = adminApi(db, schema, {
      redact: (job) => (job['queue'] === 'default' ? { ...job, logs: ['nothing'] } : job),
    })
    expect((await some('GET', `/api/jobs/${id}/logs`)).body.logs).toEqual(['nothing'])
  })
})
