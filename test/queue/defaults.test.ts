import { describe } from 'vitest'
import { resolveEnqueueOptions } from '../../src/core/enqueue-options.ts'
import { resolveQueueOptions } from '../../src/core/queue-options.ts'
import { resolveDrainOptions, resolveReceiveOptions } from '../../src/core/receive-options.ts'
import { JobQueue, Querier, type DB } from '../../src/index.ts'
import { describeEachDatabase, expect, test } from '../support/fixtures.ts'
import { errorOf } from './arrange.ts'

/** An option of the documentation: its default as it is resolved, what it takes at its ends, what lies beyond. */
interface Documented {
  readonly option: string
  readonly resolved: string
  readonly fallback: unknown
  readonly ends: readonly unknown[]
  readonly beyond: readonly unknown[]
}

const TEN_YEARS = 3_650 * 86_400_000
const DURATION_ENDS = [0, '0ms', TEN_YEARS, '3650d', '87600h', '0.5s']
const BEYOND_DURATION = [-1, TEN_YEARS + 1, '3650.1d', '-1s', '1 s', '1y', '', Infinity]

function duration(option: string, fallback: number | false): Documented {
  const resolved = `${option}Ms`
  return { option, resolved, fallback, ends: DURATION_ENDS, beyond: BEYOND_DURATION }
}

const QUEUE_OPTIONS: readonly Documented[] = [
  {
    ...{ option: 'queueName', resolved: 'queueName', fallback: 'default' },
    ...{ ends: ['x', '🐘'.repeat(200)], beyond: ['', '🐘'.repeat(201), 'a\u0000b', '\ud800'] },
  },
  { ...duration('pollInterval', 1_000), ends: [10, '3650d'], beyond: [9.9, 0, '3651d'] },
  duration('baseRetryDelay', 2_000),
  duration('maxRetryDelay', 3_600_000),
  {
    ...{ option: 'retryJitter', resolved: 'retryJitter', fallback: 0 },
    ...{ ends: [0, 1, 0.5], beyond: [-0.01, 1.01, Number.NaN, '0.5'] },
  },
  {
    ...{ option: 'fifo', resolved: 'fifo', fallback: false },
    ...{ ends: [true, false], beyond: [0, 1, 'true'] },
  },
  {
    ...{ option: 'dlq', resolved: 'dlq', fallback: undefined },
    ...{ ends: ['', 'x', 'x'.repeat(200)], beyond: ['x'.repeat(201), 'default', false] },
  },
  {
    ...{ option: 'middlewares', resolved: 'middlewares', fallback: [] },
    ...{ ends: [[], [{}]], beyond: [{}, [null], [{ process: 1 }]] },
  },
  {
    ...{ option: 'schema', resolved: 'schema', fallback: 'millrace' },
    ...{ ends: ['x', 'ä'.repeat(31)], beyond: ['', 'ä'.repeat(32), 'pg_x', 'a\u0000'] },
  },
  {
    ...duration('keepFinished', 86_400_000),
    ...{ ends: [...DURATION_ENDS, false], beyond: [...BEYOND_DURATION, true] },
  },
  duration('keepFailed', 30 * 86_400_000),
  {
    ...{ option: 'maxArgsBytes', resolved: 'maxArgsBytes', fallback: 32 * 1_048_576 },
    ...{ ends: [1, 268_435_455], beyond: [0, 268_435_456, 1.5] },
  },
]

const JOB_OPTIONS: readonly Documented[] = [
  {
    ...{ option: 'maxRetries', resolved: 'maxRetries', fallback: 3 },
    ...{ ends: [0, 32_767], beyond: [-1, 32_768, 0.5, '3'] },
  },
  {
    ...{ option: 'retryPolicy', resolved: 'retryPolicy', fallback: 'exponential' },
    ...{ ends: ['constant', 'linear', 'exponential'], beyond: ['Constant', 'none', 0] },
  },
  {
    ...{ option: 'metadata', resolved: 'metadataJson', fallback: '{}' },
    ...{ ends: [{}, { a: null }], beyond: [[], 'x', { a: 1n }] },
  },
  {
    ...{ option: 'runAt', resolved: 'runAtMs', fallback: undefined },
    ...{ ends: [new Date(-8.64e15), new Date(8.64e15)], beyond: [new Date(Number.NaN), 0, 'now'] },
  },
  {
    ...{ option: 'delay', resolved: 'delayMs', fallback: undefined },
    ...{ ends: DURATION_ENDS, beyond: BEYOND_DURATION },
  },
  {
    ...{ option: 'priority', resolved: 'priority', fallback: 5 },
    ...{ ends: [0, 9], beyond: [-1, 10, 4.5] },
  },
  {
    ...{ option: 'timeout', resolved: 'timeoutMs', fallback: undefined },
    ...{ ends: [1, '3650d'], beyond: [0, '3651d', -5] },
  },
]

const { signal } = new AbortController()

const RECEIVE_OPTIONS: readonly Documented[] = [
  {
    ...{ option: 'concurrency', resolved: 'concurrency', fallback: 10 },
    ...{ ends: [1, 10_000], beyond: [0, 10_001, 1.5] },
  },
  duration('shutdownTimeout', 25_000),
  {
    ...{ option: 'leaseTimeout', resolved: 'leaseTimeoutMs', fallback: 30_000 },
    ...{ ends: ['1s', '3650d'], beyond: [999, '3651d'] },
  },
]

