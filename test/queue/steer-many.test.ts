import { expect } from 'vitest'
import { Querier } from '../../src/index.ts'
import { describeEachDatabase } from '../support/fixtures.ts'
import { refusal } from './arrange.ts'

const NOTHING = { available: 0, running: 0, finished: 0, failed: 0, cancelled: 0 }

describeEachDatabase('many jobs at once', (test) => {
  test('are cancelled, retried and deleted, as far as they can be', async ({
    openQueue,
    db,
    schema,
  }) => {
    const queue = openQueue<string, unknown>((job) => {
      if (job.args === 'failed') throw new Error(`no ${job.id}`)
    })
    const endings = ['failed', 'failed', 'finished']
    const ended = await queue.enqueueMany(endings.map((args) => ({ args, maxRetries: 0 })))
    await queue.drain()
    const waiting = await queue.enqueueMany([{ args: 'a' }, { args: 'b' }])
    const ids = [...ended, ...waiting].map(({ id }) => id)
    const [failed = '', failedToo = '', finished = '', a = '', b = ''] = ids
    const querier = new Querier(db, { schema })

    expect((await querier.cancelMany('default', [...ids, a])).sort()).toEqual([a, b].sort())
    expect(await queue.counts()).toEqual({ ...NOTHING, finished: 1, failed: 2, cancelled: 2 })
    const retried = await querier.retryMany('default', [failed, failedToo, finished, a])
    expect(retried.sort()).toEqual([failed, failedToo, a].sort())
    expect(await queue.counts()).toEqual({ ...NOTHING, available: 3, finished: 1, cancelled: 1 })
    for (const id of [failed, failedToo]) {
      expect(await queue.get(id)).toMatchObject({ errors: [{ message: `no ${id}` }] })
    }
    expect((await querier.deleteMany('default', ids)).sort()).toEqual(ids.sort())
    expect(await queue.counts()).toEqual(NOTHING)
  })

  test('in a queue that is not there are none', async ({ db, schema }) => {
    const querier = new Querier(db, { schema })
    expect(await querier.cancelMany('unknown', ['1'])).toEqual([])
    expect(await querier.deleteMany('unknown', [])).toEqual([])
    expect((await refusal(querier.retryMany('unknown', ['1', 'x']))).code).toBe('INVALID_JOB_ID')
    const { details } = await refusal(querier.retryMany('unknown', '1' as unknown as string[]))
    expect(details['option']).toBe('ids')
  })

  test('that are available again wake who sleeps', async ({
    openQueue,
    receive,
    seen,
    db,
    schema,
  }) => {
    let isBroken = true
    const queue = openQueue(
      () => {
        if (isBroken) throw new Error('broken')
      },
      { pollInterval: '1h' },
    )
    const { id } = await queue.enqueue(1, { maxRetries: 0 })
    receive(queue)
    await seen('job.failed', id)
    isBroken = false
    expect(await new Querier(db, { schema }).retryMany('default', [id])).toEqual([id])
    await seen('job.finished', id)
  })
})
