import { describeEachDatabase, expect } from '../support/fixtures.ts'
import { PATIENCE_MS } from '../support/until.ts'
import { gate } from './arrange.ts'

/** So many quick jobs that a receiver claims ahead. */
const QUICK = Array.from({ length: 300 }, (_, args) => ({ args: `quick ${args}` }))

describeEachDatabase('what a FIFO queue has claimed ahead', (test) => {
  test('is given back when the head waits: not running, and free to be cancelled', async ({
    openQueue,
    receive,
    seen,
  }) => {
    const queue = openQueue(
      (job) => {
        if (job.args === 'fail') throw new Error('later')
      },
      { fifo: true, baseRetryDelay: '1h' },
    )
    receive(queue)
    const jobs = await queue.enqueueMany([...QUICK, { args: 'fail' }, ...QUICK])
    await seen('job.retried', jobs[300]?.id)
    await expect
      .poll(() => queue.counts(), { timeout: PATIENCE_MS })
      .toMatchObject({ available: 301, running: 0 })
    const behind = jobs[301]?.id ?? ''
    expect(await queue.get(behind)).toMatchObject({ attempt: 0, startedAt: null })
    expect(await queue.cancel(behind)).toBe(true)
    // The head leaves, and the next ones run.
    expect(await queue.cancel(jobs[300]?.id ?? '')).toBe(true)
    await seen('job.finished', jobs.at(-1)?.id)
    expect(await queue.counts()).toMatchObject({ finished: 599, cancelled: 2, available: 0 })
  })

  test('is given back when the head runs for long', async ({ openQueue, receive, seen }) => {
    const release = gate()
    const queue = openQueue((job) => (job.args === 'slow' ? release.opened : undefined), {
      fifo: true,
    })
    receive(queue)
    const jobs = await queue.enqueueMany([...QUICK, { args: 'slow' }, ...QUICK])
    await seen('job.started', jobs[300]?.id)
    await expect
      .poll(() => queue.counts(), { timeout: PATIENCE_MS })
      .toMatchObject({ available: 300, running: 1 })
    release.open()
    await seen('job.finished', jobs.at(-1)?.id)
  })

  test('runs in order, however often the heads before it fail', async ({
    openQueue,
    receive,
    seen,
  }) => {
    const trace: number[] = []
    const queue = openQueue<number, void>(
      (job) => {
        trace.push(job.args)
        if (job.args % 7 === 3 && job.attempt === 1) throw new Error('again')
        if (job.args % 11 === 5 && job.attempt < 3) throw new Error('and again')
      },
      { fifo: true, baseRetryDelay: 1, maxRetryDelay: 20 },
    )
    receive(queue)
    const numbers = Array.from({ length: 150 }, (_, n) => n)
    const jobs = await queue.enqueueMany(
      numbers.map((args) => ({ args, retryPolicy: 'constant' as const })),
    )
    await seen('job.finished', jobs.at(-1)?.id)
    expect(trace).toEqual(trace.toSorted((left, right) => left - right))
    expect(new Set(trace).size).toBe(150)
  })
})
