import type { Measurement } from '../results.ts'
import type { Place } from './place.ts'
import type { Role } from './role.ts'

/** What a phase cost, all processes together. Undefined is what cannot be known here. */
export interface Usage {
  readonly walBytes: number | undefined
  readonly serverCpuSeconds: number | undefined
  readonly nodeCpuSeconds: number
  readonly statements: number | undefined
}

type Costs = Pick<
  Measurement['values'],
  'walBytesPerJob' | 'serverCpuPer100k' | 'nodeCpuPer100k' | 'statementsPerJob'
>

/** Begins to measure a phase; calling the answer ends it. */
export async function startMeter(
  place: Place,
  roles: readonly Role[],
): Promise<() => Promise<Usage>> {
  const before = await read(place, roles)
  return async () => {
    const after = await read(place, roles)
    return {
      walBytes: difference(before.walBytes, after.walBytes),
      serverCpuSeconds: difference(before.serverCpuSeconds, after.serverCpuSeconds),
      nodeCpuSeconds: after.nodeCpuSeconds - before.nodeCpuSeconds,
      statements: difference(before.statements, after.statements),
    }
  }
}

/** What each job cost. Phases of different numbers of jobs add up to a job's life: `[[filling, 1000], [draining, 990]]`. */
export function costs(phases: readonly (readonly [usage: Usage, jobs: number])[]): Costs {
  const perJob = (of: (usage: Usage) => number | undefined): number | undefined =>
    phases.reduce<number | undefined>((sum, [usage, jobs]) => {
      const value = of(usage)
      return sum === undefined || value === undefined || jobs === 0 ? undefined : sum + value / jobs
    }, 0)
  const per100k = (value: number | undefined): number | undefined => value && value * 100_000
  return {
    walBytesPerJob: perJob((usage) => usage.walBytes),
    serverCpuPer100k: per100k(perJob((usage) => usage.serverCpuSeconds)),
    nodeCpuPer100k: per100k(perJob((usage) => usage.nodeCpuSeconds)),
    statementsPerJob: perJob((usage) => usage.statements),
  }
}

async function read(place: Place, roles: readonly Role[]): Promise<Usage> {
  const [server, ...usages] = await Promise.all([
    place.usage(),
    ...roles.map((role) => role.call('usage')),
  ])
  return {
    walBytes: server.walBytes,
    serverCpuSeconds: server.cpuSeconds,
    nodeCpuSeconds: usages.reduce((sum, { cpuSeconds }) => sum + cpuSeconds, 0),
    statements: server.statements,
  }
}

function difference(before: number | undefined, after: number | undefined): number | undefined {
  return before === undefined || after === undefined ? undefined : after - before
}
