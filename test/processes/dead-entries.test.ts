import { setTimeout as sleep } from 'node:timers/promises'
import { Client, Pool } from 'pg'
import { describe } from 'vitest'
import { driverFor } from '../../src/drivers/recognise.ts'
import {
  claimFifo,
  claimJobs,
  claimSuspect,
  type ClaimRequest,
  type LaneFloor,
} from '../../src/store/claim.ts'
import type { ClaimAnswer } from '../../src/store/claim-answer.ts'
import { addPartition } from '../../src/store/history.ts'
import {
  fail,
  finish,
  finishWithoutTrace,
  giveBack,
  retry,
  type Holder,
} from '../../src/store/settle.ts'
import { pollQueues } from '../../src/store/poll.ts'
import { ownQueue } from '../../src/store/queues.ts'
import { redriveNamed } from '../../src/store/redrive.ts'
import type { Statement } from '../../src/store/statement.ts'
import { cancelJobs, deleteJobs } from '../../src/store/steer.ts'
import { Store } from '../../src/store/store.ts'
import { FifoClaimer, LaneClaimer, type Claimer } from '../../src/worker/claimer.ts'
import { Floors } from '../../src/worker/floors.ts'
import { expect, testOnOwnServer, type ServerFixtures } from '../support/fixtures.ts'

/*
 * What a statement costs is counted in buffers of `jobs` and its indexes, not in time: PostgreSQL's own
 * counters of the one session that claims here. Autovacuum is off, so that nobody else is in the figures
 * and nothing tells the planner meanwhile what the table has become.
 */

const DAY_MS = 24 * 3_600_000
const ERROR = { name: 'Error', message: 'on purpose', stack: null }

type Query = ServerFixtures['rows']

interface Cost<T> {
  answer: T
  /** Buffers of `jobs` and its indexes that were touched. */
  buffers: number
  /** Rows of `jobs` and entries of its indexes that were read, the dead ones too. */
  entries: number
}

interface Measured {
  store: Store
  queueId: number
  holder: Holder
  costOf: <T>(work: () => Promise<T>) => Promise<Cost<T>>
  /** So many jobs in one transaction, all due at the same microsecond. */
  fill: (count: number) => Promise<void>
  claimOf: (limit: number) => ClaimRequest
}

/** On a server of its own: vacuum removes nothing as long as anybody on the same one holds a snapshot. */
const test = testOnOwnServer.extend<{ measured: Measured }>({
  measured: async ({ databaseUrl, schema, queue, rows }, use) => {
    await queue.counts() // makes the queue's row
    const pool = new Pool({ connectionString: databaseUrl, max: 1 })
    const store = new Store(driverFor(pool), schema)
    await rows('alter table {schema}.jobs set (autovacuum_enabled = off)')
    await rows(`
      insert into {schema}.queues (name, is_fifo, base_retry_delay_ms, max_retry_delay_ms, retry_jitter)
      values ('measured', false, 2000, 3600000, 0)`)
    const [row] = await rows(`select id from {schema}.queues where name = 'measured'`)
    const [worker] = await rows(`
      insert into {schema}.workers (token, host, pid, version, lease_ms)
      values ('t', 'h', 1, 'v', 1000) returning id`)
    const workerId = Number(worker?.['id'])
    const queueId = Number(row?.['id'])
    const jobs = store.qualified('jobs')
    const touched = async (): Promise<{ buffers: number; entries: number }> => {
      await pool.query('select pg_stat_force_next_flush()')
      const { rows: counters } = await pool.query<Record<'buffers' | 'entries', string>>(
        `select
           heap_blks_read + heap_blks_hit + idx_blks_read + idx_blks_hit as buffers,
           (select sum(idx_tup_read) from pg_stat_user_indexes where relid = tables.relid)
             + (select seq_tup_read from pg_stat_user_tables where relid = tables.relid) as entries
         from pg_statio_user_tables as tables where relid = $1::text::regclass`,
        [jobs],
      )
      return { buffers: Number(counters[0]?.buffers), entries: Number(counters[0]?.entries) }
    }
    let claimNo = 0
    await use({
      store,
      queueId,
      holder: { queueId, workerId },
      costOf: async (work) => {
        const before = await touched()
        const answer = await work()
        const { buffers, entries } = await touched()
        return { answer, buffers: buffers - before.buffers, entries: entries - before.entries }
      },
      fill: async (count) => {
        await pool.query(
          `insert into ${jobs} (run_at, created_at, queue_id, priority, max_retries, retry_policy, args, metadata)
           select now(), now(), $1, 5, 3, 'exponential', '{"to": "ada@example.org"}', '{}'
           from generate_series(1, $2::int4)`,
          [queueId, count],
        )
      },
      claimOf: (limit) => ({
        ...{ queueId, workerId, claimNo: (claimNo += 1), limit, startsAtOnce: false },
      }),
    })
    await pool.end()
  },
})

const FRONT: readonly LaneFloor[] = new Floors().lowered(Infinity)