const DRAIN_OPTIONS: readonly Documented[] = [
  {
    ...{ option: 'limit', resolved: 'limit', fallback: undefined },
    ...{ ends: [1, 2_147_483_647], beyond: [0, 2_147_483_648, 1.5] },
  },
  {
    ...{ option: 'timeout', resolved: 'timeoutMs', fallback: undefined },
    ...{ ends: [1, '3650d'], beyond: [0, '3651d'] },
  },
  {
    ...{ option: 'concurrency', resolved: 'concurrency', fallback: 10 },
    ...{ ends: [1, 10_000], beyond: [0, 10_001] },
  },
]

/** Each kind of options, and how it is read. */
const KINDS: readonly (readonly [string, readonly Documented[], (options: object) => object])[] = [
  ['a queue', QUEUE_OPTIONS, resolveQueueOptions],
  ['a job', JOB_OPTIONS, (options) => resolveEnqueueOptions(options, { fifo: false })],
  ['receive', RECEIVE_OPTIONS, (options) => resolveReceiveOptions({ signal, ...options })],
  ['drain', DRAIN_OPTIONS, resolveDrainOptions],
]

describe.each(KINDS)('the options of %s', (_kind, documented, resolve) => {
  test.for(documented)(
    '$option has the documented default, also when it is undefined',
    ({ option, resolved, fallback }) => {
      expect(Reflect.get(resolve({}), resolved)).toEqual(fallback)
      expect(Reflect.get(resolve({ [option]: undefined }), resolved)).toEqual(fallback)
    },
  )

  test.for(documented)('$option takes the ends of its range, and nothing beyond', (each) => {
    const { option, ends, beyond } = each
    for (const value of ends)
      expect(() => resolve({ [option]: value }), String(value)).not.toThrow()
    for (const value of [...beyond, null]) {
      const isRefused = expect.objectContaining({ code: 'INVALID_OPTION' }) as Error
      expect(() => resolve({ [option]: value }), String(value)).toThrow(isRefused)
    }
  })
})

describeEachDatabase('without options', (test) => {
  test('a queue, a job and a worker are stored with their defaults', async ({
    openQueue,
    receive,
    rows,
    untilRow,
  }) => {
    const queue = openQueue(() => undefined)
    receive(queue, { shutdownTimeout: undefined })
    expect(await untilRow('select lease_ms::int4 from {schema}.workers')).toEqual({
      lease_ms: 30_000,
    })
    await queue.enqueue({ to: 'ada' }, { delay: '1h' })
    const [job] = await rows(`
      select priority::int4, max_retries::int4, retry_policy::text, timeout_ms, metadata
      from {schema}.jobs`)
    expect(job).toEqual({
      ...{ priority: 5, max_retries: 3, retry_policy: 'exponential', timeout_ms: null },
      metadata: {},
    })
    const [stored] = await rows(`
      select
        name, is_fifo, dlq_id, keep_finished_ms::text, keep_failed_ms::text,
        base_retry_delay_ms, max_retry_delay_ms, retry_jitter
      from {schema}.queues`)
    expect(stored).toEqual({
      ...{ name: 'default', is_fifo: false, dlq_id: null },
      ...{ keep_finished_ms: '86400000', keep_failed_ms: '2592000000' },
      ...{ base_retry_delay_ms: 2_000, max_retry_delay_ms: 3_600_000, retry_jitter: 0 },
    })
  })

  test('every option at its ends is stored by the database too', async ({ openQueue, rows }) => {
    for (const { option, ends } of JOB_OPTIONS) {
      const queue = openQueue({ queueName: option })
      for (const value of ends) {
        const job = await queue.enqueue(1, { [option]: value })
        expect(await queue.get(job.id), `${option} ${String(value)}`).toMatchObject({ id: job.id })
      }
    }
    const { length } = JOB_OPTIONS.flatMap(({ ends }) => ends)
    expect(await rows('select count(*)::int4 as n from {schema}.jobs')).toEqual([{ n: length }])
    for (const { option, ends } of QUEUE_OPTIONS) {
      if (option === 'schema' || option === 'middlewares') continue
      for (const [index, value] of ends.entries()) {
        const queue = openQueue(() => undefined, {
          ...{ queueName: `${option} ${index}`, dlq: 'dead' },
          [option]: value,
        })
        expect(await queue.enqueue(1)).toMatchObject({ attempt: 0 })
      }
    }
  })
})

test('the schema is "millrace" for those who name none', async () => {
  const asked: string[] = []
  const nobody = new Error('there is no database')
  const db: DB = {
    query: (text) => {
      asked.push(text)
      return Promise.reject(nobody)
    },
    transaction: () => Promise.reject(nobody),
  }
  expect(await errorOf(new JobQueue(db).counts())).toBe(nobody)
  expect(await errorOf(new Querier(db).queues())).toBe(nobody)
  expect(asked).toHaveLength(2)
  for (const text of asked) expect(text).toContain('from "millrace".queues')
})
