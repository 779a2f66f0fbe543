import { LAST_LOOK_MS, rescue } from '../../src/maintenance/rescuer.ts'
import { declareDead } from '../../src/store/workers.ts'
import { expect } from '../support/fixtures.ts'
import { JOBS, test, WORKERS } from './arrange.ts'

const never = new AbortController().signal
const FREE = { claimedBy: null, isSuspect: false, attempt: 0, errorCount: 0 }
const SUSPECT = { claimedBy: 0, isSuspect: true, attempt: 0, errorCount: 0 }

test('what a dead worker had not started is free again, as if it had never been claimed', async ({
  scene,
  bus,
  rows,
  events,
}) => {
  const queue = await scene.queue('default')
  const ids = await scene.enqueue(queue, 3)
  const worker = await scene.worker([queue])
  await scene.claim(queue, worker, { limit: 2, starts: false })
  await declareDead(scene.store, worker, '0')
  await rescue(scene.store, bus, await scene.dead(worker), never)
  expect(await rows(JOBS)).toEqual(ids.map((id) => ({ id, ...FREE })))
  expect(events.all('worker.rescued')).toMatchObject([{ workerId: worker, count: 2 }])
})

test('a rescue tells claims that something came back behind their floors', async ({
  scene,
  bus,
  rows,
}) => {
  const queue = await scene.queue('default')
  await scene.enqueue(queue, 1)
  const worker = await scene.worker([queue])
  await scene.claim(queue, worker, { limit: 1, starts: false })
  await declareDead(scene.store, worker, '0')
  await rescue(scene.store, bus, await scene.dead(worker), never)
  expect(await rows('select rewind::int4 from {schema}.queues')).toEqual([{ rewind: 1 }])
})

test('the mark of a claim tells its jobs that ran from those that only waited', async ({
  scene,
  bus,
  rows,
}) => {
  const queue = await scene.queue('default')
  const [a, b, c, d] = await scene.enqueue(queue, 4)
  const worker = await scene.worker([queue])
  const claimed = await scene.claim(queue, worker, { limit: 4, starts: false })
  if (claimed[1] !== undefined) await scene.mark(queue, worker, claimed[1])
  await declareDead(scene.store, worker, '0')
  await rescue(scene.store, bus, await scene.dead(worker), never)
  expect(await rows(JOBS)).toEqual([
    { id: a, ...SUSPECT },
    { id: b, ...SUSPECT },
    { id: c, ...FREE },
    { id: d, ...FREE },
  ])
  const suspects = await rows('select job_id::text as id from {schema}.suspects order by job_id')
  expect(suspects).toEqual([{ id: a }, { id: b }])
})

test('a job that ran alone and took its worker with it has failed once', async ({
  scene,
  bus,
  rows,
  events,
}) => {
  const queue = await scene.queue('default')
  const [id = ''] = await scene.enqueue(queue, 1, { maxRetries: 1 })
  for (const attempt of [0, 1, 2]) {
    const worker = await scene.worker([queue])
    if (attempt === 0) await scene.claim(queue, worker, { limit: 1, starts: true })
    else expect(await scene.claimSuspect(queue, worker, { starts: true })).toHaveLength(1)
    await declareDead(scene.store, worker, '0')
    await rescue(scene.store, bus, await scene.dead(worker), never)
    if (attempt < 2) {
      const spent = { attempt, errorCount: attempt }
      expect(await rows(JOBS)).toEqual([{ id, ...SUSPECT, ...spent }])
    }
  }
  expect(await rows(JOBS)).toEqual([])
  const past = await rows(
    `select outcome::text, attempt, jsonb_path_query_array(errors, '$[*] ? (@.startedAt < @.at).name') as errors
     from {schema}.history`,
  )
  const errors = ['WorkerCrashed', 'WorkerCrashed']
  expect(past).toEqual([{ outcome: 'failed', attempt: 2, errors }])
  expect(events.all('job.rescued').map(({ attempt }) => attempt)).toEqual([1, 2])
})

test('a suspect that was claimed and had not started loses nothing, and stays a suspect', async ({
  scene,
  bus,
  rows,
}) => {
  const queue = await scene.queue('default')
  const [id] = await scene.enqueue(queue, 1, { maxRetries: 0 })
  for (const isAlone of [false, true, true]) {
    const worker = await scene.worker([queue])
    if (isAlone) await scene.claimSuspect(queue, worker, { starts: false })
    else await scene.claim(queue, worker, { limit: 1, starts: true })
    await declareDead(scene.store, worker, '0')
    await rescue(scene.store, bus, await scene.dead(worker), never)
    expect(await rows(JOBS)).toEqual([{ id, ...SUSPECT }])
    expect(await rows('select from {schema}.suspects')).toHaveLength(1)
  }
})

test('what was to be cancelled and had not started ends without a start', async ({
  scene,
  bus,
  rows,
}) => {
  const queue = await scene.queue('default')
  await scene.enqueue(queue, 1)
  const worker = await scene.worker([queue])
  await scene.claim(queue, worker, { limit: 1, starts: false })
  await rows('update {schema}.jobs set cancel_requested_at = now()')
  await declareDead(scene.store, worker, '0')
  await rescue(scene.store, bus, await scene.dead(worker), never)
  expect(await rows('select outcome::text, attempt, started_at from {schema}.history')).toEqual([
    { outcome: 'cancelled', attempt: 0, started_at: null },
  ])
})

