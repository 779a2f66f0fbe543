import { expect } from 'vitest'
import type { Role } from '../../src/dashboard/index.ts'
import { describeEachDatabase } from '../support/fixtures.ts'
import { adminApi } from './arrange.ts'

describeEachDatabase('pausing over HTTP', (test) => {
  test('a queue is paused by who asks, shown as paused, and resumed', async ({
    db,
    schema,
    openQueue,
  }) => {
    let who: { role: Role; name: string } = { role: 'operator', name: 'bob' }
    const api = adminApi(db, schema, { auth: () => who })
    const queue = openQueue(async () => 'done', { queueName: 'a/b' })
    const { id } = await queue.enqueue(1)
    expect((await api('GET', '/api/queues/a%2Fb')).body).toMatchObject({ paused: null })

    const reason = 'the mail server is down'
    const paused = await api('POST', '/api/queues/a%2Fb/pause', { reason })
    const pause = { at: expect.stringMatching(/^\d{4}-.*Z$/) as string, by: 'bob', reason }
    expect(paused).toMatchObject({ status: 200, body: { name: 'a/b', paused: pause } })
    who = { role: 'operator', name: 'eve' }
    const again = await api('POST', '/api/queues/a%2Fb/pause', { reason: 'another' })
    expect(again.body).toMatchObject({ paused: pause })
    const { queues } = (await api('GET', '/api/queues')).body
    expect(queues).toMatchObject([{ name: 'a/b', paused: pause }])
    await queue.drain()
    expect((await queue.get(id))?.status).toBe('available')

    for (const _twice of [1, 2]) {
      const resumed = await api('POST', '/api/queues/a%2Fb/resume')
      expect(resumed).toMatchObject({ status: 200, body: { paused: null } })
    }
    await queue.drain()
    expect((await queue.get(id))?.status).toBe('finished')

    who = { role: 'admin', name: 'ada' }
    const { entries } = (await api('GET', '/api/audit')).body
    const entry = { queue: 'a/b', outcome: 'done', jobIds: [] }
    expect(entries).toMatchObject([
      { ...entry, action: 'resumeQueue', actor: 'eve', changed: 0 },
      { ...entry, action: 'resumeQueue', actor: 'eve', changed: 1 },
      { ...entry, action: 'pauseQueue', actor: 'eve', changed: 0, request: { reason: 'another' } },
      { ...entry, action: 'pauseQueue', actor: 'bob', changed: 1, request: { reason } },
    ])
  })

  test('what cannot be is refused, and names that cannot be stored are', async ({ db, schema }) => {
    const api = adminApi(db, schema, {
      auth: () => ({ role: 'operator', name: 'eve\u0000'.repeat(90) }),
    })
    await adminApi(db, schema)('PUT', '/api/queues/a')
    for (const reason of ['', 7, null, 'x'.repeat(1_001), 'a\u0000', '\ud800']) {
      const { status, body } = await api('POST', '/api/queues/a/pause', { reason })
      expect([status, body.error.code, body.error.field]).toEqual([400, 'INVALID_OPTION', 'reason'])
    }
    const by = await api('POST', '/api/queues/a/pause', { by: 'ada' })
    expect(by.body.error).toMatchObject({ code: 'INVALID_OPTION', field: 'by' })
    expect((await api('GET', '/api/queues/a')).body).toMatchObject({ paused: null })
    for (const path of ['/api/queues/none/pause', '/api/queues/%00/resume']) {
      expect((await api('POST', path)).body.error.code).toBe('QUEUE_NOT_FOUND')
    }
    const hostile = `'; drop table x; --\n<script>`
    expect((await api('POST', '/api/queues/a/pause', { reason: hostile })).body).toMatchObject({
      paused: { by: 'eve\uFFFD'.repeat(50), reason: hostile },
    })
  })
})
