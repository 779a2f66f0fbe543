import { describe } from 'vitest'
import { Snooze } from '../../src/core/snooze.ts'
import { expect, until } from '../support/fixtures.ts'
import type { TcpProxy } from '../support/tcp-proxy.ts'
import { cutBefore, cutCommitAfter, SENT, testThroughProxy as test } from './lossy-network.ts'

/** How jobs ended, each as one row. */
const ENDS = `
  select id::text, outcome::text, attempt, error_count from {schema}.history
  where outcome <> 'moved' order by history.id`
const HELD = 'select id::text, claimed_by, attempt from {schema}.jobs'

describe('a claim that committed while its connection was cut', () => {
  test.for(['cut', 'reset'] as const)(
    '(%s): its jobs run soon, and none lost an attempt',
    async (how, { proxy, openQueue, receive, seen, rows }) => {
      const ran: string[] = []
      const queue = openQueue((job) => void ran.push(job.id))
      const jobs = await queue.enqueueMany(Array.from({ length: 10 }, (_, args) => ({ args })))
      const cut = proxy.cutAnswerTo(SENT.claim, how)
      receive(queue)
      await cut
      const cutAt = performance.now()
      for (const { id } of jobs) await seen('job.finished', id)
      expect(performance.now() - cutAt).toBeLessThan(5_000)

      expect(await seen('claim.recovered')).toMatchObject({ count: 10 })
      expect(ran).toEqual(jobs.map((job) => job.id))
      expect(await rows(ENDS)).toEqual(
        jobs.map(({ id }) => ({ id, outcome: 'finished', attempt: 1, error_count: 0 })),
      )
    },
  )

  test('in a FIFO queue: its jobs run soon, once each and in order', async ({
    proxy,
    openQueue,
    receive,
    seen,
  }) => {
    const ran: string[] = []
    const queue = openQueue((job) => void ran.push(job.id), { fifo: true })
    const jobs = await queue.enqueueMany(Array.from({ length: 10 }, (_, args) => ({ args })))
    const cut = proxy.cutAnswerTo(SENT.fifoClaim)
    receive(queue)
    await cut
    await seen('job.finished', jobs.at(-1)?.id)
    expect(ran).toEqual(jobs.map((job) => job.id))
  })

  test('of a suspect: it runs soon', async ({ proxy, openQueue, receive, seen, rows }) => {
    const queue = openQueue(() => undefined)
    const job = await queue.enqueue({})
    await rows(`
      with parked as (
        update {schema}.jobs set claimed_by = 0, is_suspect = true returning queue_id, id
      )
      insert into {schema}.suspects select queue_id, id from parked`)
    const cut = proxy.cutAnswerTo(SENT.suspectClaim)
    receive(queue)
    await cut
    await seen('job.finished', job.id)
    expect(await rows(ENDS)).toMatchObject([{ outcome: 'finished', attempt: 1 }])
  })

  test('goes with a drain too', async ({ proxy, openQueue, rows }) => {
    const queue = openQueue(() => undefined)
    await queue.enqueueMany([{ args: 1 }, { args: 2 }])
    const cut = proxy.cutAnswerTo(SENT.claim)
    expect(await queue.drain()).toEqual({ finished: 2, failed: 0, retried: 0 })
    await cut
    expect(await rows('select from {schema}.jobs')).toEqual([])
  })
})

