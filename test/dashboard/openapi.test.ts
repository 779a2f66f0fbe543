import { expect, test as plain } from 'vitest'
import { describeApi } from '../../src/dashboard/api/openapi.ts'
import { ROUTES } from '../../src/dashboard/api/routes.ts'
import { SHAPES } from '../../src/dashboard/api/shapes.ts'
import { findFault, type Schema } from '../../src/dashboard/schema.ts'
import { test } from '../support/fixtures.ts'
import { adminApi, type Read } from './arrange.ts'

interface Operation {
  readonly operationId: string
  readonly responses: Record<string, { content: Record<string, { schema: Schema }> }>
}
type Paths = Record<string, Record<string, Operation>>

plain('every address is in the document, under a name of its own', () => {
  const { paths } = describeApi(ROUTES, '') as { paths: Paths }
  const documented = Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, { operationId }]) => `${operationId} ${method} ${path}`),
  )
  const served = ROUTES.map(({ id, method, path }) => `${id} ${method} ${path}`)
  expect(documented.toSorted()).toEqual(served.toSorted())
  expect(new Set(ROUTES.map(({ id }) => id)).size).toBe(ROUTES.length)
})

plain('every reference leads somewhere', () => {
  const text = JSON.stringify(describeApi(ROUTES, '/x'))
  const names = [...text.matchAll(/#\/components\/schemas\/(\w+)/g)].map(([, name]) => name ?? '')
  expect(names.filter((name) => !(name in SHAPES))).toEqual([])
})

plain('what changes something is written into the audit, and only that', () => {
  const silent = ROUTES.filter(({ method, about }) => (method === 'get') === (about !== undefined))
  expect(silent.map(({ id }) => id)).toEqual([])
})

test('every address answers as it is documented', async ({
  db,
  schema,
  openQueue,
  receive,
  seen,
}) => {
  const api = adminApi(db, schema)
  const { body, status } = await api('GET', '/openapi.json')
  expect(status).toBe(200)
  const paths = body.paths as Paths
  const answered = new Set<string>()

  const call = async (
    method: string,
    path: string,
    address: string,
    sent?: unknown,
  ): Promise<Read> => {
    const operation = paths[path]?.[method.toLowerCase()]
    const answer = await api(method, address, sent)
    const { content = {} } = operation?.responses[answer.status] ?? {}
    const type = answer.headers.get('content-type')?.replace(/;.*/, '') ?? ''
    const schemaOf = content[type]?.schema
    expect(schemaOf, `${method} ${path} ${answer.status} ${type}`).toBeDefined()
    const said = type === 'application/json' ? answer.body : answer.text
    expect(findFault(schemaOf ?? {}, said, SHAPES)).toBeUndefined()
    if (answer.status < 300 && operation !== undefined) answered.add(operation.operationId)
    return answer
  }

  const queue = openQueue(
    async ({ args }, { progress, log }) => {
      progress({ done: 1 })
      log('one line', { of: 1 })
      log('another one')
      if (args === 'fail') throw new Error('as it was asked for')
      return { done: true }
    },
    { queueName: 'a', dlq: 'dead' },
  )
  const [queuePath, jobPath] = ['/api/queues/{queue}', '/api/jobs/{id}']
  await call('PUT', queuePath, '/api/queues/other', { keepFinished: false })
  const good = await queue.enqueue('work')
  const bad = await queue.enqueue('fail', { maxRetries: 0 })
  receive(queue)
  await seen('job.finished', good.id)
  await seen('job.dead_lettered', bad.id)
  await call('GET', '/api/queues', '/api/queues?limit=1')
  await call('GET', queuePath, '/api/queues/a')
  await call('GET', '/api/overview', '/api/overview?name=A')
  await call('GET', '/api/workers', '/api/workers')
  for (const list of ['a', 'dead', 'other']) {
    await call('GET', `${queuePath}/jobs`, `/api/queues/${list}/jobs`)
  }
  for (const { id } of [good, bad]) {
    await call('GET', jobPath, `/api/jobs/${id}`)
    const lines = await call('GET', `${jobPath}/logs`, `/api/jobs/${id}/logs`)
    expect(lines.body.logs).toHaveLength(2)
  }
  await call('GET', `${queuePath}/stats`, '/api/queues/a/stats')
  await call('GET', `${queuePath}/stats`, '/api/queues/other/stats?by=hour')
  await call('GET', `${queuePath}/backlog`, '/api/queues/a/backlog')
  await call('GET', '/metrics', '/metrics')
  await call('POST', `${queuePath}/pause`, '/api/queues/other/pause', { reason: 'a test' })
  await call('GET', '/api/queues', '/api/queues')
  await call('GET', '/api/overview', '/api/overview')
  await call('POST', `${queuePath}/resume`, '/api/queues/other/resume')
  const jobs = Array.from({ length: 9 }, () => ({
    args: 'x'.repeat(9_000),
    delay: '1h',
    tags: ['x'],
  }))
  const enqueued = await call('POST', `${queuePath}/jobs`, '/api/queues/other/jobs', { jobs })
  const [one, two] = enqueued.body.jobs
  await call('PATCH', jobPath, `/api/jobs/${one?.id}`, { priority: 1, timeout: '1s' })
  await call('POST', `${jobPath}/cancel`, `/api/jobs/${one?.id}/cancel`)
  await call('POST', `${jobPath}/retry`, `/api/jobs/${one?.id}/retry`)
  await call('POST', `${queuePath}/cancel`, '/api/queues/other/cancel', { all: true, limit: 2 })
  await call('POST', `${queuePath}/retry`, '/api/queues/other/retry', { status: 'cancelled' })
  await call('POST', `${queuePath}/redrive`, '/api/queues/dead/redrive', {
    all: true,
    dryRun: true,
  })
  await call('POST', `${jobPath}/redrive`, `/api/jobs/${bad.id}/redrive`, { args: 'work' })
  await call('POST', `${queuePath}/delete`, '/api/queues/other/delete', { ids: [two?.id, '7777'] })
  await call('DELETE', jobPath, `/api/jobs/${one?.id}`)
  await call('GET', '/api/audit', '/api/audit')

  for (const [method, path, address, sent] of [
    ['GET', jobPath, '/api/jobs/x'],
    ['GET', jobPath, '/api/jobs/7777777'],
    ['PATCH', jobPath, `/api/jobs/${good.id}`, { priority: 1 }],
    ['PATCH', jobPath, `/api/jobs/${good.id}`, { prority: 1 }],
    ['POST', `${queuePath}/jobs`, '/api/queues/a/jobs', '{'],
    ['POST', `${queuePath}/jobs`, '/api/queues/a/jobs', ' '.repeat(9_000_000)],
  ] as const) {
    expect((await call(method, path, address, sent)).status).toBeGreaterThanOrEqual(400)
  }
  expect([...answered].toSorted()).toEqual(ROUTES.map(({ id }) => id).toSorted())
})
