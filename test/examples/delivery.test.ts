import { expect, test } from 'vitest'
import { useExamples } from './run-example.ts'

const examples = useExamples()

test('e-mail with retries delivers what can be delivered, and says why the rest was not', async () => {
  expect(await examples.run('email-with-retries')).toEqual({
    code: 0,
    stderr: '',
    stdout: [
      'Delivered: password-reset to eve@example.org, newsletter to ada@example.org, newsletter to busy@example.org',
      'To busy@example.org: finished at attempt 3',
      'Dead letter to nobody@example.org: HTTP 422: no such mailbox',
      '',
    ].join('\n'),
  })
})

test('webhooks with back-off calls each receiver as it wants to be called', async () => {
  expect(await examples.run('webhooks-with-back-off')).toEqual({
    code: 0,
    stderr: '',
    stdout: [
      'good: finished at attempt 1, calls: 1',
      'flaky: finished at attempt 2, calls: 2',
      'limited: finished at attempt 1, calls: 2',
      'gone: failed at attempt 1, calls: 1',
      '',
    ].join('\n'),
  })
})

test('transactional outbox publishes in order what was committed, each message once', async () => {
  expect(await examples.run('transactional-outbox')).toEqual({
    code: 0,
    stderr: '',
    stdout: [
      'Error: There is not a stone left.',
      'Orders: a mill, a wheel',
      'Published: order.placed a mill',
      'Published: order.placed a wheel',
      '',
    ].join('\n'),
  })
})

test('serverless drain answers within its time, and to its scheduler only', async () => {
  expect(await examples.run('serverless-drain')).toEqual({
    code: 0,
    stderr: '',
    stdout: [
      'Signed up ada@example.org: 202',
      'Signed up eve@example.org: 202',
      'Signed up undefined: 400',
      'Drained by a stranger: 401',
      'The first call of the scheduler: {"finished":2,"failed":0,"retried":0,"available":0}',
      'The second call of the scheduler: {"finished":0,"failed":0,"retried":0,"available":0}',
      'Sent: ada@example.org, eve@example.org',
      '',
    ].join('\n'),
  })
})

test('http-api lets a program enqueue and people steer, each as their role may', async () => {
  expect(await examples.run('http-api')).toEqual({
    code: 0,
    stderr: '',
    stdout: [
      'Enqueued: [{"to":"eve@example.org","card":"[redacted]"},{"to":"nobody@example.org"}]',
      'Failed: no such mailbox',
      'FORBIDDEN: The role operator may not do this (deleteJobs): it takes the role admin.',
      'Retried: 1',
      'shop enqueueJobs: done',
      'shop deleteJobs: FORBIDDEN',
      'ada retryJobs: done',
      '',
    ].join('\n'),
  })
})