describe('an outcome that was stored while its answer was lost', () => {
  test.for([
    ['finished, history kept', SENT.finish, '24h', [{ attempt: 1, error_count: 0 }]],
    ['finished, nothing kept', SENT.finishWithoutTrace, false, []],
  ] as const)(
    '%s: the job finished once',
    async ([, fragment, keepFinished, kept], { proxy, openQueue, receive, seen, events, rows }) => {
      let runs = 0
      const queue = openQueue(() => (runs += 1), { keepFinished })
      const cut = proxy.cutAnswerTo(fragment)
      receive(queue)
      const job = await queue.enqueue({})
      await cut
      await seen('settle.failed')
      await seen('job.finished', job.id)
      const next = await queue.enqueue({})
      await seen('job.finished', next.id)

      expect(runs).toBe(2)
      expect(events.all('job.finished', job.id)).toHaveLength(1)
      expect(events.all('job.lease_lost')).toEqual([])
      expect(await rows(ENDS)).toMatchObject([...kept, ...kept])
      expect(await rows(HELD)).toEqual([])
    },
  )

  test('finished after an error: once, with its error', async ({
    proxy,
    openQueue,
    receive,
    seen,
    events,
    rows,
  }) => {
    const queue = openQueue(failOnce, { baseRetryDelay: '10ms' })
    const cut = proxy.cutAnswerTo(SENT.finish)
    receive(queue)
    const job = await queue.enqueue({})
    await cut
    await seen('job.finished', job.id)
    expect(events.all('job.lease_lost')).toEqual([])
    expect(await rows(ENDS)).toMatchObject([{ outcome: 'finished', attempt: 2, error_count: 1 }])
    expect(await queue.get(job.id)).toMatchObject({ errors: [{ attempt: 1 }] })
  })

  test('a retry: the attempt counts once', async ({
    proxy,
    openQueue,
    receive,
    seen,
    events,
    rows,
  }) => {
    const queue = openQueue(failOnce, { baseRetryDelay: '10ms' })
    const cut = proxy.cutAnswerTo(SENT.retry)
    receive(queue)
    const job = await queue.enqueue({})
    await cut
    await seen('job.finished', job.id)
    expect(events.all('job.retried', job.id)).toHaveLength(1)
    expect(events.all('job.lease_lost')).toEqual([])
    expect(await rows(ENDS)).toMatchObject([{ outcome: 'finished', attempt: 2, error_count: 1 }])
  })

  test('a snooze: the job runs again after it', async ({
    proxy,
    openQueue,
    receive,
    seen,
    events,
    rows,
  }) => {
    let runs = 0
    const queue = openQueue(() => {
      runs += 1
      if (runs === 1) throw new Snooze(50)
    })
    const cut = proxy.cutAnswerTo(SENT.snooze)
    receive(queue)
    const job = await queue.enqueue({})
    await cut
    await seen('job.finished', job.id)
    expect(runs).toBe(2)
    expect(events.all('job.snoozed', job.id)).toHaveLength(1)
    expect(events.all('job.lease_lost')).toEqual([])
    expect(await rows(ENDS)).toMatchObject([{ outcome: 'finished', attempt: 1, error_count: 0 }])
  })

  test('the last failure: failed once', async ({
    proxy,
    openQueue,
    receive,
    seen,
    events,
    rows,
  }) => {
    const queue = openQueue(failAlways)
    const cut = proxy.cutAnswerTo(SENT.fail)
    receive(queue)
    const job = await queue.enqueue({}, { maxRetries: 0 })
    await cut
    await seen('job.failed', job.id)
    expect(events.all('job.lease_lost')).toEqual([])
    expect(await rows(ENDS)).toMatchObject([{ outcome: 'failed', attempt: 1, error_count: 1 }])
    expect(await rows(HELD)).toEqual([])
  })

  test.for([
    ['committed', (proxy: TcpProxy) => cutCommitAfter(proxy, SENT.arrival)],
    ['cut on the way out', (proxy: TcpProxy) => proxy.cutAnswerTo(SENT.departure)],
    ['cut on the way in', (proxy: TcpProxy) => proxy.cutAnswerTo(SENT.arrival)],
  ] as const)(
    'a move to the dead-letter queue (%s): it is there once',
    async ([, cutIn], { proxy, openQueue, receive, seen, events, rows }) => {
      const queue = openQueue(failAlways, { dlq: 'dead' })
      const cut = cutIn(proxy)
      receive(queue)
      const job = await queue.enqueue({}, { maxRetries: 0 })
      await cut
      await seen('job.dead_lettered', job.id)
      expect(events.all('job.dead_lettered', job.id)).toHaveLength(1)
      expect(events.all('job.lease_lost')).toEqual([])
      expect(await rows('select id::text, error_count from {schema}.jobs')).toEqual([
        { id: job.id, error_count: 1 },
      ])
      expect(await rows('select id::text, outcome::text from {schema}.history')).toEqual([
        { id: job.id, outcome: 'moved' },
      ])
    },
  )

  test("the handler's own transaction: it happened once, and the job is finished", async ({
    db,
    proxy,
    openQueue,
    receive,
    seen,
    rows,
  }) => {
    await rows('create table {schema}.effects (job_id text)')
    const [named] = await rows(`select '{schema}.effects' as name`)
    let runs = 0
    const queue = openQueue(async (job, { complete }) => {
      runs += 1
      const tx = await db.connect()
      tx.on('error', () => undefined)
      try {
        await tx.query('begin')
        await tx.query(`insert into ${String(named?.['name'])} values ($1)`, [job.id])
        await complete(tx, 'done')
        await tx.query('commit')
      } finally {
        tx.release(true)
      }
    })
    const cut = cutCommitAfter(proxy, SENT.finish)
    receive(queue)
    const job = await queue.enqueue({})
    await cut
    await seen('complete.error_after', job.id)
    expect(runs).toBe(1)
    expect(await rows('select job_id from {schema}.effects')).toEqual([{ job_id: job.id }])
    expect(await queue.get(job.id)).toMatchObject({ status: 'finished', result: 'done' })
  })
})