test('what crashed for the last time goes to the dead-letter queue, if there is one', async ({
  scene,
  bus,
  rows,
}) => {
  const dlq = await scene.queue('dead letters')
  const queue = await scene.queue('default', { dlqId: dlq.id })
  const [id = ''] = await scene.enqueue(queue, 1, { maxRetries: 0 })
  for (const isAlone of [false, true]) {
    const worker = await scene.worker([queue])
    if (isAlone) await scene.claimSuspect(queue, worker, { starts: true })
    else await scene.claim(queue, worker, { limit: 1, starts: true })
    await declareDead(scene.store, worker, '0')
    await rescue(scene.store, bus, await scene.dead(worker), never)
  }
  const letters = await rows('select id::text as id, queue_id as "queueId" from {schema}.jobs')
  expect(letters).toEqual([{ id, queueId: dlq.id }])
})

test('jobs of the living, and of queues that the dead one never claimed from, are left alone', async ({
  scene,
  bus,
  rows,
}) => {
  const [queue, other] = [await scene.queue('default'), await scene.queue('other')]
  await scene.enqueue(queue, 1)
  await scene.enqueue(other, 1)
  const dead = await scene.worker([queue])
  const living = await scene.worker([queue, other])
  await scene.claim(queue, living, { limit: 1, starts: true })
  await scene.claim(other, living, { limit: 1, starts: true })
  const before = await rows(JOBS)
  await declareDead(scene.store, dead, '0')
  await rescue(scene.store, bus, await scene.dead(dead), never)
  expect(await rows(JOBS)).toEqual(before)
})

test('a FIFO queue loses its dead owner', async ({ scene, bus, rows }) => {
  const queue = await scene.queue('line', { isFifo: true })
  const worker = await scene.worker([queue])
  await rows('update {schema}.queues set owner_id = $1', [worker])
  await declareDead(scene.store, worker, '0')
  await rescue(scene.store, bus, await scene.dead(worker), never)
  expect(await rows('select owner_id from {schema}.queues')).toEqual([{ owner_id: null }])
})

test('a worker is done with after the look at which no claim of it can be under way any more', async ({
  scene,
  bus,
  rows,
}) => {
  const queue = await scene.queue('default')
  await scene.enqueue(queue, 1)
  const worker = await scene.worker([queue])
  await declareDead(scene.store, worker, '0')
  const dead = await scene.dead(worker)
  expect(dead.isLookedAt).toBe(false)
  await rescue(scene.store, bus, dead, never)
  expect(await rows(WORKERS)).toEqual([
    { id: worker, isDead: true, isLookedAt: true, isRescued: false },
  ])
  const looked = await scene.dead(worker)
  expect(looked.isLookedAt).toBe(true)
  await rescue(scene.store, bus, { ...looked, deadForMs: LAST_LOOK_MS }, never)
  expect(await rows(WORKERS)).toEqual([
    { id: worker, isDead: true, isLookedAt: true, isRescued: true },
  ])
  await expect(scene.dead(worker)).rejects.toThrow('done with')
})

test('a claim that committed after the first look is found by the last', async ({
  scene,
  bus,
  rows,
}) => {
  const queue = await scene.queue('default')
  const [id] = await scene.enqueue(queue, 1)
  const worker = await scene.worker([queue])
  await declareDead(scene.store, worker, '0')
  await rescue(scene.store, bus, await scene.dead(worker), never)
  await rows('update {schema}.jobs set claimed_by = $1, claim_no = 9', [worker]) // it was on its way
  await rescue(scene.store, bus, { ...(await scene.dead(worker)), deadForMs: LAST_LOOK_MS }, never)
  expect(await rows(JOBS)).toEqual([{ id, ...FREE }])
})

test('marks are kept until the last look, which may need them', async ({ scene, bus, rows }) => {
  const queue = await scene.queue('default')
  await scene.enqueue(queue, 1)
  const worker = await scene.worker([queue])
  const [job] = await scene.claim(queue, worker, { limit: 1, starts: false })
  if (job !== undefined) await scene.mark(queue, worker, job)
  await declareDead(scene.store, worker, '0')
  await rescue(scene.store, bus, await scene.dead(worker), never)
  expect(await rows('select from {schema}.marks')).toHaveLength(1)
  await rescue(scene.store, bus, { ...(await scene.dead(worker)), deadForMs: LAST_LOOK_MS }, never)
  expect(await rows('select from {schema}.marks')).toHaveLength(0)
})

test('a rescue that a stop interrupts has not looked', async ({ scene, bus, rows }) => {
  const queue = await scene.queue('default')
  const worker = await scene.worker([queue])
  await declareDead(scene.store, worker, '0')
  await rescue(scene.store, bus, await scene.dead(worker), AbortSignal.abort())
  expect(await rows(WORKERS)).toMatchObject([{ isLookedAt: false }])
})
