import { setTimeout as sleep } from 'node:timers/promises'
import { Client } from 'pg'
import { describe } from 'vitest'
import { expect, test, until, type JobScript } from '../support/fixtures.ts'

const script = (args: JobScript): JobScript => args

describe.concurrent('a job', () => {
  test('whose transaction commits long after its insert starts soon, though others have run past it', async ({
    databaseUrl,
    queue,
    child,
    seen,
    events,
  }) => {
    await child.receive({ concurrency: 5 })
    await child.receive({ concurrency: 5 })
    const client = new Client({ connectionString: databaseUrl })
    await client.connect()
    await client.query('begin')
    const late = await queue.enqueue(script({}), { tx: client })
    // The work goes on meanwhile, and the floors pass the late one by more than their overlap.
    const busyUntil = performance.now() + 3_500
    const over = new AbortController()
    const work = (async () => {
      while (!over.signal.aborted) {
        await queue.enqueueMany(Array.from({ length: 20 }, () => ({ args: script({}) })))
        await sleep(20)
      }
    })()
    await until(() => performance.now() > busyUntil)
    expect(events.all('job.finished', late.id)).toEqual([])
    const committedAt = performance.now()
    await client.query('commit')
    await seen('job.started', late.id)
    expect(performance.now() - committedAt).toBeLessThan(3_000)
    over.abort()
    await work
    await client.end()
  })

  test('that commits late while all sleep starts soon', async ({
    databaseUrl,
    queue,
    child,
    seen,
  }) => {
    await child.receive({ queue: { pollInterval: '10m' } })
    await child.receive({ queue: { pollInterval: '10m' } })
    await seen('job.finished', (await queue.enqueue(script({}))).id)
    const client = new Client({ connectionString: databaseUrl })
    await client.connect()
    await client.query('begin')
    const late = await queue.enqueue(script({}), { tx: client })
    await sleep(1_500)
    const committedAt = performance.now()
    await client.query('commit')
    await seen('job.started', late.id)
    expect(performance.now() - committedAt).toBeLessThan(3_000)
    await client.end()
  })

  test('that is delayed, retried or snoozed starts when it is due, whoever is awake', async ({
    queue,
    child,
    seen,
    rows,
    runLog,
  }) => {
    const options = { runLog: runLog.table, queue: { baseRetryDelay: '1500ms' } } as const
    await child.receive(options)
    await child.receive(options)
    await child.receive(options)
    const delayed = await queue.enqueue(script({}), { delay: '1500ms' })
    const retried = await queue.enqueue(script({ failures: 1 }), { retryPolicy: 'constant' })
    const snoozed = await queue.enqueue(script({ do: 'snooze', delay: '1500ms' }))
    for (const { id } of [delayed, retried, snoozed]) {
      await seen('job.finished', id)
      const [times] = await rows(
        `select
           extract(epoch from run_at - created_at)::float8 as waited,
           extract(epoch from started_at - run_at)::float8 as late
         from {schema}.history where id = $1`,
        [id],
      )
      expect(times?.['waited']).toBeGreaterThan(1.49)
      expect(times?.['late']).toBeGreaterThanOrEqual(0)
      expect(times?.['late']).toBeLessThan(1.5)
    }
    const runs = await runLog.read()
    expect(runs.filter((run) => run.jobId === delayed.id)).toHaveLength(1)
    expect(runs.filter((run) => run.jobId === retried.id)).toHaveLength(2)
  })
})