describe('an enqueue whose connection is cut', () => {
  const COUNT = `select count(*)::int4 as n from {schema}.jobs`

  test('after it committed rejects with OUTCOME_UNKNOWN, and the job exists once', async ({
    proxy,
    queue,
    rows,
  }) => {
    const cut = proxy.cutAnswerTo(SENT.insert)
    await expect(queue.enqueue({})).rejects.toMatchObject({ code: 'OUTCOME_UNKNOWN' })
    await cut
    expect(await rows(COUNT)).toEqual([{ n: 1 }])
    await queue.enqueue({})
    expect(await rows(COUNT)).toEqual([{ n: 2 }])
  })

  test('before it arrived rejects with OUTCOME_UNKNOWN, and no job exists', async ({
    proxy,
    queue,
    rows,
  }) => {
    cutBefore(proxy, SENT.insert)
    await expect(queue.enqueue({})).rejects.toMatchObject({ code: 'OUTCOME_UNKNOWN' })
    expect(await rows(COUNT)).toEqual([{ n: 0 }])
    await queue.enqueue({})
    expect(await rows(COUNT)).toEqual([{ n: 1 }])
  })

  test('in a group: exactly its callers are told, and no job exists twice', async ({
    proxy,
    queue,
    rows,
  }) => {
    await queue.enqueue('before')
    const cut = proxy.cutAnswerTo(SENT.insert)
    const told = await Promise.allSettled(Array.from({ length: 100 }, (_, i) => queue.enqueue(i)))
    await cut
    for (const outcome of told) {
      if (outcome.status === 'fulfilled') continue
      expect(outcome.reason).toMatchObject({ code: 'OUTCOME_UNKNOWN' })
    }
    expect(told.some((outcome) => outcome.status === 'rejected')).toBe(true)
    expect(
      await rows('select args, count(*)::int4 from {schema}.jobs group by 1 having count(*) > 1'),
    ).toEqual([])
    expect(await rows(COUNT)).toEqual([{ n: 101 }])
  })

  const many = (count: number) => Array.from({ length: count }, (_, args) => ({ args }))

  test('of many in one statement rejects with OUTCOME_UNKNOWN, and all exist once', async ({
    proxy,
    queue,
    rows,
  }) => {
    const cut = proxy.cutAnswerTo(SENT.insert)
    await expect(queue.enqueueMany(many(20))).rejects.toMatchObject({ code: 'OUTCOME_UNKNOWN' })
    await cut
    expect(await rows(COUNT)).toEqual([{ n: 20 }])
  })

  test('of many in a transaction: after its commit all exist once', async ({
    proxy,
    queue,
    rows,
  }) => {
    const cut = cutCommitAfter(proxy, SENT.insert)
    await expect(queue.enqueueMany(many(5_000))).rejects.toMatchObject({ code: 'OUTCOME_UNKNOWN' })
    await cut
    expect(await rows(COUNT)).toEqual([{ n: 5_000 }])
  })

  test('of many in a transaction: before its commit none exists', async ({
    proxy,
    queue,
    rows,
  }) => {
    const cut = proxy.cutAnswerTo(SENT.insert)
    await expect(queue.enqueueMany(many(5_000))).rejects.toThrow(/terminated|closed/i)
    await cut
    expect(await rows(COUNT)).toEqual([{ n: 0 }])
  })
})

describe('of a worker, the lost answer to', () => {
  test('its registration costs nothing but a row that nobody keeps alive', async ({
    proxy,
    openQueue,
    receive,
    seen,
    events,
    untilRow,
  }) => {
    const queue = openQueue(() => undefined)
    const cut = proxy.cutAnswerTo(SENT.registration)
    receive(queue, { leaseTimeout: '1s' })
    await cut
    const job = await queue.enqueue({})
    await seen('job.finished', job.id)
    const [{ workerId } = { workerId: 0 }] = events.all('worker.registered')
    await untilRow('select id from {schema}.workers where dead_at is not null and id <> $1', [
      workerId,
    ])
    expect(events.all('worker.registered')).toHaveLength(1)
    expect(events.all('worker.lease_lost')).toEqual([])
  })

  test('a heartbeat costs no lease and aborts no run', async ({
    proxy,
    openQueue,
    receive,
    seen,
    events,
    rows,
  }) => {
    let release = (): void => undefined
    const released = new Promise<void>((resolve) => (release = resolve))
    const aborted: unknown[] = []
    const queue = openQueue(async (_, { signal }) => {
      signal.addEventListener('abort', () => aborted.push(signal.reason))
      await released
    })
    receive(queue, { leaseTimeout: '2s' })
    const job = await queue.enqueue({})
    await seen('job.started', job.id)
    for (let lost = 0; lost < 3; lost += 1) await proxy.cutAnswerTo(SENT.heartbeat)
    const [{ beat } = { beat: 0 }] = (await rows('select beat from {schema}.workers')) as {
      beat: unknown
    }[]
    await until(async () => {
      const [row] = await rows('select beat from {schema}.workers')
      return Number(row?.['beat']) > Number(beat) + 1
    })
    release()
    await seen('job.finished', job.id)
    expect(aborted).toEqual([])
    expect(events.all('worker.registered')).toHaveLength(1)
    expect(events.all('worker.lease_lost')).toEqual([])
    expect(await rows('select from {schema}.workers where dead_at is not null')).toEqual([])
  })
})

function failOnce({ attempt }: { attempt: number }): void {
  if (attempt === 1) throw new Error('on purpose')
}

function failAlways(): never {
  throw new Error('on purpose')
}
