import { expect } from 'vitest'
import type { Role } from '../../src/dashboard/index.ts'
import { forgetAudit } from '../../src/store/audit.ts'
import { driverFor } from '../../src/drivers/recognise.ts'
import { Store } from '../../src/store/store.ts'
import { test } from '../support/fixtures.ts'
import { adminApi } from './arrange.ts'

test('everything that changes something is written down, with who did it', async ({
  db,
  schema,
  queue,
}) => {
  const { id } = await queue.enqueue(1, { metadata: { tenant: 7 } })
  let who: { role: Role; name: string } = { role: 'admin', name: 'ada' }
  const api = adminApi(db, schema, { auth: () => who })
  await api('PUT', '/api/queues/emails', { keepFailed: '7d' })
  const enqueued = await api('POST', '/api/queues/emails/jobs', { jobs: [{ args: 'secret' }] })
  who = { role: 'operator', name: 'bob' }
  await api('POST', `/api/jobs/${id}/cancel`)
  await api('POST', '/api/queues/default/retry', { metadata: { tenant: 7 }, status: 'cancelled' })
  await api('POST', '/api/queues/default/cancel', { all: true, dryRun: true })
  await api('PATCH', `/api/jobs/${id}`, { args: 'secret', priority: 1 })
  await api('DELETE', `/api/jobs/${id}`)
  await api('POST', '/api/queues/nowhere/jobs', { jobs: [{ args: 1 }] })
  await api('GET', '/api/queues')
  who = { role: 'admin', name: 'eve\u0000'.repeat(90) }
  const first = await api('GET', '/api/audit?limit=5')
  const second = await api('GET', `/api/audit?limit=5&cursor=${first.body.next}`)
  expect(second.body.next).toBeNull()
  const entries = [...first.body.entries, ...second.body.entries].toReversed()
  expect(JSON.stringify(entries)).not.toContain('secret')
  const ada = { actor: 'ada', role: 'admin', outcome: 'done' }
  const bob = { actor: 'bob', role: 'operator', outcome: 'done' }
  expect(entries).toMatchObject([
    { ...ada, action: 'putQueue', queue: 'emails', request: { keepFailed: '7d' }, changed: 1 },
    {
      ...ada,
      action: 'enqueueJobs',
      queue: 'emails',
      jobCount: 1,
      changed: 1,
      jobIds: [enqueued.body.jobs[0]?.id],
    },
    { ...bob, action: 'cancelJob', jobIds: [id], changed: 1 },
    {
      ...bob,
      action: 'retryJobs',
      queue: 'default',
      jobIds: [id],
      request: { metadata: { tenant: 7 }, status: 'cancelled' },
    },
    { ...bob, action: 'editJob', jobIds: [id], request: { fields: ['args', 'priority'] } },
    { ...bob, action: 'deleteJob', outcome: 'FORBIDDEN', changed: null },
    { ...bob, action: 'enqueueJobs', queue: 'nowhere', outcome: 'QUEUE_NOT_FOUND', changed: 0 },
  ])
  await api('PUT', '/api/queues/emails')
  const [latest] = (await api('GET', '/api/audit?limit=1')).body.entries
  expect(latest?.['actor']).toBe('eve\uFFFD'.repeat(50))
})

test('what cannot be written down is not done', async ({ db, schema, queue, rows }) => {
  const { id } = await queue.enqueue(1)
  const logger = { debug() {}, info() {}, warn() {}, error() {} }
  const api = adminApi(db, schema, { logger })
  await rows(`alter table {schema}.audit add constraint full_up check (id < 0)`)
  expect((await api('POST', `/api/jobs/${id}/cancel`)).status).toBe(500)
  expect((await queue.get(id))?.status).toBe('available')
})

test('a filter that is large is left out of the entry', async ({ db, schema, queue }) => {
  await queue.enqueue(1)
  const api = adminApi(db, schema)
  await api('POST', '/api/queues/default/cancel', { metadata: { long: 'x'.repeat(9_000) } })
  await api('POST', '/api/queues/default/cancel', { errorText: '\u0000 \ud800' })
  const { entries } = (await api('GET', '/api/audit')).body
  expect(entries).toMatchObject([
    { outcome: 'INVALID_OPTION', request: { errorText: '\u0000 \ud800' } },
    { outcome: 'done', request: { tooLarge: ['metadata'] } },
  ])
})

test('entries are forgotten after 90 days', async ({ db, schema, rows }) => {
  const api = adminApi(db, schema)
  for (const name of ['a', 'b', 'c']) await api('PUT', `/api/queues/${name}`)
  await rows(`update {schema}.audit set at = at - interval '91 days' where queue_name <> 'c'`)
  await forgetAudit(new Store(driverFor(db), schema))
  expect(await rows('select queue_name from {schema}.audit')).toEqual([{ queue_name: 'c' }])
})
