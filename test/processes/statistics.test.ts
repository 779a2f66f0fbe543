import { expect, test, until } from '../support/fixtures.ts'
import { sumOf } from '../metrics/arrange.ts'

const JOBS = 200

test('what two processes counted adds up to what happened', async ({ child, queue, rows }) => {
  const workers = [
    await child.receive({ quiet: true, concurrency: 1 }),
    await child.receive({ quiet: true, concurrency: 1 }),
  ]
  await queue.enqueueMany([{ args: { do: 'hold' } }, { args: { do: 'hold' } }])
  await Promise.all(workers.map((worker) => worker.next('run'))) // so that both have something to count
  await queue.enqueueMany(Array.from({ length: JOBS - 2 }, () => ({ args: {} })))
  await Promise.all(workers.map((worker) => worker.release()))
  await until(async () => (await queue.counts()).finished === JOBS)
  await Promise.all(workers.map((worker) => worker.stop()))
  expect(await sumOf(rows, 'tallies')).toMatchObject({
    ...{ started: JOBS, finished: JOBS, retried: 0, failed: 0, waits: JOBS, runs: JOBS },
  })
  const [writers] = await rows(
    'select count(distinct writer)::int as n from {schema}.tallies where finished > 0',
  )
  expect(writers).toEqual({ n: 2 })
})

test('a process that is killed loses what it had not written, and nothing of the others', async ({
  child,
  queue,
  rows,
  seen,
}) => {
  const doomed = await child.receive({ leaseTimeout: '1s' })
  const job = await queue.enqueue({ do: 'return' })
  await seen('job.finished', job.id)
  doomed.kill('SIGKILL')
  const other = await child.receive({ leaseTimeout: '1s' })
  const next = await queue.enqueue({ do: 'return' })
  await seen('job.finished', next.id)
  await other.stop()
  const { finished } = await sumOf(rows, 'tallies')
  expect(finished).toBe(1)
})
