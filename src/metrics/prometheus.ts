import { bucketAbove, BUCKETS } from '../core/histogram.ts'
import type { CountName } from '../core/tally.ts'
import type { DBTX } from '../drivers/driver.ts'
import { NOTHING_READY, readBacklogs } from '../store/backlog.ts'
import { listQueues } from '../store/queues.ts'
import { readPaces, readTotals } from '../store/statistics.ts'
import type { Store } from '../store/store.ts'
import { sumUpWorkers, type WorkersTogether } from '../store/worker-list.ts'
import { CONTENT_TYPE, renderMetrics, type Metric, type Sample } from './exposition.ts'
import { backlogAt, type Backlog } from './stats.ts'
import { Sums } from './sums.ts'

/** What a scraper is answered. */
export interface MetricsText {
  /** For the header `content-type`. */
  readonly contentType: string
  readonly text: string
}

/** All that is told of a queue. */
interface QueueMetrics {
  readonly queue: string
  readonly sums: Sums
  readonly backlog: Backlog
  readonly isPaused: boolean
  /** Whether other queues send their dead letters here: then nobody has to receive it. */
  readonly isDlq: boolean
}

/**
 * The metrics of all queues in the text format of Prometheus, read from the database: the same from whichever process
 * is asked, so one of them is scraped. Counters only grow, whatever is folded and forgotten.
 */
export async function readMetrics(store: Store, tx?: DBTX): Promise<MetricsText> {
  const rows = await listQueues(store, tx)
  const sums = new Map(rows.map(({ id }) => [id, new Sums()]))
  for (const { queueId, figures } of await readTotals(store, tx)) sums.get(queueId)?.add(figures)
  const paces = await readPaces(store, tx)
  const dlqIds = new Set(rows.map(({ dlqId }) => dlqId))
  const backlogs = await readBacklogs(store, [...sums.keys()], tx)
  const queues = rows.map(({ id, name, pausedAt }) => ({
    queue: name,
    sums: sums.get(id) ?? new Sums(),
    backlog: backlogAt(backlogs.get(id) ?? NOTHING_READY, paces.get(id)),
    isPaused: pausedAt !== null,
    isDlq: dlqIds.has(id),
  }))
  const workers = await sumUpWorkers(store, tx)
  return { contentType: CONTENT_TYPE, text: renderMetrics(metricsOf(queues, workers)) }
}

/** Bounds of the buckets that are told, as exponents of 2 in milliseconds: from 1 ms to 70 minutes. */
const LEAST_EXPONENT = 0
const MOST_EXPONENT = 22

/** `millrace_<name>_total`, what it counts, and what that means. */
const COUNTERS: readonly (readonly [string, CountName, string])[] = [
  ['jobs_enqueued', 'enqueued', 'Jobs that were stored.'],
  ['runs_started', 'started', 'Runs that started.'],
  ['jobs_finished', 'finished', 'Jobs that finished.'],
  ['runs_retried', 'retried', 'Runs that failed and are followed by another one.'],
  ['jobs_failed', 'failed', 'Jobs that failed for good and stayed.'],
  [
    'jobs_dead_lettered',
    'deadLettered',
    'Jobs that failed for good and went to the dead-letter queue.',
  ],
  ['runs_snoozed', 'snoozed', 'Runs that put their job off.'],
  ['runs_interrupted', 'interrupted', 'Runs that a stop interrupted.'],
  ['runs_crashed', 'crashed', 'Runs with which their process died, alone.'],
  ['jobs_cancelled', 'cancelled', 'Jobs that were cancelled.'],
]

