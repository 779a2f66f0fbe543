import type { Contender } from '../contender.ts'
import type { ScenarioName } from '../results.ts'
import type { Scale } from './scale.ts'
import type { Scenario } from './scenario.ts'

/** One run to make. */
export interface PlannedRun {
  readonly scenario: Scenario
  readonly contender: Contender
  readonly repetition: number
}

export interface PlanWishes {
  readonly scale: Scale
  readonly repetitions: number
  readonly scenarios: ReadonlySet<ScenarioName> | undefined
}

/** Every run in its order: within a scenario all contenders, then all of them again, so that no one has the better hour. */
export function planRuns(
  scenarios: readonly Scenario[],
  contenders: readonly Contender[],
  { scale, repetitions, scenarios: wanted }: PlanWishes,
): PlannedRun[] {
  return scenarios
    .filter(({ name }) => wanted === undefined || wanted.has(name))
    .flatMap((scenario) => {
      const able = contenders.filter((contender) => canRun(contender, scenario))
      const times = scenario.runsOnce === true && scale.name === 'full' ? 1 : repetitions
      return Array.from({ length: times }, (_, index) =>
        able.map((contender) => ({ scenario, contender, repetition: index + 1 })),
      ).flat()
    })
}

function canRun(contender: Contender, scenario: Scenario): boolean {
  if (contender.only !== undefined && !contender.only.includes(scenario.name)) return false
  if (scenario.onlyDefaults === true && contender.tuning !== 'defaults') return false
  if (scenario.onlyBest === true && isPeerAtDefaults(contender)) return false
  if (scenario.onlyMillrace === true && contender.name !== 'millrace') return false
  return scenario.needs.every((ability) => contender.abilities.has(ability))
}

function isPeerAtDefaults({ library, tuning }: Contender): boolean {
  return library !== 'millrace' && tuning === 'defaults'
}
