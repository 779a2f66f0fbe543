import { describe } from 'vitest'
import { expect, test, type JobScript } from '../support/fixtures.ts'

const script = (args: JobScript): JobScript => args

describe('two processes', () => {
  for (const fifo of [false, true]) {
    test(`see each other's pause of a ${fifo ? 'FIFO' : 'concurrent'} queue, and that it goes on`, async ({
      openQueue,
      child,
      events,
      seen,
      runLog,
    }) => {
      const queue = openQueue<JobScript>({ fifo })
      const options = { queue: { fifo, pollInterval: '1h' }, runLog: runLog.table } as const
      const [one, two] = [await child.receive(options), await child.receive(options)]
      const first = await queue.enqueue(script({ do: 'return' }))
      await seen('job.finished', first.id)

      expect(await one.pause({ by: 'one' })).toBe(true)
      expect(await two.pause({ by: 'two' })).toBe(false)
      await seen('queue.paused', { pid: two.pid })
      await seen('queue.paused', { pid: one.pid })
      const waits = await queue.enqueueMany(
        Array.from({ length: 20 }, () => ({ args: script({ do: 'return' }) })),
      )
      expect(await queue.counts()).toMatchObject({ available: 20, running: 0 })

      await two.resume()
      for (const { id } of waits) await seen('job.finished', id)
      const runs = (await runLog.read()).map(({ jobId }) => jobId)
      expect(runs).toHaveLength(21)
      if (fifo) expect(runs).toEqual([first.id, ...waits.map(({ id }) => id)])
      expect(events.all('claim.failed')).toEqual([])
    })
  }

  test('and from the moment of the pause no claim of either takes a job, however busy they are', async ({
    openQueue,
    child,
    rows,
    untilRow,
  }) => {
    const queue = openQueue<JobScript>()
    const jobs = Array.from({ length: 1_000 }, () => ({ args: script({ do: 'return' }) }))
    await queue.enqueueMany(jobs)
    await Promise.all([1, 2].map(() => child.receive({ quiet: true })))
    await untilRow('select count(*)::int4 as n from {schema}.history', [], {
      fits: ({ n }) => Number(n) > 50,
    })
    await queue.pause()
    await untilRow('select count(*)::int4 as n from {schema}.jobs where claimed_by > 0', [], {
      fits: ({ n }) => n === 0,
    })
    const left = 'select count(*)::int4 as n from {schema}.jobs'
    const [before] = await rows(left)
    await queue.enqueueMany(jobs.slice(0, 50))
    expect(await rows(left)).toEqual([{ n: Number(before?.['n']) + 50 }])
    await queue.resume()
    await untilRow(left, [], { fits: ({ n }) => n === 0 })
  })
})
