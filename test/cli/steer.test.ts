import { describe } from 'vitest'
import { expect, test, type Fixtures } from '../support/fixtures.ts'
import { aborted } from '../queue/arrange.ts'
import { json, lines, stock } from './arrange.ts'
import { hasTerminals, Millrace, millrace } from './millrace.ts'

async function statusOf(queue: ReturnType<Fixtures['openQueue']>, id: string): Promise<unknown> {
  return (await queue.get(id))?.status
}

describe('by their ids', () => {
  test('jobs are cancelled, retried and deleted', async ({ openQueue, schema }) => {
    const ids = await stock(openQueue)
    const reports = openQueue({ queueName: 'reports' })
    const cancelled = await millrace(['jobs', 'cancel', ids.later, ids.waiting], { schema })
    expect(cancelled).toMatchObject({ code: 0, stdout: '2 jobs were cancelled.\n', stderr: '' })
    expect(await statusOf(reports, ids.later)).toBe('cancelled')
    const retried = await millrace(['jobs', 'retry', ids.failed, '-q', 'reports'], { schema })
    expect(retried).toMatchObject({ code: 0, stdout: '1 job was made available again.\n' })
    expect(await statusOf(reports, ids.failed)).toBe('available')
    expect(await json(['jobs', 'delete', ids.dead], { schema })).toEqual({
      ...{ action: 'delete', dryRun: false, done: 1, refused: [] },
    })
    expect(await openQueue({ queueName: 'emails-dead' }).get(ids.dead)).toBeUndefined()
  })

  test('a job that runs is asked to end', async ({ openQueue, schema, receive, seen }) => {
    const queue = openQueue(async (_job, { signal }) => {
      throw await aborted(signal)
    })
    const [waits, runs] = [await queue.enqueue(1, { delay: '1h' }), await queue.enqueue(2)]
    receive(queue)
    await seen('job.started', runs.id)
    const cancelled = await millrace(['jobs', 'cancel', waits.id, runs.id], { schema })
    const said = '1 job was cancelled.\n1 running job was asked to end.\n'
    expect(cancelled).toMatchObject({ code: 0, stdout: said, stderr: '' })
    await seen('job.cancelled', runs.id)
    expect(await statusOf(queue, runs.id)).toBe('cancelled')

    const next = await queue.enqueue(3)
    await seen('job.started', next.id)
    const filter = ['jobs', 'cancel', '-q', 'default', '--yes']
    expect(await json(filter, { schema })).toMatchObject({ done: 0, asked: 0 })
    const running = await json([...filter, '--status', 'running'], { schema })
    expect(running).toMatchObject({ done: 1, asked: 1, refused: [] })
    await seen('job.cancelled', next.id)
  })

  test('what cannot be done is said, and the rest is done', async ({ openQueue, schema }) => {
    const ids = await stock(openQueue)
    const partly = await millrace(['jobs', 'retry', ids.finished, ids.failed, '987654'], { schema })
    expect(partly).toEqual({
      code: 3,
      signal: null,
      stdout: '1 job was made available again.\n',
      stderr:
        `! Job ${ids.finished} is finished; it cannot be made available again.\n` +
        '! Job 987654 is not there; it cannot be made available again.\n',
    })
    const dead = await millrace(['jobs', 'retry', ids.dead], { schema })
    expect(dead.stderr).toBe(
      `! Job ${ids.dead} waits in a dead-letter queue, from which "millrace redrive emails-dead --id ${ids.dead}" sends it back; ` +
        'it cannot be made available again.\n',
    )
    const none = await millrace(['jobs', 'cancel', ids.finished, '--json'], { schema })
    expect(none.code).toBe(1)
    expect(JSON.parse(none.stdout)).toMatchObject({
      done: 0,
      refused: [{ id: ids.finished, reason: 'is finished' }],
    })
  })

  test('a dry run changes nothing', async ({ openQueue, schema }) => {
    const ids = await stock(openQueue)
    const ended = await millrace(['jobs', 'cancel', ids.waiting, '--dry-run'], { schema })
    expect(ended).toMatchObject({ code: 0, stderr: '' })
    const said = lines(ended)
    expect(said.slice(0, 2)).toEqual(['1 job would be cancelled.', ''])
    expect(said[2]?.trim()).toMatch(/^id +queue +status/)
    expect(said[3]?.trim()).toMatch(
      new RegExp(`^${ids.waiting} +emails +available .*{"to":"eve"}$`),
    )
    expect(said).toHaveLength(4)
    const args = ['jobs', 'retry', ids.failed, ids.finished, '--dry-run']
    expect(await json(args, { schema })).toEqual({
      ...{ action: 'retry', dryRun: true, done: 1, isExact: true },
      refused: [{ id: ids.finished, reason: 'is finished' }],
      sample: [expect.objectContaining({ id: ids.failed, status: 'failed' })],
    })
    expect(await statusOf(openQueue({ queueName: 'emails' }), ids.waiting)).toBe('available')
  })
})

