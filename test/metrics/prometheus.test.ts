import { foldStatistics, retainStatistics } from '../../src/maintenance/statistics.ts'
import { driverFor } from '../../src/drivers/recognise.ts'
import { Discard, prometheusMetrics } from '../../src/index.ts'
import { renderMetrics } from '../../src/metrics/exposition.ts'
import { Store } from '../../src/store/store.ts'
import { describeEachDatabase, expect, test } from '../support/fixtures.ts'
import { parseExposition, type ParsedMetric } from './parse-exposition.ts'

const NEVER = new AbortController().signal

/** The value of a metric for a queue. */
function valueOf(
  metrics: Map<string, ParsedMetric>,
  name: string,
  labels: Record<string, string>,
): number | undefined {
  const base = name.replace(/_(bucket|sum|count)$/, '')
  const samples = (metrics.get(name) ?? metrics.get(base))?.samples ?? []
  return samples.find(
    (sample) =>
      sample.name === name &&
      Object.entries(labels).every(([label, value]) => sample.labels[label] === value),
  )?.value
}

describeEachDatabase('the metrics', (testOn) => {
  testOn('say what the queues did and hold', async ({ openQueue, db, schema }) => {
    const queue = openQueue<string, unknown>(({ args }) => {
      if (args === 'no') throw new Discard('no')
    })
    await queue.enqueueMany([{ args: 'yes' }, { args: 'yes' }, { args: 'no' }])
    await queue.drain()
    await queue.enqueueMany([{ args: 'waits' }, { args: 'waits' }])
    const { contentType, text } = await prometheusMetrics(db, { schema })
    expect(contentType).toBe('text/plain; version=0.0.4; charset=utf-8')
    const metrics = parseExposition(text)
    const of = (name: string, rest = {}): number | undefined =>
      valueOf(metrics, `millrace_${name}`, { queue: 'default', ...rest })
    expect(of('jobs_enqueued_total')).toBe(3)
    expect(of('jobs_finished_total')).toBe(2)
    expect(of('jobs_failed_total')).toBe(1)
    expect(of('job_wait_seconds_count')).toBe(3)
    expect(of('run_duration_seconds_count')).toBe(3)
    expect(of('run_duration_seconds_bucket', { le: '+Inf' })).toBe(3)
    expect(of('run_duration_seconds_sum')).toBeGreaterThan(0)
    expect(of('jobs_ready')).toBe(2)
    expect(of('jobs_ready_exact')).toBe(1)
    expect(of('drain_seconds')).toBeGreaterThan(0)
    expect(metrics.get('millrace_workers')?.samples).toEqual([
      { name: 'millrace_workers', labels: {}, value: 0 },
    ])
    for (const { type, samples } of metrics.values()) {
      expect(['counter', 'gauge', 'histogram']).toContain(type)
      expect(samples.length).toBeGreaterThan(0)
    }
  })

  testOn('say which queues rest on purpose', async ({ openQueue, db, schema }) => {
    await openQueue({ queueName: 'mails', dlq: 'dead mails' }).enqueue('x')
    await openQueue({ queueName: 'reports' }).pause()
    const metrics = parseExposition((await prometheusMetrics(db, { schema })).text)
    const of = (name: string): unknown[] =>
      (metrics.get(name)?.samples ?? []).map(({ labels, value }) => `${labels['queue']} ${value}`)
    expect(of('millrace_queue_paused')).toEqual(['dead mails 0', 'mails 0', 'reports 1'])
    expect(of('millrace_queue_dlq')).toEqual(['dead mails 1', 'mails 0', 'reports 0'])
  })

  testOn(
    'have histograms whose buckets only grow, up to the count',
    async ({ openQueue, db, schema }) => {
      const queue = openQueue<string, unknown>(() => undefined)
      await queue.enqueueMany(Array.from({ length: 20 }, () => ({ args: 'x' })))
      await queue.drain()
      const metrics = parseExposition((await prometheusMetrics(db, { schema })).text)
      for (const name of ['millrace_job_wait_seconds', 'millrace_run_duration_seconds']) {
        const { samples = [] } = metrics.get(name) ?? {}
        const buckets = samples.filter((sample) => sample.name.endsWith('_bucket'))
        const bounds = buckets.map(({ labels }) =>
          Number(labels['le']?.replace('+Inf', 'Infinity')),
        )
        expect(bounds).toEqual(bounds.toSorted((left, right) => left - right))
        expect([bounds[0], bounds.at(-1)]).toEqual([0.001, Infinity])
        const counts = buckets.map(({ value }) => value)
        expect(counts).toEqual(counts.toSorted((left, right) => left - right))
        expect(counts.at(-1)).toBe(20)
      }
    },
  )

  testOn(
    'never fall, whatever is folded and forgotten',
    async ({ openQueue, db, schema, rows }) => {
      const queue = openQueue<string, unknown>(() => undefined)
      const store = new Store(driverFor(db), schema)
      const finished = async (): Promise<number | undefined> => {
        const metrics = parseExposition((await prometheusMetrics(db, { schema })).text)
        return valueOf(metrics, 'millrace_jobs_finished_total', { queue: 'default' })
      }
      await queue.enqueueMany([{ args: 'x' }, { args: 'y' }])
      await queue.drain()
      expect(await finished()).toBe(2)
      await rows(`update {schema}.tallies set at = at - interval '10 days'`)
      await foldStatistics(store, NEVER)
      expect(await finished()).toBe(2)
      await retainStatistics(store, NEVER)
      expect(await rows(`select from {schema}.statistics where step <> 'ever'`)).toEqual([])
      expect(await finished()).toBe(2)
    },
  )
})