/** The jobs of a claim as settles want them. */
function runsOf(answer: ClaimAnswer, request: ClaimRequest) {
  const claimNo = String(request.claimNo)
  const jobs = [...answer.jobs].sort((left, right) => Number(left.id) - Number(right.id))
  const rest = {
    claimNo,
    startedAt: Number(answer.now),
    afterMs: 1_000,
    error: ERROR,
    result: '{}',
  }
  return jobs.map(({ id }) => ({ id, ...rest }))
}

const median = (values: readonly number[]): number =>
  [...values].sort((left, right) => left - right)[Math.floor(values.length / 2)] ?? NaN

/** Settles the jobs of a claim. */
type Settle = (runs: ReturnType<typeof runsOf>) => Promise<string[]>

describe('a table that was drained and vacuumed, and is then filled with 300,000 jobs', () => {
  /** As a worker leaves it that has polled an empty queue: the planner believes that there is nothing. */
  const drain = async (
    { store, queueId, holder, fill, claimOf }: Measured,
    rows: Query,
  ): Promise<void> => {
    await fill(100_000)
    await rows('delete from {schema}.jobs')
    await rows('vacuum {schema}.jobs')
    const [known] = await rows(
      `select reltuples::int4, relpages from pg_class where oid = '{schema}.jobs'::regclass`,
    )
    expect(known).toMatchObject({ reltuples: 0 })
    expect(known?.['relpages']).toBeGreaterThan(1_000)
    // Of prepared statements the server keeps a plan by now.
    const request = claimOf(1)
    const runs = runsOf({ jobs: [{ id: '1' }], now: '0' } as ClaimAnswer, request)
    for (let poll = 0; poll < 8; poll++) {
      const { jobs } = await claimJobs(store, claimOf(1_000), FRONT, null)
      expect(jobs).toEqual([])
      await claimFifo(store, claimOf(1_000), '0', [])
      await pollQueues(store, [{ queueId, floors: FRONT }])
      await finish(store, holder, runs, DAY_MS, false)
      await finish(store, holder, runs, DAY_MS, true)
      await finishWithoutTrace(store, holder, runs)
      await fail(store, holder, runs, DAY_MS)
      await retry(store, holder, runs)
    }
    const prepared = await store.driver.query<{ generic: number }>(
      'select count(*) filter (where generic_plans > 0)::int4 as "generic" from pg_prepared_statements',
    )
    expect(prepared.rows[0]?.generic).toBeGreaterThan(0)
  }

  test('is claimed and settled, polled and searched for suspects, without reading all of it', async ({
    measured,
    rows,
  }) => {
    const { store, queueId, holder, fill, costOf, claimOf } = measured
    await addPartition(store, DAY_MS)
    await drain(measured, rows)
    await fill(300_000)

    const cost: Record<string, Cost<unknown>> = {}
    const looks: Record<string, () => Promise<unknown>> = {
      poll: () => pollQueues(store, [{ queueId, floors: FRONT }]),
      'claim a suspect': () => claimSuspect(store, claimOf(1), false),
      'claim nothing of a FIFO queue': () => claimFifo(store, claimOf(1_000), '0', []),
    }
    for (const [name, look] of Object.entries(looks)) cost[name] = await costOf(look)

    // Jobs that a person names.
    let named = 150_000
    const next = (): string[] => Array.from({ length: 500 }, () => String((named += 1)))
    await rows(
      'update {schema}.jobs set origin_queue_id = $1 where queue_id = $1 and id between 150001 and 150500',
      [queueId],
    )
    const steers: Record<string, () => Promise<readonly string[]>> = {
      redrive: async () => (await redriveNamed(store, queueId, next(), () => '{}')).ids,
      cancel: () => cancelJobs(store, queueId, next(), DAY_MS),
      delete: () => deleteJobs(store, queueId, next()),
    }
    for (const [name, steer] of Object.entries(steers)) {
      const steered = await costOf(steer)
      expect(steered.answer, name).toHaveLength(500)
      cost[name] = steered
    }

    const settles: Record<string, Settle> = {
      finish: (runs) => finish(store, holder, runs, DAY_MS, false),
      'finish after errors': (runs) => finish(store, holder, runs, DAY_MS, true),
      'finish without trace': (runs) => finishWithoutTrace(store, holder, runs),
      fail: (runs) => fail(store, holder, runs, DAY_MS),
      retry: (runs) => retry(store, holder, runs),
      'give back': (runs) => giveBack(store, holder, runs, false),
    }
    for (const [name, settle] of Object.entries(settles)) {
      const request = claimOf(1_000)
      const claimed = await costOf(() => claimJobs(store, request, FRONT, null))
      const settled = await costOf(() => settle(runsOf(claimed.answer, request)))
      expect(settled.answer).toHaveLength(1_000)
      cost[`claim, to ${name}`] = claimed
      cost[name] = settled
    }
    for (const [name, { buffers, entries }] of Object.entries(cost)) {
      // To read all takes 300,000 entries; 6,000 are dead by the end.
      expect(entries, name).toBeLessThan(10_000)
      // A thousand rows written, in the worst case not HOT: with entries in both indexes.
      expect(buffers, name).toBeLessThan(12_000)
    }
  })
})

