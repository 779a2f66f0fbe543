import { parseArgs } from 'node:util'
import { CONTENDERS } from '../contenders/index.ts'
import { SCENARIOS, type ScaleName, type ScenarioName } from '../results.ts'
import { SCALES } from './scale.ts'

export interface Options {
  readonly scale: ScaleName
  /** Undefined: all. */
  readonly scenarios: ReadonlySet<ScenarioName> | undefined
  /** Undefined: all. */
  readonly contenders: ReadonlySet<string> | undefined
  readonly repetitions: number
  /** Forget an interrupted run. */
  readonly fresh: boolean
  /** Only write the report again. */
  readonly report: boolean
  readonly help: boolean
}

export const HELP = `npm run bench [-- options]

  --quick             small sizes, once each: about three minutes in all
  --smoke             tiny sizes: whether everything works, not how fast
  --only names        scenarios and contenders, by commas; "drain" is every scenario that begins with drain-
  --repetitions n     how often each is measured (3, and 1 for --quick and --smoke)
  --fresh             forget an interrupted run; else it goes on where it stopped
  --report            only write the report of the last run again
`

/** A mistake on the command line: its message is all that the user needs. */
export class UsageError extends Error {}

/** Reads the command line. Throws a `UsageError` that says what is possible. */
export function readOptions(args: readonly string[]): Options {
  const values = parse(args)
  if (values.quick === true && values.smoke === true) {
    throw new UsageError('Pass --quick or --smoke, not both.')
  }
  const scale = values.smoke === true ? 'smoke' : values.quick === true ? 'quick' : 'full'
  const names = values.only?.flatMap((part) => part.split(',')).filter((name) => name !== '') ?? []
  const scenarios = names.flatMap(scenariosNamed)
  const contenders = names.filter((name) => name in CONTENDERS)
  for (const name of names) refuseUnknown(name)
  return {
    scale,
    scenarios: scenarios.length === 0 ? undefined : new Set(scenarios),
    contenders: contenders.length === 0 ? undefined : new Set(contenders),
    repetitions: readRepetitions(values.repetitions, scale),
    fresh: values.fresh === true,
    report: values.report === true,
    help: values.help === true,
  }
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      options: {
        quick: { type: 'boolean' },
        smoke: { type: 'boolean' },
        only: { type: 'string', multiple: true },
        repetitions: { type: 'string' },
        fresh: { type: 'boolean' },
        report: { type: 'boolean' },
        help: { type: 'boolean', short: 'h' },
      },
    }).values
  } catch (error) {
    throw new UsageError(`${error instanceof Error ? error.message : String(error)}\n\n${HELP}`)
  }
}

/** The scenario of this name, or those that begin with it. */
export function scenariosNamed(name: string): ScenarioName[] {
  const exact = SCENARIOS.filter((scenario) => scenario === name)
  return exact.length > 0 ? exact : SCENARIOS.filter((scenario) => scenario.startsWith(`${name}-`))
}

function refuseUnknown(name: string): void {
  if (name in CONTENDERS || scenariosNamed(name).length > 0) return
  throw new UsageError(
    `--only ${name} is neither a scenario nor a contender.\n` +
      `Scenarios: ${SCENARIOS.join(', ')}.\n` +
      `Contenders: ${Object.keys(CONTENDERS).join(', ')}.`,
  )
}

function readRepetitions(given: string | undefined, scale: ScaleName): number {
  if (given === undefined) return SCALES[scale].repetitions
  const repetitions = Number(given)
  if (Number.isInteger(repetitions) && repetitions >= 1 && repetitions <= 100) return repetitions
  throw new UsageError(`--repetitions ${given} is no whole number from 1 to 100.`)
}
