import { describe } from 'vitest'
import { expect, test, until, type JobScript } from '../support/fixtures.ts'

const script = (args: JobScript): JobScript => args

describe('a worker that is stopped for longer than its lease', () => {
  test('finds its signals aborted, counts for nothing, and goes back to work', async ({
    queue,
    child,
    seen,
    events,
    rows,
  }) => {
    const lease = { leaseTimeout: '2s', concurrency: 10 } as const
    const jobs = await queue.enqueueMany([
      { args: script({ do: 'hold' }) },
      { args: script({ do: 'deaf', result: 'of either' }) },
    ])
    const ids = jobs.map((job) => job.id)
    const frozen = await child.receive(lease)
    for (const id of ids) await frozen.untilRuns(id)
    const { workerId: frozenId } = await seen('worker.registered', { pid: frozen.pid })
    frozen.kill('SIGSTOP')

    const other = await child.receive(lease)
    const { workerId: otherId } = await seen('worker.registered', { pid: other.pid })
    await seen('worker.died', { workerId: frozenId, pid: other.pid })
    await other.release()
    for (const id of ids) await seen('job.finished', { jobId: id, pid: other.pid })

    frozen.kill('SIGCONT')
    for (const jobId of ids) {
      expect(await frozen.next('aborted', { jobId })).toMatchObject({ code: 'LEASE_LOST' })
    }
    await seen('worker.lease_lost', { workerId: frozenId, pid: frozen.pid })
    await frozen.release() // the deaf one returns a result, which nobody wants
    for (const jobId of ids) await seen('job.lease_lost', { jobId, pid: frozen.pid })
    const again = await seen('worker.registered', { pid: frozen.pid }, { nth: 2 })
    expect(again.workerId).not.toBe(frozenId)
    expect(
      await rows(
        'select id::text, outcome, attempt, error_count, worker_id from {schema}.history order by id',
      ),
    ).toEqual(
      ids.map((id) => ({
        id,
        outcome: 'finished',
        attempt: 1,
        error_count: 0,
        worker_id: otherId,
      })),
    )

    await other.stop()
    const next = await queue.enqueue(script({}))
    expect((await seen('job.finished', next.id)).pid).toBe(frozen.pid)
    expect(events.all('job.finished', { pid: frozen.pid })).toHaveLength(1)
  })

  test('starts nothing of what it had prefetched', async ({
    queue,
    child,
    seen,
    rows,
    untilRow,
  }) => {
    // Fast jobs teach it to claim ahead; while it blocks it holds hundreds that it has not started.
    const jobs = await queue.enqueueMany([
      ...Array.from({ length: 1_500 }, () => ({ args: script({}) })),
      { args: script({ do: 'block', ms: 6_000 }) },
      ...Array.from({ length: 1_500 }, () => ({ args: script({}) })),
    ])
    const blocker = jobs[1_500]?.id ?? ''
    const lease = { leaseTimeout: '2s', concurrency: 10, quiet: true } as const
    const blocked = await child.receive(lease)
    await blocked.untilRuns(blocker)
    const { workerId } = await seen('worker.registered', { pid: blocked.pid })
    await rows(`update {schema}.jobs set args = '{}' where id = $1`, [blocker])
    await untilRow('select count(*)::int4 as n from {schema}.jobs where claimed_by > 0', [], {
      fits: ({ n }) => Number(n) > 100,
    })

    const other = await child.receive(lease)
    await seen('worker.died', { workerId, pid: other.pid })
    await until(async () => (await rows('select from {schema}.jobs')).length === 0)
    await seen('worker.registered', { pid: blocked.pid }, { nth: 2 })
    expect(
      await rows(
        'select outcome, attempt, error_count, count(*)::int4 from {schema}.history group by 1, 2, 3',
      ),
    ).toEqual([{ outcome: 'finished', attempt: 1, error_count: 0, count: jobs.length }])
  })
})
