import { setTimeout as sleep } from 'node:timers/promises'
import { describe } from 'vitest'
import { expect, test, until, type JobScript } from '../support/fixtures.ts'

/** What a job of these tests carries. */
const script = (args: JobScript): JobScript => args

test('three processes receive 1,000 jobs: each runs once', async ({
  queue,
  child,
  runLog,
  rows,
  untilRow,
}) => {
  const jobs = await queue.enqueueMany(Array.from({ length: 1_000 }, () => ({ args: script({}) })))
  const workers = await Promise.all(
    [1, 2, 3].map(() => child.receive({ runLog: runLog.table, concurrency: 20 })),
  )
  await untilRow('select count(*)::int4 as n from {schema}.history', [], {
    fits: ({ n }) => n === 1_000,
    withinMs: 25_000,
  })

  const runs = await runLog.read()
  expect(runs).toHaveLength(1_000)
  expect(new Set(runs.map((run) => run.jobId))).toEqual(new Set(jobs.map((job) => job.id)))
  // Nobody did it all alone, or this test shows nothing.
  for (const worker of workers) expect(runs.some((run) => run.pid === worker.pid)).toBe(true)
  expect(
    await rows(
      'select outcome, attempt, error_count, count(*)::int4 from {schema}.history group by 1, 2, 3',
    ),
  ).toEqual([{ outcome: 'finished', attempt: 1, error_count: 0, count: 1_000 }])
  expect(await rows('select from {schema}.jobs')).toEqual([])
})

describe('a worker that is killed', () => {
  test('with 500 jobs prefetched: all finish elsewhere, and none of them loses an attempt', async ({
    queue,
    child,
    rows,
    events,
  }) => {
    await queue.enqueueMany(Array.from({ length: 8_000 }, () => ({ args: script({}) })))
    const options = { leaseTimeout: '2s', concurrency: 20, quiet: true } as const
    const doomed = await child.receive(options)
    // It claims ahead as it learns how quick the jobs are: frozen for a look, until it has enough.
    const prefetched = await until(async () => {
      doomed.kill('SIGSTOP')
      const [held] = await rows(
        'select count(*)::int4 as n from {schema}.jobs where claimed_by > 0',
      )
      if (Number(held?.['n']) > 500) return Number(held?.['n'])
      doomed.kill('SIGCONT')
      await sleep(5)
      return undefined
    })
    doomed.kill('SIGKILL')
    await doomed.exited
    const killedAt = performance.now()
    const next = await child.receive(options)
    await until(async () => (await rows('select from {schema}.jobs')).length === 0, {
      withinMs: 42_000,
    })
    // The promise is the lease and ten seconds; this machine may be shared.
    expect(performance.now() - killedAt).toBeLessThan(2_000 + 40_000)
    // But for what was just being settled when it froze.
    const [rescued] = events.all('worker.rescued').map(({ count }) => count)
    expect(rescued).toBeGreaterThan(prefetched / 2)
    expect(
      await rows(`
        select outcome, attempt, error_count, count(*)::int4
        from {schema}.history group by 1, 2, 3`),
    ).toEqual([{ outcome: 'finished', attempt: 1, error_count: 0, count: 8_000 }])
    await next.stop()
  })
})

test('where everybody only drains, the job of a killed process is run by one that drains later', async ({
  queue,
  child,
  openQueue,
  seen,
}) => {
  const job = await queue.enqueue(script({ do: 'hold' }))
  const doomed = await child.receive({ leaseTimeout: '1s' })
  await seen('job.started', job.id)
  doomed.kill('SIGKILL')
  await doomed.exited

  await until(async () => (await openQueue(() => 'done').drain()).finished === 1)
  expect(await queue.get(job.id)).toMatchObject({ status: 'finished', attempt: 1, errors: [] })
})
