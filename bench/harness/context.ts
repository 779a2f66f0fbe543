import os from 'node:os'
import type { Contender } from '../contender.ts'
import type { BenchmarkContext, ContenderFacts } from '../results.ts'
import type { BenchPostgres } from './postgres-database.ts'
import { REDIS_SETTINGS } from './redis.ts'
import { CONCURRENCY } from './scale.ts'
import type { Scenario } from './scenario.ts'
import type { Options } from './options.ts'

export interface ContextParts {
  readonly options: Options
  readonly startedAt: string
  readonly scenarios: readonly Scenario[]
  readonly contenders: readonly Contender[]
  readonly postgres: BenchPostgres
  readonly redis: string | undefined
  readonly folder: string
}

/** What the report says about machine, versions and settings. */
export async function describeBenchmark(parts: ContextParts): Promise<BenchmarkContext> {
  const { options, startedAt, scenarios, contenders, postgres, redis, folder } = parts
  const [cpu] = os.cpus()
  return {
    scale: options.scale,
    isPartial: options.scenarios !== undefined || options.contenders !== undefined,
    startedAt,
    endedAt: new Date().toISOString(),
    machine: {
      cpu: cpu?.model ?? 'unknown',
      cores: os.availableParallelism(),
      memoryGb: Math.round(os.totalmem() / 2 ** 30),
      system: `${os.type()} ${os.release()} ${os.arch()}`,
    },
    versions: {
      Node: process.versions.node,
      PostgreSQL: await postgres.version(),
      ...(redis !== undefined && { Redis: redis }),
    },
    settings: {
      PostgreSQL: await postgres.settings(),
      ...(redis !== undefined && { Redis: REDIS_SETTINGS }),
    },
    contenders: contenders.map(factsOf),
    scenarios: scenarios.map(({ name, title, text, sizes, headline }) => ({
      name,
      title,
      text,
      sizes: sizes[options.scale],
      headline,
    })),
    concurrency: CONCURRENCY,
    folder,
  }
}

function factsOf(contender: Contender): ContenderFacts {
  const { name, library, version, backend, tuning, settings, abilities } = contender
  return { name, library, version, backend, tuning, settings, abilities: [...abilities] }
}
