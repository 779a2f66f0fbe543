import type { PoolClient } from 'pg'
import { GroupCommit } from '../../src/enqueue/group-commit.ts'
import { driverFor } from '../../src/drivers/recognise.ts'
import type { JobSettings, NewJob } from '../../src/store/insert.ts'
import { ensureQueue } from '../../src/store/queues.ts'
import { Store } from '../../src/store/store.ts'
import { errorOf } from '../queue/arrange.ts'
import { expect, test as base, until } from '../support/fixtures.ts'

const MEBIBYTE = 1024 * 1024

const test = base.extend<{ groups: GroupCommit; tables: Tables }>({
  groups: async ({ db, schema }, use) => {
    const store = new Store(driverFor(db), schema)
    const queue = await ensureQueue(store, 'default', SETTINGS)
    await use(
      new GroupCommit(store, queue.id, { options: {}, wakeFor: () => 'ask', committed: () => {} }),
    )
  },
  tables: async ({ db, rows }, use) => {
    const client = await db.connect()
    await use(new Tables(client, rows))
    await client.query('rollback')
    client.release()
  },
})

const SETTINGS = {
  isFifo: false,
  dlqId: null,
  keepFinishedMs: null,
  keepFailedMs: null,
  baseRetryDelayMs: 0,
  maxRetryDelayMs: 0,
  retryJitter: 0,
}

/** Holds back what is inserted into `jobs`, so that a test says when statements end. */
class Tables {
  readonly #client: PoolClient
  readonly #rows: (sql: string) => Promise<Record<string, unknown>[]>

  constructor(client: PoolClient, rows: (sql: string) => Promise<Record<string, unknown>[]>) {
    this.#client = client
    this.#rows = rows
  }

  async hold(schema: string): Promise<void> {
    await this.#client.query(`begin; lock table "${schema}".jobs in share mode`)
  }

  async release(): Promise<void> {
    await this.#client.query('commit')
  }

  /** Waits until so many inserts wait for the table, and answers their processes. */
  async untilInsertsWait(count: number): Promise<number[]> {
    return until(async () => {
      const waiting = await this.#rows(
        `select pid from pg_locks where not granted and relation = '{schema}.jobs'::regclass`,
      )
      return waiting.length === count && waiting.map(({ pid }) => Number(pid))
    })
  }
}

function newJob(
  name: string,
  { argsJson = JSON.stringify(name), ...rest }: Partial<JobSettings & { argsJson: string }> = {},
): NewJob {
  const options: JobSettings = {
    maxRetries: 3,
    retryPolicy: 'exponential',
    priority: 5,
    runAtMs: undefined,
    delayMs: 0,
    timeoutMs: undefined,
    tags: [],
    ...rest,
  }
  return { argsJson, metadataJson: '{}', options }
}

/** The statements that committed, in the order of ids: the rows of one share their `xmin`. */
const STATEMENTS = `
select count(*)::int4 as size, sum(octet_length(args::text))::int4 as bytes
from {schema}.jobs
group by xmin::text
order by min(id)`

/** The same, by what their jobs carry. */
const JOBS_OF_STATEMENTS = `
select array_agg(args #>> '{}' order by id) as jobs
from {schema}.jobs
group by xmin::text
order by min(id)`

test('what one turn of the event loop enqueues is one statement, with ids in the order of the calls', async ({
  groups,
  rows,
}) => {
  const names = Array.from({ length: 50 }, (_, index) => `job ${index}`)
  const inserted = await Promise.all(names.map((name) => groups.insert(newJob(name), undefined)))
  expect((await rows(JOBS_OF_STATEMENTS)).map(({ jobs }) => jobs)).toEqual([names])
  const stored = await rows(`select id::text as id, args #>> '{}' as name from {schema}.jobs`)
  const nameOf = new Map(stored.map(({ id, name }) => [id, name]))
  expect(inserted.map(({ id }) => nameOf.get(id))).toEqual(names)
})

test('calls that come while two inserts are under way share the next one', async ({
  groups,
  tables,
  schema,
  rows,
}) => {
  await tables.hold(schema)
  const calls = [groups.insert(newJob('first'), undefined)]
  await tables.untilInsertsWait(1)
  calls.push(groups.insert(newJob('second'), undefined))
  await tables.untilInsertsWait(2)
  for (const name of ['a', 'b', 'c']) {
    calls.push(groups.insert(newJob(name), undefined))
    await Promise.resolve()
  }
  await tables.release()
  await Promise.all(calls)
  const statements = (await rows(JOBS_OF_STATEMENTS)).map(({ jobs }) => jobs)
  expect(statements).toHaveLength(3)
  expect(statements).toContainEqual(['a', 'b', 'c'])
})

test('a call resolves only when its own row has committed', async ({ groups, tables, schema }) => {
  await tables.hold(schema)
  let isDone = false
  const call = groups.insert(newJob('a'), undefined).then(() => (isDone = true))
  await tables.untilInsertsWait(1)
  expect(isDone).toBe(false)
  await tables.release()
  await call
})

