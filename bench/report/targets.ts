import type { ContenderFacts, Metric, ScenarioName } from '../results.ts'
import {
  bestReading,
  isPeer,
  isPostgresPeer,
  readingOf,
  type Choice,
  type Figures,
  type Reading,
} from './figures.ts'
import { formatMetric, formatRatio } from './numbers.ts'
import { summaryOf } from './statistics.ts'

/** What Millrace must reach in one comparison. Ratios are of medians, Millrace at its defaults but for concurrency. */
export interface Target {
  /** What is done, as a line of the table. */
  readonly scenario: string
  /** What it is held against, in words. Empty where the bound is a number by itself. */
  readonly against: string
  readonly bound: 'at least' | 'at most' | 'below'
  /** A factor on what it is held against, else the number itself. */
  readonly limit: number
  readonly metric: Metric
  readonly ours: (figures: Figures) => Reading | undefined
  /** Undefined: the bound is a number by itself. */
  readonly theirs?: (figures: Figures) => Reading | undefined
  /** What is printed beside it. */
  readonly note?: (figures: Figures) => string
}

const RATE = 'jobsPerSecond'

/** Every line of "What it must reach", a line for each of its conditions. */
export const TARGETS: readonly Target[] = [
  rate('bulk enqueue', 'bulk-enqueue', 3, bestPostgresPeer()),
  rate('bulk enqueue', 'bulk-enqueue', 0.9, contender('ceiling')),
  rate('enqueue by 50 concurrent callers', 'enqueue-50-callers', 20, bestPostgresPeer()),
  rate('enqueue by 50 concurrent callers', 'enqueue-50-callers', 2, {
    words: 'BullMQ on Redis',
    choice: ({ library, backend }) => library === 'bullmq' && backend === 'redis',
  }),
  {
    ...rate('enqueue in 32 transactions, receivers busy', 'enqueue-in-transactions-busy', 0.9, {
      ...contender('ceiling'),
      words: 'the same with a bare INSERT',
    }),
    note: notifyInEach,
  },
  rate(
    'enqueue in 32 transactions, receivers idle in between',
    'enqueue-in-transactions-idle',
    0.8,
    {
      ...contender('ceiling'),
      words: 'the same with a bare INSERT',
    },
  ),
  rate('drain, finished kept', 'drain-kept', 3, {
    ...best('graphile-worker'),
    words: 'graphile-worker at its best (which deletes)',
    scenario: 'drain-not-kept',
  }),
  rate('drain, finished kept', 'drain-kept', 4.5, best('pg-boss')),
  rate('drain, not kept', 'drain-not-kept', 3.5, best('graphile-worker')),
  rate('drain, not kept', 'drain-not-kept', 0.9, contender('ceiling')),
  rate('drain at defaults', 'drain-at-defaults', 30, {
    words: 'the best PostgreSQL peer at its defaults, and so each',
    choice: (one) => isPostgresPeer(one) && one.tuning === 'defaults',
  }),
  idleLatency('other process', 'latency-other-process', 0.7, bestPostgresPeer()),
  idleLatency('other process', 'latency-other-process', 1.1, {
    ...contender('ceiling-notify'),
    words: 'the ceiling (NOTIFY, claim)',
  }),
  {
    ...idleLatency('same process', 'latency-same-process', 2.2, bestPostgresPeer()),
    against: 'one INSERT (with its NOTIFY) after the same pauses',
    theirs: oneInsert,
  },
  rate('steady state, in bulk', 'steady-bulk', 3, bestPostgresPeer()),
  rate('steady state, 50 callers', 'steady-50-callers', 3, bestPostgresPeer()),
  {
    ...compare('steady state, p99 at the same offered rate', 'steady-same-rate', 'p99Ms', {
      words: "every PostgreSQL peer's",
      choice: isPostgresPeer,
    }),
    bound: 'below',
    limit: 1,
  },
  againstOurselves('depth, 5 million waiting', 'depth-5m', 'its rate at none', 'depth-0'),
  againstOurselves('depth, 5 million finished', 'history-5m', 'its rate at none', 'depth-0'),
  {
    scenario: 'held snapshot, last 10 s',
    against: 'its first 10 s',
    bound: 'at least',
    limit: 0.9,
    metric: 'lastWindow',
    ours: (figures) => readingOf(figures, 'millrace', 'held-snapshot', 'lastWindow'),
    theirs: (figures) => readingOf(figures, 'millrace', 'held-snapshot', 'firstWindow'),
    note: whatPeersFallTo,
  },
  rate('FIFO', 'fifo', 20, {
    words: 'pg-boss `key_strict_fifo` and graphile-worker’s named queue',
    choice: ({ library }) => library === 'pg-boss' || library === 'graphile-worker',
  }),
  fixed('FIFO', 'fifo', RATE, 'at least', 10_000),
  rate('retries', 'retries', 3, { words: 'the best peer', choice: isPeer }),
  // A drain's WAL and CPU are those of a job's whole life: its bulk enqueue and its run.
  cost('WAL of a job’s life, not kept', 'drain-not-kept', 'walBytesPerJob', 0.7, {
    words: 'graphile-worker',
    choice: ({ library }) => library === 'graphile-worker',
  }),
  cost('WAL of a job’s life, kept', 'drain-kept', 'walBytesPerJob', 0.55, {
    words: 'pg-boss',
    choice: ({ library }) => library === 'pg-boss',
  }),
  serverCpu('server CPU, bulk enqueue', 'bulk-enqueue'),
  serverCpu('server CPU, enqueue and drain, kept', 'drain-kept'),
  serverCpu('server CPU, enqueue and drain, not kept', 'drain-not-kept'),
  fixed('idle, 20 queues', 'idle', 'transactionsPerSecond', 'at most', 1),
  fixed('idle, 20 queues', 'idle', 'connections', 'at most', 2),
]

