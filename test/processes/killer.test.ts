import { describe } from 'vitest'
import type { Children, JobScript } from '../support/fixtures.ts'
import { test } from '../support/fixtures.ts'
import type { WorkerOptions } from '../support/workers.ts'

const script = (args: JobScript): JobScript => args

/** What a platform does: a process that died is replaced, until `isOver`. */
async function keepRunning(
  child: Children,
  options: WorkerOptions,
  isOver: () => boolean,
): Promise<number> {
  let crashes = 0
  for (;;) {
    const worker = await child.receive(options)
    const { signal } = await Promise.race([
      worker.exited,
      new Promise<{ signal: null }>((resolve) => {
        const look = setInterval(() => {
          if (!isOver()) return
          clearInterval(look)
          resolve({ signal: null })
        }, 50)
      }),
    ])
    if (signal === null) return crashes
    crashes += 1
  }
}

describe.concurrent('a job that kills its worker', () => {
  test.for([
    { dlq: undefined, outcome: 'failed' },
    { dlq: 'dead', outcome: 'moved' },
  ])(
    'ends after maxRetries + 1 crashes of its own: $outcome',
    async ({ dlq, outcome }, { openQueue, child, seen, events, rows, runLog, expect }) => {
      const options = { ...(dlq === undefined ? {} : { dlq }), baseRetryDelay: '10ms' } as const
      const queue = openQueue<JobScript>(options)
      const killer = await queue.enqueue(script({ do: 'kill' }), { maxRetries: 1 })
      const bystanders = await queue.enqueueMany(
        [1, 2, 3].map(() => ({ args: script({ do: 'work', ms: 300 }) })),
      )
      // The killer must not get away before the others run beside it.
      const ended = () => events.all('job.rescued').length >= 2
      const crashes = await keepRunning(
        child,
        { leaseTimeout: '2s', queue: options, runLog: runLog.table },
        ended,
      )
      expect(crashes).toBe(3)
      const record = await queue.get(killer.id)
      expect(record).toMatchObject({
        status: dlq === undefined ? 'failed' : 'available',
        queueName: dlq ?? 'default',
        errorCount: 2,
        errors: [{ name: 'WorkerCrashed' }, { name: 'WorkerCrashed' }],
      })
      for (const { id } of bystanders) await seen('job.finished', id)
      expect(
        await rows(
          'select id::text, outcome, attempt, error_count from {schema}.history where id <> $1 order by id',
          [killer.id],
        ),
      ).toEqual(
        bystanders.map(({ id }) => ({ id, outcome: 'finished', attempt: 1, error_count: 0 })),
      )
      expect(await rows('select outcome from {schema}.history where id = $1', [killer.id])).toEqual(
        [{ outcome }],
      )
      const runs = await runLog.read()
      expect(runs.filter((run) => run.jobId === killer.id)).toHaveLength(3)
      expect(await rows('select from {schema}.suspects')).toHaveLength(dlq === undefined ? 0 : 1)
    },
  )
})
