import { quoteIdentifier } from '../../src/core/identifiers.ts'
import { wakeAddress } from '../../src/store/wake.ts'
import { describeEachDatabase, expect, test } from '../support/fixtures.ts'
import { gate, inTransaction } from './arrange.ts'

describeEachDatabase('priority', (test) => {
  test('runs 0 first and 9 last, and within one priority in the order of enqueueing', async ({
    openQueue,
  }) => {
    const ran: unknown[] = []
    const queue = openQueue((job) => void ran.push(job.args))
    for (const priority of [9, 5, 0, 3, 5, 0, 9, 1]) {
      await queue.enqueue(`${priority} then`, { priority })
      await queue.enqueue(`${priority} later`, { priority })
    }
    await queue.enqueue('5 default')
    expect(await queue.drain({ concurrency: 1 })).toMatchObject({ finished: 17 })
    expect(ran).toEqual([
      ...['0 then', '0 later', '0 then', '0 later', '1 then', '1 later', '3 then', '3 later'],
      ...['5 then', '5 later', '5 then', '5 later', '5 default'],
      ...['9 then', '9 later', '9 then', '9 later'],
    ])
  })

  test('lets an urgent job overtake those that wait, also when they came before', async ({
    openQueue,
    receive,
    seen,
  }) => {
    const release = gate()
    const ran: unknown[] = []
    const queue = openQueue(async (job) => {
      if (job.args === 'first') await release.opened
      ran.push(job.args)
    })
    receive(queue, { concurrency: 1 })
    const first = await queue.enqueue('first')
    await seen('job.started', first.id)
    await queue.enqueueMany([{ args: 'patient' }, { args: 'late', priority: 9 }])
    const last = await queue.enqueue('urgent', { priority: 0 })
    release.open()
    await seen('job.finished', last.id)
    expect(ran.slice(0, 2)).toEqual(['first', 'urgent'])
  })
})

describeEachDatabase('runAt and delay', (test) => {
  test('are the time by the clock of the database before which the job does not run', async ({
    openQueue,
    rows,
  }) => {
    const ran: unknown[] = []
    const queue = openQueue((job) => void ran.push(job.args))
    const runAt = new Date(Date.now() + 3_600_000)
    const jobs = [
      await queue.enqueue('in an hour', { runAt }),
      await queue.enqueue('after 90 s', { delay: '1.5m' }),
      await queue.enqueue('in ten years', { delay: '3650d' }),
      await queue.enqueue('at the end of time', { runAt: new Date(8.64e15) }),
    ]
    expect(jobs[0]?.scheduledAt).toEqual(runAt)
    expect(Number(jobs[1]?.scheduledAt) - Number(jobs[1]?.createdAt)).toBe(90_000)
    expect(jobs[3]?.scheduledAt).toEqual(new Date(8.64e15))
    for (const job of jobs) {
      expect(await queue.get(job.id)).toMatchObject({ scheduledAt: job.scheduledAt })
    }
    expect(await queue.drain()).toEqual({ finished: 0, failed: 0, retried: 0 })
    // As if the time had come, for the second first.
    await rows(
      `update {schema}.jobs set run_at = now() - interval '1 s' where args = '"after 90 s"'`,
    )
    await rows(`update {schema}.jobs set run_at = now() where args = '"in an hour"'`)
    expect(await queue.drain({ concurrency: 1 })).toMatchObject({ finished: 2 })
    expect(ran).toEqual(['after 90 s', 'in an hour'])
  })

  test('in the past mean now, and overtake nobody', async ({ openQueue }) => {
    const ran: unknown[] = []
    const queue = openQueue((job) => void ran.push(job.args))
    await queue.enqueue('first')
    const past = await queue.enqueue('past', { runAt: new Date(0) })
    const older = await queue.enqueue('older', { runAt: new Date(-8.64e15) })
    const none = await queue.enqueue('no delay', { delay: 0 })
    for (const job of [past, older, none]) expect(job.scheduledAt).toEqual(job.createdAt)
    await queue.drain({ concurrency: 1 })
    expect(ran).toEqual(['first', 'past', 'older', 'no delay'])
  })

  test('wake a receiver that sleeps when the time has come', async ({
    openQueue,
    receive,
    seen,
  }) => {
    const queue = openQueue(() => undefined, { pollInterval: '1h' })
    receive(queue)
    const awake = await queue.enqueue('wakes it')
    await seen('job.finished', awake.id)
    const jobs = [
      await queue.enqueue('by delay', { delay: 80 }),
      await queue.enqueue('by runAt', { runAt: new Date(Date.now() + 120) }),
      await queue.enqueue('of another priority', { delay: 40, priority: 9 }),
    ]
    for (const job of jobs) {
      await seen('job.finished', job.id)
      const { startedAt, scheduledAt } = (await queue.get(job.id)) ?? {}
      expect(Number(startedAt)).toBeGreaterThanOrEqual(Number(scheduledAt) - 1)
    }
  })
})

test('a receiver that has been asleep for long still learns when a job is due', async ({
  openQueue,
  receive,
  schema,
  seen,
  untilRow,
}) => {
  const queue = openQueue(() => undefined, { pollInterval: '1h' })
  receive(queue)
  const awake = await queue.enqueue('opens the queue')
  await seen('job.finished', awake.id)
  for (const delay of [60, 70]) {
    // It says that it sleeps by a lock, and looks no more of itself.
    const { lockClass } = wakeAddress(schema)
    await untilRow(
      `select 1 from pg_locks where locktype = 'advisory' and classid = $1::text::oid and mode = 'ShareLock'`,
      [String(lockClass >>> 0)],
    )
    const job = await queue.enqueue('later', { delay })
    await seen('job.finished', job.id)
  }
})

test('a job that nobody can claim does not delay those that are due after it', async ({
  db,
  schema,
  openQueue,
  receive,
  seen,
}) => {
  const queue = openQueue(() => undefined, { pollInterval: '1h' })
  const locked = await queue.enqueue('locked')
  await inTransaction(db, async (tx) => {
    await tx.query(`select from ${quoteIdentifier(schema)}.jobs for update`)
    receive(queue)
    const later = await queue.enqueue('later', { delay: 400 })
    await seen('job.finished', later.id)
  })
  const next = await queue.enqueue('wakes it')
  await seen('job.finished', next.id)
  await seen('job.finished', locked.id)
})
