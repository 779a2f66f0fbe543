import { describe } from 'vitest'
import { expect, test, type JobScript } from '../support/fixtures.ts'

const script = (args: JobScript): JobScript => args
const fifo = { fifo: true, baseRetryDelay: '5ms', maxRetryDelay: '20ms' } as const

describe('a FIFO queue with three processes', () => {
  test('runs in exact order through random failures, also when its owner is killed', async ({
    openQueue,
    child,
    runLog,
    rows,
    untilRow,
    seen,
  }) => {
    const queue = openQueue<JobScript>(fifo)
    const failures = (n: number): number => (Math.random() < 0.3 ? 1 + (n % 2) : 0)
    const jobs = await queue.enqueueMany(
      Array.from({ length: 100 }, (_, n) => ({
        args: script({ do: 'work', ms: n % 10 === 0 ? 40 : 1, failures: failures(n) }),
      })),
    )
    const ids = jobs.map((job) => job.id)
    const options = { leaseTimeout: '2s', queue: fifo, runLog: runLog.table } as const
    const workers = await Promise.all([1, 2, 3].map(() => child.receive(options)))

    // Twice the owner dies in the middle of its work.
    for (const share of [0.2, 0.6]) {
      await untilRow('select count(*)::int4 as n from {schema}.history', [], {
        fits: ({ n }) => Number(n) >= jobs.length * share,
      })
      const owner = (await runLog.read()).at(-1)?.pid
      workers.find((worker) => worker.pid === owner)?.kill('SIGKILL')
      await seen('worker.died', undefined, { nth: share === 0.2 ? 1 : 2 })
    }
    await untilRow('select count(*)::int4 as n from {schema}.history', [], {
      fits: ({ n }) => n === jobs.length,
      withinMs: 25_000,
    })

    const runs = await runLog.read()
    expect(new Set(runs.map((run) => run.pid)).size).toBe(3)
    // The order of the first runs is that of the ids, and a job starts only when the one before is over.
    const first = [...new Set(runs.map((run) => run.jobId))]
    expect(first).toEqual(ids)
    const steps = runs.slice(1).map((run, i) => ({
      step: ids.indexOf(run.jobId) - ids.indexOf(runs[i]?.jobId ?? ''),
      isNewOwner: run.pid !== runs[i]?.pid,
    }))
    for (const { step, isNewOwner } of steps) {
      // After a crash the last job may run again, and a job that ran and was not written down yet.
      if (isNewOwner) expect(step).toBeGreaterThanOrEqual(-2)
      else expect([0, 1]).toContain(step)
    }
    expect(await rows(`select outcome, count(*)::int4 from {schema}.history group by 1`)).toEqual([
      { outcome: 'finished', count: jobs.length },
    ])
    const attempts = await rows(
      'select id::text, attempt from {schema}.history order by history.id',
    )
    expect(attempts).toEqual(
      jobs.map(({ id, args }) => ({ id, attempt: 1 + (args.failures ?? 0) })),
    )
  })
})
