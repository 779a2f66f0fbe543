/** One scenario, run once for one contender. */
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
  callMs: { title: 'enqueue call p50 ms', better: 'less', digits: 2 },
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

/** All that a reader has to know beside the figures: what ran where, with which settings. */
export interface BenchmarkContext {
  readonly scale: ScaleName
  /** True: the run was narrowed by `--only`, so that figures are missing on purpose. */
  readonly isPartial: boolean
  readonly startedAt: string
  /** When the report was asked for. */
  readonly endedAt: string
  readonly machine: {
    readonly cpu: string
    readonly cores: number
    readonly memoryGb: number
    /** As `Linux 6.1.0 x64`. */
    readonly system: string
  }
  /** By name: `Node`, `PostgreSQL`, `Redis` where there is one. */
  readonly versions: Readonly<Record<string, string>>
  /** Each server's settings that are not its own defaults, by the server's name. */
  readonly settings: Readonly<Record<string, Readonly<Record<string, string>>>>
  /** In the order in which they were run. */
  readonly contenders: readonly ContenderFacts[]
  /** In the order in which they were run. */
  readonly scenarios: readonly ScenarioFacts[]
  /** The concurrency in every scenario that does not say otherwise. */
  readonly concurrency: number
  /** The folder that the report goes into: `docs` only for a whole run at full scale. */
  readonly folder: string
}

export type ScaleName = 'full' | 'quick' | 'smoke'

/** A contender as the report prints it. See `Contender` for the fields. */
export interface ContenderFacts {
  readonly name: string
  readonly library: string
  readonly version: string
  readonly backend: 'postgres' | 'redis' | 'pglite'
  readonly tuning: 'defaults' | 'best'
  readonly settings: Readonly<Record<string, unknown>>
  readonly abilities: readonly string[]
}

/** A scenario as the report prints it. */
export interface ScenarioFacts {
  /** As in `Measurement.scenario`: one of `SCENARIOS`. */
  readonly name: ScenarioName
  /** A heading. */
  readonly title: string
  /** What is done and what is measured, in whole sentences. */
  readonly text: string
  /** At the scale of this run. */
  readonly sizes: Readonly<Record<string, number>>
  /** What stands for the scenario in a comparison or a chart. */
  readonly headline: Metric
}

export type ScenarioName = (typeof SCENARIOS)[number]

/**
 * Every scenario by name, in the order of the report. The contender `ceiling` is bare SQL; `ceiling-notify` is the
 * same with a NOTIFY in each enqueueing transaction and a listening receiver, for latency and callers' transactions.
 */
export const SCENARIOS = [
  'enqueue-one-by-one',
  'enqueue-50-callers',
  'enqueue-in-transactions-busy',
  'enqueue-in-transactions-idle',
  'bulk-enqueue',
  'drain-kept',
  'drain-not-kept',
  'drain-kept-2-processes',
  'drain-not-kept-2-processes',
  'drain-at-defaults',
  'handlers-5ms',
  'latency-same-process',
  'latency-other-process',
  // The most that producer and worker sustain is jobsPerSecond; the waits are at half of that.
  'steady-bulk',
  'steady-50-callers',
  // The waits where everybody is offered the same rate.
  'steady-same-rate',
  'depth-0',
  'depth-100k',
  'depth-1m',
  'depth-5m',
  'history-5m',
  // series.jobsPerSecond: [seconds since the start, jobs/s in the window that ended there]
  'held-snapshot',
  'fifo',
  'retries',
  'priorities',
  'start-up',
  'idle',
] as const
