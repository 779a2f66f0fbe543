import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from '../support/fixtures.ts'

test('what was claimed ahead and cannot start goes back once, not to and fro while all slots are taken', async ({
  openQueue,
  receive,
  seen,
  rows,
}) => {
  const over = new AbortController()
  const queue = openQueue(async (job: { args: { isLong?: boolean } }) => {
    if (job.args.isLong === true) await once(over.signal, 'abort')
  })
  const jobs = await queue.enqueueMany([
    ...Array.from({ length: 200 }, () => ({ args: {} })), // teach it to claim ahead
    ...Array.from({ length: 5 }, () => ({ args: { isLong: true } })),
    ...Array.from({ length: 500 }, () => ({ args: {} })),
  ])
  receive(queue, { concurrency: 5 })
  await seen('job.started', jobs[204]?.id)
  await seen('job.given_back')
  await sleep(1_500)
  const [held] = await rows('select count(*)::int4 as n from {schema}.jobs where claimed_by > 0')
  expect(held).toEqual({ n: 5 })
  const [{ rewind } = {}] = await rows('select rewind::int4 from {schema}.queues')
  expect(rewind).toBeLessThanOrEqual(2)
  over.abort()
  await seen('job.finished', jobs.at(-1)?.id)
})
