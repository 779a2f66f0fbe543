import { once } from 'node:events'
import { describe } from 'vitest'
import { expect, test, until } from '../support/fixtures.ts'

/** Makes suspects of all waiting jobs, as if they had been running in a process that died. */
const ALL_ARE_SUSPECTS = `
  with parked as (
    update {schema}.jobs set claimed_by = 0, is_suspect = true returning queue_id, id
  )
  insert into {schema}.suspects select queue_id, id from parked`

describe('suspects', () => {
  // Once the loop asked again and again for a turn that was under way, and nothing else ever ran.
  test('of a whole batch run one at a time and soon, while the process goes on', async ({
    openQueue,
    receive,
    rows,
  }) => {
    let running = 0
    let most = 0
    const queue = openQueue(async () => {
      running += 1
      most = Math.max(most, running)
      await new Promise((resolve) => setImmediate(resolve))
      running -= 1
    })
    await queue.enqueueMany(Array.from({ length: 150 }, () => ({ args: {} })))
    await rows(ALL_ARE_SUSPECTS)
    receive(queue, { concurrency: 20 })
    await until(async () => (await rows('select from {schema}.jobs')).length === 0, {
      withinMs: 25_000,
    })
    expect(most).toBe(1)
    expect(await rows('select from {schema}.history where attempt = 1')).toHaveLength(150)
    expect(await rows('select from {schema}.suspects')).toEqual([])
  })

  test('are waited for by the others for a bounded time only', async ({
    openQueue,
    receive,
    seen,
    rows,
  }) => {
    const long = new AbortController()
    const queue = openQueue(async (job: { args: { isLong?: boolean } }) => {
      if (job.args.isLong === true) await once(long.signal, 'abort')
    })
    const [suspect] = await queue.enqueueMany([{ args: {} }])
    await rows(ALL_ARE_SUSPECTS)
    const busy = await queue.enqueue({ isLong: true })
    receive(queue, { concurrency: 20 })
    await seen('job.started', busy.id)
    // The process is never empty, so the suspect waits; the others go on.
    for (let i = 0; i < 5; i++) await seen('job.finished', (await queue.enqueue({})).id)
    expect(await queue.get(suspect?.id ?? '')).toMatchObject({ status: 'available' })
    long.abort()
    await seen('job.finished', suspect?.id)
  })
})
