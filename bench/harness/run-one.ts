import type { Measurement } from '../results.ts'
import type { BenchPostgres } from './postgres-database.ts'
import { within } from './clock.ts'
import type { PlannedRun } from './plan.ts'
import { programFor } from './programs.ts'
import { SCALES, type Scale } from './scale.ts'
import type { Findings } from './scenario.ts'
import { Trial } from './trial.ts'

/** Where runs are made: the server that is measured, and one on which statements are counted. */
export interface Servers {
  readonly measured: BenchPostgres
  counting(): Promise<BenchPostgres>
}

interface Finished extends Findings {
  readonly problems: readonly string[]
}

const NOTHING: Findings = { values: {} }

/** Makes one run. It never throws: what goes wrong is in the measurement's problems. */
export async function runOne(
  run: PlannedRun,
  scale: Scale,
  servers: Servers,
): Promise<Omit<Measurement, 'node'>> {
  const { scenario, contender, repetition } = run
  const sizes = scenario.sizes[scale.name]
  const measured = await runTrial(run, scale, sizes, servers.measured)
  const statementsPerJob = await countStatements(run, scale, servers)
  return {
    scenario: scenario.name,
    contender: contender.name,
    repetition,
    at: new Date().toISOString(),
    sizes,
    values: {
      ...withoutMissing(measured.values),
      ...(statementsPerJob !== undefined && { statementsPerJob }),
    },
    ...(measured.series !== undefined && { series: measured.series }),
    problems: measured.problems,
  }
}

/** Counts them in a short run of its own on another server, once: they do not differ from run to run. */
async function countStatements(
  run: PlannedRun,
  scale: Scale,
  servers: Servers,
): Promise<number | undefined> {
  const { scenario, contender, repetition } = run
  if (scenario.countsStatements !== true || repetition > 1) return undefined
  if (!contender.abilities.has('postgres')) return undefined
  // What only shows that the counting works need not be done for all.
  if (scale.name !== 'full' && contender.name !== 'millrace') return undefined
  const short = scale.name === 'smoke' ? scale : SCALES.quick
  const counted = await runTrial(run, short, scenario.sizes[short.name], await servers.counting())
  return counted.problems.length === 0 ? counted.values.statementsPerJob : undefined
}

async function runTrial(
  { scenario, contender, program: given }: PlannedRun,
  scale: Scale,
  sizes: Readonly<Record<string, number>>,
  postgres: BenchPostgres,
): Promise<Finished> {
  let trial: Trial | undefined
  try {
    const program = given ?? (await programFor(contender))
    trial = await Trial.begin({ contender, program, postgres, scale, sizes })
    const findings = await within(scale.runMs, 'The run', scenario.run(trial))
    return { ...findings, problems: [...trial.problems] }
  } catch (error) {
    return { ...NOTHING, problems: [...(trial?.problems ?? []), messageOf(error)] }
  } finally {
    await trial?.end().catch((error: unknown) => console.error(messageOf(error)))
  }
}

/** Undefined says that something could not be measured here; JSON would leave it out too. */
function withoutMissing(values: Measurement['values']): Measurement['values'] {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => Number.isFinite(value)))
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