interface Against {
  readonly words: string
  readonly choice: Choice
  /** Where it is measured, if not in the same scenario. */
  readonly scenario?: ScenarioName
}

function bestPostgresPeer(): Against {
  return { words: 'the best PostgreSQL peer', choice: isPostgresPeer }
}

function contender(name: string): Against {
  return { words: `the ${name}`, choice: (one) => one.name === name }
}

function best(library: string): Against {
  const choice = (one: ContenderFacts): boolean => one.library === library && one.tuning === 'best'
  return { words: `${library} at its best`, choice }
}

/** Whoever is best among those that are meant. */
function compare(
  title: string,
  scenario: ScenarioName,
  metric: Metric,
  { words, choice, scenario: elsewhere = scenario }: Against,
): Pick<Target, 'scenario' | 'against' | 'metric' | 'ours' | 'theirs'> {
  return {
    scenario: title,
    against: words,
    metric,
    ours: (figures) => readingOf(figures, 'millrace', scenario, metric),
    theirs: (figures) => bestReading(figures, choice, elsewhere, metric),
  }
}

function rate(title: string, scenario: ScenarioName, limit: number, against: Against): Target {
  return { ...compare(title, scenario, RATE, against), bound: 'at least', limit }
}

function cost(
  title: string,
  scenario: ScenarioName,
  metric: Metric,
  limit: number,
  against: Against,
): Target {
  return { ...compare(title, scenario, metric, against), bound: 'at most', limit }
}

function serverCpu(title: string, scenario: ScenarioName): Target {
  return cost(title, scenario, 'serverCpuPer100k', 0.6, bestPostgresPeer())
}

function idleLatency(
  where: string,
  scenario: ScenarioName,
  limit: number,
  against: Against,
): Target {
  return cost(`idle latency p50, ${where}`, scenario, 'p50Ms', limit, against)
}

function againstOurselves(
  title: string,
  scenario: ScenarioName,
  words: string,
  other: ScenarioName,
): Target {
  return rate(title, scenario, 0.9, { ...contender('millrace'), words, scenario: other })
}

function fixed(
  title: string,
  scenario: ScenarioName,
  metric: Metric,
  bound: Target['bound'],
  limit: number,
): Target {
  const ours: Target['ours'] = (figures) => readingOf(figures, 'millrace', scenario, metric)
  return { scenario: title, against: '', bound, limit, metric, ours }
}

/** One INSERT, its NOTIFY and its commit, by bare SQL on a machine that was idle before it as well. */
function oneInsert(figures: Figures): Reading | undefined {
  return readingOf(figures, 'ceiling-notify', 'latency-same-process', 'callMs')
}

function notifyInEach(figures: Figures): string {
  const scenario = 'enqueue-in-transactions-busy'
  const bare = readingOf(figures, 'ceiling', scenario, RATE)
  const notifying = readingOf(figures, 'ceiling-notify', scenario, RATE)
  if (bare === undefined || notifying === undefined) return ''
  return `with a NOTIFY in each: ${formatRatio(notifying.value / bare.value)}`
}

function whatPeersFallTo({ results, context }: Figures): string {
  const falls = context.contenders.filter(isPeer).flatMap(({ name }) => {
    const result = results.get('held-snapshot')?.get(name)
    const first = summaryOf(result, 'firstWindow')
    const last = summaryOf(result, 'lastWindow')
    if (first === undefined || last === undefined) return []
    const fall = `${formatMetric(first.median, 'firstWindow')} → ${formatMetric(last.median, 'lastWindow')}`
    return [`${name} ${fall} (${formatRatio(last.median / first.median)})`]
  })
  return falls.length === 0 ? '' : `peers: ${falls.join('; ')}`
}
