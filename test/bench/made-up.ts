import type {
  BenchmarkContext,
  ContenderFacts,
  Measurement,
  Metric,
  ScenarioName,
} from '../../bench/results.ts'

/*
 * A made-up benchmark for the tests of the report. Nothing in it was measured.
 */

type Values = Partial<Record<Metric, number>>

export function contender(name: string, facts: Partial<ContenderFacts> = {}): ContenderFacts {
  const backend = 'postgres'
  return {
    name,
    library: name,
    version: '1.2.3',
    backend,
    tuning: 'best',
    settings: {},
    abilities: [],
    ...facts,
  }
}

const CONTENDERS: readonly ContenderFacts[] = [
  contender('millrace', { tuning: 'defaults' }),
  contender('millrace-pglite', { library: 'millrace', backend: 'pglite', tuning: 'defaults' }),
  contender('ceiling', { library: 'bare SQL' }),
  contender('ceiling-notify', { library: 'bare SQL' }),
  contender('pg-boss', { tuning: 'defaults' }),
  contender('pg-boss-best', { library: 'pg-boss', settings: { batchSize: 3000, note: 'a|b' } }),
  contender('graphile-worker', { tuning: 'defaults' }),
  contender('graphile-worker-best', { library: 'graphile-worker' }),
  contender('bullmq-postgres', { library: 'bullmq', tuning: 'defaults' }),
  contender('bullmq-redis', { library: 'bullmq', backend: 'redis', tuning: 'defaults' }),
]

export function makeContext(changes: Partial<BenchmarkContext> = {}): BenchmarkContext {
  return {
    scale: 'full',
    isPartial: false,
    startedAt: '2026-01-02T03:04:05.678Z',
    endedAt: '2026-01-02T07:00:00.000Z',
    machine: { cpu: 'Example CPU @ 2.00GHz', cores: 2, memoryGb: 24, system: 'Linux 6.1.0 x64' },
    versions: { Node: '22.0.0', PostgreSQL: '18.0' },
    settings: { PostgreSQL: { shared_buffers: '1GB' }, Redis: {} },
    contenders: CONTENDERS,
    scenarios: [],
    concurrency: 50,
    folder: '/nowhere',
    ...changes,
  }
}

export function scenario(
  name: ScenarioName,
  changes: Partial<BenchmarkContext['scenarios'][number]> = {},
): BenchmarkContext['scenarios'][number] {
  const facts = { title: `Title of ${name}`, text: 'What is done.', sizes: { jobs: 100_000 } }
  return { name, headline: 'jobsPerSecond', ...facts, ...changes }
}

export function run(
  scenarioName: string,
  contenderName: string,
  values: Values,
  changes: Partial<Measurement> = {},
): Measurement {
  return {
    scenario: scenarioName,
    contender: contenderName,
    repetition: 1,
    node: '22.0.0',
    at: '2026-01-02T03:05:00.000Z',
    sizes: { jobs: 100_000 },
    values,
    problems: [],
    ...changes,
  }
}

/** A run for each value, as repetitions. */
export function repetitions(
  scenarioName: string,
  contenderName: string,
  metric: Metric,
  values: readonly number[],
): Measurement[] {
  return values.map((value, index) =>
    run(scenarioName, contenderName, { [metric]: value }, { repetition: index + 1 }),
  )
}