/** `millrace_<name>`, what it means, and its value; null: there is none. */
const GAUGES: readonly (readonly [string, string, (queue: QueueMetrics) => number | null])[] = [
  [
    'jobs_ready',
    "Jobs that are due and in nobody's hands; an estimate where millrace_jobs_ready_exact is 0.",
    ({ backlog }) => backlog.ready,
  ],
  [
    'jobs_ready_exact',
    'Whether millrace_jobs_ready is exact.',
    ({ backlog }) => Number(backlog.isExact),
  ],
  [
    'oldest_ready_seconds',
    'How long the job has been due that has waited longest; 0 when none is ready.',
    ({ backlog }) => (backlog.oldestReadyMs ?? 0) / 1_000,
  ],
  [
    'drain_seconds',
    'How long the ready jobs take at the pace of the last five minutes; not there without a pace.',
    ({ backlog }) => (backlog.drainMs === null ? null : backlog.drainMs / 1_000),
  ],
  ['queue_paused', 'Whether the queue is paused.', ({ isPaused }) => Number(isPaused)],
  [
    'queue_dlq',
    'Whether other queues send their dead letters here, so that nobody may receive it.',
    ({ isDlq }) => Number(isDlq),
  ],
]

/** The same of the workers: of all together, as there may be many, and none for long. */
const WORKER_GAUGES: readonly (readonly [
  string,
  string,
  (workers: WorkersTogether) => number | null,
])[] = [
  ['workers', 'Processes that receive.', ({ count }) => count],
  [
    'runs_in_flight',
    'Handlers that have not returned, as the workers said last.',
    ({ inFlight }) => inFlight,
  ],
  [
    'worker_event_loop_lag_seconds',
    'How late an event loop was at worst between two heartbeats, of the worker where it was worst.',
    ({ eventLoopLagMs }) => (eventLoopLagMs === null ? null : eventLoopLagMs / 1_000),
  ],
  [
    'worker_resident_memory_bytes',
    'Resident memory of the worker that has most.',
    ({ rssBytes }) => rssBytes,
  ],
]

function metricsOf(queues: readonly QueueMetrics[], workers: WorkersTogether): Metric[] {
  return [
    ...COUNTERS.map(([name, count, help]): Metric => {
      const samples = queues.map(({ queue, sums }) => sampleOf(queue, sums.counts[count]))
      return { name: `millrace_${name}_total`, type: 'counter', help, samples }
    }),
    {
      ...{ name: 'millrace_job_wait_seconds', type: 'histogram' },
      help: 'From when a job was due until its run started.',
      samples: queues.flatMap(({ queue, sums }) => histogram(queue, sums.waits, sums.waitUs)),
    },
    {
      ...{ name: 'millrace_run_duration_seconds', type: 'histogram' },
      help: 'From the start of a run to its end, of those that finished or failed.',
      samples: queues.flatMap(({ queue, sums }) => histogram(queue, sums.runs, sums.runUs)),
    },
    ...GAUGES.map(([name, help, of]): Metric => {
      const samples = queues.flatMap((queue) => {
        const value = of(queue)
        return value === null ? [] : sampleOf(queue.queue, value)
      })
      return { name: `millrace_${name}`, type: 'gauge', help, samples }
    }),
    ...WORKER_GAUGES.map(([name, help, of]): Metric => {
      const value = of(workers)
      const samples = value === null ? [] : [{ labels: {}, value }]
      return { name: `millrace_${name}`, type: 'gauge', help, samples }
    }),
  ]
}

function sampleOf(queue: string, value: number): Sample {
  return { labels: { queue }, value }
}

/** Every bound is a bound of our own buckets, so that no count is a guess. */
function histogram(queue: string, buckets: Float64Array, sumUs: number): Sample[] {
  const samples: Sample[] = []
  let [seen, bucket] = [0, 0]
  const countUpTo = (end: number): number => {
    for (; bucket < end; bucket++) seen += buckets[bucket] ?? 0
    return seen
  }
  for (let exponent = LEAST_EXPONENT; exponent <= MOST_EXPONENT; exponent++) {
    const le = String(2 ** exponent / 1_000)
    const value = countUpTo(bucketAbove(exponent))
    samples.push({ suffix: '_bucket', labels: { queue, le }, value })
  }
  const count = countUpTo(BUCKETS)
  samples.push({ suffix: '_bucket', labels: { queue, le: '+Inf' }, value: count })
  samples.push({ suffix: '_sum', labels: { queue }, value: sumUs / 1_000_000 })
  samples.push({ suffix: '_count', labels: { queue }, value: count })
  return samples
}
