import { describe } from 'vitest'
import type { EventBus } from '../../src/core/event-bus.ts'
import { maintain } from '../../src/maintenance/maintenance.ts'
import type { Store } from '../../src/store/store.ts'
import { expect, until } from '../support/fixtures.ts'
import { JOBS, test, WORKERS, type Scene } from './arrange.ts'

/** Maintenance whose pauses last until the test says so. */
class Chores {
  /** How long the pauses were to last that began so far. */
  readonly pauses: number[] = []
  readonly ended: Promise<void>
  readonly #stop = new AbortController()
  readonly #resume: (() => void)[] = []

  constructor(store: Store, events: EventBus, leaseMs = 1_000) {
    const pause = (ms: number, signal: AbortSignal): Promise<void> => {
      this.pauses.push(ms)
      if (signal.aborted) return Promise.resolve()
      return new Promise((resolve) => {
        if (ms >= 60_000) signal.addEventListener('abort', () => resolve()) // history: once will do
        else this.#resume.push(resolve)
      })
    }
    const looked = (): void => {}
    const parts = { store, events, pause, leaseMs: () => leaseMs, looked }
    this.ended = maintain(parts, this.#stop.signal)
  }

  /** Waits until both chores pause. */
  async round(): Promise<void> {
    await until(() => this.#resume.length > 0)
  }

  /** Lets the watch look once more, and waits until it has. */
  async again(): Promise<void> {
    await this.round()
    for (const resume of this.#resume.splice(0)) resume()
    await this.round()
  }

  async stop(): Promise<void> {
    this.#stop.abort()
    for (const resume of this.#resume.splice(0)) resume()
    await this.ended
  }
}

const LEASE_MS = 100

/** A worker of long ago that nobody beats for, with a job in its hands. */
async function silentWorker(scene: Scene, leaseMs = LEASE_MS): Promise<number> {
  const queue = await scene.queue('default')
  const worker = await scene.worker([queue], leaseMs)
  await scene.enqueue(queue, 1)
  await scene.claim(queue, worker, { limit: 1, starts: false })
  return worker
}

const FREED = [{ claimedBy: null, isSuspect: false }]

test('a worker with an old heartbeat is dead only after a whole lease was watched', async ({
  scene,
  bus,
  rows,
  events,
}) => {
  const worker = await silentWorker(scene)
  await rows(`update {schema}.workers set beat_at = now() - interval '1 year'`)
  const began = performance.now()
  const chores = new Chores(scene.store, bus)
  while (events.all('worker.died').length === 0) await chores.again()
  expect(performance.now() - began).toBeGreaterThanOrEqual(LEASE_MS)
  expect(events.all('worker.died')).toMatchObject([{ workerId: worker, silentMs: LEASE_MS }])
  await chores.stop()
  expect(await rows(JOBS)).toMatchObject(FREED)
})

describe('passers-by, of whom each looks once', () => {
  const passBy = async (scene: Scene, bus: EventBus): Promise<void> => {
    const chores = new Chores(scene.store, bus)
    await chores.round()
    await chores.stop()
  }

  /** As if the last one had come by so long ago. */
  const ago = (rows: (sql: string) => Promise<unknown>, ms: number) =>
    rows(`update {schema}.workers set sighted_at = now() - interval '${ms} milliseconds'`)

  test('find a worker dead together, each gap counting for a third of the lease at most', async ({
    scene,
    bus,
    rows,
    events,
  }) => {
    const worker = await silentWorker(scene, 30_000)
    await rows(`update {schema}.workers set beat_at = now() - interval '1 year'`)
    for (const gapMs of [0, 3_600_000, 3_600_000]) {
      await ago(rows, gapMs)
      await passBy(scene, bus)
    }
    await ago(rows, 5_000)
    await passBy(scene, bus)
    expect(events.all('worker.died')).toEqual([])
    await ago(rows, 5_000)
    await passBy(scene, bus)
    expect(events.all('worker.died')).toMatchObject([{ workerId: worker }])
    expect(await rows(JOBS)).toMatchObject(FREED)
  })

  test('begin anew after a heartbeat, and write nothing about who beat lately', async ({
    scene,
    bus,
    rows,
    events,
  }) => {
    await silentWorker(scene, 30_000)
    const sighted = () => rows('select sighted_ms::int4 as ms from {schema}.workers')
    await passBy(scene, bus)
    expect(await rows('select sighted_at from {schema}.workers')).toEqual([{ sighted_at: null }])
    await rows(`update {schema}.workers set beat_at = now() - interval '1 minute'`)
    await passBy(scene, bus)
    await ago(rows, 9_000)
    await passBy(scene, bus)
    expect((await sighted())[0]?.['ms']).toBeGreaterThanOrEqual(9_000)
    await rows('update {schema}.workers set beat = beat + 1')
    await passBy(scene, bus)
    expect(await sighted()).toEqual([{ ms: 0 }])
    expect(events.all('worker.died')).toEqual([])
  })

  test('take a clock that was set back for no time at all', async ({ scene, bus, rows }) => {
    await silentWorker(scene, 30_000)
    await rows(`update {schema}.workers set beat_at = now() - interval '1 minute'`)
    await passBy(scene, bus)
    await ago(rows, -3_600_000)
    await passBy(scene, bus)
    expect(await rows('select sighted_ms::int4 as ms from {schema}.workers')).toEqual([{ ms: 0 }])
  })
})

test('a worker that beats is left alone, and so is one that stopped', async ({
  scene,
  bus,
  rows,
  events,
}) => {
  const beating = await silentWorker(scene, 1)
  const stopped = await scene.worker([], 1)
  await rows('update {schema}.workers set stopped_at = now() where id = $1', [stopped])
  const chores = new Chores(scene.store, bus)
  for (let rounds = 0; rounds < 4; rounds++) {
    await chores.round()
    await rows('update {schema}.workers set beat = beat + 1 where id = $1', [beating])
    await chores.again()
  }
  await chores.stop()
  expect(events.all('worker.died')).toEqual([])
  expect(await rows(WORKERS)).toMatchObject([{ isDead: false }, { isDead: false }])
})

test('who was found dead by this process is rescued in the same round', async ({
  scene,
  bus,
  rows,
  events,
}) => {
  await silentWorker(scene)
  const chores = new Chores(scene.store, bus)
  while (events.all('worker.died').length === 0) await chores.again()
  expect(events.all('worker.rescued')).toHaveLength(1)
  expect(await rows(WORKERS)).toMatchObject([{ isLookedAt: true, isRescued: false }])
  await chores.stop()
})

test('who was found dead by another process is left to it for ten seconds', async ({
  scene,
  bus,
  rows,
}) => {
  const worker = await silentWorker(scene)
  const died = (secondsAgo: number) =>
    rows(
      `update {schema}.workers set dead_at = now() - $1::int4 * interval '1 second' where id = $2`,
      [secondsAgo, worker],
    )
  await died(8)
  const chores = new Chores(scene.store, bus)
  await chores.again()
  expect(await rows(JOBS)).toMatchObject([{ claimedBy: worker }])
  await died(11)
  await chores.again()
  expect(await rows(JOBS)).toMatchObject(FREED)
  await chores.stop()
})

test('a dead worker is looked at once more when a minute has passed, and not before', async ({
  scene,
  bus,
  rows,
}) => {
  const worker = await silentWorker(scene)
  await rows(`update {schema}.workers set dead_at = now() - interval '40 s', looked_at = now()`)
  const chores = new Chores(scene.store, bus)
  await chores.again()
  expect(await rows(WORKERS)).toMatchObject([{ isRescued: false }])
  expect(await rows(JOBS)).toMatchObject([{ claimedBy: worker }])
  await rows(`update {schema}.workers set dead_at = now() - interval '71 s'`)
  await chores.again()
  expect(await rows(WORKERS)).toMatchObject([{ isRescued: true }])
  expect(await rows(JOBS)).toMatchObject(FREED)
  await chores.stop()
})

test('a rescue that fails keeps neither other rescues nor the watch from going on', async ({
  scene,
  bus,
  rows,
  events,
}) => {
  const broken = await silentWorker(scene)
  const freed = await silentWorker(scene)
  await rows(`
    create function {schema}.refuse() returns trigger language plpgsql
    as $$ begin if old.claimed_by = ${broken} then raise exception 'refused'; end if; return new; end $$`)
  await rows(
    'create trigger refuse before update on {schema}.jobs for each row execute function {schema}.refuse()',
  )
  await rows(`update {schema}.workers set dead_at = now() - interval '11 s'`)
  const silent = await scene.worker([], LEASE_MS)
  const chores = new Chores(scene.store, bus)
  while (events.all('worker.died').length === 0) await chores.again()
  await chores.stop()
  expect(events.all('worker.died')).toMatchObject([{ workerId: silent }])
  expect(events.all('worker.rescued')).toMatchObject([{ workerId: freed }])
  const [failed] = events.all('maintenance.failed')
  expect(failed).toMatchObject({ chore: 'rescue jobs', error: { message: 'refused' } })
})

test('a look at the workers that fails is told, and the watch goes on', async ({
  scene,
  bus,
  rows,
  events,
}) => {
  const worker = await silentWorker(scene)
  const chores = new Chores(scene.store, bus)
  await chores.round()
  await rows('alter table {schema}.workers rename to gone')
  await chores.again()
  await rows('alter table {schema}.gone rename to workers')
  expect(events.all('maintenance.failed')).toMatchObject([{ chore: 'watch workers' }])
  while (events.all('worker.died').length === 0) await chores.again()
  await chores.stop()
  expect(events.all('worker.died')).toMatchObject([{ workerId: worker }])
})

test('history that cannot be kept is tried again in a minute, else in an hour', async ({
  scene,
  bus,
  rows,
  events,
}) => {
  const kept = new Chores(scene.store, bus)
  await until(() => kept.pauses.includes(3_600_000))
  await kept.stop()
  await rows('alter table {schema}.queues rename to gone')
  const failing = new Chores(scene.store, bus)
  await until(() => failing.pauses.includes(60_000))
  await failing.stop()
  expect(events.all('maintenance.failed', { chore: 'keep history' })).toHaveLength(1)
})

test('the watch looks five times in a lease, never more often than every 200 ms nor less than every 5 s', async ({
  scene,
  bus,
}) => {
  for (const [leaseMs, everyMs] of [
    [1_000, 200],
    [100, 200],
    [10_000, 2_000],
    [600_000, 5_000],
  ] as const) {
    const chores = new Chores(scene.store, bus, leaseMs)
    await chores.round()
    await chores.stop()
    expect(chores.pauses.filter((ms) => ms < 60_000)[0]).toBe(everyMs)
  }
})

test('the watch of a worker that is alone looks three times as rarely', async ({ scene, bus }) => {
  await scene.worker([], 10_000)
  const chores = new Chores(scene.store, bus, 10_000)
  await chores.round()
  await scene.worker([], 10_000)
  await chores.again()
  await chores.stop()
  expect(chores.pauses.filter((ms) => ms < 60_000).slice(0, 2)).toEqual([6_000, 2_000])
})

test('a stop in the middle of a chore is no failure', async ({
  scene,
  bus,
  db,
  schema,
  events,
}) => {
  const lock = await db.connect()
  try {
    await lock.query(`begin; lock table "${schema}".workers, "${schema}".queues`)
    const stop = new AbortController()
    const idle = { pause: () => Promise.resolve(), looked: () => {} }
    const parts = { ...idle, events: bus, leaseMs: () => 1_000 }
    const ended = maintain({ ...parts, store: scene.store.until(stop.signal) }, stop.signal)
    await until(async () => {
      const { rows } = await db.query(
        `select from pg_locks where not granted and relation in
           ('"${schema}".workers'::regclass, '"${schema}".queues'::regclass)`,
      )
      return rows.length === 2
    })
    stop.abort()
    await ended
  } finally {
    await lock.query('rollback')
    lock.release()
  }
  expect(events.all('maintenance.failed')).toEqual([])
})
