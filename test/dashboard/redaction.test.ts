import { describe, expect } from 'vitest'
import type { Redact } from '../../src/dashboard/index.ts'
import { test } from '../support/fixtures.ts'
import { adminApi, type Api } from './arrange.ts'

const SECRET = '4111-1111'

/** Everything that can be asked about jobs that carry the secret in every part. */
async function everythingSaid(api: Api, id: string): Promise<string> {
  const metadata = encodeURIComponent(JSON.stringify({ card: SECRET }))
  const answers = [
    await api('GET', `/api/jobs/${id}`),
    await api('GET', '/api/queues/pay/jobs'),
    await api('GET', `/api/queues/pay/jobs?metadata=${metadata}`),
    await api('POST', '/api/queues/pay/retry', { status: 'failed', dryRun: true }),
    await api('POST', '/api/queues/pay/retry', { metadata: { card: SECRET } }),
    await api('PATCH', `/api/jobs/${id}`, { delay: '1h' }),
    await api('POST', '/api/queues/pay/jobs', {
      jobs: [{ args: { card: SECRET }, metadata: { card: SECRET } }],
    }),
    await api('POST', '/api/queues/pay/jobs', { jobs: [{ args: { card: `${SECRET}\u0000` } }] }),
    await api('POST', '/api/queues/pay/jobs', { jobs: [{ args: 1, metadata: SECRET }] }),
    await api('GET', `/api/queues/pay/jobs?metadata=${SECRET}`),
    await api('GET', '/api/audit'),
  ]
  return JSON.stringify(answers.map(({ body }) => body))
}

describe.for<[string, Redact]>([
  ['paths', ['args.card', 'metadata.*', 'errors.*.message', 'errors.*.stack', 'result']],
  ['a function', ({ id, queue, status }) => ({ id, queue, status })],
])('redaction by %s', ([, redact]) => {
  test('applies to everything that leaves', async ({ db, schema, openQueue }) => {
    const queue = openQueue(
      async () => {
        throw new Error(`refused ${SECRET}`)
      },
      { queueName: 'pay' },
    )
    const args = { card: SECRET, amount: 7 }
    const { id } = await queue.enqueue(args, { metadata: { card: SECRET }, maxRetries: 0 })
    await queue.drain()
    expect(await everythingSaid(adminApi(db, schema), id)).toContain(SECRET)
    await queue.deleteWhere({ status: 'available' })
    const second = await queue.enqueue(args, { metadata: { card: SECRET }, maxRetries: 0 })
    await queue.drain()
    expect(await everythingSaid(adminApi(db, schema, { redact }), second.id)).not.toContain(SECRET)
  })
})

test('a function that throws lets nothing leave', async ({ db, schema, queue }) => {
  const { id } = await queue.enqueue({ card: SECRET })
  const api = adminApi(db, schema, {
    logger: { debug() {}, info() {}, warn() {}, error() {} },
    redact: (job) => {
      throw new Error(`cannot redact ${JSON.stringify(job)}`)
    },
  })
  const { status, body } = await api('GET', `/api/jobs/${id}`)
  expect(status).toBe(500)
  expect(JSON.stringify(body)).not.toContain(SECRET)
})