test('a call that was aborted before it was sent is not written, and its neighbours are', async ({
  groups,
  tables,
  schema,
  rows,
}) => {
  await tables.hold(schema)
  const sent = [groups.insert(newJob('a'), undefined)]
  await tables.untilInsertsWait(1)
  sent.push(groups.insert(newJob('b'), undefined))
  await tables.untilInsertsWait(2)
  const stop = new AbortController()
  const aborted = errorOf(groups.insert(newJob('aborted'), stop.signal))
  sent.push(groups.insert(newJob('c'), new AbortController().signal))
  stop.abort(new Error('changed my mind'))
  await tables.release()
  expect(await aborted).toMatchObject({ message: 'changed my mind' })
  await Promise.all(sent)
  const stored = await rows(`select args #>> '{}' as name from {schema}.jobs order by 1`)
  expect(stored.map(({ name }) => name)).toEqual(['a', 'b', 'c'])
})

test('a call whose signal aborts once it was sent is written', async ({
  groups,
  tables,
  schema,
}) => {
  await tables.hold(schema)
  const stop = new AbortController()
  const call = groups.insert(newJob('a'), stop.signal)
  await tables.untilInsertsWait(1)
  stop.abort()
  await tables.release()
  expect(await call).toHaveProperty('id')
})

test.for([
  ['a value that jsonb cannot hold', { argsJson: '"\\u0000"' }, '22P05'],
  ['a text that is no JSON', { argsJson: '{' }, '22P02'],
  ['a priority that a constraint forbids', { priority: 12 }, '23514'],
] as const)(
  '%s is refused alone, whatever shares its group',
  async ([, bad, code], { groups, rows }) => {
    const names = Array.from({ length: 21 }, (_, index) => `job ${index}`)
    const calls = names.map((name) =>
      groups.insert(newJob(name, name === 'job 13' ? bad : {}), undefined),
    )
    const outcomes = await Promise.allSettled(calls)
    const refused = outcomes.filter((outcome) => outcome.status === 'rejected')
    expect(refused.map(({ reason }) => reason as unknown)).toEqual([
      expect.objectContaining({ code }),
    ])
    expect(outcomes[13]?.status).toBe('rejected')
    const stored = await rows(`select args #>> '{}' as name from {schema}.jobs order by id`)
    expect(stored.map(({ name }) => name)).toEqual(names.filter((name) => name !== 'job 13'))
  },
)

test('a group is a thousand jobs at most', async ({ groups, rows }) => {
  const calls = Array.from({ length: 2_500 }, () => groups.insert(newJob('a'), undefined))
  await Promise.all(calls)
  const sizes = (await rows(STATEMENTS)).map(({ size }) => Number(size))
  expect(sizes.toSorted((left, right) => left - right)).toEqual([500, 1_000, 1_000])
})

test('what does not fit into one group goes over both connections at once', async ({
  groups,
  tables,
  schema,
}) => {
  await tables.hold(schema)
  const calls = Array.from({ length: 2_500 }, () => groups.insert(newJob('a'), undefined))
  await tables.untilInsertsWait(2)
  await tables.release()
  await Promise.all(calls)
})

test('a group is four MiB at most, counted in bytes', async ({ groups, rows }) => {
  const text = '€'.repeat(MEBIBYTE / 3) // three bytes each
  const calls = Array.from({ length: 9 }, () => groups.insert(newJob(text), undefined))
  await Promise.all(calls)
  const statements = await rows(STATEMENTS)
  expect(statements.map(({ size }) => size)).toHaveLength(3)
  for (const { bytes } of statements) expect(bytes).toBeLessThanOrEqual(4 * MEBIBYTE)
})

test('a job larger than a group goes alone', async ({ groups, rows }) => {
  const large = newJob('x'.repeat(5 * MEBIBYTE))
  await Promise.all([newJob('a'), large, newJob('b')].map((job) => groups.insert(job, undefined)))
  expect((await rows(STATEMENTS)).map(({ size }) => size)).toEqual([1, 1, 1])
})

test('when the connection is lost before the answer, every caller of the group is told, and nothing is sent again', async ({
  groups,
  tables,
  schema,
  rows,
}) => {
  await tables.hold(schema)
  const calls = ['a', 'b'].map((name) => errorOf(groups.insert(newJob(name), undefined)))
  const [pid] = await tables.untilInsertsWait(1)
  await rows('select pg_terminate_backend($1)', [pid])
  const errors = await Promise.all(calls)
  await tables.release()
  expect(errors).toEqual([errors[0], errors[0]])
  await groups.insert(newJob('later'), undefined)
  const stored = await rows(`select args #>> '{}' as name from {schema}.jobs`)
  expect(stored.map(({ name }) => name)).toEqual(['later'])
})
