import type { Contender } from '../contender.ts'
import type { ScenarioName } from '../results.ts'
import type { RoleProgram } from './role.ts'
import type { Scale } from './scale.ts'
import type { Scenario } from './scenario.ts'

/** One run to make. */
export interface PlannedRun {
  readonly scenario: Scenario
  readonly contender: Contender
  readonly repetition: number
  /** How its processes are started, where it is not as the contender's are. */
  readonly program?: RoleProgram
}

export interface PlanWishes {
  readonly scale: Scale
  readonly repetitions: number
  readonly scenarios: ReadonlySet<ScenarioName> | undefined
  /** Named by the user: then nothing is thinned out. */
  readonly contenders: ReadonlySet<string> | undefined
}

/** What the variants of Millrace show in a run at a small scale. */
const VARIANTS_SHOW: readonly ScenarioName[] = [
  'bulk-enqueue',
  'drain-kept',
  'latency-same-process',
]

/** Every run in its order: within a scenario all contenders, then all of them again, so that no one has the better hour. */
export function planRuns(
  scenarios: readonly Scenario[],
  contenders: readonly Contender[],
  { scale, repetitions, scenarios: wanted, contenders: named }: PlanWishes,
): PlannedRun[] {
  const isThinned = scale.name !== 'full' && named === undefined
  return scenarios
    .filter(({ name }) => wanted === undefined || wanted.has(name))
    .flatMap((scenario) => {
      const able = contenders.filter(
        (contender) =>
          canRun(contender, scenario) && (!isThinned || isWorthwhile(contender, scenario, scale)),
      )
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

/** What a smoke asks of the peers: each thing that an adapter does, once. */
const PEERS_SMOKED: readonly ScenarioName[] = [
  'enqueue-one-by-one',
  'enqueue-in-transactions-busy',
  'bulk-enqueue',
  'drain-kept',
  'drain-not-kept',
  'drain-at-defaults',
  'latency-other-process',
  'fifo',
  'retries',
  'priorities',
  'idle',
]

/** Whether a run at a small scale, which should be short, is made. */
function isWorthwhile(contender: Contender, scenario: Scenario, scale: Scale): boolean {
  if (contender.name === 'millrace' || contender.name.startsWith('ceiling')) return true
  if (contender.library === 'millrace') return VARIANTS_SHOW.includes(scenario.name)
  const isAsked =
    scale.name === 'smoke' ? PEERS_SMOKED.includes(scenario.name) : scenario.isExtra !== true
  if (!isAsked) return false
  return scenario.onlyDefaults === true || contender.tuning === 'best'
}
