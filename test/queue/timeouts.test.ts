import { describe } from 'vitest'
import { MillraceError } from '../../src/index.ts'
import { describeEachDatabase, expect, test } from '../support/fixtures.ts'
import { aborted, gate } from './arrange.ts'

describeEachDatabase('a timeout', (test) => {
  test('aborts the signal with TIMEOUT and counts as a failed run', async ({
    openQueue,
    receive,
    seen,
  }) => {
    const reasons: unknown[] = []
    const queue = openQueue(
      async (_job, { signal }) => {
        reasons.push(await aborted(signal))
        throw new Error('what it throws then does not matter')
      },
      { baseRetryDelay: '1h' },
    )
    receive(queue)
    const job = await queue.enqueue(1, { timeout: 30 })
    expect(await seen('job.timed_out', job.id)).toMatchObject({ timeoutMs: 30, attempt: 1 })
    await seen('job.retried', job.id)
    expect(reasons).toEqual([expect.any(MillraceError)])
    expect(reasons).toMatchObject([{ code: 'TIMEOUT' }])
    const record = await queue.get(job.id)
    expect(record).toMatchObject({ status: 'available', attempt: 1, errorCount: 1 })
    expect(record?.errors).toMatchObject([{ name: 'MillraceError' }])
    expect(record?.errors[0]?.message).toContain('timeout')
  })

  test('fails the run also when the handler then returns', async ({ openQueue }) => {
    const queue = openQueue(async (_job, { signal }) => {
      await aborted(signal)
      return 'too late'
    })
    const job = await queue.enqueue(1, { timeout: 20, maxRetries: 0 })
    expect(await queue.drain()).toEqual({ finished: 0, failed: 1, retried: 0 })
    expect(await queue.get(job.id)).toMatchObject({ status: 'failed', result: undefined })
  })

  test('leaves a run alone that ends before', async ({ openQueue }) => {
    const queue = openQueue((_job, { signal }) => signal.aborted)
    const job = await queue.enqueue(1, { timeout: '1h' })
    const far = await queue.enqueue(2, { timeout: '3650d' }) // a Node timer of more than 24.8 days fires at once
    expect(await queue.drain()).toMatchObject({ finished: 2 })
    expect(await queue.get(job.id)).toMatchObject({ result: false })
    expect(await queue.get(far.id)).toMatchObject({ result: false })
  })
})

// Each waits for 5 s.
describe.concurrent('the timeout of a deaf handler', () => {
  test('ends the run 5 s later: its slot is free, what it does is ignored', async ({
    openQueue,
    receive,
    seen,
    log,
  }) => {
    const release = gate()
    const queue = openQueue(async (job: { args: string; attempt: number }) => {
      if (job.args === 'deaf' && job.attempt === 1) await release.opened
      return `${job.args} ${job.attempt}`
    })
    const receiving = receive(queue, { concurrency: 1 })
    const deaf = await queue.enqueue('deaf', { timeout: 30, retryPolicy: 'constant' })
    const started = await seen('job.timed_out', deaf.id).then(() => performance.now())
    const next = await queue.enqueue('next')
    await seen('job.retried', deaf.id)
    const tookMs = performance.now() - started
    expect(tookMs).toBeGreaterThan(4_500)
    expect(tookMs).toBeLessThan(6_500)
    await seen('job.finished', next.id)
    expect(await seen('job.finished', deaf.id)).toMatchObject({ attempt: 2 })
    expect(log.map((line) => line.message).join('\n')).toContain('goes on after its timeout')
    release.open()
    await receiving.stop()
    const record = await queue.get(deaf.id)
    expect(record).toMatchObject({ status: 'finished', attempt: 2, result: 'deaf 2' })
  })

  test('holds a FIFO queue until that returns', async ({ openQueue, receive, seen }) => {
    const release = gate()
    const trace: string[] = []
    const queue = openQueue(
      async (job: { args: string; attempt: number }) => {
        trace.push(`${job.args} ${job.attempt}`)
        if (job.args === 'deaf' && job.attempt === 1) await release.opened
        trace.push(`${job.args} ${job.attempt} returns`)
      },
      { fifo: true, baseRetryDelay: 0 },
    )
    receive(queue)
    const deaf = await queue.enqueue('deaf', { timeout: 30 })
    const behind = await queue.enqueue('behind')
    await seen('job.retried', deaf.id)
    // The retry is due and the job behind it too; that nothing starts is what the trace tells below.
    await queue.counts()
    expect(await queue.get(deaf.id)).toMatchObject({ status: 'available', attempt: 1 })
    release.open()
    await seen('job.finished', behind.id)
    expect(trace).toEqual([
      ...['deaf 1', 'deaf 1 returns', 'deaf 2', 'deaf 2 returns', 'behind 1', 'behind 1 returns'],
    ])
  })
})