describe('by filters', () => {
  test('jobs are counted first, and changed with --yes', async ({ queue, schema }) => {
    await queue.enqueueMany(Array.from({ length: 20 }, (_, args) => ({ args })))
    const cancel = ['jobs', 'cancel', '--queue', 'default']
    const dry = lines(await millrace([...cancel, '--dry-run'], { schema }))
    expect(dry[0]).toBe('20 jobs would be cancelled.')
    expect(dry).toHaveLength(14)
    expect(dry.at(-1)).toBe('… and 10 more')
    const preview = await json([...cancel, '--dry-run', '--limit', '12'], { schema })
    expect(preview).toMatchObject({ action: 'cancel', dryRun: true, done: 12, isExact: true })
    expect((preview as { sample: { args: number }[] }).sample.map(({ args }) => args)).toEqual([
      ...Array(10).keys(),
    ])
    const unsure = await millrace(cancel, { schema })
    expect(unsure).toMatchObject({
      ...{ code: 2, stdout: '', stderr: 'Cancel 20 jobs? Nobody can be asked here: pass --yes.\n' },
    })
    expect(await queue.counts()).toMatchObject({ available: 20 })
    const some = await millrace([...cancel, '--limit', '5', '--yes'], { schema })
    expect(some).toMatchObject({ code: 0, stdout: '5 jobs were cancelled.\n' })
    const others = await millrace(['jobs', 'cancel', '--newer-than', '1h', '-y'], { schema })
    expect(others.stdout).toBe('15 jobs were cancelled.\n')
    expect(await queue.counts()).toMatchObject({ available: 0, cancelled: 20 })
    const none = await millrace([...cancel, '--yes'], { schema })
    expect(none).toMatchObject({ code: 0, stdout: '0 jobs were cancelled.\n' })
  })

  test('a retry takes failed jobs, and cancelled ones where they are named', async ({
    openQueue,
    schema,
  }) => {
    const ids = await stock(openQueue)
    await millrace(['jobs', 'cancel', ids.later], { schema })
    const retry = ['jobs', 'retry', '--queue', 'reports', '--yes']
    const byError = await millrace([...retry, '--error', 'printer'], { schema })
    expect(byError.stdout).toBe('1 job was made available again.\n')
    expect((await millrace(retry, { schema })).stdout).toBe('0 jobs were made available again.\n')
    const cancelled = await millrace([...retry, '--status', 'cancelled'], { schema })
    expect(cancelled.stdout).toBe('1 job was made available again.\n')
  })

  test('jobs are chosen by their metadata', async ({ openQueue, schema }) => {
    const { finished, later } = await stock(openQueue)
    const args = ['jobs', 'delete', '--metadata', '{"tenant":"mill"}']
    expect(await json([...args, '--dry-run'], { schema })).toMatchObject({
      ...{ done: 1, sample: [{ id: finished }] },
    })
    expect(await json([...args, '--yes'], { schema })).toMatchObject({ done: 1, refused: [] })
    expect(await openQueue({ queueName: 'emails' }).get(finished)).toBeUndefined()
    expect(await statusOf(openQueue({ queueName: 'reports' }), later)).toBe('available')
  })

  test('a deletion takes all but running jobs', async ({ openQueue, schema }) => {
    await stock(openQueue)
    const ended = await json(['jobs', 'delete', '-q', 'reports', '--yes'], { schema })
    expect(ended).toEqual({ action: 'delete', dryRun: false, done: 2, refused: [] })
  })

  test.skipIf(!hasTerminals())('progress is a bar on a terminal', async ({ queue, schema }) => {
    await queue.enqueueMany(Array.from({ length: 1_200 }, (_, args) => ({ args })))
    const args = ['jobs', 'cancel', '-q', 'default', '--yes']
    const env = { TERM: 'xterm-256color' }
    const { code, stdout } = await millrace(args, { schema, columns: 100, env })
    expect(code).toBe(0)
    expect(stdout).toMatch(/━+.*─+.*500 of 1,200 jobs/)
    // The bar is taken away before the answer.
    expect(stdout.endsWith('\r\u001b[2K1,200 jobs were cancelled.\r\n')).toBe(true)
  })

  test.skipIf(!hasTerminals())('somebody at a terminal is asked', async ({ queue, schema }) => {
    await queue.enqueueMany([{ args: 1 }, { args: 2 }])
    for (const [answer, code, said] of [
      ['n', 1, 'Nothing was changed.'],
      ['y', 0, '2 jobs were deleted.'],
    ] as const) {
      const options = { schema, columns: 100, isInteractive: true }
      const asking = new Millrace(['jobs', 'delete', '--queue', 'default'], options)
      await asking.says('Delete 2 jobs? [y/N]')
      asking.process.stdin?.write(`${answer}\n`)
      const ended = await asking.ended
      expect(ended.stdout).toContain(said)
      expect(ended.code).toBe(code)
    }
    expect(await queue.counts()).toMatchObject({ available: 0 })
  })
})
