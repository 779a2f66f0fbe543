/** One scenario, run once for one contender. `build/bench/results.json` is a list of these. */
export interface Measurement {
  readonly scenario: string
  readonly contender: string
  /** From 1 up. */
  readonly repetition: number
  /** Of Node, as `22.23.3`. */
  readonly node: string
  /** When it ended, ISO 8601. */
  readonly at: string
  /** The scenario's sizes, so that results of other sizes are not mixed in. */
  readonly sizes: Readonly<Record<string, number>>
  /** What was measured, by metric (see `METRICS`). A metric that does not apply is missing. */
  readonly values: Readonly<Partial<Record<Metric, number>>>
  /** Values over time or over a parameter, such as jobs/s for each 10 s. */
  readonly series?: Readonly<Record<string, readonly (readonly [x: number, y: number])[]>>
  /** What was wrong: jobs that did not run, an error. Empty for a good run. */
  readonly problems: readonly string[]
}

export type Metric = keyof typeof METRICS

/** Every metric: how it reads in a table, and which end is better. */
export const METRICS = {
  jobsPerSecond: { title: 'jobs/s', better: 'more', digits: 0 },
  p50Ms: { title: 'p50 ms', better: 'less', digits: 2 },
  p95Ms: { title: 'p95 ms', better: 'less', digits: 2 },
  p99Ms: { title: 'p99 ms', better: 'less', digits: 2 },
  startMs: { title: 'start ms', better: 'less', digits: 0 },
  walBytesPerJob: { title: 'WAL bytes/job', better: 'less', digits: 0 },
  serverCpuPer100k: { title: 'server CPU s/100,000', better: 'less', digits: 2 },
  nodeCpuPer100k: { title: 'Node CPU s/100,000', better: 'less', digits: 2 },
  statementsPerJob: { title: 'statements/job', better: 'less', digits: 3 },
  memoryPeakMb: { title: 'memory peak MB', better: 'less', digits: 0 },
  transactionsPerSecond: { title: 'transactions/s', better: 'less', digits: 2 },
  connections: { title: 'connections', better: 'less', digits: 0 },
  firstWindow: { title: 'first 10 s, jobs/s', better: 'more', digits: 0 },
  lastWindow: { title: 'last 10 s, jobs/s', better: 'more', digits: 0 },
  /** Jobs that ran more often than they should. */
  duplicates: { title: 'duplicates', better: 'less', digits: 0 },
} as const satisfies Record<string, { title: string; better: 'more' | 'less'; digits: number }>
