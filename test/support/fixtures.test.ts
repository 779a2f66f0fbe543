import { describeEachDatabase, expect, test, testOnOwnServer, type JobScript } from './fixtures.ts'

test('a killed worker loses the run, not the job', async ({ queue, child, seen, runLog }) => {
  const job = await queue.enqueue({ do: 'hold' } satisfies JobScript)
  const doomed = await child.receive({ leaseTimeout: '1s', runLog: runLog.table })
  await seen('job.started', job.id)
  await doomed.untilRuns(job.id)
  doomed.kill('SIGKILL')
  expect(await doomed.exited).toEqual({ code: null, signal: 'SIGKILL' })

  const next = await child.receive({ leaseTimeout: '1s', runLog: runLog.table })
  await next.untilRuns(job.id)
  await next.release(job.id)
  expect((await seen('job.finished', job.id)).pid).toBe(next.pid)
  expect((await runLog.read()).map(({ jobId, pid }) => ({ jobId, pid }))).toEqual([
    { jobId: job.id, pid: doomed.pid },
    { jobId: job.id, pid: next.pid },
  ])
  await next.stop()
  await next.leave()
  expect(await next.exited).toEqual({ code: 0, signal: null })
})

test('what a child throws comes back as an error', async ({ child }) => {
  const worker = await child.receive({ idle: true })
  await expect(worker.drain({ limit: 'many' })).rejects.toMatchObject({ code: 'INVALID_OPTION' })
})

describeEachDatabase('a queue of a test', (test) => {
  test('works in the schema of the test', async ({ openQueue, receive, seen, untilRow }) => {
    const queue = openQueue(async (job: { args: { n: number } }) => job.args.n + 1)
    receive(queue)
    const job = await queue.enqueue({ n: 1 })
    await seen('job.finished', job.id)
    const row = await untilRow('select result::text from {schema}.history where id = $1', [job.id])
    expect(row).toEqual({ result: '2' })
  })
})

testOnOwnServer('a server of its own survives restarts', async ({ server, rows }) => {
  const [{ n } = {}] = await rows('select count(*)::int4 as n from {schema}.queues')
  for (const mode of ['fast', 'immediate'] as const) {
    const { port, pid } = server
    await server.restart(mode)
    expect(server.port).toBe(port)
    expect(server.pid).not.toBe(pid)
    expect(await rows('select count(*)::int4 as n from {schema}.queues')).toEqual([{ n }])
  }
  await server.kill()
  expect(server.pid).toBeUndefined()
  await expect(rows('select 1')).rejects.toThrow()
})