describe('under a snapshot that keeps the settled jobs', () => {
  test('200,000 jobs of one transaction are claimed and settled without a slow-down', async ({
    measured,
    databaseUrl,
  }) => {
    const { store, fill, costOf, claimOf } = measured
    await fill(200_000)
    const analyst = await holdSnapshot(databaseUrl)
    const { claims, settles } = await workOff(measured, new LaneClaimer(store), 200_000, 2_000)
    await fill(2_000)
    const fromFront = await costOf(() => claimJobs(store, claimOf(2_000), FRONT, null))
    expect(fromFront.answer.jobs).toHaveLength(2_000)
    await analyst.end()

    for (const of of [claims, settles]) {
      for (const unit of ['buffers', 'entries'] as const) {
        const costs = of.map((cost) => cost[unit])
        expect(median(costs.slice(-20))).toBeLessThan(median(costs.slice(0, 20)) * 1.2)
      }
    }
    // The looks back for late commits crawl through the dead, and so are made rarely.
    const usual = median(claims.slice(0, 20).map((claim) => claim.buffers))
    expect(sum(claims.map((claim) => claim.buffers))).toBeLessThan(usual * claims.length * 3)
    // Without floors every claim would be such a look.
    expect(fromFront.entries).toBeGreaterThan(200_000)
  })

  test('a FIFO queue whose looks from the front have become slow is claimed from its floor', async ({
    measured,
    databaseUrl,
    rows,
  }) => {
    const { store, queueId, holder, fill, costOf, claimOf } = measured
    await rows('update {schema}.queues set is_fifo = true where id = $1', [queueId])
    expect(await ownQueue(store, queueId, holder.workerId)).toBe(true)
    await fill(30_000)
    const analyst = await holdSnapshot(databaseUrl)
    const claimer = new FifoClaimer(new SlowStore(store.driver, store.schema), () => [])
    const { claims } = await workOff(measured, claimer, 30_000, 1_000)
    await fill(1_000)
    const fromFront = await costOf(() => claimFifo(store, claimOf(1_000), '0', []))
    expect(fromFront.answer.jobs).toHaveLength(1_000)
    await analyst.end()

    // Entries of indexes: in the order of ids many dead ones are on one page.
    const [usual = NaN] = claims.map((claim) => claim.entries)
    expect(median(claims.slice(-15).map((claim) => claim.entries))).toBeLessThan(usual * 2)
    expect(fromFront.entries).toBeGreaterThan(usual * 5)
  })
})

test('claims are HOT updates, whatever the size of the arguments', async ({
  measured,
  openQueue,
  rows,
}) => {
  const { store, claimOf, costOf } = measured
  const queue = openQueue({ queueName: 'measured' })
  for (const bytes of [0, 30, 60, 200, 400]) {
    const args = { text: 'x'.repeat(bytes) }
    await queue.enqueueMany(Array.from({ length: 1_000 }, () => ({ args })))
  }
  for (let claim = 0; claim < 5; claim++) {
    const { answer } = await costOf(() => claimJobs(store, claimOf(1_000), FRONT, null))
    expect(answer.jobs).toHaveLength(1_000)
  }
  const [updates] = await rows(
    `select n_tup_upd::int4 as all, n_tup_hot_upd::int4 as hot
     from pg_stat_user_tables where relid = '{schema}.jobs'::regclass`,
  )
  expect(updates?.['all']).toBe(5_000)
  expect(updates?.['hot']).toBeGreaterThanOrEqual(5_000 * 0.95)
})

/** Claims and settles until so many jobs are gone. Answers what each claim and each settle cost. */
async function workOff(
  { holder, store, costOf, claimOf }: Measured,
  claimer: Claimer,
  count: number,
  batch: number,
): Promise<{ claims: Cost<unknown>[]; settles: Cost<unknown>[] }> {
  const claims: Cost<unknown>[] = []
  const settles: Cost<unknown>[] = []
  for (let left = count; left > 0; left -= batch) {
    const request = claimOf(batch)
    const claimed = await costOf(() => claimer.claim(request))
    const runs = runsOf(claimed.answer, request)
    const settled = await costOf(() => finishWithoutTrace(store, holder, runs))
    expect(settled.answer).toHaveLength(batch)
    claims.push(claimed)
    settles.push(settled)
  }
  return { claims, settles }
}

/** A machine on which every statement is slow enough to look like a crawl. */
class SlowStore extends Store {
  override async run<Row>(statement: Statement, values: readonly unknown[]): Promise<Row[]> {
    const rows = await super.run<Row>(statement, values)
    await sleep(60)
    return rows
  }
}

/** Somebody who began to read and does not end. */
async function holdSnapshot(databaseUrl: string): Promise<Client> {
  const client = new Client({ connectionString: databaseUrl })
  await client.connect()
  await client.query('begin isolation level repeatable read')
  await client.query('select count(*) from pg_class')
  return client
}

const sum = (values: readonly number[]): number => values.reduce((left, right) => left + right, 0)
