import { describe } from 'vitest'
import { expect, test, type JobScript } from '../support/fixtures.ts'

const script = (args: JobScript): JobScript => args

describe('a job that runs in one process and is cancelled in another', () => {
  for (const fifo of [false, true]) {
    test(`ends as cancelled when its handler heeds the signal (${fifo ? 'FIFO' : 'concurrent'})`, async ({
      openQueue,
      child,
      seen,
      events,
    }) => {
      const queue = openQueue<JobScript>({ fifo })
      const options = { queue: { fifo, pollInterval: '1h', dlq: 'letters' } } as const
      const worker = await child.receive(options)
      const other = await child.receive({ ...options, idle: true })
      const job = await queue.enqueue(script({ do: 'hold' }))
      await worker.untilRuns(job.id)
      expect(await other.cancel(job.id)).toBe(true)
      expect(await worker.next('aborted', { jobId: job.id })).toMatchObject({ code: 'CANCELLED' })
      await seen('job.cancelled', { jobId: job.id, pid: worker.pid })
      expect(await queue.get(job.id)).toMatchObject({ status: 'cancelled', attempt: 1 })
      expect(events.all('job.retried')).toEqual([])
      const next = await queue.enqueue(script({ do: 'return' }))
      await seen('job.finished', next.id)
    })
  }

  test('is finished when its handler goes on to its end', async ({ openQueue, child, seen }) => {
    const queue = openQueue<JobScript>()
    const worker = await child.receive({ queue: { pollInterval: '1h' } })
    const job = await queue.enqueue(script({ do: 'deaf', result: 42 }))
    await worker.untilRuns(job.id)
    expect(await queue.cancel(job.id)).toBe(true)
    await worker.next('aborted', { jobId: job.id })
    expect((await queue.get(job.id))?.cancelRequestedAt).toEqual(expect.any(Date))
    await worker.release(job.id)
    await seen('job.finished', job.id)
    expect(await queue.get(job.id)).toMatchObject({ status: 'finished', result: 42 })
  })

  test('is cancelled, and not run again, when its process is killed before it ended', async ({
    openQueue,
    child,
    seen,
    runLog,
    untilRow,
  }) => {
    const queue = openQueue<JobScript>()
    const options = { leaseTimeout: '1s', runLog: runLog.table } as const
    const doomed = await child.receive(options)
    const [asked, bystander] = [
      await queue.enqueue(script({ do: 'deaf' })),
      await queue.enqueue(script({ do: 'deaf' })),
    ]
    await doomed.untilRuns(asked.id)
    await doomed.untilRuns(bystander.id)
    expect(await queue.cancel(asked.id)).toBe(true)
    await doomed.next('aborted', { jobId: asked.id })
    doomed.kill('SIGKILL')
    const rescuer = await child.receive(options)
    await rescuer.untilRuns(bystander.id)
    await rescuer.release()
    await seen('job.finished', bystander.id)
    await untilRow(`select from {schema}.history where id = $1::int8 and outcome = 'cancelled'`, [
      asked.id,
    ])
    expect(await queue.get(asked.id)).toMatchObject({ status: 'cancelled', attempt: 1 })
    const runs = (await runLog.read()).filter(({ jobId }) => jobId === asked.id)
    expect(runs).toHaveLength(1)
  })

  test('is not given back by a stop', async ({ openQueue, child, seen }) => {
    const queue = openQueue<JobScript>()
    const worker = await child.receive({ shutdownTimeout: '100ms' })
    const job = await queue.enqueue(script({ do: 'deaf' }))
    await worker.untilRuns(job.id)
    await queue.cancel(job.id)
    await worker.next('aborted', { jobId: job.id })
    await worker.stop()
    await seen('job.cancelled', job.id)
    expect(await queue.get(job.id)).toMatchObject({ status: 'cancelled' })
  })
})