test('names of queues are anybody’s', async ({ openQueue, db, schema }) => {
  const names = [
    `it's "quoted"`,
    'back\\slash\\n',
    'line\nfeed\r\n# TYPE evil counter\nevil 1',
    '{le="1"} 5',
    '\u2028🐎\u0001',
    'a'.repeat(200),
  ]
  for (const queueName of names) await openQueue({ queueName }).enqueue('x')
  const metrics = parseExposition((await prometheusMetrics(db, { schema })).text)
  const { samples = [] } = metrics.get('millrace_jobs_ready') ?? {}
  expect(new Set(samples.map(({ labels }) => labels['queue']))).toEqual(new Set(names))
  expect(samples.every(({ value }) => value === 1)).toBe(true)
})

test('a database without queues has workers, and nothing else', async ({ db, schema }) => {
  const metrics = parseExposition((await prometheusMetrics(db, { schema })).text)
  expect([...metrics.keys()]).toEqual(['millrace_workers', 'millrace_runs_in_flight'])
})

test('of the workers the worst is told, and what the living have in hand together', async ({
  db,
  schema,
  rows,
}) => {
  await rows(
    `insert into {schema}.workers
       (token, host, pid, version, lease_ms, in_flight, rss_bytes, event_loop_lag_ms, beat_at, stopped_at, dead_at)
     values
       ('a', 'h', 1, '0', 30000, 3, 5000000000, 20, now(), null, null),
       ('b', 'h', 2, '0', 30000, 4, 100, 1500, now(), null, null),
       ('new', 'h', 3, '0', 30000, null, null, null, now(), null, null),
       ('silent', 'h', 4, '0', 30000, 50, 6000000000, 9000, now() - interval '1 minute', null, null),
       ('stopped', 'h', 5, '0', 30000, 60, 7000000000, 9000, now(), now(), null),
       ('dead', 'h', 6, '0', 30000, 70, 8000000000, 9000, now(), null, now())`,
  )
  const metrics = parseExposition((await prometheusMetrics(db, { schema })).text)
  const told = [...metrics].map(([name, { samples }]) => [name, samples[0]?.value])
  expect(Object.fromEntries(told)).toEqual({
    millrace_workers: 4,
    millrace_runs_in_flight: 7,
    millrace_worker_event_loop_lag_seconds: 1.5,
    millrace_worker_resident_memory_bytes: 5_000_000_000,
  })
})

test('a schema that is not there, and options that are none, are refused', async ({ db }) => {
  await expect(prometheusMetrics(db, { schema: 'not there' })).rejects.toMatchObject({
    code: 'SCHEMA_MISSING',
  })
  await expect(prometheusMetrics(db, { shema: 'x' } as never)).rejects.toMatchObject({
    code: 'INVALID_OPTION',
  })
})

test('values are written as a scraper reads them', () => {
  const text = renderMetrics([
    {
      ...{ name: 'a', type: 'gauge', help: 'one\\two\nthree' },
      samples: [0, 1e21, 1e-7, Infinity].map((value, index) => ({
        labels: { index: String(index) },
        value,
      })),
    },
    { name: 'empty', type: 'gauge', help: 'nothing', samples: [] },
  ])
  expect(text).toBe(
    `# HELP a one\\\\two\\nthree\n# TYPE a gauge\na{index="0"} 0\na{index="1"} 1e+21\na{index="2"} 1e-7\na{index="3"} +Inf\n`,
  )
  expect(
    parseExposition(text)
      .get('a')
      ?.samples.map(({ value }) => value),
  ).toEqual([0, 1e21, 1e-7, Infinity])
})
