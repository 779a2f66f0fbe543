import { describe } from 'vitest'
import { expect, test } from '../support/fixtures.ts'
import { openTransaction, SOMEBODY_WAITS } from './arrange.ts'

describe('an edit beside others', () => {
  test('leaves a job behind the claim floors findable at once, whatever it changed', async ({
    openQueue,
    receive,
    seen,
    rows,
    db,
    schema,
  }) => {
    const ran: unknown[] = []
    const queue = openQueue((job) => void ran.push(job.args), { pollInterval: 100 })
    const job = await queue.enqueue('old')
    // So long ago that no look back goes so far soon.
    await rows(`update {schema}.jobs set run_at = run_at - interval '2 hours'`)
    const transaction = await openTransaction({ db, schema })
    await transaction.querier.edit('default', job.id, { args: 'new' })
    receive(queue)
    // Claims pass the locked row by, and the floors with them.
    for (let n = 0; n < 5; n++) await seen('job.finished', (await queue.enqueue(n)).id)
    expect(ran).toEqual([0, 1, 2, 3, 4])
    await transaction.end('commit')
    await seen('job.finished', job.id, { withinMs: 3_000 })
    expect(ran.at(-1)).toBe('new')
  })

  test('waits for a claim under way, and leaves the job to it', async ({
    queue,
    db,
    schema,
    untilRow,
  }) => {
    const job = await queue.enqueue('old')
    for (const how of ['rollback', 'commit'] as const) {
      const claim = await openTransaction({ db, schema })
      await claim.client.query(`update "${schema}".jobs set claimed_by = 77, claim_no = 1`)
      const edited = queue.edit(job.id, { args: `after ${how}` })
      await untilRow(SOMEBODY_WAITS, ['update', schema])
      await claim.end(how)
      const expected = how === 'commit' ? undefined : { args: 'after rollback' }
      expect(await edited).toEqual(expected && expect.objectContaining(expected))
    }
    expect(await queue.get(job.id)).toMatchObject({ args: 'after rollback', status: 'running' })
  })

  test('and another edit of the same job both take effect', async ({
    queue,
    db,
    schema,
    untilRow,
  }) => {
    const { id } = await queue.enqueue('old', { metadata: { n: 1 }, delay: '1h' })
    const first = await openTransaction({ db, schema })
    await first.querier.edit('default', id, { args: 'new', maxRetries: 8 })
    const second = queue.edit(id, { metadata: { n: 2 }, maxRetries: 9 })
    await untilRow(SOMEBODY_WAITS, ['update', schema])
    await first.end('commit')
    expect(await second).toMatchObject({ args: 'new', metadata: { n: 2 }, maxRetries: 9 })
  })

  test('is either seen by the run or refused, while workers claim what is edited', async ({
    openQueue,
    receive,
    seen,
  }) => {
    const ran = new Map<string, unknown>()
    const queue = openQueue<{ n: number; by?: string }, void>((job) => {
      ran.set(job.id, job.args)
    })
    const count = 400
    const items = Array.from({ length: count }, (_, n) => ({ args: { n }, priority: n % 10 }))
    const jobs = await queue.enqueueMany(items)
    for (let receivers = 0; receivers < 3; receivers++) receive(queue, { concurrency: 4 })
    const edited = new Map<string, string>()
    const editor = async (by: string): Promise<void> => {
      for (const [index, job] of jobs.toReversed().entries()) {
        const changes = { args: { ...job.args, by }, priority: index % 10, delay: index % 3 }
        if ((await queue.edit(job.id, changes)) !== undefined) edited.set(job.id, by)
      }
    }
    await Promise.all([editor('one'), editor('two')])
    await seen('job.finished', undefined, { nth: count })
    const counts = await queue.counts()
    expect(counts).toMatchObject({ available: 0, running: 0, finished: count })
    const wrong = jobs.filter(({ id }) => {
      const args = ran.get(id) as { by?: string }
      return edited.has(id) ? args.by === undefined : args.by !== undefined
    })
    expect(wrong).toEqual([])
    expect(edited.size).toBeGreaterThan(0)
  })
})
