import { parseArgs } from 'node:util'
import { scenariosNamed, UsageError } from '../harness/options.ts'
import { SCENARIOS, type ScaleName, type ScenarioName } from '../results.ts'

export interface CompareOptions {
  /** What is compared with: anything that git takes for a commit. */
  readonly revision: string
  readonly rounds: number
  readonly scenarios: readonly ScenarioName[]
  readonly scale: ScaleName
}

export const COMPARE_HELP = `npm run bench:compare -- REVISION [options]

Is this checkout as fast as that revision was? Runs both in turn, and exits with 1 if not. Ctrl-C ends it with what
the rounds so far say.

  --rounds n      how often each is measured (8)
  --only names    scenarios, by commas (drain-kept,drain-not-kept,bulk-enqueue)
  --quick         a fifth of the jobs: for many short rounds on a machine that is not quiet
  --smoke         tiny sizes: whether everything works, not how fast
`

const DEFAULT_ROUNDS = 8
const DEFAULT_SCENARIOS: readonly ScenarioName[] = ['drain-kept', 'drain-not-kept', 'bulk-enqueue']

/** Reads the command line; undefined: help is asked for. Throws a `UsageError` that says what is possible. */
export function readCompareOptions(args: readonly string[]): CompareOptions | undefined {
  const { values, positionals } = parse(args)
  if (values.help === true) return undefined
  const [revision, ...others] = positionals
  if (revision === undefined || others.length > 0) {
    throw new UsageError(`Name one revision to compare with.\n\n${COMPARE_HELP}`)
  }
  if (values.quick === true && values.smoke === true) {
    throw new UsageError('Pass --quick or --smoke, not both.')
  }
  return {
    revision,
    rounds: readRounds(values.rounds),
    scenarios: readScenarios(values.only ?? []),
    scale: values.smoke === true ? 'smoke' : values.quick === true ? 'quick' : 'full',
  }
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        rounds: { type: 'string' },
        only: { type: 'string', multiple: true },
        quick: { type: 'boolean' },
        smoke: { type: 'boolean' },
        help: { type: 'boolean', short: 'h' },
      },
    })
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error)
    throw new UsageError(`${message}\n\n${COMPARE_HELP}`)
  }
}

function readRounds(given: string | undefined): number {
  if (given === undefined) return DEFAULT_ROUNDS
  const rounds = Number(given)
  if (Number.isInteger(rounds) && rounds >= 1 && rounds <= 1_000) return rounds
  throw new UsageError(`--rounds ${given} is no whole number from 1 to 1000.`)
}

function readScenarios(given: readonly string[]): readonly ScenarioName[] {
  const names = given.flatMap((part) => part.split(',')).filter((name) => name !== '')
  if (names.length === 0) return DEFAULT_SCENARIOS
  const unknown = names.find((name) => scenariosNamed(name).length === 0)
  if (unknown !== undefined) {
    throw new UsageError(`--only ${unknown} is no scenario. There are: ${SCENARIOS.join(', ')}.`)
  }
  return [...new Set(names.flatMap(scenariosNamed))]
}
